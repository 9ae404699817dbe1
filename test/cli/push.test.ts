import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pushNamed } from '../../src/cli/push.ts';
import { BridgeError } from '../../src/core/errors.ts';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { capturedTerminal } from './captured-terminal.ts';
import { address, FakeReplication, ROUTE, WINDOW, written } from './fake-replication.ts';
import { folderWith, run, seemingBridge } from './running.ts';
import type { SeemingBridge } from './running.ts';

const KIM = address('kim@zimbra.example');
const LEE = address('lee@zimbra.example');
const QUICK = { firstMs: 5, longestMs: 20, againMs: 400, wholeMs: 2_000 };

let replication: FakeReplication;
let bridge: SeemingBridge;
beforeEach(async () => {
  replication = new FakeReplication();
  bridge = await seemingBridge(replication);
});
afterEach(() => bridge.close());

const failed = (code: 'BACKEND_AUTH' | 'BACKEND_UNREACHABLE' | 'BACKEND_FAULT' | 'MAILBOX_UNKNOWN', options: ConstructorParameters<typeof BridgeError>[2] = {}) => new BridgeError(code, 'it went wrong', options);

describe('push of named mailboxes, through the running bridge', () => {
  it('says of each what was written, in the order named, each once', async () => {
    expect(await bridge.run('push', KIM, LEE, 'SMTP:Kim@zimbra.example')).toEqual({
      exit: 0,
      printed: ['kim@zimbra.example  zimbra → exchange  written 2026-11-15 to 2027-01-21', 'lee@zimbra.example  zimbra → exchange  written 2026-11-15 to 2027-01-21'],
      complained: [],
    });
    expect(replication.pushes.map(({ mailbox, dryRun }) => [mailbox, dryRun])).toEqual([[KIM, false], [LEE, false]]);
  });

  it('a permanent failure ends at once, with its reason and what to do; exit 1', async () => {
    const error = failed('BACKEND_FAULT', { details: { status: 403, hint: 'give the account Owner on the EX: folder' } });
    replication.onPush = async (mailbox) => [mailbox === KIM ? { mailbox, route: ROUTE, outcome: 'failed', error } : written(mailbox)];
    const { exit, printed } = await bridge.run('push', KIM, LEE);
    expect(exit).toBe(1);
    expect(printed[0]).toBe('kim@zimbra.example  zimbra → exchange  failed: BACKEND_FAULT: it went wrong (status 403) → give the account Owner on the EX: folder');
    expect(printed[1]).toContain('written');
    expect(replication.pushes).toHaveLength(2);
  });

  it.each([
    ['unknown', async () => Promise.reject(failed('MAILBOX_UNKNOWN')), 'MAILBOX_UNKNOWN'],
    ['replicated nowhere', async () => [], 'replicated nowhere'],
    ['skipped', async (mailbox: typeof KIM) => [{ mailbox, route: ROUTE, outcome: 'skipped', reason: 'no foreign principal' } as const], 'skipped: no foreign principal'],
  ])('a mailbox that is %s was not written: exit 1', async (_what, onPush, words) => {
    replication.onPush = onPush;
    const { exit, printed } = await bridge.run('push', KIM);
    expect(exit).toBe(1);
    expect(printed.join('\n')).toContain(words);
  });

  it('one that was taken away, because it is no data, was not written: exit 1', async () => {
    replication.onPush = async (mailbox) => [{ mailbox, route: ROUTE, outcome: 'removed', reason: 'viewFreeBusy is denied' }];
    expect(await bridge.run('push', KIM)).toMatchObject({ exit: 1, printed: ['kim@zimbra.example  zimbra → exchange  no data, so no message there now: viewFreeBusy is denied'] });
  });

  it('--json prints outcomes with times in ISO 8601 and errors as objects', async () => {
    replication.onPush = async (mailbox) => (mailbox === KIM ? [written(mailbox)] : Promise.reject(failed('MAILBOX_UNKNOWN', { details: { system: 'zimbra' } })));
    const { exit, printed } = await bridge.run('push', KIM, LEE, '--json');
    expect(exit).toBe(1);
    expect(JSON.parse(printed.join('\n'))).toEqual([
      { mailbox: KIM, route: ROUTE, outcome: 'written', window: { start: '2026-11-15T00:00:00.000Z', end: '2027-01-21T00:00:00.000Z' } },
      { mailbox: LEE, route: null, outcome: 'failed', error: { code: 'MAILBOX_UNKNOWN', message: 'it went wrong', temporary: false, details: { system: 'zimbra' } } },
    ]);
  });

  it('--dry-run shows where, and the message as decode prints it', async () => {
    const document = readFileSync(join(import.meta.dirname, '../../fixtures/cli/decode/worked-example/message.http'), 'utf8');
    const expected = readFileSync(join(import.meta.dirname, '../../fixtures/cli/decode/worked-example/expected.txt'), 'utf8').trimEnd().split('\n');
    replication.onPush = async (mailbox) => [
      { mailbox, route: ROUTE, outcome: 'would-write', window: WINDOW, preview: { where: 'https://exchange.example/public/…/USER-x.EML', document } },
      { mailbox, route: 'zimbra → other', outcome: 'would-remove', where: 'folder EX:/o=A, subject USER-/CN=R/CN=KIM', reason: 'no data' },
    ];
    const { exit, printed } = await bridge.run('push', KIM, '--dry-run');
    expect(printed).toEqual([
      'kim@zimbra.example  zimbra → exchange  would be written 2026-11-15 to 2027-01-21',
      '    where: https://exchange.example/public/…/USER-x.EML',
      ...expected.map((line) => `    ${line}`),
      'kim@zimbra.example  zimbra → other  no data, so its message would be removed: no data',
      '    where: folder EX:/o=A, subject USER-/CN=R/CN=KIM',
    ]);
    expect(exit).toBe(0);
    expect(replication.pushes[0]!.dryRun).toBe(true);
  });

  it.each([
    ['nobody', []],
    ['an address and --all', [KIM, '--all']],
    ['what is no address', ['kim']],
    ['an unknown option', [KIM, '--force']],
  ])('%s is wrong usage: exit 2, and nothing is pushed', async (_what, args) => {
    expect((await bridge.run('push', ...args)).exit).toBe(2);
    expect(replication.pushes).toEqual([]);
  });
});

