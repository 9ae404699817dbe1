import { spawnSync } from 'node:child_process';
import { createServer } from 'node:https';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import type { PresenceState, ShownPresence } from '../../../src/presence/presence.ts';
import { WebhookPublisher } from '../../../src/protocols/webhook/publisher.ts';
import type { WebhookPublisherOptions } from '../../../src/protocols/webhook/publisher.ts';
import { Authority } from '../../platform/certificates.ts';
import { Opened } from '../../platform/http-client/servers.ts';
import { keepingLogger } from '../../platform/http-server/serving.ts';

const ANNA = 'anna@corp.example' as MailboxAddress;
const KIM = 'kim@zimbra.example' as MailboxAddress;
const SECRET = 'whsec-äöü-0123456789abcdef';
/** A token, as chat products have it. */
const PATH = '/hooks/token-canary?key=query-canary';
const { signal } = new AbortController();
const shown = (state: PresenceState, since = 0): ShownPresence => ({ state, until: null, reason: 'calendar', since, next: null, text: 'Grüße', language: 'de' });

interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}
type Reply = readonly [status: number, headers?: Readonly<Record<string, string>>, body?: string];

describe('a signed webhook', () => {
  const opened = new Opened();
  afterEach(() => opened.close());
  let now = Date.UTC(2026, 10, 21, 10, 0, 0, 999);

  function publisher(url: string, options: Partial<WebhookPublisherOptions> = {}) {
    const { logger, lines } = keepingLogger();
    const made = new WebhookPublisher({ url, secret: SECRET, clock: { now: () => now }, logger, ...options });
    opened.add(() => made.close());
    return Object.assign(made, { lines });
  }

  /** A receiver that answers with `replies`, one after the other, the last one for ever. */
  async function receiver(...replies: readonly (Reply | 'silence')[]): Promise<{ readonly url: string; readonly calls: Call[] }> {
    const calls: Call[] = [];
    const url = await opened.http(async (request: IncomingMessage, response: ServerResponse) => {
      let body = '';
      for await (const chunk of request.setEncoding('utf8') as AsyncIterable<string>) body += chunk;
      calls.push({ method: request.method!, path: request.url!, headers: request.headers, body });
      const reply = replies[Math.min(calls.length, replies.length) - 1] ?? [204];
      if (reply !== 'silence') response.writeHead(reply[0], reply[1] ?? {}).end(reply[2]);
    });
    return { url: new URL(PATH, url).href, calls };
  }

  async function failure(work: Promise<unknown>): Promise<BridgeError> {
    const thrown = await work.then(() => undefined, (error: unknown) => error);
    if (!(thrown instanceof BridgeError)) throw new Error(`no BridgeError: ${String(thrown)}`);
    return thrown;
  }

  it('is one POST, signed so that openssl agrees', async () => {
    const { url, calls } = await receiver([200, {}, 'ok']);
    await publisher(url).publish(ANNA, shown('in-a-meeting'), signal);
    const [call] = calls;
    expect([call!.method, call!.path, call!.headers['content-type']]).toEqual(['POST', PATH, 'application/json; charset=utf-8']);
    expect(JSON.parse(call!.body)).toMatchObject({ event: 'presence', address: ANNA, state: 'in-a-meeting' });
    const [, time, code] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(call!.headers['x-signature'] as string) ?? [];
    expect(Number(time)).toBe(Math.floor(now / 1000));
    const openssl = spawnSync('openssl', ['dgst', '-sha256', '-hmac', SECRET], { input: `${time}.${call!.body}`, encoding: 'utf8' });
    expect(openssl.stdout.trim().split('= ')[1]).toBe(code);
  });

  it('every try of an event has its id and its time; the next event has others', async () => {
    const { url, calls } = await receiver([503, { 'retry-after': '30' }], [429], [200]);
    const made = publisher(url);
    const busy = await failure(made.publish(ANNA, shown('in-a-meeting'), signal));
    expect([busy.code, busy.temporary, busy.retryAfterMs]).toEqual(['BACKEND_BUSY', true, 30_000]);
    now += 60_000;
    await failure(made.publish(ANNA, shown('in-a-meeting'), signal));
    await made.publish(ANNA, shown('in-a-meeting'), signal);
    await made.publish(ANNA, shown('in-a-meeting'), signal);
    await made.publish(KIM, shown('in-a-meeting'), signal);
    await made.withdraw(ANNA, signal);
    const ids = calls.map(({ headers }) => headers['idempotency-key'] as string);
    expect(ids.every((id) => /^[0-9a-f-]{36}$/.test(id))).toBe(true);
    expect(ids.map((id) => ids.indexOf(id))).toEqual([0, 0, 0, 3, 4, 5]);
    expect(new Set(calls.slice(0, 3).map(({ body }) => body)).size).toBe(1);
    // Signed anew: a receiver refuses an old time.
    expect(calls[1]!.headers['x-signature']).not.toBe(calls[0]!.headers['x-signature']);
    expect(JSON.parse(calls[5]!.body)).toMatchObject({ address: ANNA, state: null });
  });

  it('a newer state takes the place of one that was not accepted', async () => {
    const { url, calls } = await receiver([500], [200]);
    const made = publisher(url);
    const fault = await failure(made.publish(ANNA, shown('in-a-meeting'), signal));
    expect([fault.code, fault.temporary]).toEqual(['BACKEND_FAULT', true]);
    await made.publish(ANNA, shown('available'), signal);
    expect(calls[0]!.headers['idempotency-key']).not.toBe(calls[1]!.headers['idempotency-key']);
  });

  it.each<[what: string, reply: Reply, code: string, temporary: boolean]>([
    ['400', [400], 'BACKEND_FAULT', false],
    ['404', [404], 'BACKEND_FAULT', false],
    ['401', [401], 'BACKEND_AUTH', false],
    ['403', [403], 'BACKEND_AUTH', false],
    ['408', [408], 'BACKEND_BUSY', true],
    ['502', [502], 'BACKEND_FAULT', true],
    ['a redirect, even to itself', [307, { location: PATH }], 'CONFIGURATION', false],
    ['a redirect elsewhere', [302, { location: 'http://169.254.169.254/' }], 'CONFIGURATION', false],
    ['an endless answer', [200, { 'content-length': String(LIMITS.responseBodyBytes + 1) }, 'x'], 'BACKEND_TOO_LARGE', false],
  ])('answered with %s', async (_what, reply, code, temporary) => {
    const { url, calls } = await receiver(reply);
    const made = publisher(url);
    const fault = await failure(made.publish(ANNA, shown('away'), signal));
    expect([fault.code, fault.temporary]).toEqual([code, temporary]);
    expect(calls).toHaveLength(1);
    expect(JSON.stringify([fault.message, fault.publicMessage, fault.details, made.label, made.lines])).not.toMatch(/canary|whsec|anna/);
  });

  it('410 is the end of it', async () => {
    const { url, calls } = await receiver([410], [200]);
    const made = publisher(url);
    const gone = await failure(made.publish(ANNA, shown('away'), signal));
    expect([gone.code, gone.temporary]).toEqual(['CONFIGURATION', false]);
    expect((await failure(made.withdraw(KIM, signal))).code).toBe('CONFIGURATION');
    expect(calls).toHaveLength(1);
    expect(made.lines).toEqual([{ level: 'warn', protocol: 'webhook', system: made.label, status: 410, message: expect.any(String) as string }]);
    expect(made.label).toContain(`webhook ${new URL(url).host} (`);
  });

  it('a receiver that stays silent or is away is tried again', async () => {
    const gone = new AbortController();
    const { url, calls } = await receiver('silence', [200]);
    const made = publisher(url);
    const waiting = failure(made.publish(ANNA, shown('away'), gone.signal));
    while (calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
    gone.abort();
    const late = await waiting;
    expect([late.code, late.temporary]).toEqual(['DEADLINE', true]);
    await made.publish(ANNA, shown('away'), signal);
    expect(calls[1]!.headers['idempotency-key']).toBe(calls[0]!.headers['idempotency-key']);
    const away = await failure(publisher(`http://127.0.0.1:1${PATH}`).publish(ANNA, shown('away'), signal));
    expect([away.code, away.temporary, away.publicMessage]).toEqual(['BACKEND_UNREACHABLE', true, 'the receiver of the webhook cannot be reached']);
  });

  it('speaks https, and http only to this machine', async () => {
    for (const url of ['', 'hooks', 'ftp://127.0.0.1/', 'http://chat.example/canary', 'http://127.0.0.1.example/', 'http://10.0.0.1/', 'https://user:canary@chat.example/']) {
      expect(() => publisher(url)).toThrow(/^CONFIGURATION: (?!.*canary)/);
    }
    // printf http://[::1]:8080/x | sha256sum
    expect(publisher('http://[::1]:8080/x').label).toBe('webhook [::1]:8080 (cf3713)');
    expect(publisher('https://chat.example/hooks/one').label).not.toBe(publisher('https://chat.example/hooks/two').label);
    expect(publisher('https://chat.example/hooks/canary', { label: 'webhook team' }).label).toBe('webhook team');
  });

  it('verifies the certificate', async () => {
    const authority = new Authority('Test authority');
    opened.add(() => authority.remove());
    const { certificate, key } = authority.issue('/CN=127.0.0.1', 'IP:127.0.0.1', 30);
    const server = createServer({ cert: certificate, key }, (request, response) => void request.resume().on('end', () => response.writeHead(204).end()));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    opened.add(() => new Promise((resolve) => server.close(resolve)));
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}${PATH}`;
    const trusted = publisher(url, { ca: [authority.certificate] });
    await trusted.publish(ANNA, shown('away'), signal);
    expect((await trusted.probe(signal)).map(({ step, outcome }) => `${step} ${outcome}`)).toEqual(['DNS ok', 'TCP ok', 'TLS ok', 'receiver ok']);
    await trusted.close();
    const untrusted = publisher(url);
    const fault = await failure(untrusted.publish(ANNA, shown('away'), signal));
    expect([fault.code, fault.temporary]).toEqual(['BACKEND_TLS', false]);
    expect((await untrusted.probe(signal)).at(-1)).toMatchObject({ step: 'TLS', outcome: 'fail' });
  });

  it('is tried without an event, and says what that leaves open', async () => {
    const { url, calls } = await receiver([405]);
    const findings = await publisher(url).probe(signal);
    expect(findings.map(({ step, outcome }) => `${step} ${outcome}`)).toEqual(['DNS ok', 'TCP ok', 'receiver ok']);
    expect(findings.at(-1)!.text).toContain('not tried');
    expect(calls.map(({ method, body }) => [method, body])).toEqual([['HEAD', '']]);
    expect(JSON.stringify(findings)).not.toContain('canary');
    const ill = await receiver([500]);
    expect((await publisher(ill.url).probe(signal)).at(-1)!.outcome).toBe('warn');
    const gone = await receiver([410]);
    expect((await publisher(gone.url).probe(signal)).at(-1)!.outcome).toBe('fail');
    expect((await publisher('http://127.0.0.1:1/').probe(signal)).map(({ step, outcome }) => `${step} ${outcome}`)).toEqual(['DNS ok', 'TCP fail']);
  });

  it('cannot be asked what it shows', async () => {
    const made = publisher('http://127.0.0.1:1/');
    made.start();
    expect((await failure(made.observe())).code).toBe('UNSUPPORTED');
    await made.close();
    await made.close();
  });
});
