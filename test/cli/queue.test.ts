import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { durationInWords } from '../../src/cli/duration-words.ts';
import { queueTable } from '../../src/cli/queue-table.ts';
import { BridgeError } from '../../src/core/errors.ts';
import type { QueueReport } from '../../src/replication/report.ts';
import { address, FakeReplication, ROUTE } from './fake-replication.ts';
import { seemingBridge } from './running.ts';
import type { SeemingBridge } from './running.ts';

const KIM = address('kim@zimbra.example');
const LEE = address('lee@zimbra.example');
const NOW = Date.UTC(2026, 10, 22, 12);
const REPORT: QueueReport = {
  entries: [
    { route: ROUTE, mailbox: LEE, state: 'failed', since: NOW - 26 * 3_600_000, attempts: 8, code: 'BACKEND_FAULT', reason: 'property refused' },
    { route: ROUTE, mailbox: KIM, state: 'waiting', since: NOW - 40_000, attempts: 0 },
    { route: ROUTE, mailbox: address('ann@zimbra.example'), state: 'retrying', since: NOW - 180_000, attempts: 1, code: 'BACKEND_BUSY', reason: 'try later', nextTryAt: NOW + 90_000 },
  ],
  counts: [
    { route: ROUTE, waiting: 3, running: 0, retrying: 1, failed: 1, blocked: 'exchange refuses the credentials' },
    { route: 'other → exchange', waiting: 0, running: 0, retrying: 0, failed: 0 },
  ],
};

let replication: FakeReplication;
let bridge: SeemingBridge;
beforeEach(async () => {
  replication = new FakeReplication();
  bridge = await seemingBridge(replication);
});
afterEach(() => bridge.close());

describe('the table of the queue', () => {
  it('has the counts of a route first, what blocks it before them, then a row a mailbox with age, tries, reason and next try', () => {
    expect(queueTable(REPORT, NOW)).toEqual([
      'zimbra → exchange: blocked: exchange refuses the credentials; 3 waiting, 0 running, 1 retrying, 1 failed',
      '  waiting   kim@zimbra.example  for 40 s',
      '  retrying  ann@zimbra.example  for 3 min  1 try    BACKEND_BUSY: try later          next try in 90 s',
      '  failed    lee@zimbra.example  for 26 h   8 tries  BACKEND_FAULT: property refused',
      '  … and 2 more',
      'other → exchange: 0 waiting, 0 running, 0 retrying, 0 failed',
    ]);
  });

  it('is one line where nothing waits', () => {
    expect(queueTable({ entries: [], counts: [{ route: ROUTE, waiting: 0, running: 0, retrying: 0, failed: 0 }] }, NOW)).toEqual(['nothing waits']);
  });

  it('obeys nothing that a server put into a reason', () => {
    const entries = [{ ...REPORT.entries[0]!, reason: 'a\u001b[2Jb\nc' }];
    expect(queueTable({ ...REPORT, entries }, NOW).join('|')).toContain('a�[2Jb�c');
  });

  it.each([
    [-5, '0 ms'],
    [850, '850 ms'],
    [119_999, '119 s'],
    [120_000, '2 min'],
    [47 * 3_600_000, '47 h'],
    [48 * 3_600_000, '2 d'],
  ])('%d ms is %s', (ms, words) => {
    expect(durationInWords(ms)).toBe(words);
  });
});

describe('queue, through the running bridge', () => {
  it.each([[['queue']], [['queue', 'show']]])('%j prints the table', async (args) => {
    replication.report = REPORT;
    const { exit, printed } = await bridge.run(...args);
    expect(exit).toBe(0);
    expect(printed[0]).toContain('blocked: exchange refuses');
    expect(printed).toHaveLength(6);
  });

  it('--json prints the report with times in ISO 8601', async () => {
    replication.report = REPORT;
    const report = JSON.parse((await bridge.run('queue', '--json')).printed.join('\n')) as { entries: unknown[]; counts: unknown };
    expect(report.counts).toEqual(REPORT.counts);
    expect(report.entries[2]).toEqual({ ...REPORT.entries[2], since: '2026-11-22T11:57:00.000Z', nextTryAt: '2026-11-22T12:01:30.000Z' });
  });

  it('says that Redis is away; exit 1', async () => {
    replication.report = new BridgeError('STORE_UNAVAILABLE', 'Redis does not answer', { temporary: true });
    expect(await bridge.run('queue')).toEqual({ exit: 1, printed: [], complained: ['Redis does not answer'] });
  });

  it.each(['retry', 'drop'] as const)('%s names whom it found and whom not: exit 1 where one is not there', async (what) => {
    replication.inQueue = new Set([KIM]);
    expect(await bridge.run('queue', what, KIM)).toMatchObject({ exit: 0, complained: [] });
    const { exit, printed, complained } = await bridge.run('queue', what, LEE, KIM);
    expect([exit, printed.length, complained]).toEqual([1, 1, ['lee@zimbra.example: is not in the queue']]);
    expect(replication.changes.map((one) => one.what)).toEqual([what, what, what]);
  });

  it.each(['retry', 'drop'] as const)('%s --all says how many, also where there is none', async (what) => {
    replication.inQueue = new Set([KIM, LEE]);
    expect(await bridge.run('queue', what, '--all')).toMatchObject({ exit: 0, printed: [expect.stringMatching(/^2 /)] });
    replication.inQueue = new Set();
    expect(await bridge.run('queue', what, '--all')).toMatchObject({ exit: 0, printed: [expect.stringMatching(/^0 /)] });
    expect(replication.changes).toEqual([{ what, which: 'all' }, { what, which: 'all' }]);
  });

  it.each([[['queue', 'drop']], [['queue', 'drop', 'kim']], [['queue', 'drop', 'kim@zimbra.example', '--all']], [['queue', 'forget']]])('%j is wrong usage: exit 2, and drops nothing', async (args) => {
    expect((await bridge.run(...args)).exit).toBe(2);
    expect(replication.changes).toEqual([]);
  });
});
