import { describe, expect, it } from 'vitest';
import { BridgeError } from '../../src/core/errors.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import { freeBusyFrom, unknownFreeBusy } from '../../src/freebusy/free-busy.ts';
import type { BusyInterval, FreeBusy } from '../../src/freebusy/free-busy.ts';
import type { Resident } from '../../src/freebusy/roster.ts';
import type { FreeBusyQuery, FreeBusyResult } from '../../src/freebusy/source.ts';
import { KeyedLock } from '../../src/replication/keyed-lock.ts';
import type { Owner, Published } from '../../src/replication/published-store.ts';
import { Replicator } from '../../src/replication/replicator.ts';
import type { PublicationRecord } from '../../src/replication/replicator.ts';
import type { Route } from '../../src/replication/route.ts';
import { FailedTurn } from '../../src/replication/turn.ts';

const KIM = 'kim@zimbra.example' as MailboxAddress;
const LEE = 'lee@zimbra.example' as MailboxAddress;
const NOW = Date.parse('2026-03-05T12:00:00Z');
const DAY = 86_400_000;
const meeting = (hour: number): BusyInterval => ({ start: NOW + hour * 3_600_000, end: NOW + (hour + 1) * 3_600_000, busyType: 'busy' });

/** A home system, a sink and a record from memory, with everything that happened to them. */
function world(changes: Partial<Route> = {}, shared?: { readonly owners: Map<string, Owner>; readonly messages: Map<string, FreeBusy>; readonly locks: KeyedLock }) {
  const log: string[] = [];
  const calendars = new Map<MailboxAddress, readonly BusyInterval[] | BridgeError>([[KIM, [meeting(1)]], [LEE, []]]);
  const residents = new Map<MailboxAddress, Resident>([KIM, LEE].map((mailbox) => [mailbox, { mailbox, foreignPrincipal: mailbox.split('@')[0]!, isSystem: false }]));
  const messages = shared?.messages ?? new Map<string, FreeBusy>();
  const locks = shared?.locks ?? new KeyedLock();
  const time = { now: NOW };
  const records = new Map<MailboxAddress, Published>();
  const owners = shared?.owners ?? new Map<string, Owner>();
  const failing: { publish?: BridgeError; remove?: BridgeError; /** It went through, and nobody heard. */ afterRemove?: BridgeError; identity?: BridgeError; removeTakes?: Promise<void> } = {};
  const homes = new Map<MailboxAddress, string>();
  const route: Route = {
    name: 'zimbra → exchange',
    key: 'zimbra-exchange',
    from: 'zimbra',
    to: 'exchange',
    source: {
      freeBusy: async ({ mailboxes, window }: FreeBusyQuery): Promise<readonly FreeBusyResult[]> =>
        mailboxes.map((mailbox) => {
          const calendar = calendars.get(mailbox) ?? new BridgeError('NO_DATA', 'the calendar system knows nothing about this mailbox');
          if (calendar instanceof BridgeError) return { mailbox, error: calendar };
          return { mailbox, freeBusy: freeBusyFrom(mailbox, window, { busy: calendar }), asOf: NOW };
        }),
    },
    roster: {
      all: async function* () {
        yield [...residents.values()];
      },
      find: async (mailbox) => residents.get(mailbox),
    },
    sink: {
      identityOf: ({ mailbox, foreignPrincipal }) => {
        if (failing.identity !== undefined) throw failing.identity;
        return `/o=Corp/cn=Recipients/cn=${foreignPrincipal ?? mailbox.split('@')[0]!}`;
      },
      publish: async (identity, freeBusy) => {
        log.push(`publish ${identity}`);
        if (failing.publish !== undefined) throw failing.publish;
        messages.set(identity.toLowerCase(), freeBusy);
        return freeBusy.window;
      },
      remove: async (identity) => {
        log.push(`remove ${identity}`);
        if (failing.remove !== undefined) throw failing.remove;
        await failing.removeTakes;
        messages.delete(identity.toLowerCase());
        if (failing.afterRemove !== undefined) throw failing.afterRemove;
      },
      preview: (identity) => ({ where: identity, document: '<nothing/>' }),
    },
    choice: { only: 'foreign-principal', include: new Set(), exclude: new Set() },
    pastMs: 7 * DAY,
    aheadMs: 60 * DAY,
    concurrency: 8,
    workingElsewhereAs: 'free',
    homeOf: (mailbox) => homes.get(mailbox) ?? 'zimbra',
    ...changes,
  };
  const published: PublicationRecord = {
    read: async (mailbox) => records.get(mailbox),
    invalidate: async (mailbox) => {
      log.push(`invalidate ${mailbox}`);
      const known = records.get(mailbox);
      if (known !== undefined) records.set(mailbox, { ...known, digest: '' });
    },
    write: async (mailbox, one) => {
      log.push(`record ${mailbox}`);
      records.set(mailbox, one);
    },
    forget: async (mailbox) => void records.delete(mailbox),
    claim: async (identity, mailbox) => {
      const key = identity.toLowerCase();
      if (!owners.has(key)) owners.set(key, { from: route.from, mailbox });
      return owners.get(key)!;
    },
    release: async (identity, owner) => {
      const current = owners.get(identity.toLowerCase());
      if (current?.mailbox === owner.mailbox && current.from === owner.from) owners.delete(identity.toLowerCase());
    },
    ownerOf: async (identity) => owners.get(identity.toLowerCase()),
  };
  const replicator = new Replicator({ route, published, locks, clock: { now: () => time.now }, logger: silentLogger, metrics: noMetrics });
  const run = (mailbox = KIM, options: { always?: boolean; dryRun?: boolean } = {}) => replicator.run(mailbox, { always: false, dryRun: false, signal: AbortSignal.timeout(5_000), ...options });
  return { log, calendars, residents, messages, records, owners, locks, failing, homes, time, run };
}

