import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Bridge } from '../../src/bridge.ts';
import { ControlCommands } from '../../src/cli/control-commands.ts';
import { OpenListings } from '../../src/cli/open-listings.ts';
import { probeContext } from '../../src/cli/probe-context.ts';
import { openOwnReplication, runningBridge } from '../../src/cli/reach-replication.ts';
import { RemoteReplication } from '../../src/cli/remote-replication.ts';
import { BridgeError } from '../../src/core/errors.ts';
import { ControlSocket } from '../../src/platform/control-socket.ts';
import { address, FakeReplication, ROUTE, WINDOW, written } from './fake-replication.ts';
import { folderWith, seemingBridge } from './running.ts';
import type { SeemingBridge } from './running.ts';

const KIM = address('kim@zimbra.example');
const noAbort = (): AbortSignal => new AbortController().signal;

let replication: FakeReplication;
let bridge: SeemingBridge;
let remote: RemoteReplication;
beforeEach(async () => {
  replication = new FakeReplication();
  bridge = await seemingBridge(replication);
  remote = new RemoteReplication(bridge.dataDir);
});
afterEach(() => bridge.close());

describe('the replication of a running bridge, over its control socket', () => {
  it('gives every outcome as it is', async () => {
    const outcomes = [
      written(KIM),
      { mailbox: KIM, route: ROUTE, outcome: 'unchanged' },
      { mailbox: KIM, route: ROUTE, outcome: 'removed', reason: 'denied' },
      { mailbox: KIM, route: ROUTE, outcome: 'skipped', reason: 'excluded' },
      { mailbox: KIM, route: ROUTE, outcome: 'failed', error: new BridgeError('BACKEND_BUSY', 'busy', { temporary: true, retryAfterMs: 7_000, details: { status: 503, system: 'exchange', isFirst: true } }) },
      { mailbox: KIM, route: ROUTE, outcome: 'would-write', window: WINDOW, preview: { where: 'there', document: '<x/>' } },
      { mailbox: KIM, route: ROUTE, outcome: 'would-remove', where: 'there', reason: 'no data' },
    ] as const;
    replication.onPush = async () => outcomes;
    const came = await remote.push(KIM, { dryRun: true, signal: noAbort() });
    expect(came).toEqual(outcomes);
    const error = came[4]!.outcome === 'failed' ? came[4]!.error : undefined;
    expect(error).toBeInstanceOf(BridgeError);
    expect(error).toMatchObject({ code: 'BACKEND_BUSY', publicMessage: 'busy', temporary: true, retryAfterMs: 7_000, details: { status: 503, system: 'exchange', isFirst: true } });
  });

  it('throws what was thrown; what was no BridgeError says nothing of itself', async () => {
    replication.onPush = () => Promise.reject(new BridgeError('STORE_UNAVAILABLE', 'Redis does not answer', { temporary: true, details: { reason: 'ECONNREFUSED' } }));
    await expect(remote.push(KIM, { dryRun: false, signal: noAbort() })).rejects.toMatchObject({ name: 'BridgeError', code: 'STORE_UNAVAILABLE', temporary: true, details: { reason: 'ECONNREFUSED' } });
    replication.onPush = () => Promise.reject(new TypeError('canary'));
    await expect(remote.push(KIM, { dryRun: false, signal: noAbort() })).rejects.toMatchObject({ code: 'INTERNAL', publicMessage: 'internal error' });
  });

  it('stops what it began when the command ends', async () => {
    const end = new AbortController();
    const stopped = new Promise<void>((resolve) => {
      replication.onPush = (_mailbox, signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => (resolve(), reject(new Error('over')))));
    });
    const pushed = remote.push(KIM, { dryRun: false, signal: end.signal });
    setTimeout(() => end.abort(), 50);
    await expect(pushed).rejects.toMatchObject({ code: 'DEADLINE' });
    await stopped;
  });

  it('lists everybody part by part, empty parts included, and fails where the list does', async () => {
    const listed = async (): Promise<unknown> => {
      const parts: unknown[] = [];
      for await (const part of remote.everyone(noAbort())) parts.push(...part);
      return parts;
    };
    const all = Array.from({ length: 1_200 }, (_one, index) => address(`user${index}@zimbra.example`));
    replication.pages = [all.slice(0, 500), [], all.slice(500)];
    expect(await listed()).toEqual(all);
    replication.failAfterPages = new BridgeError('BACKEND_FAULT', 'no list');
    await expect(listed()).rejects.toMatchObject({ code: 'BACKEND_FAULT' });
  });

  it('gives findings as they are, and a bridge without replication says so', async () => {
    replication.findings = [{ name: 'redis', findings: [{ step: 'eviction', outcome: 'fail', text: 'allkeys-lru', advice: 'noeviction' }, { step: 'version', outcome: 'ok', text: '7.2' }] }];
    expect(await remote.probe(probeContext())).toEqual(replication.findings);
    await bridge.close();
    bridge = await seemingBridge(undefined);
    await expect(new RemoteReplication(bridge.dataDir).queue()).rejects.toMatchObject({ code: 'CONFIGURATION' });
  });

  it.each([
    ['nothing', { ok: true, lines: ['running'] }],
    ['another shape', { ok: true, lines: [], data: { outcomes: [{ mailbox: 'kim@zimbra.example', route: ROUTE, outcome: 'teleported' }], mailboxes: [7], entries: [{}], counts: [], count: '1', probed: [{}] } }],
  ])('a bridge of another version, which answers %s, is told so', async (_what, answer) => {
    await bridge.close();
    bridge = await seemingBridge(replication);
    const other = await folderWith('');
    const socket = await ControlSocket.open(other.dataDir, async () => answer);
    const asked = new RemoteReplication(other.dataDir);
    const all = [asked.push(KIM, { dryRun: false, signal: noAbort() }), asked.queue(), asked.retry('all'), asked.drop([KIM]), asked.probe(probeContext()), asked.everyone(noAbort())[Symbol.asyncIterator]().next()];
    for (const outcome of await Promise.allSettled(all)) expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'UNSUPPORTED', publicMessage: expect.stringContaining('another version') as string } });
    await socket.close();
    await other.remove();
  });
});

