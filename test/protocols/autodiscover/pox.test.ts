import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ASKER, ASKER_BASIC } from '../face-under-test.ts';
import type { FaceUnderTest } from '../face-under-test.ts';
import { ask } from '../../flows/raw-http.ts';
import { EWS_URL, OUTLOOK_REQUEST, mailbox, openFace, outline, post, postPox, poxRequest, texts } from './face.ts';

const RESPONSE_2006 = 'http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006';
const MOBILESYNC = 'http://schemas.microsoft.com/exchange/autodiscover/mobilesync/requestschema/2006';
const NOON = Date.UTC(2026, 2, 2, 10, 42, 7, 123);

let face: FaceUnderTest;
beforeAll(async () => {
  face = await openFace({ clock: { now: () => NOON } });
});
afterAll(async () => face.close());

async function errorOf(body: string | Buffer, headers: Record<string, string> = {}): Promise<string> {
  const answer = await postPox(face, body, headers);
  expect(answer.status).toBe(200);
  expect(answer.headers['content-type']).toBe('text/xml; charset=utf-8');
  return (await texts(answer.body, 'ErrorCode'))[0] ?? 'none';
}

describe('an address of a served domain', () => {
  it('is given the one URL everywhere', async () => {
    const { body } = await postPox(face, poxRequest(mailbox('zoe@zimbra.example')));
    for (const name of ['ASUrl', 'EwsUrl', 'OOFUrl']) expect(new Set(await texts(body, name))).toEqual(new Set([EWS_URL]));
    expect(await texts(body, 'Type')).toEqual(['EXCH', 'EXPR', 'WEB', 'EXPR']);
  });

  it('is answered like any other, but for the echo of the address', async () => {
    const one = (await postPox(face, poxRequest(mailbox('zoe@zimbra.example')))).body;
    const other = (await postPox(face, poxRequest(mailbox('nobody@zimbra.example')))).body;
    expect(other.replaceAll('nobody', 'zoe')).toBe(one);
    expect(other).not.toBe(one);
  });

  it.each(['01B62C6D-4324-448f-9884-5FEC6D18A7E2', '01b62c6d-4324-448f-9884-5fec6d18a7e2', '01B62C6D-4324-448F-9884-5FEC6D18A7E2'])('may be the one that Exchange discovers a domain with: %s', async (name) => {
    const { body } = await postPox(face, poxRequest(mailbox(`${name}@Zimbra.Example`)));
    expect(await texts(body, 'ASUrl')).toContain(EWS_URL);
    expect(await texts(body, 'AutoDiscoverSMTPAddress')).toEqual([`${name}@Zimbra.Example`]);
  });

  it.each(['SMTP:Zoe@zimbra.example', 'mailto:Zoe@zimbra.example'])('is an address in the answer, where %s was asked for', async (text) => {
    const { body } = await postPox(face, poxRequest(mailbox(text)));
    expect(await texts(body, 'AutoDiscoverSMTPAddress')).toEqual(['Zoe@zimbra.example']);
    expect(await texts(body, 'DisplayName')).toEqual(['Zoe@zimbra.example']);
  });

  it('is found by the LegacyDN of its own answer', async () => {
    const [dn] = await texts((await postPox(face, poxRequest(mailbox('zoe@zimbra.example')))).body, 'LegacyDN');
    const { body } = await postPox(face, poxRequest(`<LegacyDN>${dn!.toUpperCase()}</LegacyDN>`));
    expect(await texts(body, 'AutoDiscoverSMTPAddress')).toEqual(['zoe@zimbra.example']);
  });

  it.each(['/Autodiscover/Autodiscover.xml', '/AUTODISCOVER/AUTODISCOVER.XML', '/autodiscover/autodiscover.xml?x=1'])('is answered at %s', async (path) => {
    expect(await texts((await post(face, path, poxRequest(mailbox('zoe@zimbra.example')))).body, 'Action')).toEqual(['settings']);
  });

  it('has a deployment id that stays, and another one elsewhere', async () => {
    const idOf = async (one: FaceUnderTest): Promise<string> => (await texts((await postPox(one, poxRequest(mailbox('zoe@zimbra.example')))).body, 'DeploymentId'))[0]!;
    const elsewhere = await openFace({}, 'http://other.example:8480');
    const id = await idOf(face);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(await idOf(face)).toBe(id);
    expect(await idOf(elsewhere)).not.toBe(id);
    await elsewhere.close();
  });

  it('is told of plain http where that is all there is', async () => {
    const plain = await openFace({}, 'http://fb.zimbra.example:8480');
    const { body } = await postPox(plain, poxRequest(mailbox('zoe@zimbra.example')));
    expect(await texts(body, 'SSL')).toEqual(['Off']);
    expect(await texts(body, 'Server')).toEqual(['fb.zimbra.example', 'fb.zimbra.example']);
    expect(await texts(body, 'EwsUrl')).toEqual(Array(2).fill('http://fb.zimbra.example:8480/EWS/Exchange.asmx'));
    await plain.close();
  });

  it('is never answered with what the Host header says', async () => {
    const { body } = await postPox(face, poxRequest(mailbox('zoe@zimbra.example')), { host: 'evil.example', 'x-forwarded-host': 'evil.example' });
    expect(body).toContain(EWS_URL);
    expect(body).not.toContain('evil');
  });
});

