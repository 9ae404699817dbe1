import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import { parseMailboxAddress } from '../../../src/directory/smtp-address.ts';
import type { AutodiscoverClientOptions } from '../../../src/protocols/autodiscover/client.ts';
import { BASIC, DiscoveryWorld, EWS, PASSWORD, SVC, XML, poxAnswer, poxError, poxFound, redirect, signed, soapAnswer, soapFound, soapRefusal, xmlAnswer } from './discovery-world.ts';

const [ROOT, AUTO, PLAIN] = ['https://corp.example', 'https://autodiscover.corp.example', 'http://autodiscover.corp.example'];
const HOSTER = 'https://autodiscover.hoster.example';

let world: DiscoveryWorld;
beforeAll(async () => (world = await DiscoveryWorld.open()));
afterAll(() => world.close());
beforeEach(() => world.forget());

const forever = (): AbortSignal => new AbortController().signal;
/** The URLs, or the error as `CODE target`. */
async function find(options: Partial<AutodiscoverClientOptions> = {}): Promise<readonly string[] | BridgeError> {
  const client = world.client(options);
  try {
    return (await client.find(forever())).map((url) => url.href);
  } catch (error) {
    expect(error).toBeInstanceOf(BridgeError);
    return error as BridgeError;
  } finally {
    await client.close();
  }
}
/** What was sent with the password. */
const signedTo = (): readonly string[] => world.lines().filter((line) => line.startsWith('+'));

describe('the places of a domain', () => {
  it('are tried in the order of Exchange’s own clients, SOAP before POX, the JSON of the second version last', async () => {
    for (const host of [ROOT, AUTO, PLAIN]) world.at(`${host}/`, (response) => response.end());
    const names: string[] = [];
    const error = await find({ serviceRecords: async (name) => (names.push(name), []) });
    expect(world.lines()).toEqual([`POST ${ROOT}${SVC}`, `POST ${ROOT}${XML}`, `POST ${AUTO}${SVC}`, `POST ${AUTO}${XML}`, `GET ${PLAIN}${XML}`, `GET ${AUTO}/autodiscover/autodiscover.json`, `GET ${ROOT}/autodiscover/autodiscover.json`]);
    expect(names).toEqual(['_autodiscover._tcp.corp.example']);
    expect(error).toMatchObject({ code: 'BACKEND_FAULT', temporary: false, publicMessage: 'no Autodiscover was found' });
  });

  it('that cannot be reached are left after one try, and the end is temporary', async () => {
    expect(await find()).toMatchObject({ code: 'BACKEND_UNREACHABLE', temporary: true });
    world.at(`${AUTO}${XML}`, signed(poxFound()));
    expect(await find()).toEqual([EWS]);
    expect(world.lines()).toEqual([`POST ${AUTO}${SVC}`, `POST ${AUTO}${XML}`, `+POST ${AUTO}${XML}`]);
  });

  it('see a password only when they ask for it', async () => {
    world.at(`${ROOT}/`, xmlAnswer('')).at(`${AUTO}${SVC}`, signed(soapFound()));
    expect(await find()).toEqual([EWS]);
    expect(signedTo()).toEqual([`+POST ${AUTO}${SVC}`]);
    expect(world.asked.at(-1)!.authorization).toBe(BASIC);
  });

  it('are a configured service and nothing else', async () => {
    world.at(`${ROOT}${SVC}`, soapFound());
    const url = new URL(`${HOSTER}${XML}`);
    world.at(url.href, signed(poxFound('https://mail.hoster.example/EWS/Exchange.asmx')));
    expect(await find({ url })).toEqual(['https://mail.hoster.example/EWS/Exchange.asmx']);
    expect(world.lines()).toEqual([`POST ${url.href}`, `+POST ${url.href}`]);
    world.forget();
    expect(await find({ url })).toMatchObject({ code: 'BACKEND_UNREACHABLE' });
    world.at(`${HOSTER}/`, soapFound());
    await find({ url: new URL(HOSTER) });
    await find({ url: new URL(`${HOSTER}/autodiscover/`) });
    expect(world.lines()).toEqual([`POST ${HOSTER}${SVC}`, `POST ${HOSTER}${XML}`, `POST ${HOSTER}${SVC}`, `POST ${HOSTER}${XML}`]);
  });

  it('of the second version answer with a URL', async () => {
    world.at(`${AUTO}/autodiscover/autodiscover.json`, (response) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ Protocol: 'Ews', Url: EWS })));
    expect(await find()).toEqual([EWS]);
  });

  it('go on behind 404, 5xx, HTML, half a document, a DOCTYPE, too much, JSON that is none', async () => {
    world.at(`${ROOT}/`, xmlAnswer(''));
    for (const wrong of [
      xmlAnswer('x', 404),
      xmlAnswer('x', 502),
      xmlAnswer('<html><body>Welcome</body></html>'),
      xmlAnswer('<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'),
      xmlAnswer('<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'),
      xmlAnswer(`<x>${'y'.repeat(2_000_000)}</x>`),
      xmlAnswer(`<x>${'<y/>'.repeat(100_000)}</x>`),
      xmlAnswer(''),
      xmlAnswer('{"Protocol":'),
    ]) {
      world.at(`${ROOT}${SVC}`, wrong).at(`${ROOT}${XML}`, wrong).at(`${AUTO}${SVC}`, signed(soapFound()));
      expect(await find()).toEqual([EWS]);
    }
  });
});