const KIMS = '/o=corp/cn=recipients/cn=kim';

async function failure(turn: Promise<unknown>): Promise<FailedTurn> {
  const thrown = await turn.then(() => undefined, (error: unknown) => error);
  if (!(thrown instanceof FailedTurn)) throw new Error(`no FailedTurn but ${String(thrown)}`);
  return thrown;
}

describe('a turn of the replicator', () => {
  it('reads the home system for the window and writes what it says', async () => {
    const { run, messages } = world();
    expect(await run()).toMatchObject({ mailbox: KIM, route: 'zimbra → exchange', outcome: 'written', window: { start: Date.parse('2026-02-26T00:00:00Z'), end: Date.parse('2026-05-04T00:00:00Z') } });
    expect(messages.get(KIMS)?.busy).toEqual([meeting(1)]);
  });

  it('writes nothing that equals what it wrote; a push writes it all the same', async () => {
    const { run, log } = world();
    await run();
    expect(await run()).toMatchObject({ outcome: 'unchanged' });
    expect(log.filter((one) => one.startsWith('publish'))).toHaveLength(1);
    expect(await run(KIM, { always: true })).toMatchObject({ outcome: 'written' });
  });

  it('forgets the digest before the write and stores it after: a crash in between makes it write again', async () => {
    const { run, log, calendars, failing, messages } = world();
    await run();
    expect(log).toEqual([`invalidate ${KIM}`, 'publish /o=Corp/cn=Recipients/cn=kim', `record ${KIM}`]);
    // The write went through, but the process died before it knew; meanwhile the meeting is back where it was.
    const [original] = [calendars.get(KIM)!];
    calendars.set(KIM, [meeting(3)]);
    failing.publish = new BridgeError('BACKEND_UNREACHABLE', 'dead', { temporary: true });
    await failure(run());
    messages.set(KIMS, unknownFreeBusy(KIM, { start: 0, end: 1 }));
    delete failing.publish;
    calendars.set(KIM, original);
    expect(await run()).toMatchObject({ outcome: 'written' });
    expect(messages.get(KIMS)?.busy).toEqual([meeting(1)]);
  });

  it('names the system that failed: the home when it cannot be read, the sink when it refuses', async () => {
    const { run, calendars, failing, records } = world();
    calendars.set(KIM, new BridgeError('BACKEND_BUSY', 'busy', { temporary: true }));
    expect(await failure(run())).toMatchObject({ system: 'zimbra', error: { code: 'BACKEND_BUSY', temporary: true } });
    calendars.set(KIM, []);
    failing.publish = new BridgeError('BACKEND_FAULT', 'a property was refused');
    expect(await failure(run())).toMatchObject({ system: 'exchange', error: { code: 'BACKEND_FAULT' } });
    expect(records.size).toBe(0);
  });
});

