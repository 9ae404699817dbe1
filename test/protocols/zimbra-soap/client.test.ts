import { afterEach, describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS } from '../../../src/core/clock.ts';
import type { BridgeError } from '../../../src/core/errors.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import type { ExplainNote, RequestContext } from '../../../src/core/request-context.ts';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import type { FreeBusyResult } from '../../../src/freebusy/source.ts';
import { readXml } from '../../../src/platform/xml/read.ts';
import { ZimbraSystem } from '../../../src/protocols/zimbra-soap/client.ts';
import type { ZimbraOptions } from '../../../src/protocols/zimbra-soap/client.ts';
import { envelope, everybody, fault, token, zimbraServer } from './zimbra-server.ts';
import type { ZimbraAnswer, ZimbraStandIn } from './zimbra-server.ts';

const LEA = 'lea@south.example' as MailboxAddress;
const MAX = 'max@south.example' as MailboxAddress;
const START = Date.parse('2026-11-18T08:00:00Z');
const WINDOW = { start: START, end: START + 10 * HOUR_MS };

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function systemAgainst(answer: ZimbraAnswer, more: Partial<ZimbraOptions> = {}): Promise<{ system: ZimbraSystem; server: ZimbraStandIn }> {
  const server = await zimbraServer(answer);
  const system = new ZimbraSystem({
    name: 'south', url: server.url, username: 'bridge@south.example', password: 'pa<ss&word', hosts: [], clock: { now: () => START }, logger: silentLogger, ...more,
  });
  open.push(server, system);
  return { system, server };
}

function context(more: Partial<RequestContext> = {}): RequestContext {
  const requester = { name: 'test', from: 'outside', mayAsk: 'all', detail: 'busy-type', anonymous: false, presence: 'none' } as const;
  return { requestId: 'r', requester, hops: 0, viaZimbra: false, deadline: START + 5_000, signal: AbortSignal.timeout(5_000), ...more };
}

const isAuth = (body: string): boolean => body.includes('<AuthRequest');
const ask = (system: ZimbraSystem, mailboxes: readonly MailboxAddress[] = [LEA], more: Partial<RequestContext> = {}): Promise<readonly FreeBusyResult[]> =>
  system.freeBusy({ mailboxes, window: WINDOW, details: false }, context(more));
const outcome = (result: FreeBusyResult | undefined): unknown => (result === undefined ? undefined : 'error' in result ? result.error.code : result.freeBusy.busy.map((one) => one.busyType));

/** Signs everybody in, then answers with this. */
const afterSignIn =
  (answer: ZimbraAnswer): ZimbraAnswer =>
  (body, request) =>
    isAuth(body) ? { body: token('t1') } : answer(body, request);