describe('signing in', () => {
  it('with a wrong password is the end of the walk: accounts get locked', async () => {
    for (const host of [ROOT, AUTO]) for (const path of [SVC, XML]) world.at(host + path, signed(soapFound()));
    const wrong = await find({ authentications: [{ kind: 'basic', username: 'CORP\\bridge', password: 'wrong' }] });
    expect(wrong).toMatchObject({ code: 'BACKEND_AUTH', temporary: false });
    expect(signedTo()).toEqual([`+POST ${ROOT}${SVC}`]);
  });

  it('goes on with the next account', async () => {
    world.at(`${ROOT}${SVC}`, signed(soapFound()));
    expect(await find({ authentications: [{ kind: 'basic', username: 'other', password: 'wrong' }, { kind: 'basic', username: 'CORP\\bridge', password: PASSWORD }] })).toEqual([EWS]);
  });

  it('does not send a password where Basic is not offered, and says what is', async () => {
    world.at(`${ROOT}${SVC}`, signed(soapFound(), ['Negotiate', 'NTLM'])).at(`${ROOT}${XML}`, signed(soapFound(), ['Negotiate', 'NTLM']));
    expect(await find()).toMatchObject({ code: 'BACKEND_AUTH', details: { offers: 'Negotiate, NTLM', hint: expect.stringContaining('Negotiate, NTLM') as string } });
    expect(signedTo()).toEqual([]);
  });

  it('with a refused account rests half a minute, then longer', async () => {
    let now = 0;
    world.at(`${ROOT}${SVC}`, signed(soapFound()));
    const client = world.client({ clock: { now: () => now }, authentications: [{ kind: 'basic', username: 'x', password: 'wrong' }] });
    await expect(client.find(forever())).rejects.toMatchObject({ code: 'BACKEND_AUTH' });
    for (const [at, asked] of [[29_000, 2], [31_000, 4], [150_000, 4], [152_000, 6], [451_000, 6], [453_000, 8], [1_352_000, 8], [1_354_000, 10]] as const) {
      now = at;
      await expect(client.find(forever())).rejects.toMatchObject({ code: 'BACKEND_AUTH' });
      expect(world.asked).toHaveLength(asked);
    }
  });
});