describe('refusals', () => {
  it.each([
    ['an unserved domain', mailbox('zoe@elsewhere.example')],
    ['no domain', mailbox('zoe')],
    ['a slash', mailbox('zo/e@zimbra.example')],
    ['a line end inside', mailbox('zo&#10;e@zimbra.example')],
    ['an invisible character', mailbox('zo&#x202e;e@zimbra.example')],
    ["somebody else's LegacyDN", '<LegacyDN>/o=Corp/ou=First Administrative Group/cn=Recipients/cn=zoe</LegacyDN>'],
    ['a LegacyDN of an unserved domain', '<LegacyDN>/o=freebusy-bridge/ou=elsewhere.example/cn=Recipients/cn=zoe</LegacyDN>'],
  ])('an address with %s is not found: 500 in a document with status 200', async (_what, subject) => {
    expect(await errorOf(poxRequest(subject))).toBe('500');
  });

  it('an address that the client may not ask about is not found in the same words as an unknown domain', async () => {
    const strict = await openFace({ clock: { now: () => NOON }, accounts: [{ requester: { ...ASKER, mayAsk: new Set() }, credentials: { username: 'asker', password: 'pw-of-asker' } }] });
    const refused = await postPox(strict, poxRequest(mailbox('zoe@zimbra.example')));
    const unknown = await postPox(face, poxRequest(mailbox('zoe@elsewhere.example')));
    expect(refused.body).toBe(unknown.body);
    await strict.close();
  });

  it('is the document of the sheet, with the time of day and an id', async () => {
    const { body } = await postPox(face, poxRequest(mailbox('zoe@elsewhere.example')));
    expect((await outline(body)).map(([path, ns]) => [path, ns])).toEqual(
      ['Autodiscover', 'Autodiscover/Response', 'Autodiscover/Response/Error', ...['ErrorCode', 'Message', 'DebugData'].map((one) => `Autodiscover/Response/Error/${one}`)].map((path) => [path, RESPONSE_2006]),
    );
    expect(body).toContain('<Error Time="10:42:07.1230000"');
    expect(body).toMatch(/ Id="\d{1,10}">/);
    expect(await texts(body, 'Message')).toEqual(["The email address can't be found."]);
  });

  it.each([
    ['a schema that we have nothing for', poxRequest(mailbox('zoe@zimbra.example'), 'http://schemas.example/2027')],
    ['telephones', poxRequest(mailbox('zoe@zimbra.example'), 'http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006', MOBILESYNC)],
  ])('601 for %s', async (_what, body) => {
    expect(await errorOf(body)).toBe('601');
  });

  it.each([
    ['no body', ''],
    ['no XML', 'Email=zoe@zimbra.example'],
    ['nobody asked for', poxRequest('')],
    ['an empty address', poxRequest(mailbox(' '))],
    ['no AcceptableResponseSchema', `<Autodiscover xmlns="${OUTLOOK_REQUEST}"><Request>${mailbox('zoe@zimbra.example')}</Request></Autodiscover>`],
    ['two addresses', poxRequest(mailbox('zoe@zimbra.example') + mailbox('kim@zimbra.example'))],
    ['the namespace of a faulty copy of the documentation', poxRequest(mailbox('zoe@zimbra.example'), undefined, OUTLOOK_REQUEST.replace('http:', 'https:'))],
    ['no namespace', poxRequest(mailbox('zoe@zimbra.example')).replace(` xmlns="${OUTLOOK_REQUEST}"`, '')],
    ['an inner default namespace', poxRequest('<EMailAddress xmlns="urn:other">zoe@zimbra.example</EMailAddress>')],
    ['another root', poxRequest(mailbox('zoe@zimbra.example')).replaceAll('Autodiscover', 'Envelope')],
    ['half a document', poxRequest(mailbox('zoe@zimbra.example')).slice(0, -20)],
    ['a character that XML forbids', poxRequest(mailbox('zo&#1;e@zimbra.example'))],
  ])('600 for %s', async (_what, body) => {
    expect(await errorOf(body)).toBe('600');
  });

  it.each(['GET', 'HEAD', 'PUT', 'PROPFIND'])('600 for %s', async (method) => {
    const answer = await ask(face.url, '/autodiscover/autodiscover.xml', { method, headers: { authorization: ASKER_BASIC }, ...(method === 'PUT' ? { body: poxRequest(mailbox('zoe@zimbra.example')) } : {}) });
    expect(answer.status).toBe(200);
    if (method !== 'HEAD') expect(await texts(answer.body, 'ErrorCode')).toEqual(['600']);
  });
});

describe('sign-in', () => {
  it.each(['GET', 'POST'])('401 with a challenge, and no redirect, for an unsigned %s', async (method) => {
    const answer = await ask(face.url, '/autodiscover/autodiscover.xml', { method });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toContain('Basic');
    expect(answer.headers['location']).toBeUndefined();
    expect(answer.body).not.toContain('fb.zimbra.example');
  });

  it('says at once that there is SOAP: EWS libraries look for it in an unsigned GET', async () => {
    expect((await ask(face.url, '/autodiscover/autodiscover.xml')).headers['x-soap-enabled']).toBe('True');
  });

  it('answers a stranger before his body has come', async () => {
    const answer = await ask(face.url, '/autodiscover/autodiscover.xml', { method: 'POST', headers: { connection: 'keep-alive', 'content-length': '4000000', expect: '100-continue' } });
    expect(answer.status).toBe(401);
  });
});
