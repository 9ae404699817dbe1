import { beforeEach, describe, expect, it } from 'vitest';
import { BridgeError, ERROR_CODES } from '../../src/core/errors.ts';
import type { ErrorCode } from '../../src/core/errors.ts';
import { LIMITS } from '../../src/core/limits.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import type { RequestContext } from '../../src/core/request-context.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import { freeBusyFrom } from '../../src/freebusy/free-busy.ts';
import type { FreeBusyQuery, FreeBusyResult } from '../../src/freebusy/source.ts';
import type { Lookup } from '../../src/lookup/lookup.ts';
import { ASKER, context, pending, turns } from '../freebusy/asking.ts';
import { span, WINDOW } from '../freebusy/oracle.ts';
import { address, lookup, summary, system } from './systems.ts';
import type { Answering, FakeSystem } from './systems.ts';

/** Runs with the real one, so that deadlines are right, and ahead of it by what a test lets pass. */
let aheadMs = 0;
const clock = { now: () => Date.now() + aheadMs };
beforeEach(() => {
  aheadMs = 0;
});

const ctx = (changes: Partial<RequestContext> = {}): RequestContext => context({ deadline: clock.now() + 5_000, ...changes });
const query = (...mailboxes: readonly string[]): FreeBusyQuery => ({ mailboxes: mailboxes.map((one) => address(`${one}@corp.example`)), window: WINDOW, details: false });
const bridge = (systems: readonly FakeSystem[], changes: Parameters<typeof lookup>[3] = {}): Lookup => lookup(systems, silentLogger, noMetrics, { clock, ...changes });
const asked = (one: FakeSystem): readonly string[] => one.asked.map(([{ mailboxes }]) => mailboxes.map((mailbox) => mailbox.split('@')[0]).join(' '));

/** Answers when told to, from the calendars as they are then; whoever is told to fail fails. */
function controlled(): { readonly answer: Answering; readonly calls: { readonly query: FreeBusyQuery; readonly go: () => void; readonly fail: (error: BridgeError) => void }[] } {
  const calls: { query: FreeBusyQuery; go: () => void; fail: (error: BridgeError) => void }[] = [];
  return {
    calls,
    answer: (question) => {
      const call = pending<readonly FreeBusyResult[]>();
      calls.push({ query: question, go: () => call.resolve(question.mailboxes.map((mailbox) => free(mailbox, question))), fail: call.reject });
      return call.promise;
    },
  };
}

const free = (mailbox: MailboxAddress, { window }: FreeBusyQuery): FreeBusyResult => ({ mailbox, freeBusy: freeBusyFrom(mailbox, window, {}), asOf: clock.now() });

/** A system whose people are all busy for some minutes, or which fails; both can be changed. */
function changing(changes: Parameters<typeof system>[1] = {}): { readonly home: FakeSystem; readonly now: { minutes: [number, number]; failure: ErrorCode | undefined } } {
  const now = { minutes: [100, 110] as [number, number], failure: undefined as ErrorCode | undefined };
  const home = system('corp', {
    answer: async ({ mailboxes, window }) => {
      if (now.failure !== undefined) throw new BridgeError(now.failure, 'x');
      return mailboxes.map((mailbox) => ({ mailbox, freeBusy: freeBusyFrom(mailbox, window, { busy: [{ ...span(...now.minutes), busyType: 'busy' }] }), asOf: clock.now() }));
    },
    ...changes,
  });
  return { home, now };
}
const busyFrom = (results: readonly FreeBusyResult[]): readonly unknown[] => results.map((one) => ('error' in one ? one.error.code : one.freeBusy.busy.map(({ start, end, busyType }) => `${(start - WINDOW.start) / 60_000 + 60}-${(end - WINDOW.start) / 60_000 + 60} ${busyType}`).join(', ')));

