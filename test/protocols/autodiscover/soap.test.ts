import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/core/limits.ts';
import { ask } from '../../flows/raw-http.ts';
import { ASKER_BASIC } from '../face-under-test.ts';
import type { FaceUnderTest } from '../face-under-test.ts';
import { AUTODISCOVER, EWS_URL, openFace, outline, post, postSoap, soapRequest, texts, userSettings } from './face.ts';

let face: FaceUnderTest;
beforeAll(async () => {
  face = await openFace();
});
afterAll(async () => face.close());

/** The first ErrorCode below Response: of the request as a whole. */
async function errorOf(message: string, header?: string): Promise<string> {
  const answer = await postSoap(face, soapRequest(message, header));
  expect(answer.status).toBe(200);
  return (await texts(answer.body, 'ErrorCode'))[0]!;
}

describe('GetUserSettings', () => {
  it('answers everybody in order, once for each time asked, and who is unknown in its place', async () => {
    const users = ['zoe@zimbra.example', 'eve@elsewhere.example', 'zoe@zimbra.example', 'an/na@corp.example', ' Anna@Corp.example '];
    const { body } = await postSoap(face, soapRequest(userSettings(users, ['AutoDiscoverSMTPAddress', 'ExternalEwsUrl'])));
    expect(await texts(body, 'ErrorCode')).toEqual(['NoError', 'NoError', 'InvalidUser', 'NoError', 'InvalidUser', 'NoError']);
    expect(await texts(body, 'Value')).toEqual(['zoe@zimbra.example', EWS_URL, 'zoe@zimbra.example', EWS_URL, 'Anna@Corp.example', EWS_URL]);
  });

  it.each(['InternalEwsUrl', 'ExternalEwsUrl', 'InteropExternalEwsUrl', 'EwsPartnerUrl'])('has the one URL in %s', async (name) => {
    expect(await texts((await postSoap(face, soapRequest(userSettings(['zoe@zimbra.example'], [name])))).body, 'Value')).toEqual([EWS_URL]);
  });

  it('gives a version that reads as one: an Exchange that asks for it gives up otherwise', async () => {
    const [version] = await texts((await postSoap(face, soapRequest(userSettings(['zoe@zimbra.example'], ['ExternalEwsVersion'])))).body, 'Value');
    expect(version).toMatch(/^\d+(\.\d+){3}$/);
  });

  it('tells what is not available from what does not exist, and goes on', async () => {
    const { body } = await postSoap(face, soapRequest(userSettings(['zoe@zimbra.example'], ['AlternateMailboxes', 'externalewsurl', '__proto__', 'toString', 'ExternalEwsUrl', 'ExternalEwsUrl'])));
    expect(await texts(body, 'SettingName')).toEqual(['AlternateMailboxes', 'externalewsurl', '__proto__', 'toString']);
    expect(await texts(body, 'ErrorCode')).toEqual(['NoError', 'NoError', 'SettingIsNotAvailable', 'InvalidSetting', 'InvalidSetting', 'InvalidSetting']);
    expect(await texts(body, 'Name')).toEqual(['ExternalEwsUrl']);
  });

  it('is the same for any address of a served domain, but for the echo', async () => {
    const all = ['UserDisplayName', 'UserDN', 'UserDeploymentId', 'AutoDiscoverSMTPAddress', 'ExternalEwsUrl', 'CasVersion', 'EwsSupportedSchemas'];
    const bodies = await Promise.all(['zoe', 'nix'].map(async (name) => (await postSoap(face, soapRequest(userSettings([`${name}@zimbra.example`], all)))).body));
    expect(bodies[1]!.replaceAll('nix', 'zoe')).toBe(bodies[0]);
    expect(await texts(bodies[0]!, 'Name')).toHaveLength(all.length);
  });

  it.each([
    ['no users', userSettings([], ['ExternalEwsUrl'])],
    ['no settings', userSettings(['zoe@zimbra.example'], [])],
    ['no Request', '<a:GetUserSettingsRequestMessage/>'],
    ['users in another namespace', userSettings(['zoe@zimbra.example'], ['ExternalEwsUrl']).replace('<a:Users>', '<a:Users xmlns:a="urn:other">')],
    ['too many users', userSettings(Array(LIMITS.autodiscoverUsers + 1).fill('zoe@zimbra.example') as string[], ['ExternalEwsUrl'])],
    ['10,000 users', userSettings(Array(10_000).fill('zoe@zimbra.example') as string[], ['ExternalEwsUrl'])],
    ['10,000 settings', userSettings(['zoe@zimbra.example'], Array(10_000).fill('ExternalEwsUrl') as string[])],
    ['a setting of 100,000 letters', userSettings(['zoe@zimbra.example'], ['E'.repeat(100_000)])],
  ])('with %s is InvalidRequest as a whole, and names nobody', async (_what, message) => {
    const { status, body } = await postSoap(face, soapRequest(message));
    expect(status).toBe(200);
    expect(await texts(body, 'ErrorCode')).toEqual(['InvalidRequest']);
    expect(body).toContain('<UserResponses/>');
  });

  it('takes as many users as the bound says', async () => {
    const { body } = await postSoap(face, soapRequest(userSettings(Array(LIMITS.autodiscoverUsers).fill('zoe@zimbra.example') as string[], ['ExternalEwsUrl'])));
    expect(await texts(body, 'Value')).toHaveLength(LIMITS.autodiscoverUsers);
  });
});

