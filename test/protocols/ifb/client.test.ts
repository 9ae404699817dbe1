import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { DAY_MS } from '../../../src/core/clock.ts';
import type { ExplainNote, RequestContext } from '../../../src/core/request-context.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import { IfbSystem } from '../../../src/protocols/ifb/client.ts';
import type { IfbOptions } from '../../../src/protocols/ifb/client.ts';

const LEA = 'lea@south.example' as MailboxAddress;
const MAX = 'max@south.example' as MailboxAddress;
const START = Date.parse('2026-11-18T08:00:00Z');
const WINDOW = { start: START, end: START + 10 * 3_600_000 };
const NOW = START - 1;

const servers: Server[] = [];
const systems: IfbSystem[] = [];
afterEach(async () => {
  await Promise.all(systems.splice(0).map((system) => system.close()));
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

async function systemAgainst(answer: Answer, path = '/fb/{address}.ifb', more: Partial<IfbOptions> = {}): Promise<{ system: IfbSystem; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    answer(request, response);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const system = new IfbSystem({ name: 'partner', url: `http://127.0.0.1:${port}${path}`, hosts: [], clock: { now: () => NOW }, logger: silentLogger, ...more });
  systems.push(system);
  return { system, asked };
}

function context(more: Partial<RequestContext> = {}): RequestContext {
  const requester = { name: 'test', from: 'outside', mayAsk: 'all', detail: 'busy-type', anonymous: false, presence: 'none' } as const;
  return { requestId: 'r', requester, hops: 0, viaZimbra: false, deadline: NOW + 5_000, signal: AbortSignal.timeout(5_000), ...more };
}

const BODY = [
  'BEGIN:VCALENDAR', 'BEGIN:VFREEBUSY', 'DTSTART:20261118T080000Z', 'DTEND:20261118T160000Z',
  'FREEBUSY:20261118T090000Z/PT90M', 'END:VFREEBUSY', 'END:VCALENDAR', '',
].join('\r\n');

const send =
  (status: number, body: string | Buffer = '', headers: Record<string, string> = {}): Answer =>
  (_request, response) =>
    void response.writeHead(status, headers).end(body);

async function codeOf(answer: Answer): Promise<string> {
  const { system } = await systemAgainst(answer);
  const [result] = await system.freeBusy({ mailboxes: [LEA], window: WINDOW, details: false }, context());
  return result !== undefined && 'error' in result ? result.error.code : 'answered';
}

describe('IfbSystem', () => {
  it('reads a VFREEBUSY; what it does not cover is no data', async () => {
    const { system, asked } = await systemAgainst(send(200, BODY, { 'content-type': 'text/calendar' }));
    const results = await system.freeBusy({ mailboxes: [LEA], window: WINDOW, details: false }, context());
    expect(asked).toEqual(['/fb/lea%40south.example.ifb']);
    expect(results).toEqual([
      {
        mailbox: LEA,
        asOf: NOW,
        freeBusy: {
          mailbox: LEA,
          window: WINDOW,
          busy: [
            { start: Date.parse('2026-11-18T09:00:00Z'), end: Date.parse('2026-11-18T10:30:00Z'), busyType: 'busy' },
            { start: Date.parse('2026-11-18T16:00:00Z'), end: Date.parse('2026-11-18T18:00:00Z'), busyType: 'no-data' },
          ],
        },
      },
    ]);
  });

  it('reads a compressed answer', async () => {
    expect(await codeOf(send(200, gzipSync(BODY), { 'content-encoding': 'gzip' }))).toBe('answered');
  });

  it.each([
    [404, 'MAILBOX_UNKNOWN'],
    [410, 'MAILBOX_UNKNOWN'],
    [204, 'NO_DATA'],
    [401, 'BACKEND_AUTH'],
    [403, 'MAILBOX_REFUSED'],
    [302, 'BACKEND_REDIRECT'],
    [429, 'BACKEND_BUSY'],
    [503, 'BACKEND_BUSY'],
    [500, 'BACKEND_FAULT'],
  ])('takes status %i for %s', async (status, code) => {
    expect(await codeOf(send(status, BODY.slice(0, status === 204 ? 0 : undefined)))).toBe(code);
  });

  it.each([
    ['an empty answer', '', 'NO_DATA'],
    ['a logon page', '<html>', 'NO_DATA'],
    ['an answer that ends early', BODY.slice(0, 120), 'BACKEND_MALFORMED'],
  ])('is no data where %s comes with status 200', async (_name, body, code) => {
    expect(await codeOf(send(200, body))).toBe(code);
  });

  it('is no data where the body is shorter than announced', async () => {
    expect(await codeOf((_request, response) => void response.writeHead(200, { 'content-length': '9999' }).write(BODY, () => response.destroy()))).toBe('BACKEND_MALFORMED');
  });

  it('asks one mailbox a request, and one that fails spoils no other', async () => {
    const { system, asked } = await systemAgainst((request, response) => void response.writeHead(request.url?.includes('max') === true ? 403 : 200).end(BODY));
    const others = Array.from({ length: 12 }, (_, index) => `u${index}@south.example` as MailboxAddress);
    const results = await system.freeBusy({ mailboxes: [MAX, ...others], window: WINDOW, details: false }, context());
    expect(asked).toHaveLength(13);
    expect(results.map((one) => ('error' in one ? one.error.code : one.mailbox))).toEqual(['MAILBOX_REFUSED', ...others]);
  });

  it('asks once for a long window where the URL has none, and in pieces of 35 days where it has', async () => {
    const long = { start: START, end: START + 80 * DAY_MS };
    const plain = await systemAgainst(send(200, BODY));
    await plain.system.freeBusy({ mailboxes: [LEA], window: long, details: false }, context());
    expect(plain.asked).toHaveLength(1);
    const windowed = await systemAgainst(send(200, BODY), '/{address}?from={start}&to={end}');
    await windowed.system.freeBusy({ mailboxes: [LEA], window: long, details: false }, context());
    expect(windowed.asked.map((url) => url.split('?')[1]).sort()).toEqual([
      'from=20261118T080000Z&to=20261223T080000Z',
      'from=20261223T080000Z&to=20270127T080000Z',
      'from=20270127T080000Z&to=20270206T080000Z',
    ]);
  });

  it('sends Basic in UTF-8 and one hop more', async () => {
    let seen: IncomingMessage | undefined;
    const { system } = await systemAgainst(
      (request, response) => {
        seen = request;
        response.end(BODY);
      },
      '/{localPart}',
      { username: 'bridge', password: 'pä:ss' },
    );
    await system.freeBusy({ mailboxes: [LEA], window: WINDOW, details: false }, context({ hops: 1 }));
    expect(seen?.headers.authorization).toBe(`Basic ${Buffer.from('bridge:pä:ss', 'utf8').toString('base64')}`);
    expect(seen?.headers['x-freebusy-bridge-hops']).toBe('2');
  });

  it('stops asking a server that refuses the password', async () => {
    const { system, asked } = await systemAgainst(send(401));
    const mailboxes = Array.from({ length: 40 }, (_, index) => `u${index}@south.example` as MailboxAddress);
    const results = await system.freeBusy({ mailboxes, window: WINDOW, details: false }, context());
    expect(asked.length).toBeLessThanOrEqual(10);
    expect(new Set(results.map((one) => ('error' in one ? one.error.code : 'answered')))).toEqual(new Set(['BACKEND_AUTH']));
  });

  it('does not follow a redirect to another host, and does not say what was in the query', async () => {
    const { system } = await systemAgainst(send(302, '', { location: 'http://evil.example/?key=s3cr3t' }), '/{address}?key=s3cr3t');
    const notes: ExplainNote[] = [];
    const [result] = await system.freeBusy({ mailboxes: [LEA], window: WINDOW, details: false }, context({ explain: (note) => void notes.push(note) }));
    expect(result).toMatchObject({ error: { code: 'BACKEND_REDIRECT' } });
    const { error } = result as unknown as { error: Error & { details: unknown } };
    expect(JSON.stringify([notes, error.message, error.details])).not.toContain('s3cr3t');
  });

  it('costs a silent server the deadline and no more', async () => {
    const { system } = await systemAgainst(() => undefined);
    const started = performance.now();
    const [result] = await system.freeBusy({ mailboxes: [LEA], window: WINDOW, details: false }, context({ signal: AbortSignal.timeout(150) }));
    expect(result).toMatchObject({ error: { code: 'DEADLINE' } });
    expect(performance.now() - started).toBeLessThan(1_500);
  });
});

describe('IfbSystem.probe', () => {
  it('says what it read and how far the clocks are apart', async () => {
    const { system } = await systemAgainst(send(200, BODY, { date: new Date(NOW + 300_000).toUTCString() }), undefined, { probeMailbox: LEA });
    const findings = await system.probe(context());
    expect(findings.map(({ step, outcome }) => [step, outcome])).toEqual([['right to read', 'ok'], ['clock', 'warn']]);
  });

  it('is content with a 404 where no mailbox was named', async () => {
    const { system } = await systemAgainst(send(404));
    expect(await system.probe(context())).toMatchObject([{ step: 'connection', outcome: 'ok' }]);
  });

  it('fails with advice where the password is refused', async () => {
    const { system } = await systemAgainst(send(401), undefined, { probeMailbox: LEA, username: 'bridge', password: 'x' });
    expect(await system.probe(context())).toMatchObject([{ step: 'sign-in', outcome: 'fail', advice: 'check username and password' }]);
  });
});