describe('a temporary failure of a named mailbox', () => {
  const push = async (onPush: FakeReplication['onPush'], signal = new AbortController().signal): Promise<{ exit: number; printed: readonly string[] }> => {
    replication.onPush = onPush;
    const terminal = capturedTerminal();
    return { exit: await pushNamed(replication, [KIM], {}, signal, terminal, QUICK), printed: terminal.printed };
  };
  const unreachable = (mailbox: typeof KIM) => ({ mailbox, route: ROUTE, outcome: 'failed', error: failed('BACKEND_UNREACHABLE', { temporary: true }) }) as const;

  it('is tried again until it goes well', async () => {
    let tries = 0;
    expect((await push(async (mailbox) => [++tries < 3 ? unreachable(mailbox) : written(mailbox)])).exit).toBe(0);
    expect(tries).toBe(3);
  });

  it('is given up in the end, with growing pauses', async () => {
    const at: number[] = [];
    const begun = performance.now();
    expect((await push(async (mailbox) => (at.push(performance.now()), [unreachable(mailbox)]))).exit).toBe(1);
    expect(performance.now() - begun).toBeLessThan(2_000);
    expect(at.length).toBeGreaterThan(5);
    expect(at.at(-1)! - begun).toBeLessThan(QUICK.againMs + 200);
    expect(at[4]! - at[3]!).toBeGreaterThan(at[1]! - at[0]!);
  });

  it('is not waited for where the server asks for more time than there is', async () => {
    expect((await push(async (mailbox) => [{ ...unreachable(mailbox), error: failed('BACKEND_UNREACHABLE', { temporary: true, retryAfterMs: 60_000 }) }])).exit).toBe(1);
    expect(replication.pushes).toHaveLength(1);
  });

  it('is ended where the system says nothing at all, with the reason that it gave before', async () => {
    replication.onPush = async (mailbox, signal) => {
      if (replication.pushes.length === 1) return [unreachable(mailbox)];
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      throw new BridgeError('DEADLINE', 'no answer in time', { temporary: true });
    };
    const terminal = capturedTerminal();
    expect(await pushNamed(replication, [KIM], {}, new AbortController().signal, terminal, { ...QUICK, wholeMs: 100 })).toBe(1);
    expect(terminal.printed).toEqual(['kim@zimbra.example  zimbra → exchange  failed: BACKEND_UNREACHABLE: it went wrong']);
  });

  it('ends with Ctrl-C', async () => {
    const end = new AbortController();
    setTimeout(() => end.abort(), 30);
    expect((await push(async (mailbox) => [unreachable(mailbox)], end.signal)).exit).toBe(1);
  });

  it('beside a permanent one on another route is not tried again: it would not help', async () => {
    await push(async (mailbox) => [unreachable(mailbox), { mailbox, route: 'zimbra → other', outcome: 'failed', error: failed('BACKEND_AUTH') }]);
    expect(replication.pushes).toHaveLength(1);
  });
});

