import { afterEach, describe, expect, it } from 'vitest';
import { probePresenceServer } from '../../../src/protocols/sip/probe.ts';
import { reply, scriptedServer } from './scripted-server.ts';
import type { ScriptedServer, SeenMessage } from './scripted-server.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function findings(answer: (request: SeenMessage) => readonly string[], credentials: { readonly username?: string; readonly password?: string } = {}): Promise<{ readonly server: ScriptedServer; readonly texts: readonly string[] }> {
  const server = await scriptedServer('udp', answer);
  open.push(server);
  const found = await probePresenceServer({ server: server.server, expiresMs: 3_600_000, domain: 'corp.example', timers: { t1Ms: 2, t2Ms: 20 }, ...credentials }, AbortSignal.timeout(15_000));
  for (const one of found) if (one.outcome !== 'ok') expect(one.advice).toBeTruthy();
  return { server, texts: found.map(({ step, outcome, text }) => `${step} ${outcome}: ${text}`) };
}

describe('the probe of a presence server', () => {
  it('asks for the renewal of what nobody has, and takes 412 for the right answer', async () => {
    const { server, texts } = await findings((request) => [reply(request, '412 Conditional Request Failed')]);
    expect(texts).toEqual(['DNS ok: 127.0.0.1 is 127.0.0.1', 'sign-in ok: the server asks for none', 'presence ok: the server takes publications']);
    expect(server.seen[0]!.start).toBe('PUBLISH sip:freebusy-bridge-probe@corp.example SIP/2.0');
    expect(server.seen[0]!.header('SIP-If-Match')).toBe('freebusy-bridge.0.0.0.0');
    expect(server.seen[0]!.body).toBe('');
  });

  it.each([
    ['489 Bad Event', 'presence fail: 489: the server takes no presence publications'],
    ['501 Not Implemented', 'presence fail: 501: the server takes no presence publications'],
    ['503 Service Unavailable', 'presence fail: 503: the presence server is busy'],
    ['302 Moved Temporarily', 'presence fail: 302: the presence server refers to another server'],
    ['404 Not Found', 'presence warn: 404: the presence server does not know the user'],
    ['403 Forbidden', 'presence warn: 403: the presence server does not let us publish for the user'],
    ['200 OK', 'presence warn: 200: the server says it renewed what it cannot have'],
  ])('says what %s means', async (status, text) => {
    expect((await findings((request) => [reply(request, status)])).texts.at(-1)).toBe(text);
  });

  it('tells refused credentials from none, and silence from both', async () => {
    const challenge = (request: SeenMessage): readonly string[] => [reply(request, '401 Unauthorized', 'WWW-Authenticate: Digest realm="r", nonce="n"')];
    expect((await findings(challenge)).texts.at(-1)).toBe('sign-in fail: the presence server wants a sign-in');
    expect((await findings(challenge, { username: 'u', password: 'p' })).texts.at(-1)).toBe('sign-in fail: the presence server does not accept username and password');
    expect((await findings(() => [])).texts.at(-1)).toBe('reach fail: the presence server does not answer (ETIMEDOUT)');
    const accepted = await findings((request) => (request.header('Authorization') === undefined ? challenge(request) : [reply(request, '412 X')]), { username: 'u', password: 'p' });
    expect(accepted.texts.slice(1)).toEqual(['sign-in ok: the server accepts username and password', 'presence ok: the server takes publications']);
  });

  it('goes no further than a name that is none, or a port that is closed', async () => {
    const at = async (host: string, transport: 'udp' | 'tcp'): Promise<readonly string[]> => (await probePresenceServer({ server: { host, port: 9, transport }, expiresMs: 1 }, AbortSignal.timeout(15_000))).map(({ step, outcome }) => `${step} ${outcome}`);
    expect(await at('nowhere.invalid', 'udp')).toEqual(['DNS fail']);
    expect(await at('127.0.0.1', 'tcp')).toEqual(['DNS ok', 'TCP fail']);
  });
});