describe('ZimbraSystem', () => {
  it('signs in as an ordinary account and asks by name, with the token in the context and no session', async () => {
    const { system, server } = await systemAgainst(afterSignIn((body) => ({ body: everybody('b', body) })));
    expect((await ask(system, [LEA, MAX])).map(outcome)).toEqual([['busy'], ['busy']]);
    expect(server.requests.map(({ method, url }) => `${method} ${url}`)).toEqual(['POST /service/soap/', 'POST /service/soap/']);
    const soap = 'xmlns:soap="http://www.w3.org/2003/05/soap-envelope"';
    const wanted = [
      `<soap:Envelope ${soap}><soap:Header><context xmlns="urn:zimbra"><userAgent name="freebusy-bridge"/><nosession/></context></soap:Header><soap:Body><AuthRequest xmlns="urn:zimbraAccount" csrfTokenSecured="0"><account by="name">bridge@south.example</account><password>pa&lt;ss&amp;word</password></AuthRequest></soap:Body></soap:Envelope>`,
      `<soap:Envelope ${soap}><soap:Header><context xmlns="urn:zimbra"><userAgent name="freebusy-bridge"/><authToken>t1</authToken><nosession/></context></soap:Header><soap:Body><GetFreeBusyRequest xmlns="urn:zimbraMail" s="${WINDOW.start}" e="${WINDOW.end}" name="lea@south.example,max@south.example"/></soap:Body></soap:Envelope>`,
    ];
    expect(await Promise.all(server.asked.map((body) => readXml(body)))).toEqual(await Promise.all(wanted.map((body) => readXml(body))));
  });

  it('keeps the token for the next lookup', async () => {
    const { system, server } = await systemAgainst(afterSignIn((body) => ({ body: everybody('f', body) })));
    await Promise.all([ask(system), ask(system), ask(system)]);
    await ask(system);
    expect(server.asked.filter(isAuth)).toHaveLength(1);
  });

  it('appends the SOAP path to a root with a path', async () => {
    const { server } = await systemAgainst(afterSignIn((body) => ({ body: everybody('f', body) })));
    const system = new ZimbraSystem({ name: 's', url: new URL('mail/', server.url), username: 'u', password: 'p', hosts: [], clock: { now: () => START }, logger: silentLogger });
    open.push(system);
    await ask(system);
    expect(server.requests[0]?.url).toBe('/mail/service/soap/');
  });

  it.each(['service.AUTH_EXPIRED', 'service.AUTH_REQUIRED'])('signs in again once when the token is refused with %s', async (code) => {
    let signIns = 0;
    const { system } = await systemAgainst((body) => {
      if (isAuth(body)) return { body: token(`t${++signIns}`) };
      return body.includes('<authToken>t2</authToken>') ? { body: everybody('t', body) } : fault(code);
    });
    expect((await ask(system)).map(outcome)).toEqual([['tentative']]);
    expect(signIns).toBe(2);
  });

  it('gives up when the second token is refused as well', async () => {
    const { system, server } = await systemAgainst(afterSignIn(() => fault('service.AUTH_EXPIRED')));
    expect((await ask(system)).map(outcome)).toEqual(['BACKEND_AUTH']);
    expect(server.asked).toHaveLength(4);
  });

  it('does not retry a wrong password, and says nothing of it in the error', async () => {
    const { system, server } = await systemAgainst(() => fault('account.AUTH_FAILED', 'Sender', 'authentication failed for [bridge@south.example] pa&lt;ss&amp;word'));
    const [result] = await ask(system);
    expect(outcome(result)).toBe('BACKEND_AUTH');
    const { error } = result as { error: BridgeError };
    expect(JSON.stringify([error.message, error.details])).not.toMatch(/pa<ss|bridge@/);
    await ask(system);
    expect(server.asked).toHaveLength(1);
  });

  it('refuses to go on where the account has a second factor', async () => {
    const { system } = await systemAgainst(() => ({
      body: envelope('<AuthResponse xmlns="urn:zimbraAccount"><authToken>limited</authToken><lifetime>3600000</lifetime><twoFactorAuthRequired>true</twoFactorAuthRequired></AuthResponse>'),
    }));
    expect((await ask(system)).map(outcome)).toEqual(['BACKEND_AUTH']);
  });

  it('asks 100 mailboxes a request and 190 days, a whole publication window, a request', async () => {
    const { system, server } = await systemAgainst(afterSignIn((body) => ({ body: everybody('b', body) })));
    const mailboxes = Array.from({ length: 250 }, (_, index) => `u${index}@south.example` as MailboxAddress);
    const results = await system.freeBusy({ mailboxes, window: { start: START, end: START + 200 * DAY_MS }, details: false }, context());
    expect(results.map((one) => one.mailbox)).toEqual(mailboxes);
    expect(new Set(results.map((one) => JSON.stringify(outcome(one))))).toEqual(new Set(['["busy"]']));
    expect(server.asked.filter((body) => !isAuth(body))).toHaveLength(6);
  });

  it('asks for whole minutes and answers the window to the millisecond, also where the server zeroes seconds', async () => {
    const window = { start: START + 30_500, end: START + HOUR_MS + 30_500 };
    const { system, server } = await systemAgainst(afterSignIn((body) => ({ body: everybody('b', body) })));
    const [result] = await system.freeBusy({ mailboxes: [LEA], window, details: false }, context());
    expect(server.asked[1]).toContain(`s="${START}" e="${START + HOUR_MS + 60_000}"`);
    expect(result).toMatchObject({ freeBusy: { window, busy: [{ ...window, busyType: 'busy' }] } });
  });

  it('says in both hop headers how often the question was passed on', async () => {
    const { system, server } = await systemAgainst(afterSignIn((body) => ({ body: everybody('f', body) })));
    await ask(system, [LEA], { hops: 1 });
    expect(server.requests[1]?.headers).toMatchObject({ 'x-freebusy-bridge-hops': '2', 'x-zimbra-freebusy-hopcount': '2' });
  });

  const answers: readonly (readonly [string, ReturnType<ZimbraAnswer> & object, string])[] = [
    ['a fault of the server', fault('service.FAILURE', 'Receiver'), 'BACKEND_FAULT'],
    ['a fault inside 200', { ...fault('service.FAILURE', 'Receiver'), status: 200 }, 'BACKEND_FAULT'],
    ['service.PERM_DENIED', fault('service.PERM_DENIED'), 'BACKEND_AUTH'],
    ['service.TEMPORARILY_UNAVAILABLE', fault('service.TEMPORARILY_UNAVAILABLE', 'Receiver'), 'BACKEND_BUSY'],
    ['maintenance', fault('account.MAINTENANCE_MODE'), 'BACKEND_BUSY'],
    ['503', { status: 503, body: '<html>', headers: { 'retry-after': '7' } }, 'BACKEND_BUSY'],
    ['502 of a proxy', { status: 502, body: '<html>' }, 'BACKEND_BUSY'],
    ['404', { status: 404, body: '' }, 'BACKEND_FAULT'],
    ['500 around an answer', { status: 500, body: envelope('<GetFreeBusyResponse xmlns="urn:zimbraMail"><usr id="lea@south.example"/></GetFreeBusyResponse>') }, 'BACKEND_FAULT'],
    ['500 in HTML', { status: 500, body: '<html><br></html>' }, 'BACKEND_FAULT'],
    ['a page with status 200', { body: '<html><body><p>Sign in</html>' }, 'BACKEND_MALFORMED'],
    ['well-formed XML that is no SOAP', { body: '<html/>' }, 'BACKEND_MALFORMED'],
    ['an empty body', { body: '' }, 'BACKEND_MALFORMED'],
    ['an empty SOAP body', { body: envelope('') }, 'BACKEND_MALFORMED'],
    ['a DOCTYPE', { body: `<!DOCTYPE x [<!ENTITY y "z">]>${envelope('')}` }, 'BACKEND_MALFORMED'],
    ['a cut-off answer', { body: envelope('<GetFreeBusyResponse xmlns="urn:zimbraMail"><usr id="lea@south.example"/>').slice(0, 300) }, 'BACKEND_MALFORMED'],
    ['a redirect elsewhere', { status: 302, body: '', headers: { location: 'https://login.example/?t=1' } }, 'BACKEND_REDIRECT'],
  ];
  it.each(answers)('takes %s for no data, with the reason', async (_name, said, code) => {
    const { system } = await systemAgainst(afterSignIn(() => said));
    const [result] = await ask(system);
    expect(outcome(result)).toBe(code);
    if (said.status === 503) expect(result).toMatchObject({ error: { temporary: true, retryAfterMs: 7_000 } });
  });

  it('costs a silent server the deadline and no more, during sign-in and after it', async () => {
    for (const answer of [() => undefined, afterSignIn(() => undefined)]) {
      const { system } = await systemAgainst(answer);
      const started = performance.now();
      expect((await ask(system, [LEA], { signal: AbortSignal.timeout(200) })).map(outcome)).toEqual(['DEADLINE']);
      expect(performance.now() - started).toBeLessThan(1_500);
    }
  });

  it('shows in an explanation what was asked and what came, and never the token or the password', async () => {
    const { system } = await systemAgainst(afterSignIn((body) => ({ body: everybody('b', body) })));
    const notes: ExplainNote[] = [];
    await ask(system, [LEA], { explain: (note) => void notes.push(note) });
    expect(notes.map((note) => note.text)).toEqual([
      'GetFreeBusyRequest for lea@south.example, 2026-11-18T08:00:00.000Z to 2026-11-18T18:00:00.000Z',
      'usr lea@south.example: b 2026-11-18T08:00:00.000Z/2026-11-18T18:00:00.000Z',
    ]);
  });
});