describe('the header', () => {
  const question = userSettings(['zoe@zimbra.example'], ['ExternalEwsUrl']);

  it.each(['Exchange2010', 'Exchange2010_SP1', 'Exchange2013', 'Exchange2013_SP1', 'Exchange2016'])('may ask for %s', async (version) => {
    expect(await errorOf(question, `<a:RequestedServerVersion>${version}</a:RequestedServerVersion>`)).toBe('NoError');
  });

  it('may be missing', async () => {
    expect(await errorOf(question, '')).toBe('NoError');
  });

  it.each(['Exchange3000', '', 'exchange2010'])('with the version "%s" is InvalidRequest', async (version) => {
    expect(await errorOf(question, `<a:RequestedServerVersion>${version}</a:RequestedServerVersion>`)).toBe('InvalidRequest');
  });

  it('may hold what we do not know', async () => {
    expect(await errorOf(question, '<x:Trace xmlns:x="urn:x">1</x:Trace><x:Other xmlns:x="urn:x" s:mustUnderstand="0"/><x:Hop xmlns:x="urn:x" s:mustUnderstand="1" s:actor="urn:somebody-else"/>')).toBe('NoError');
  });

  it('with an unknown block that must be understood is a MustUnderstand fault', async () => {
    const answer = await postSoap(face, soapRequest(question, '<x:Token xmlns:x="urn:x" s:mustUnderstand="1"/>'));
    expect(answer.status).toBe(500);
    expect(await texts(answer.body, 'faultcode')).toEqual(['s:MustUnderstand']);
  });
});

describe('faults', () => {
  it.each([
    ['an unknown operation', '<a:GetEverythingRequestMessage/>'],
    ['an operation in another namespace', '<x:GetUserSettingsRequestMessage xmlns:x="urn:x"/>'],
    ['the https: namespace of faulty documentation', `<x:GetUserSettingsRequestMessage xmlns:x="${AUTODISCOVER.replace('http:', 'https:')}"/>`],
    ['no operation', ''],
    ['an answer', '<a:GetUserSettingsResponseMessage/>'],
  ])('500 and ActionNotSupported for %s', async (_what, message) => {
    const answer = await postSoap(face, soapRequest(message));
    expect(answer.status).toBe(500);
    expect(answer.headers['content-type']).toBe('text/xml; charset=utf-8');
    expect(await texts(answer.body, 'faultcode')).toEqual(['a:ActionNotSupported']);
    expect(answer.body).toContain('xmlns:a="http://www.w3.org/2005/08/addressing"');
  });

  it.each([
    ['no body', ''],
    ['half a document', soapRequest(userSettings(['zoe@zimbra.example'], ['ExternalEwsUrl'])).slice(0, -30)],
    ['POX at the wrong door', '<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"/>'],
    ['an envelope of another time', soapRequest('', '', 'http://schemas.example/soap/')],
    ['two bodies', soapRequest('').replace('</s:Envelope>', '<s:Body/></s:Envelope>')],
    ['a DOCTYPE', `<!DOCTYPE x [<!ENTITY a "b">]>${soapRequest('')}`],
  ])('500 and Client for %s', async (_what, body) => {
    const answer = await postSoap(face, body);
    expect(answer.status).toBe(500);
    expect(await texts(answer.body, 'faultcode')).toEqual(['s:Client']);
  });

  it('401 with a fault and a challenge, before the body is read', async () => {
    const answer = await ask(face.url, '/autodiscover/autodiscover.svc', { method: 'POST', headers: { 'content-length': '4000000', expect: '100-continue' } });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toContain('Basic');
    expect((await outline(answer.body)).map(([path]) => path)).toContain('Envelope/Body/Fault/faultstring');
  });
});

describe('around it', () => {
  const question = userSettings(['zoe@zimbra.example'], ['ExternalEwsUrl']);

  it('speaks SOAP 1.2 to who speaks it', async () => {
    const soap12 = 'http://www.w3.org/2003/05/soap-envelope';
    const answer = await postSoap(face, soapRequest(question, '', soap12), { 'content-type': 'application/soap+xml; charset=utf-8' });
    expect(answer.headers['content-type']).toBe('application/soap+xml; charset=utf-8');
    expect((await outline(answer.body))[0]).toEqual(['Envelope', soap12, '']);
    expect(await texts(answer.body, 'Value')).toEqual([EWS_URL]);
    const fault = await postSoap(face, soapRequest('<a:Nothing/>', '', soap12));
    expect(await texts(fault.body, 'Value')).toEqual(['s:Sender', 'a:ActionNotSupported']);
  });

  it.each(['/Autodiscover/Autodiscover.svc', '/autodiscover/AUTODISCOVER.SVC'])('answers at %s', async (path) => {
    expect((await post(face, path, soapRequest(question))).status).toBe(200);
  });

  it.each(['/autodiscover/autodiscover.svc', '/autodiscover/autodiscover.svc?wsdl'])('shows a page at GET %s', async (path) => {
    const answer = await ask(face.url, path, { headers: { authorization: ASKER_BASIC } });
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toContain('text/html');
  });

  it('has nothing where federated sharing would be', async () => {
    expect((await post(face, '/autodiscover/autodiscover.svc/wssecurity', soapRequest(question))).status).toBe(404);
  });
});