describe('redirects', () => {
  it.each([301, 302, 303, 307, 308])('by HTTP %i are followed within the domain, and the question is asked there anew', async (status) => {
    world.at(`${ROOT}${SVC}`, redirect(`${AUTO}${SVC}`, status)).at(`${AUTO}${SVC}`, signed(soapFound()));
    expect(await find()).toEqual([EWS]);
    expect(world.lines()).toEqual([`POST ${ROOT}${SVC}`, `POST ${AUTO}${SVC}`, `+POST ${AUTO}${SVC}`]);
  });

  it.each([
    ['by HTTP', redirect(`${HOSTER}${SVC}`)],
    ['in SOAP, RedirectUrl', soapRefusal('RedirectUrl', `${HOSTER}${SVC}`)],
    ['in SOAP, to an address', soapRefusal('RedirectAddress', 'bridge@hoster.example')],
    ['in POX, redirectUrl', poxAnswer(`<Action>redirectUrl</Action><RedirectUrl>${HOSTER}${XML}</RedirectUrl>`)],
    ['in POX, redirectAddr', poxAnswer('<Action>redirectAddr</Action><RedirectAddr>bridge@hoster.example</RedirectAddr>')],
  ])('elsewhere, %s, are an error that names its target; listed, they are followed', async (_name, answer) => {
    const url = new URL(ROOT + (_name.includes('POX') ? XML : SVC));
    world.at(url.href, signed(answer)).at(`${HOSTER}${SVC}`, signed(soapFound())).at(`${HOSTER}${XML}`, signed(poxFound()));
    const error = await find({ url });
    expect(error).toMatchObject({ code: 'BACKEND_REDIRECT', temporary: false, details: { target: expect.stringContaining('autodiscover.hoster.example') as string, hint: expect.stringContaining('hosts') as string } });
    expect(world.lines().join(' ')).not.toContain('hoster');
    expect(await find({ url, hosts: ['autodiscover.hoster.example'] })).toEqual([EWS]);
    expect(await find({ url, hosts: ['autodiscover.hoster.example:443'] })).toEqual([EWS]);
    expect(await find({ url, hosts: ['autodiscover.hoster.example:8443'] })).toMatchObject({ code: 'BACKEND_REDIRECT' });
  });

  it.each(['http://autodiscover.corp.example/autodiscover/autodiscover.svc', 'https://autodiscover.corp.example:8443/x.svc', 'https://u:p@autodiscover.corp.example/x.svc', 'https://corp.example.evil.example/x.svc', 'https://evilcorp.example/x.svc', 'ftp://corp.example/x', 'https://', `https://corp.example/${'x'.repeat(3_000)}`])('to %s are not followed', async (location) => {
    world.at(`${PLAIN}/`, xmlAnswer('')).at(`${AUTO}/`, xmlAnswer(''));
    for (const answer of [redirect(location), signed(soapRefusal('RedirectUrl', location))]) {
      world.asked.length = 0;
      world.at(`${ROOT}${SVC}`, answer);
      expect(await find({ url: new URL(`${ROOT}${SVC}`) })).toMatchObject({ code: expect.stringMatching(/^BACKEND_REDIRECT$/) as string });
      expect(world.asked.every((one) => one.url.startsWith(ROOT))).toBe(true);
    }
  });

  it('to an address of the same domain are asked at the same place', async () => {
    world.at(`${ROOT}${SVC}`, signed((response, asked) => (asked.body.includes('anna@corp.example') ? soapFound() : soapRefusal('RedirectAddress', 'anna@corp.example'))(response, asked)));
    expect(await find()).toEqual([EWS]);
  });

  it.each([
    ['of URLs', soapRefusal('RedirectUrl', `${ROOT}${SVC}`)],
    ['of addresses', soapRefusal('RedirectAddress', 'bridge@corp.example')],
    ['of HTTP', redirect(`${ROOT}${SVC}`)],
  ])('in a circle %s end', async (_name, answer) => {
    world.at(`${ROOT}${SVC}`, signed(answer));
    expect(await find({ url: new URL(`${ROOT}${SVC}`) })).toMatchObject({ code: 'BACKEND_REDIRECT', publicMessage: 'Autodiscover redirects in circles' });
    expect(world.asked.length).toBeLessThan(5);
  });

  it('without end are ten, and at most five of one host', async () => {
    let count = 0;
    world.at(`${ROOT}/`, xmlAnswer(''));
    const onward = (host: () => string) => (response: Parameters<ReturnType<typeof redirect>>[0]) => redirect(`${host()}/autodiscover/autodiscover.svc?n=${++count}`)(response, undefined as never);
    world.at(`${ROOT}${SVC}`, onward(() => ROOT));
    expect(await find({ url: new URL(`${ROOT}${SVC}`) })).toMatchObject({ code: 'BACKEND_REDIRECT', publicMessage: 'Autodiscover redirects too often' });
    expect(world.asked).toHaveLength(6);
    world.asked.length = 0;
    for (let n = 0; n < 30; n++) world.at(`https://h${n}.corp.example${SVC}`, redirect(`https://h${n + 1}.corp.example${SVC}`));
    expect(await find({ url: new URL(`https://h0.corp.example${SVC}`) })).toMatchObject({ code: 'BACKEND_REDIRECT', publicMessage: 'Autodiscover redirects too often' });
    expect(world.asked).toHaveLength(11);
  });

  it('by plain http lead to https, unsigned on the way', async () => {
    world.at(`${PLAIN}${XML}`, redirect(`https://mail.corp.example${XML}`)).at(`https://mail.corp.example${SVC}`, signed(soapFound()));
    expect(await find()).toEqual([EWS]);
    expect(world.lines()).toEqual([`GET ${PLAIN}${XML}`, `POST https://mail.corp.example${SVC}`, `+POST https://mail.corp.example${SVC}`]);
    expect(world.asked[0]).toMatchObject({ body: '', authorization: undefined });
  });

  it('by plain http or DNS elsewhere are nobody’s word: only listed hosts are asked', async () => {
    world.at(`${PLAIN}${XML}`, redirect(`${HOSTER}${XML}`)).at(`${HOSTER}${SVC}`, signed(soapFound()));
    const options = { serviceRecords: async () => [{ host: 'autodiscover.hoster.example', port: 443 }] };
    expect(await find(options)).toMatchObject({ code: 'BACKEND_REDIRECT', details: { target: HOSTER } });
    expect(world.lines()).toEqual([`GET ${PLAIN}${XML}`]);
    expect(await find({ ...options, hosts: ['autodiscover.hoster.example'] })).toEqual([EWS]);
  });

  it('by DNS SRV within the domain are asked, the best record first', async () => {
    world.at('https://mail.corp.example/', xmlAnswer('')).at(`https://ex.corp.example${SVC}`, signed(soapFound()));
    expect(await find({ serviceRecords: async () => [{ host: 'mail.corp.example', port: 443 }, { host: 'ex.corp.example', port: 443 }] })).toEqual([EWS]);
    expect(world.lines().slice(0, 2)).toEqual([`POST https://mail.corp.example${SVC}`, `POST https://mail.corp.example${XML}`]);
  });
});