describe('ZimbraSystem.probe', () => {
  it('signs in, reads a mailbox, compares clocks and tells the version', async () => {
    const { system } = await systemAgainst(
      afterSignIn((body) =>
        body.includes('GetInfoRequest')
          ? { body: envelope('<GetInfoResponse xmlns="urn:zimbraAccount"><version>8.8.15_GA_3869</version></GetInfoResponse>') }
          : { body: everybody('b', body), headers: { date: new Date(START + 600_000).toUTCString() } },
      ),
      { probeMailbox: LEA },
    );
    expect((await system.probe(context())).map(({ step, outcome: how }) => [step, how])).toEqual([
      ['sign-in', 'ok'],
      ['right to read', 'ok'],
      ['clock', 'warn'],
      ['version', 'ok'],
    ]);
  });

  it('warns where the mailbox is no data, and bears a server without a version', async () => {
    const { system } = await systemAgainst(afterSignIn((body) => (body.includes('GetInfoRequest') ? fault('service.UNKNOWN_DOCUMENT') : { body: everybody('n', body) })));
    const findings = await system.probe(context());
    expect(findings.find((one) => one.step === 'right to read')).toMatchObject({ outcome: 'warn' });
    expect(findings.find((one) => one.step === 'version')).toMatchObject({ outcome: 'ok' });
  });

  it('fails at the sign-in with advice, whatever is wrong', async () => {
    const refused = await systemAgainst(() => fault('account.AUTH_FAILED'));
    expect(await refused.system.probe(context())).toMatchObject([{ step: 'sign-in', outcome: 'fail', text: 'BACKEND_AUTH: the calendar system refuses our account (account.AUTH_FAILED)' }]);
    const down = await systemAgainst(() => undefined);
    down.server.close();
    expect(await down.system.probe(context())).toMatchObject([{ step: 'sign-in', outcome: 'fail' }]);
  });
});