describe('what a bridge answers to a command that is', () => {
  const commands = new ControlCommands({ reload: async () => ({ ok: true, lines: ['reloaded'] }), replication: () => replication, gal: () => undefined });
  it.each([
    ['unknown', 'POST /format', {}],
    ['named like something of every object', 'POST /constructor', {}],
    ['sent another way', 'GET /queue', {}],
  ])('%s: a refusal', async (_what, command, body) => {
    expect(await commands.handle(command, body, noAbort())).toMatchObject({ ok: false, lines: [expect.stringContaining('does not know')] });
  });

  it.each([
    ['without a mailbox', 'push', {}],
    ['with no mailbox', 'push', { mailbox: 'kim/../x@zimbra.example' }],
    ['with a list of anything', 'queue/drop', { mailboxes: ['kim@zimbra.example', 7] }],
    ['without a list', 'queue/drop', undefined],
    ['with a list as body', 'queue/drop', ['kim@zimbra.example']],
    ['with a cursor that is none', 'everyone', { cursor: 7 }],
  ])('%s: a refusal that changes nothing', async (_what, command, body) => {
    expect(await commands.handle(`POST /${command}`, body, noAbort())).toMatchObject({ ok: false, data: { error: { code: 'INVALID_REQUEST' } } });
    expect([replication.pushes, replication.changes]).toEqual([[], []]);
  });

  it('ping and reload are as they were', async () => {
    expect(await commands.handle('POST /ping', undefined, noAbort())).toEqual({ ok: true, lines: ['running'], data: { replicates: true } });
    expect(await commands.handle('POST /reload', undefined, noAbort())).toEqual({ ok: true, lines: ['reloaded'] });
  });
});

describe('lists on their way', () => {
  const endless = async function* (signal: AbortSignal, ended: () => void): AsyncIterable<readonly (typeof KIM)[]> {
    try {
      while (!signal.aborted) yield [KIM];
    } finally {
      ended();
    }
  };

  it('are no more than eight at once, end when they are closed, and are gone then', async () => {
    const listings = new OpenListings();
    let ended = 0;
    const begin = () => listings.begin((signal) => endless(signal, () => ended++));
    const first = await begin();
    for (let more = 1; more < 8; more++) await begin();
    await expect(begin()).rejects.toMatchObject({ code: 'TOO_MANY_ATTEMPTS' });
    await listings.close();
    expect(ended).toBe(8);
    await expect(listings.next(first.cursor!)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('the replication opened by a command', () => {
  const fakeBridge = (open: () => Promise<unknown>): { bridge: Bridge; closed: () => number } => {
    let closed = 0;
    return { bridge: { openReplication: open, close: async () => void closed++ } as unknown as Bridge, closed: () => closed };
  };

  it('holds the dataDir meanwhile: neither a bridge nor another command gets it', async () => {
    const { dataDir, remove } = await folderWith('');
    const fake = fakeBridge(async () => replication);
    expect(await runningBridge(dataDir)).toBeUndefined();
    const own = await openOwnReplication(fake.bridge, dataDir);
    await expect(runningBridge(dataDir)).rejects.toMatchObject({ code: 'BACKEND_BUSY', publicMessage: expect.stringContaining('another command runs') as string });
    await expect(ControlSocket.open(dataDir, async () => ({ ok: true, lines: [] }))).rejects.toMatchObject({ code: 'CONFIGURATION' });
    await own.close();
    expect(fake.closed()).toBe(1);
    expect(await runningBridge(dataDir)).toBeUndefined();
    await remove();
  });

  it('gives everything back where it cannot be opened', async () => {
    const { dataDir, remove } = await folderWith('');
    const fake = fakeBridge(() => Promise.reject(new BridgeError('STORE_UNAVAILABLE', 'no Redis')));
    await expect(openOwnReplication(fake.bridge, dataDir)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect([fake.closed(), existsSync(join(dataDir, 'control.sock'))]).toEqual([1, false]);
    await remove();
  });
});