describe('the URL of EWS', () => {
  const soap = async (urls: Readonly<Record<string, string>>, options: Partial<AutodiscoverClientOptions> = {}): Promise<unknown> => {
    world.at(`${ROOT}${SVC}`, signed(soapFound(urls)));
    return find({ url: new URL(`${ROOT}${SVC}`), ...options });
  };

  it('for outside stands before the one for inside; the partners’ is none', async () => {
    const [inside, outside] = ['https://ex1.corp.example/EWS/Exchange.asmx', EWS];
    expect(await soap({ InternalEwsUrl: inside, EwsPartnerUrl: 'https://p.corp.example/x', ExternalEwsUrl: outside })).toEqual([outside, inside]);
    expect(await soap({ InternalEwsUrl: inside })).toEqual([inside]);
    expect(await soap({ ExternalEwsUrl: outside, InternalEwsUrl: outside })).toEqual([outside]);
    expect(await soap({ EwsPartnerUrl: outside })).toMatchObject({ code: 'BACKEND_FAULT' });
  });

  it('elsewhere is an error that names it; listed, it is right; one of two is enough', async () => {
    const far = 'https://exch01.corp.local/EWS/Exchange.asmx';
    expect(await soap({ ExternalEwsUrl: far })).toMatchObject({ code: 'BACKEND_REDIRECT', details: { target: 'https://exch01.corp.local' } });
    expect(await soap({ ExternalEwsUrl: far }, { hosts: ['exch01.corp.local'] })).toEqual([far]);
    expect(await soap({ ExternalEwsUrl: EWS, InternalEwsUrl: far })).toEqual([EWS]);
  });

  it.each(['http://mail.corp.example/EWS/Exchange.asmx', 'https://mail.corp.example@evil.example/x', 'https://evil.example/mail.corp.example', 'https://corp.example.evil.example/', 'https://1.2.3.4/', 'javascript:alert(1)', 'not a URL', 'http://127.0.0.1/EWS/Exchange.asmx'])('%s is none', async (url) => {
    expect(await soap({ ExternalEwsUrl: url })).toMatchObject({ code: expect.stringMatching(/^BACKEND_(?:REDIRECT|MALFORMED)$/) as string });
  });

  it('may stand beside the configured service', async () => {
    const url = new URL(`${HOSTER}${SVC}`);
    const answers = async (ews: string): Promise<unknown> => (world.at(url.href, signed(soapFound({ ExternalEwsUrl: ews }))), find({ url }));
    expect(await answers('https://outlook.hoster.example/EWS/Exchange.asmx')).toEqual(['https://outlook.hoster.example/EWS/Exchange.asmx']);
    expect(await answers('https://hoster.example.evil.example/')).toMatchObject({ code: 'BACKEND_REDIRECT' });
  });
});