describe('push --all', () => {
  const many = (count: number) => Array.from({ length: count }, (_one, index) => address(`user${index}@zimbra.example`));

  it('writes everybody on every page once, several at a time, and says how many; who is not replicated is no failure', async () => {
    replication.pages = [many(30), [], [...many(3), LEE]];
    replication.onPush = async (mailbox) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return [mailbox === LEE ? { mailbox, route: ROUTE, outcome: 'skipped', reason: 'no foreign principal' } : written(mailbox)];
    };
    const { exit, printed } = await bridge.run('push', '--all');
    expect(exit).toBe(0);
    expect(printed).toEqual([expect.stringMatching(/^31 of 31 mailboxes: 30 written, 1 skipped in /)]);
    expect(new Set(replication.pushes.map(({ mailbox }) => mailbox)).size).toBe(31);
    expect(replication.mostInFlight).toBe(8);
  });

  it('names who failed; exit 1', async () => {
    replication.pages = [many(10)];
    replication.onPush = async (mailbox) => [mailbox.startsWith('user7') ? { mailbox, route: ROUTE, outcome: 'failed', error: failed('BACKEND_FAULT') } : written(mailbox)];
    const { exit, printed } = await bridge.run('push', '--all');
    expect(exit).toBe(1);
    expect(printed[0]).toBe('user7@zimbra.example  zimbra → exchange  failed: BACKEND_FAULT: it went wrong');
    expect(printed[1]).toMatch(/^10 of 10 mailboxes: 9 written, 1 failed in /);
  });

  it('a system that refuses the credentials is asked three times, one after another, not for everybody: accounts get locked', async () => {
    replication.pages = [many(100)];
    replication.onPush = async (mailbox) => [{ mailbox, route: ROUTE, outcome: 'failed', error: failed('BACKEND_AUTH') }];
    const { exit, printed } = await bridge.run('push', '--all');
    expect(exit).toBe(1);
    expect(replication.pushes).toHaveLength(3);
    expect(replication.mostInFlight).toBe(1);
    expect(printed.at(-1)).toContain('gave up: BACKEND_AUTH');
  });

  it('writes nobody where the list of all cannot be read to its end', async () => {
    replication.pages = [many(5)];
    replication.failAfterPages = new BridgeError('BACKEND_UNREACHABLE', 'the directory cannot be read', { temporary: true });
    expect(await bridge.run('push', '--all')).toMatchObject({ exit: 1, complained: ['the directory cannot be read'] });
    expect(replication.pushes).toEqual([]);
  });

  it('nobody to write is done at once', async () => {
    expect(await bridge.run('push', '--all')).toMatchObject({ exit: 0, printed: [expect.stringMatching(/^0 of 0 mailboxes in /)] });
  });

  it('--json prints outcomes only; the summary goes beside them', async () => {
    replication.pages = [[KIM]];
    const { printed, complained } = await bridge.run('push', '--all', '--json');
    expect(JSON.parse(printed.join('\n'))).toMatchObject([{ mailbox: KIM, outcome: 'written' }]);
    expect(complained.join('\n')).toContain('1 of 1');
  });
});

describe('where there is no replication', () => {
  it('a running bridge without `replication:` says so: exit 2', async () => {
    await bridge.close();
    bridge = await seemingBridge(undefined);
    const { exit, printed, complained } = await bridge.run('push', KIM);
    expect(exit).toBe(2);
    expect([...printed, ...complained].join('\n')).toContain('replicates nothing');
  });

  it('and so does a file without it, where no bridge runs', async () => {
    const { file, remove } = await folderWith('systems: { p: { type: ifb, url: "https://p.example/{address}.ifb", domains: [p.example] } }\n');
    expect(await run(['push', KIM, '--config', file])).toMatchObject({ exit: 2, complained: [expect.stringContaining('replicates nothing')] });
    await remove();
  });

  it('a file that is wrong is told as ever: exit 2', async () => {
    const { file, remove } = await folderWith('replicaton: []\n');
    const { exit, complained } = await run(['push', KIM, '--config', file]);
    expect([exit, complained.join('\n')]).toEqual([2, expect.stringContaining('replicaton')]);
    await remove();
  });
});