describe('an answer that is fresh', () => {
  it('is given again for 15 s, 60 s where changes of the mailbox are heard of, or as long as its system says; not a moment longer', async () => {
    for (const [changes, isFollowed, ms] of [[{}, undefined, LIMITS.freshMs], [{}, () => true, LIMITS.followedFreshMs], [{ cacheForMs: 3_000 }, () => true, 3_000]] as const) {
      aheadMs = 0;
      const { home } = changing(changes);
      const all = bridge([home], { isFollowed });
      await all.freeBusy(query('a'), ctx());
      aheadMs = ms - 1_000;
      await all.freeBusy(query('a'), ctx());
      expect(home.asked).toHaveLength(1);
      aheadMs = ms + 1;
      await all.freeBusy(query('a'), ctx());
      expect(home.asked).toHaveLength(2);
    }
  });

  it('is asked about by system and mailbox whether it is followed', async () => {
    const { home } = changing();
    const places: string[] = [];
    const all = bridge([home], { isFollowed: (name, mailbox) => places.push(`${name} ${mailbox}`) > 0 });
    await all.freeBusy(query('a'), ctx());
    expect(places).toEqual(['corp a@corp.example']);
  });

  it('is not kept where its system says 0', async () => {
    const { home } = changing({ cacheForMs: 0 });
    const all = bridge([home]);
    for (let round = 1; round <= 3; round++) {
      await all.freeBusy(query('a'), ctx());
      expect(home.asked).toHaveLength(round);
    }
  });

  it('serves its part of a larger question, and a shorter one; the rest goes upstream in one', async () => {
    const { home } = changing();
    const all = bridge([home]);
    await all.freeBusy(query('a'), ctx());
    const results = await all.freeBusy(query('b', 'a', 'c'), ctx());
    expect(summary(results)).toEqual(['b@corp.example ok', 'a@corp.example ok', 'c@corp.example ok']);
    expect(busyFrom(await all.freeBusy({ ...query('a', 'b', 'c'), window: span(105, 300) }, ctx()))).toEqual(Array(3).fill('105-110 busy'));
    expect(asked(home)).toEqual(['a', 'b c']);
    await all.freeBusy({ ...query('a'), window: span(60, 301) }, ctx());
    expect(asked(home)).toEqual(['a', 'b c', 'a']);
  });

  it('with details serves one without, and not the other way round; each client sees what it may', async () => {
    const home = system('corp');
    const all = bridge([home]);
    await all.freeBusy(query('a'), ctx());
    const detailed = await all.freeBusy({ ...query('a'), details: true }, ctx());
    expect(home.asked).toHaveLength(2);
    aheadMs = 1;
    const plain = await all.freeBusy(query('a'), ctx());
    const blunt = await all.freeBusy({ ...query('a'), details: true }, ctx({ requester: { ...ASKER, detail: 'free-busy' } }));
    expect(home.asked).toHaveLength(2);
    expect(JSON.stringify(detailed)).toContain('canary-subject');
    expect(JSON.stringify([plain, blunt])).not.toContain('canary');
    expect(blunt[0]).toMatchObject({ freeBusy: { busy: [{ busyType: 'busy' }] } });
    expect(await all.freeBusy(query('a'), ctx({ requester: { ...ASKER, mayAsk: new Set(['other']) } }))).toMatchObject([{ error: { code: 'MAILBOX_UNKNOWN' } }]);
  });

  it('of one number of hops is not one of another', async () => {
    const { home } = changing();
    const all = bridge([home]);
    for (const hops of [0, 1, 0, 1]) await all.freeBusy(query('a'), ctx({ hops }));
    expect(home.asked.map(([, { hops }]) => hops)).toEqual([0, 1]);
  });

  it('is no error, nor an answer with a hole in it', async () => {
    const codes: (ErrorCode | 'hole')[] = ['MAILBOX_UNKNOWN', 'BACKEND_BUSY', 'NO_DATA', 'hole'];
    const home = system('corp', { answer: async ({ mailboxes, window }) => mailboxes.map((mailbox) => (codes[0] === 'hole' ? { mailbox, freeBusy: freeBusyFrom(mailbox, window, { known: [span(60, 200)] }), asOf: 0 } : { mailbox, error: new BridgeError(codes[0] as ErrorCode, 'x') })) });
    const all = bridge([home]);
    for (; codes.length > 0; codes.shift()) for (let round = 0; round < 2; round++) await all.freeBusy(query('a'), ctx());
    expect(home.asked).toHaveLength(8);
  });

  it('counts from when its question was begun: what changed while it was on its way may be missing in it', async () => {
    const { answer, calls } = controlled();
    const home = system('corp', { answer });
    const all = bridge([home]);
    const slow = all.freeBusy(query('a'), ctx({ deadline: clock.now() + 60_000 }));
    aheadMs = 10_000;
    calls[0]!.go();
    await slow;
    aheadMs = 14_000;
    await all.freeBusy(query('a'), ctx());
    expect(calls).toHaveLength(1);
    aheadMs = 15_500;
    void all.freeBusy(query('a'), ctx());
    await turns();
    expect(calls).toHaveLength(2);
    calls[1]!.go();
  });

  it('is asked anew by whoever explains or must see what is so now; what comes of that is kept for the others', async () => {
    const { home } = changing();
    const all = bridge([home]);
    await all.freeBusy(query('a'), ctx());
    await all.freeBusy(query('a'), ctx({ explain: () => undefined }));
    await all.freeBusy(query('a'), ctx({ fresh: true }));
    expect(home.asked).toHaveLength(3);
    aheadMs = LIMITS.freshMs - 500;
    await all.freeBusy(query('b'), ctx({ fresh: true }));
    await all.freeBusy(query('a', 'b'), ctx());
    expect(asked(home)).toEqual(['a', 'a', 'a', 'b']);
  });
});