describe('a mailbox that is no data', () => {
  it('loses its message, and is never published as free', async () => {
    const { run, calendars, messages, log } = world();
    await run();
    calendars.set(KIM, new BridgeError('MAILBOX_REFUSED', 'the calendar system may not show this mailbox'));
    expect(await run()).toMatchObject({ outcome: 'removed', reason: 'the calendar system may not show this mailbox' });
    expect(messages.size).toBe(0);
    expect(log.filter((one) => one.startsWith('publish'))).toHaveLength(1);
  });

  it('loses a message that somebody else wrote, too, and is left alone afterwards', async () => {
    const { run, calendars, messages, log } = world();
    messages.set(KIMS, unknownFreeBusy(KIM, { start: 0, end: 1 }));
    calendars.set(KIM, new BridgeError('NO_DATA', 'nothing known'));
    expect(await run()).toMatchObject({ outcome: 'removed' });
    expect(messages.size).toBe(0);
    expect(await run()).toMatchObject({ outcome: 'unchanged' });
    expect(log.filter((one) => one.startsWith('remove'))).toHaveLength(1);
  });

  it('is published again as soon as it is data again', async () => {
    const { run, calendars, messages } = world();
    calendars.set(KIM, new BridgeError('NO_DATA', 'nothing known'));
    await run();
    calendars.set(KIM, [meeting(1)]);
    expect(await run()).toMatchObject({ outcome: 'written' });
    expect(messages.has(KIMS)).toBe(true);
  });

  it('is no data when the answer is no data from end to end', async () => {
    const { run, calendars, messages } = world();
    calendars.set(KIM, [{ start: 0, end: NOW + 400 * DAY, busyType: 'no-data' }]);
    expect(await run()).toMatchObject({ outcome: 'removed' });
    expect(messages.size).toBe(0);
  });

  it('that cannot be removed yet is a failure, tried again', async () => {
    const { run, calendars, failing, messages } = world();
    await run();
    calendars.set(KIM, new BridgeError('NO_DATA', 'nothing known'));
    failing.remove = new BridgeError('BACKEND_UNREACHABLE', 'gone', { temporary: true });
    expect(await failure(run())).toMatchObject({ system: 'exchange' });
    delete failing.remove;
    expect(await run()).toMatchObject({ outcome: 'removed' });
    expect(messages.size).toBe(0);
  });
});

describe('who is replicated', () => {
  it('is whoever the other side knows; a mailbox without a principal is skipped and nothing of it is touched', async () => {
    const { run, residents, log } = world();
    residents.set(KIM, { mailbox: KIM, isSystem: false });
    expect(await run()).toMatchObject({ outcome: 'skipped', reason: 'it has no zimbraForeignPrincipal ad:…, and mailboxes.only is foreign-principal' });
    expect(log).toEqual([]);
  });

  it('is included in spite of that, or everybody, and never a system account nor an excluded one', async () => {
    const included = world({ choice: { only: 'foreign-principal', include: new Set([KIM]), exclude: new Set() } });
    included.residents.set(KIM, { mailbox: KIM, isSystem: false });
    expect(await included.run()).toMatchObject({ outcome: 'written' });
    const all = world({ choice: { only: 'all', include: new Set(), exclude: new Set([LEE]) } });
    all.residents.set(KIM, { mailbox: KIM, isSystem: true });
    expect(await all.run(KIM)).toMatchObject({ outcome: 'skipped', reason: 'it is a system account' });
    expect(await all.run(LEE)).toMatchObject({ outcome: 'skipped', reason: 'it is excluded by the configuration' });
  });

  it('is nobody who is hidden: what was published goes, and comes back when they are shown again', async () => {
    let isHidden = false;
    const { run, messages, records } = world({ isHidden: (mailbox) => isHidden && mailbox === KIM });
    expect(await run()).toMatchObject({ outcome: 'written' });
    isHidden = true;
    expect(await run()).toMatchObject({ outcome: 'removed', reason: 'it is excluded by privacy.exclude, or has opted out' });
    expect([messages.size, records.size]).toEqual([0, 0]);
    expect(await run()).toMatchObject({ outcome: 'skipped' });
    isHidden = false;
    expect(await run()).toMatchObject({ outcome: 'written' });
  });

  it('who no longer is, loses the message', async () => {
    const { run, residents, messages, owners } = world();
    await run();
    residents.set(KIM, { mailbox: KIM, isSystem: false });
    expect(await run()).toMatchObject({ outcome: 'removed' });
    expect(messages.size).toBe(0);
    expect(owners.size).toBe(0);
  });

  it('who is gone loses the message; who never was there is an unknown mailbox', async () => {
    const { run, residents, messages } = world();
    await run();
    residents.delete(KIM);
    expect(await run()).toMatchObject({ outcome: 'removed', reason: 'there is no such mailbox' });
    expect(messages.size).toBe(0);
    expect(await failure(run())).toMatchObject({ system: 'zimbra', error: { code: 'MAILBOX_UNKNOWN' } });
  });

  it('an alias is not published by itself: it names the mailbox whose it is', async () => {
    const { run, residents, log } = world();
    const alias = 'kimberly@zimbra.example' as MailboxAddress;
    residents.set(alias, residents.get(KIM)!);
    expect(await run(alias)).toMatchObject({ outcome: 'skipped', primary: KIM });
    expect(log).toEqual([]);
  });

  it('who moved to the other side keeps the message, which is now the other side’s own', async () => {
    const { run, homes, messages, records } = world();
    await run();
    homes.set(KIM, 'exchange');
    expect(await run()).toMatchObject({ outcome: 'skipped', reason: 'it lives in exchange' });
    expect(messages.has(KIMS)).toBe(true);
    expect(records.size).toBe(0);
  });

  it('who moved elsewhere loses it', async () => {
    const { run, homes, messages } = world();
    await run();
    homes.set(KIM, 'partner');
    expect(await run()).toMatchObject({ outcome: 'removed' });
    expect(messages.size).toBe(0);
  });
});