describe('what a service refuses', () => {
  it.each([
    [soapRefusal('InvalidUser'), 'unknown-mailbox', false],
    [soapRefusal('InvalidRequest'), 'InvalidRequest', false],
    [soapRefusal('NotFederated'), 'NotFederated', false],
    [soapRefusal('InternalServerError'), 'InternalServerError', true],
    [soapAnswer('<ErrorCode>NoError</ErrorCode>', '<ErrorCode>InvalidRequest</ErrorCode>'), 'InvalidRequest', false],
    [xmlAnswer('<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode xmlns:a="urn:x">a:InternalServerError</faultcode><faultstring>x</faultstring></s:Fault></s:Body></s:Envelope>', 500), 'InternalServerError', true],
  ])('in SOAP is an error with its code (%#)', async (answer, responseCode, temporary) => {
    world.at(`${ROOT}${SVC}`, signed(answer));
    expect(await find({ url: new URL(`${ROOT}${SVC}`) })).toMatchObject({ code: 'BACKEND_FAULT', temporary, details: { responseCode } });
  });

  it.each([
    [500, 'unknown-mailbox', false],
    [501, 'unknown-mailbox', false],
    [600, '600', false],
    [601, '601', false],
    [603, '603', true],
  ])('in POX, with HTTP 200, %i', async (code, responseCode, temporary) => {
    world.at(`${ROOT}${XML}`, signed(poxError(code)));
    expect(await find({ url: new URL(`${ROOT}${XML}`) })).toMatchObject({ code: 'BACKEND_FAULT', temporary, details: { responseCode } });
  });

  it('is no answer where two users answer for one, or a setting is somebody else’s', async () => {
    const twice = '<ErrorCode>NoError</ErrorCode></UserResponse><UserResponse><ErrorCode>NoError</ErrorCode>';
    world.at(`${ROOT}${SVC}`, signed(soapAnswer(twice)));
    expect(await find({ url: new URL(`${ROOT}${SVC}`) })).toMatchObject({ code: 'BACKEND_MALFORMED' });
  });

  it('with 503 is busy, and temporary', async () => {
    world.at(`${ROOT}${SVC}`, (response) => response.writeHead(503, { 'retry-after': '7' }).end());
    expect(await find({ url: new URL(`${ROOT}${SVC}`) })).toMatchObject({ code: 'BACKEND_BUSY', temporary: true, retryAfterMs: 7_000 });
  });
});