describe('questions under way', () => {
  it('a thousand about one mailbox are one upstream', async () => {
    const { answer, calls } = controlled();
    const home = system('corp', { answer });
    const all = bridge([home]);
    const waiting = Array.from({ length: 1_000 }, (_, index) => all.freeBusy({ ...query('a'), window: index % 2 === 0 ? WINDOW : span(100, 200) }, ctx()));
    await turns();
    calls[0]!.go();
    const answers = await Promise.all(waiting);
    expect(calls).toHaveLength(1);
    expect(answers.every((one, index) => 'freeBusy' in one[0]! && one[0].freeBusy.window.start === (index % 2 === 0 ? WINDOW : span(100, 200)).start)).toBe(true);
  });

  it('that share some mailboxes ask about each once', async () => {
    const { answer, calls } = controlled();
    const home = system('corp', { answer });
    const all = bridge([home]);
    const waiting = [all.freeBusy(query('a'), ctx()), all.freeBusy(query('a', 'b'), ctx()), all.freeBusy(query('c', 'b', 'a'), ctx()), all.freeBusy(query('b', 'c'), ctx())];
    await turns();
    expect(asked(home)).toEqual(['a', 'b', 'c']);
    for (const call of [...calls].reverse()) call.go();
    expect((await Promise.all(waiting)).map(summary)).toEqual([['a@corp.example ok'], ['a@corp.example ok', 'b@corp.example ok'], ['c@corp.example ok', 'b@corp.example ok', 'a@corp.example ok'], ['b@corp.example ok', 'c@corp.example ok']]);
  });

  it('a joined one that fails costs only its own mailboxes', async () => {
    const { answer, calls } = controlled();
    const all = bridge([system('corp', { answer })]);
    const first = all.freeBusy(query('a'), ctx());
    const second = all.freeBusy(query('a', 'b'), ctx());
    await turns();
    calls[0]!.fail(new BridgeError('BACKEND_UNREACHABLE', 'x'));
    calls[1]!.go();
    expect((await Promise.all([first, second])).map(summary)).toEqual([['a@corp.example BACKEND_UNREACHABLE'], ['a@corp.example BACKEND_UNREACHABLE', 'b@corp.example ok']]);
    expect(calls).toHaveLength(2);
  });

  it('whoever joined one that was too large is asked for alone, once, and all of them together', async () => {
    const { answer, calls } = controlled();
    const home = system('corp', { answer });
    const all = bridge([home]);
    const large = all.freeBusy(query('a', 'b'), ctx());
    const joined = Array.from({ length: 20 }, () => all.freeBusy(query('a'), ctx()));
    await turns();
    calls[0]!.fail(new BridgeError('BACKEND_TOO_LARGE', 'x'));
    await turns();
    expect(asked(home)).toEqual(['a b', 'a']);
    calls[1]!.go();
    expect(summary(await large)).toEqual(['a@corp.example BACKEND_TOO_LARGE', 'b@corp.example BACKEND_TOO_LARGE']);
    for (const one of joined) expect(summary(await one)).toEqual(['a@corp.example ok']);
  });

  it('a system that is away is not asked again by those who joined', async () => {
    const { answer, calls } = controlled();
    const all = bridge([system('corp', { answer })]);
    const waiting = [all.freeBusy(query('a', 'b'), ctx()), all.freeBusy(query('a'), ctx())];
    await turns();
    calls[0]!.fail(new BridgeError('BACKEND_UNREACHABLE', 'x'));
    await Promise.all(waiting);
    expect(calls).toHaveLength(1);
  });
});