describe('whose message it is', () => {
  it('a changed legacyExchangeDN takes the old message away', async () => {
    const { run, residents, messages } = world();
    await run();
    residents.set(KIM, { mailbox: KIM, foreignPrincipal: 'kimberly', isSystem: false });
    expect(await run()).toMatchObject({ outcome: 'written' });
    expect([...messages.keys()]).toEqual(['/o=corp/cn=recipients/cn=kimberly']);
  });

  it('two mailboxes with one legacyExchangeDN do not overwrite each other: the second is refused and named', async () => {
    const { run, residents, messages } = world();
    await run(KIM);
    residents.set(LEE, { mailbox: LEE, foreignPrincipal: 'KIM', isSystem: false });
    const thrown = await failure(run(LEE));
    expect(thrown.error.code).toBe('NO_DATA');
    expect(thrown.error.publicMessage).toContain(KIM);
    expect(messages.get(KIMS)?.busy).toEqual([meeting(1)]);
  });

  it('a mailbox that was renamed takes its message along', async () => {
    const { run, residents, messages, records, calendars } = world();
    await run(KIM);
    const renamed = 'kim.new@zimbra.example' as MailboxAddress;
    residents.delete(KIM);
    residents.set(renamed, { mailbox: renamed, foreignPrincipal: 'kim', isSystem: false });
    calendars.set(renamed, [meeting(2)]);
    expect(await run(renamed)).toMatchObject({ outcome: 'written' });
    expect(messages.get(KIMS)?.busy).toEqual([meeting(2)]);
    // What is left of the old name must not take the message away from the new one.
    expect(await failure(run(KIM))).toMatchObject({ error: { code: 'MAILBOX_UNKNOWN' } });
    expect(messages.has(KIMS)).toBe(true);
    expect(records.has(KIM)).toBe(false);
  });
});