describe('waiting', () => {
  it('ends with the signal, whatever the server does', async () => {
    world.at(`${ROOT}${SVC}`, () => undefined);
    const client = world.client();
    const gone = new AbortController();
    const found = client.find(gone.signal);
    gone.abort();
    await expect(found).rejects.toMatchObject({ code: 'DEADLINE' });
    const probed = new AbortController();
    const probe = client.probe(probed.signal);
    probed.abort();
    expect((await probe).at(-1)).toMatchObject({ outcome: 'fail' });
    await client.close();
  });

  it('is shared, and an answer is given again for a minute', async () => {
    let now = 0;
    world.at(`${ROOT}${SVC}`, signed(soapFound()));
    const client = world.client({ clock: { now: () => now } });
    const all = await Promise.all(Array.from({ length: 50 }, () => client.find(forever())));
    expect(all.every((urls) => urls[0]!.href === EWS)).toBe(true);
    await client.find(forever());
    expect(world.asked).toHaveLength(2);
    now = 61_000;
    await client.find(forever());
    expect(world.asked).toHaveLength(4);
  });
});

describe('what check says', () => {
  it('names every step and how it ended', async () => {
    world.at(`${ROOT}/`, xmlAnswer('')).at(`${AUTO}${SVC}`, signed(soapRefusal('RedirectUrl', `https://mail.corp.example${SVC}`))).at(`https://mail.corp.example${SVC}`, signed(soapFound()));
    const findings = await world.client().probe(forever());
    expect(findings.map(({ outcome, text }) => `${outcome} ${text}`)).toEqual([
      `ok ${ROOT}${SVC}: there is no Autodiscover (404, nothing-there)`,
      `ok ${ROOT}${XML}: there is no Autodiscover (404, nothing-there)`,
      `ok ${AUTO}${SVC}: leads to https://mail.corp.example${SVC}`,
      `ok https://mail.corp.example${SVC}: answers`,
      `ok EWS is at ${EWS}`,
    ]);
  });

  it.each([
    ['a wrong password', signed(soapFound()), /user name or password.*not locked/],
    ['an unknown mailbox', soapRefusal('InvalidUser'), /autodiscover\.mailbox/],
    ['a redirect elsewhere', redirect(`${HOSTER}${SVC}?sid=canary`), /hosts/],
    ['a page', xmlAnswer('<html></html>'), /autodiscover\.url/],
  ])('ends with what to do about %s', async (_name, answer, advice) => {
    world.at(`${ROOT}${SVC}`, answer).at(`${ROOT}${XML}`, answer);
    const findings = await world.client({ url: new URL(ROOT), authentications: [{ kind: 'basic', username: 'x', password: 'canary' }] }).probe(forever());
    expect(findings.at(-1)).toMatchObject({ outcome: 'fail', advice: expect.stringMatching(advice) as string });
    expect(findings.every((one) => one.outcome === 'ok' || one.advice !== undefined)).toBe(true);
    expect(JSON.stringify(findings)).not.toContain('canary');
  });

  it('an address that can stand in no URL is a matter of configuration', async () => {
    const findings = await world.client({ mailbox: parseMailboxAddress('x@a..b') ?? ('x@a b' as never) }).probe(forever());
    expect(findings.at(-1)).toMatchObject({ outcome: 'fail' });
  });
});