describe('a change', () => {
  it.each([
    ['anywhere', [], ['a', 'b']],
    ['in the system', ['corp'], ['a', 'b']],
    ['of a mailbox', ['corp', [address('a@corp.example')]], ['a']],
    ['of nobody', ['corp', []], []],
    ['elsewhere', ['other'], []],
    ['elsewhere, of the same name', ['other', [address('a@corp.example')]], []],
  ] as const)('%s makes those be asked anew, and nobody else', async (_name, changed, again) => {
    const { home, now } = changing();
    const all = bridge([home]);
    await all.freeBusy(query('a', 'b'), ctx());
    now.minutes = [200, 210];
    all.calendarsChanged(...(changed as readonly [system?: string, mailboxes?: readonly MailboxAddress[]]));
    const seen = busyFrom(await all.freeBusy(query('a', 'b'), ctx()));
    expect(seen).toEqual(['a', 'b'].map((one) => ((again as readonly string[]).includes(one) ? '200-210 busy' : '100-110 busy')));
    expect(asked(home).slice(1)).toEqual(again.length === 0 ? [] : [again.join(' ')]);
  });

  it('while a question is on its way: who asks later does not join it, and what comes of it is not kept', async () => {
    const { answer, calls } = controlled();
    const all = bridge([system('corp', { answer })]);
    const before = all.freeBusy(query('a', 'b'), ctx());
    await turns();
    all.calendarsChanged('corp', [address('a@corp.example')]);
    const after = all.freeBusy(query('a', 'b'), ctx());
    await turns();
    expect(calls.map((call) => call.query.mailboxes)).toEqual([['a@corp.example', 'b@corp.example'], ['a@corp.example']]);
    // The later one first: the earlier must not take its place.
    calls[1]!.go();
    await turns();
    calls[0]!.go();
    await Promise.all([before, after]);
    all.calendarsChanged('corp', [address('a@corp.example')]);
    const third = all.freeBusy(query('a', 'b'), ctx());
    await turns();
    expect(calls.map((call) => call.query.mailboxes).slice(2)).toEqual([['a@corp.example']]);
    all.calendarsChanged('corp', [address('a@corp.example')]);
    calls[2]!.go();
    await third;
    void all.freeBusy(query('a'), ctx());
    await turns();
    expect(calls).toHaveLength(4);
    calls[3]!.go();
  });
});