describe('what the record says of Exchange', () => {
  it('a removal that went through while its answer was lost does not leave a mailbox that comes back without its message', async () => {
    const { run, residents, messages, failing } = world();
    await run();
    const kim = residents.get(KIM)!;
    residents.delete(KIM);
    failing.afterRemove = new BridgeError('BACKEND_UNREACHABLE', 'connection reset after the request', { temporary: true });
    await failure(run());
    delete failing.afterRemove;
    residents.set(KIM, kim);
    expect(await run()).toMatchObject({ outcome: 'written' });
    expect(messages.has(KIMS)).toBe(true);
  });

  it('a principal that was wrong for a while and is right again brings the message back', async () => {
    const { run, residents, messages } = world();
    await run(KIM);
    await run(LEE);
    const kim = residents.get(KIM)!;
    residents.set(KIM, { ...kim, foreignPrincipal: 'lee' });
    await failure(run(KIM));
    expect(messages.has(KIMS)).toBe(false);
    residents.set(KIM, kim);
    expect(await run(KIM)).toMatchObject({ outcome: 'written' });
    expect(messages.has(KIMS)).toBe(true);
  });

  it('who gave a legacyExchangeDN up never writes over whoever has it now', async () => {
    const { run, residents, messages, calendars } = world();
    const mo = 'mo@zimbra.example' as MailboxAddress;
    await run(KIM);
    await run(LEE);
    const kim = residents.get(KIM)!;
    residents.set(KIM, { ...kim, foreignPrincipal: 'lee' });
    await failure(run(KIM));
    residents.set(mo, { mailbox: mo, foreignPrincipal: 'kim', isSystem: false });
    calendars.set(mo, [meeting(7)]);
    await run(mo);
    residents.set(KIM, kim);
    calendars.set(KIM, [meeting(2)]);
    expect(await failure(run(KIM))).toMatchObject({ error: { code: 'NO_DATA' } });
    expect(messages.get(KIMS)?.mailbox).toBe(mo);
  });

  it('the removal for an old address and the write for the new one do not overtake each other', async () => {
    const { run, residents, messages, calendars, failing } = world();
    const renamed = 'kim.new@zimbra.example' as MailboxAddress;
    await run(KIM);
    residents.delete(KIM);
    residents.set(renamed, { mailbox: renamed, foreignPrincipal: 'kim', isSystem: false });
    calendars.set(renamed, [meeting(1)]);
    failing.removeTakes = new Promise((resolve) => setTimeout(resolve, 50));
    await Promise.all([run(KIM), run(renamed)]);
    expect(messages.get(KIMS)?.mailbox).toBe(renamed);
  });

  it('a mailbox that can have no legacyExchangeDN any more loses its message, and is a failure', async () => {
    const { run, messages, failing } = world();
    await run(KIM);
    failing.identity = new BridgeError('NO_DATA', 'the foreign principal cannot stand in a legacyExchangeDN');
    expect(await failure(run(KIM))).toMatchObject({ system: 'exchange', error: { code: 'NO_DATA' } });
    expect(messages.has(KIMS)).toBe(false);
  });

  it('a mailbox that moved from one home to another, both replicated into one Exchange, keeps its message', async () => {
    const homes = new Map([[KIM, 'zimbra']]);
    const homeOf = (mailbox: MailboxAddress): string => homes.get(mailbox) ?? 'zimbra';
    const before = world({ homeOf });
    const after = world({ name: 'other → exchange', key: 'other-exchange', from: 'other', homeOf }, before);
    await before.run(KIM);
    homes.set(KIM, 'other');
    expect(await after.run(KIM)).toMatchObject({ outcome: 'written' });
    expect(await before.run(KIM)).toMatchObject({ outcome: 'removed' });
    expect(before.messages.has(KIMS)).toBe(true);
    // And back again: what the first home remembers is no longer what lies there.
    homes.set(KIM, 'zimbra');
    expect(await before.run(KIM)).toMatchObject({ outcome: 'written' });
  });

  it('two homes do not take each other’s legacyExchangeDN', async () => {
    const homeOf = (mailbox: MailboxAddress): string => (mailbox === LEE ? 'other' : 'zimbra');
    const one = world({ homeOf });
    const other = world({ name: 'other → exchange', key: 'other-exchange', from: 'other', homeOf }, one);
    other.residents.set(LEE, { mailbox: LEE, foreignPrincipal: 'kim', isSystem: false });
    await one.run(KIM);
    expect(await failure(other.run(LEE))).toMatchObject({ error: { code: 'NO_DATA' } });
    expect(one.messages.get(KIMS)?.mailbox).toBe(KIM);
  });

  it('is believed for some hours only: then the message is written again, in case somebody deleted it', async () => {
    const { run, messages, time } = world();
    await run();
    messages.clear();
    expect(await run()).toMatchObject({ outcome: 'unchanged' });
    time.now += 6 * 3_600_000;
    expect(await run()).toMatchObject({ outcome: 'written' });
    expect(messages.has(KIMS)).toBe(true);
  });
});

describe('a dry run', () => {
  it('says what would be written and touches nothing', async () => {
    const { run, log, messages, owners } = world();
    expect(await run(KIM, { dryRun: true, always: true })).toMatchObject({ outcome: 'would-write', preview: { where: '/o=Corp/cn=Recipients/cn=kim' } });
    expect([log, messages.size, owners.size]).toEqual([[], 0, 0]);
  });

  it('says what would be taken away', async () => {
    const { run, calendars, log } = world();
    calendars.set(KIM, new BridgeError('NO_DATA', 'nothing known'));
    expect(await run(KIM, { dryRun: true, always: true })).toMatchObject({ outcome: 'would-remove', reason: 'nothing known' });
    expect(log).toEqual([]);
  });
});

describe('two turns of one mailbox', () => {
  it('never overlap: one that stalled cannot overwrite what its repetition wrote', async () => {
    const { run, calendars, messages, log } = world();
    const first = run(KIM, { always: true });
    calendars.set(KIM, [meeting(5)]);
    const second = run(KIM, { always: true });
    await Promise.all([first, second]);
    expect(log.map((one) => one.split(' ')[0])).toEqual(['invalidate', 'publish', 'record', 'invalidate', 'publish', 'record']);
    expect(messages.get(KIMS)?.busy).toEqual([meeting(5)]);
  });
});
