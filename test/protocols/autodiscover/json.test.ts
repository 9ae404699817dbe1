import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AddressSet } from '../../../src/platform/auth/address-set.ts';
import { ask } from '../../flows/raw-http.ts';
import { ASKER, ASKER_BASIC } from '../face-under-test.ts';
import type { FaceUnderTest } from '../face-under-test.ts';
import { EWS_URL, openFace } from './face.ts';

let face: FaceUnderTest;
beforeAll(async () => {
  face = await openFace();
});
afterAll(async () => face.close());

async function get(target: string): Promise<{ readonly status: number; readonly type: unknown; readonly body: unknown }> {
  const answer = await ask(face.url, target, { headers: { authorization: ASKER_BASIC } });
  return { status: answer.status, type: answer.headers['content-type'], body: JSON.parse(answer.body) };
}

const JSON_TYPE = 'application/json; charset=utf-8';
const EWS = { status: 200, type: JSON_TYPE, body: { Protocol: 'Ews', Url: EWS_URL } };

describe('an address of a served domain', () => {
  it.each([
    '/autodiscover/autodiscover.json?Email=zoe%40zimbra.example&Protocol=Ews',
    '/Autodiscover/Autodiscover.json?email=nobody@zimbra.example&protocol=EWS',
    '/autodiscover/autodiscover.json?Protocol=Ews&RedirectCount=1&Email=01b62c6d-4324-448f-9884-5fec6d18a7e2@zimbra.example',
    '/autodiscover/autodiscover.json?Email=zoe+calendar@zimbra.example&Protocol=Ews',
    '/autodiscover/autodiscover.json/v1.0/zoe@zimbra.example?Protocol=Ews&RedirectCount=1',
    '/AutoDiscover/AutoDiscover.json/V1.0/zoe%40zimbra.example?Protocol=ews',
    '/autodiscover/autodiscover.json/v1.0/zoe@zimbra.example?Protocol=Ews&Email=eve@elsewhere.example',
  ])('is given the URL of EWS: %s', async (target) => {
    expect(await get(target)).toEqual(EWS);
  });

  it('is given the URL of the first version', async () => {
    expect(await get('/autodiscover/autodiscover.json?Email=zoe%40zimbra.example&Protocol=autodiscoverv1')).toEqual({
      ...EWS,
      body: { Protocol: 'AutodiscoverV1', Url: 'https://fb.zimbra.example/autodiscover/autodiscover.xml' },
    });
  });
});

describe('errors', () => {
  it.each([
    ['?Email=zoe@zimbra.example', 'MissingProtocol'],
    ['?Email=zoe@zimbra.example&Protocol=', 'MissingProtocol'],
    ['', 'MissingProtocol'],
    ['?Protocol=Ews', 'MandatoryParameterMissing'],
    ['?Protocol=Ews&Email=', 'MandatoryParameterMissing'],
    ['/v1.0?Protocol=Ews', 'MandatoryParameterMissing'],
    ['?Email=zoe@zimbra.example&Protocol=ActiveSync', 'ProtocolNotSupported'],
    ['?Email=zoe@zimbra.example&Protocol=Rest', 'ProtocolNotSupported'],
    ['?Email=eve@elsewhere.example&Protocol=Rest', 'ProtocolNotSupported'],
    ['/v1.0/zoe@zimbra.example?Protocol=XYZ', 'ProtocolNotSupported'],
  ])('400: %s is %s', async (rest, code) => {
    expect(await get(`/autodiscover/autodiscover.json${rest}`)).toEqual({ status: 400, type: JSON_TYPE, body: { ErrorCode: code, ErrorMessage: expect.any(String) as string } });
  });

  it.each([
    '?Email=eve@elsewhere.example&Protocol=Ews',
    '?Email=zoe&Protocol=Ews',
    '?Email=zo%2Fe@zimbra.example&Protocol=Ews',
    '?Email=zo%00e@zimbra.example&Protocol=Ews',
    '/v1.0/zo/e@zimbra.example?Protocol=Ews',
    '/v1.0/zo%2Fe@zimbra.example?Protocol=Ews',
    '/v1.0/%zz?Protocol=Ews',
    '?Email=zoe@zimbra.example&Protocol=Ews&RedirectCount=10',
  ])('404, the same for all: nobody is found by %s', async (rest) => {
    expect(await get(`/autodiscover/autodiscover.json${rest}`)).toEqual({ status: 404, type: JSON_TYPE, body: { ErrorCode: 'UserNotFound', ErrorMessage: 'The given user is not found' } });
  });
});

describe('sign-in', () => {
  const target = '/autodiscover/autodiscover.json?Email=zoe%40zimbra.example&Protocol=Ews';

  it('is asked for', async () => {
    const answer = await ask(face.url, target);
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toContain('Basic');
    expect(answer.body).not.toContain('fb.zimbra.example');
  });

  it('is not needed where an anonymous client is configured', async () => {
    const open = await openFace({ accounts: [{ requester: { ...ASKER, anonymous: true }, credentials: undefined, addresses: new AddressSet(['127.0.0.0/8']) }] });
    expect((await ask(open.url, target)).status).toBe(200);
    await open.close();
  });

  it('never happens by the query', async () => {
    expect((await ask(face.url, `${target}&username=asker&password=pw-of-asker&Authorization=${encodeURIComponent(ASKER_BASIC)}`)).status).toBe(401);
  });

  it('comes before the method is looked at', async () => {
    expect((await ask(face.url, target, { method: 'DELETE' })).status).toBe(401);
    const large = await ask(face.url, target, { method: 'POST', headers: { connection: 'keep-alive', 'content-length': '4000000000' } });
    expect(large.status).toBe(401);
    expect((await ask(face.url, target, { method: 'DELETE', headers: { authorization: ASKER_BASIC } })).status).toBe(405);
  });
});