describe('a system that does not answer', () => {
  const DID_NOT_ANSWER: readonly ErrorCode[] = ['BACKEND_UNREACHABLE', 'BACKEND_TLS', 'BACKEND_AUTH', 'BACKEND_BUSY', 'BACKEND_REDIRECT', 'BACKEND_FAULT', 'BACKEND_MALFORMED', 'BACKEND_TOO_LARGE', 'DEADLINE'];

  it.each(ERROR_CODES.map((code) => [code] as const))('%s: an older answer is given instead just where the system said nothing', async (code) => {
    const { home, now } = changing();
    const all = bridge([home]);
    await all.freeBusy(query('a'), ctx());
    aheadMs = LIMITS.freshMs + 1;
    now.failure = code;
    const [result] = await all.freeBusy(query('a'), ctx({ saysAge: true }));
    if (DID_NOT_ANSWER.includes(code)) expect(result).toMatchObject({ stale: true, freeBusy: { busy: [{ busyType: 'busy' }] } });
    else expect(result).toMatchObject({ error: { code } });
  });

  it.each([
    ['a face that says its age, up to an hour', {}, { saysAge: true }, LIMITS.staleForToldMs],
    ['one that cannot, never', {}, {}, 0],
    ['one that cannot, as long as the site says', { staleForMs: 120_000 }, {}, 120_000],
    ['one that can, as long as the site says where that is longer', { staleForMs: 2 * LIMITS.staleForToldMs }, { saysAge: true }, 2 * LIMITS.staleForToldMs],
    ['nobody where the site wants nothing kept', { cacheForMs: 0 }, { saysAge: true }, 0],
    ['everybody as long as the site says, though nothing is given while it answers', { cacheForMs: 0, staleForMs: 120_000 }, {}, 120_000],
    ['the bridge’s own questions, never', { staleForMs: 120_000 }, { fresh: true }, 0],
  ] as const)('%s', async (_name, changes, asker, longestMs) => {
    const { home, now } = changing(changes);
    const all = bridge([home]);
    const [first] = await all.freeBusy(query('a'), ctx());
    now.failure = 'BACKEND_UNREACHABLE';
    for (const [ms, isGiven] of [[LIMITS.freshMs + 1, longestMs > LIMITS.freshMs], [longestMs - 1_000, longestMs > LIMITS.freshMs], [longestMs + LIMITS.freshMs + 1, false]] as const) {
      if (ms < 0) continue;
      aheadMs = ms;
      const [result] = await all.freeBusy(query('a'), ctx(asker));
      if (isGiven) expect(result).toEqual({ ...first!, stale: true });
      else expect(result).toMatchObject({ error: { code: 'BACKEND_UNREACHABLE' } });
    }
  });

  it('is no data outside what was known then', async () => {
    const { home, now } = changing();
    const all = bridge([home]);
    await all.freeBusy(query('a'), ctx());
    now.failure = 'BACKEND_FAULT';
    const seen = busyFrom(await all.freeBusy({ ...query('a'), window: span(50, 310) }, ctx({ saysAge: true })));
    expect(seen).toEqual(['50-60 no-data, 100-110 busy, 300-310 no-data']);
    expect(await all.freeBusy({ ...query('a'), window: span(400, 500) }, ctx({ saysAge: true }))).toMatchObject([{ error: { code: 'BACKEND_FAULT' } }]);
  });

  it('of which a change was heard since then, or that has said that it gives nothing: nothing older is given', async () => {
    for (const disproved of ['change', 'MAILBOX_UNKNOWN', 'MAILBOX_REFUSED'] as const) {
      aheadMs = 0;
      const { home, now } = changing({ staleForMs: 3_600_000 });
      const all = bridge([home]);
      await all.freeBusy(query('a', 'b'), ctx());
      aheadMs = LIMITS.freshMs + 1;
      if (disproved === 'change') all.calendarsChanged('corp', [address('a@corp.example')]);
      else {
        now.failure = disproved;
        await all.freeBusy(query('a'), ctx());
      }
      now.failure = 'BACKEND_UNREACHABLE';
      expect(summary(await all.freeBusy(query('a', 'b'), ctx({ saysAge: true })))).toEqual(['a@corp.example BACKEND_UNREACHABLE', 'b@corp.example ok']);
    }
  });

  it('beside a dead and a slow one: the others’ mailboxes are whole, at the deadline', async () => {
    const { answer } = controlled();
    const dead = system('dead', { answer: async () => Promise.reject(new BridgeError('BACKEND_UNREACHABLE', 'x')) });
    const slow = system('slow', { answer });
    const others = ['one', 'two', 'three'].map((name) => system(name));
    const names = ['dead', 'one', 'slow', 'two', 'three'];
    const mailboxes = Array.from({ length: 100 }, (_, index) => address(`u${index}@${names[index % 5]}.example`));
    const deadline = Date.now() + 300;
    const results = await bridge([dead, slow, ...others]).freeBusy({ mailboxes, window: WINDOW, details: false }, context({ deadline }));
    expect(summary(results)).toEqual(mailboxes.map((mailbox, index) => `${mailbox} ${['BACKEND_UNREACHABLE', 'ok', 'DEADLINE', 'ok', 'ok'][index % 5]}`));
  });

  it('is counted: from where answers came, and how each mailbox came out', async () => {
    const { home, now } = changing();
    const counted: string[] = [];
    const all = lookup([home], silentLogger, { ...noMetrics, answered: (name, how, count) => void counted.push(`${name} ${how} ${count}`), lookup: (name, outcome) => void counted.push(`${name} ${outcome}`) }, { clock });
    await Promise.all([all.freeBusy(query('a', 'b'), ctx()), all.freeBusy(query('a'), ctx())]);
    expect(counted.splice(0).sort()).toEqual(['corp joined 1', 'corp miss 2', 'corp ok', 'corp ok', 'corp ok']);
    await all.freeBusy(query('a', 'b'), ctx());
    expect(counted.splice(0)).toEqual(['corp hit 2', 'corp ok', 'corp ok']);
    aheadMs = LIMITS.freshMs + 1;
    now.failure = 'BACKEND_FAULT';
    await all.freeBusy(query('a', 'c'), ctx({ saysAge: true }));
    expect(counted.splice(0)).toEqual(['corp miss 2', 'corp stale 1', 'corp stale', 'corp BACKEND_FAULT']);
  });
});
