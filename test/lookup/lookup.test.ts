import { describe, expect, it } from 'vitest';
import { BridgeError } from '../../src/core/errors.ts';
import { LIMITS } from '../../src/core/limits.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import type { ExplainNote, RequestContext } from '../../src/core/request-context.ts';
import { freeBusyFrom } from '../../src/freebusy/free-busy.ts';
import type { FreeBusyQuery } from '../../src/freebusy/source.ts';
import { ASKER, context } from '../freebusy/asking.ts';
import { at, span, WINDOW } from '../freebusy/oracle.ts';
import { keepingLogger } from '../platform/http-server/serving.ts';
import { address, busy, lookup, silent, summary, system } from './systems.ts';

const query = (...mailboxes: readonly string[]): FreeBusyQuery => ({ mailboxes: mailboxes.map(address), window: WINDOW, details: false });

describe('where a question goes', () => {
  it('to the home of each mailbox, one question a system, answers in the order asked', async () => {
    const corp = system('corp');
    const zimbra = system('zimbra', { answer: async (asked, ctx) => [...(await busy(asked, ctx))] });
    const results = await lookup([corp, zimbra]).freeBusy(query('a@corp.example', 'b@zimbra.example', 'c@corp.example', 'd@nowhere.example', 'e@zimbra.example'), context());
    expect(summary(results)).toEqual(['a@corp.example ok', 'b@zimbra.example ok', 'c@corp.example ok', 'd@nowhere.example MAILBOX_UNKNOWN', 'e@zimbra.example ok']);
    expect(corp.asked.map(([asked]) => asked.mailboxes)).toEqual([['a@corp.example', 'c@corp.example']]);
    expect(zimbra.asked.map(([asked]) => asked.mailboxes)).toEqual([['b@zimbra.example', 'e@zimbra.example']]);
  });

  it('by the exact address before the domain', async () => {
    const corp = system('corp');
    const moved = system('moved', { domains: [], mailboxes: [address('a@corp.example')] });
    await lookup([corp, moved]).freeBusy(query('a@corp.example', 'aa@corp.example'), context());
    expect([corp.asked[0]![0].mailboxes, moved.asked[0]![0].mailboxes]).toEqual([['aa@corp.example'], ['a@corp.example']]);
  });

  it('to no system by a part of its domain', async () => {
    const corp = system('corp');
    expect(summary(await lookup([corp]).freeBusy(query('a@sub.corp.example', 'a@xcorp.example', 'a@corp.example.evil.example', 'a@example'), context())).every((one) => one.endsWith('MAILBOX_UNKNOWN'))).toBe(true);
    expect(corp.asked).toEqual([]);
  });

  it('to nobody for a domain that no system claims, at once, whatever the others do', async () => {
    const corp = system('corp', { answer: silent });
    const started = performance.now();
    expect(summary(await lookup([corp]).freeBusy(query('someone@gmail.com'), context()))).toEqual(['someone@gmail.com MAILBOX_UNKNOWN']);
    expect(performance.now() - started).toBeLessThan(100);
    expect(corp.asked).toEqual([]);
  });

  it('to nobody where two systems claim the domain and nothing decides, and says so', async () => {
    const one = system('one', { domains: ['both.example'] });
    const two = system('two', { domains: ['both.example'], mailboxes: [address('sure@both.example')] });
    expect(summary(await lookup([one, two]).freeBusy(query('a@both.example', 'sure@both.example'), context()))).toEqual(['a@both.example NO_DATA', 'sure@both.example ok']);
    expect(one.asked).toEqual([]);
  });
});

describe('what a client may ask', () => {
  const corp = system('corp');
  const asks = async (requester: Partial<RequestContext['requester']>, ...mailboxes: string[]): Promise<readonly unknown[]> =>
    (await lookup([corp, system('empty', { answer: async (asked) => asked.mailboxes.map((mailbox) => ({ mailbox, error: new BridgeError('MAILBOX_UNKNOWN', 'no such mailbox') })) })]).freeBusy(query(...mailboxes), context({ requester: { ...ASKER, ...requester } }))).map((one) =>
      'error' in one ? [one.error.code, one.error.publicMessage, one.error.details, one.error.temporary, one.error.retryAfterMs] : 'ok',
    );

  it('is what it lists; the rest looks exactly like a mailbox that is unknown, and nobody is asked', async () => {
    corp.asked.length = 0;
    const [refused, foreign] = await asks({ mayAsk: new Set(['other']) }, 'a@corp.example', 'a@gmail.com');
    const [unknown] = await asks({}, 'nobody@empty.example');
    expect(refused).toEqual(unknown);
    expect(foreign).toEqual(unknown);
    expect(corp.asked).toEqual([]);
    expect(await asks({ mayAsk: new Set(['corp']) }, 'a@corp.example')).toEqual(['ok']);
  });

  it('is nothing with detail none, even for all systems', async () => {
    corp.asked.length = 0;
    expect(await asks({ detail: 'none' }, 'a@corp.example')).toEqual([['MAILBOX_UNKNOWN', 'no such mailbox', {}, false, undefined]]);
    expect(corp.asked).toEqual([]);
  });

  it('a system it may not ask is not named even where two claim the domain', async () => {
    const both = lookup([system('one', { domains: ['both.example'] }), system('two', { domains: ['both.example'] })]);
    const [hidden] = await both.freeBusy(query('a@both.example'), context({ requester: { ...ASKER, mayAsk: new Set(['three']) } }));
    expect(hidden).toMatchObject({ error: { code: 'MAILBOX_UNKNOWN' } });
  });

  it('an anonymous client cannot tell an unknown mailbox from a refused, hidden, looping or unreadable one', async () => {
    const codes = ['MAILBOX_UNKNOWN', 'MAILBOX_REFUSED', 'NO_DATA', 'LOOP'] as const;
    const home = system('corp', { answer: async (asked) => asked.mailboxes.map((mailbox, index) => ({ mailbox, error: new BridgeError(codes[index]!, `secret ${index}`, { temporary: true, details: { n: index } }) })) });
    const results = await lookup([home, system('own')]).freeBusy(query('a@corp.example', 'b@corp.example', 'c@corp.example', 'd@corp.example', 'e@own.example', 'f@nowhere.example', 'g@zimbra.example'), context({ requester: { ...ASKER, anonymous: true, from: 'own', mayAsk: new Set(['corp', 'own']) } }));
    const seen = results.map((one) => ('error' in one ? JSON.stringify([one.error.code, one.error.publicMessage, one.error.details, one.error.temporary, one.error.retryAfterMs]) : 'ok'));
    expect(new Set(seen)).toEqual(new Set([JSON.stringify(['MAILBOX_UNKNOWN', 'no such mailbox', {}, false, undefined])]));
  });
});

describe('the loop guard', () => {
  const corp = system('corp');
  const zimbra = system('zimbra', { isZimbra: true });
  const asks = async (changes: Partial<RequestContext>): Promise<readonly string[]> => {
    corp.asked.length = zimbra.asked.length = 0;
    return summary(await lookup([corp, zimbra]).freeBusy(query('a@corp.example', 'b@zimbra.example'), context(changes)));
  };

  it('never asks the system that asks', async () => {
    expect(await asks({ requester: { ...ASKER, from: 'corp' } })).toEqual(['a@corp.example LOOP', 'b@zimbra.example ok']);
    expect(corp.asked).toEqual([]);
  });

  it('asks no Zimbra on behalf of a Zimbra', async () => {
    expect(await asks({ viaZimbra: true, hops: 1 })).toEqual(['a@corp.example ok', 'b@zimbra.example LOOP']);
    expect(zimbra.asked).toEqual([]);
  });

  it('asks up to the limit of hops and nobody beyond it', async () => {
    expect(await asks({ hops: LIMITS.hops })).toEqual(['a@corp.example ok', 'b@zimbra.example ok']);
    expect(corp.asked[0]![1].hops).toBe(LIMITS.hops);
    expect(await asks({ hops: LIMITS.hops + 1 })).toEqual(['a@corp.example LOOP', 'b@zimbra.example LOOP']);
    expect([corp.asked, zimbra.asked]).toEqual([[], []]);
  });

  it('says nothing of itself to a client that may not ask', async () => {
    expect(await asks({ hops: 99, requester: { ...ASKER, mayAsk: new Set(), from: 'corp' } })).toEqual(['a@corp.example MAILBOX_UNKNOWN', 'b@zimbra.example MAILBOX_UNKNOWN']);
  });
});

describe('a system that fails', () => {
  it.each([
    ['is dead', async (): Promise<never> => Promise.reject(new BridgeError('BACKEND_UNREACHABLE', 'x')), 'BACKEND_UNREACHABLE'],
    ['throws by mistake', async (): Promise<never> => Promise.reject(new TypeError('canary')), 'INTERNAL'],
    ['throws before it has begun', (): never => { throw new BridgeError('BACKEND_AUTH', 'x'); }, 'BACKEND_AUTH'],
    ['gives too few results', async () => [], 'INTERNAL'],
    ['gives too many', async (asked: FreeBusyQuery, ctx: RequestContext) => [...(await busy(asked, ctx)), ...(await busy(asked, ctx))], 'INTERNAL'],
    ['gives them in another order', async (asked: FreeBusyQuery, ctx: RequestContext) => [...(await busy(asked, ctx))].reverse(), 'INTERNAL'],
    ['answers about somebody else', async (asked: FreeBusyQuery, ctx: RequestContext) => busy({ ...asked, mailboxes: asked.mailboxes.map((one) => address(`x${one}`)) }, ctx), 'INTERNAL'],
  ])('%s: its own mailboxes have no data, the others are whole', async (_name, answer, code) => {
    const results = await lookup([system('bad', { answer }), system('good')]).freeBusy(query('a@bad.example', 'b@good.example', 'c@bad.example'), context());
    expect(summary(results)).toEqual([`a@bad.example ${code}`, 'b@good.example ok', `c@bad.example ${code}`]);
    expect(JSON.stringify(results.map((one) => ('error' in one ? [one.error.publicMessage, one.error.details] : '')))).not.toContain('canary');
  });

  it('speaks about less than was asked: the rest is no data and never free', async () => {
    const short = system('short', { answer: async (asked) => asked.mailboxes.map((mailbox) => ({ mailbox, freeBusy: freeBusyFrom(mailbox, span(60, 120), {}), asOf: at(0) })) });
    const [result] = await lookup([short]).freeBusy(query('a@short.example'), context());
    if (result !== undefined && 'freeBusy' in result) {
      expect(result.freeBusy.window).toEqual(WINDOW);
      expect(result.freeBusy.busy).toContainEqual({ ...span(120, 300), busyType: 'no-data' });
    } else expect(result).toHaveProperty('error');
  });

  it('keeps one mailbox’s failure to that mailbox', async () => {
    const mixed = system('mixed', { answer: async (asked, ctx) => (await busy(asked, ctx)).map((one, index) => (index === 1 ? { mailbox: one.mailbox, error: new BridgeError('MAILBOX_UNKNOWN', 'x') } : one)) });
    expect(summary(await lookup([mixed]).freeBusy(query('a@mixed.example', 'b@mixed.example', 'c@mixed.example'), context()))).toEqual(['a@mixed.example ok', 'b@mixed.example MAILBOX_UNKNOWN', 'c@mixed.example ok']);
  });

  it('is logged once a question, without the mailboxes; an unknown mailbox is not', async () => {
    const { logger, lines } = keepingLogger();
    const counted: string[] = [];
    const dead = system('dead', { answer: async () => Promise.reject(new BridgeError('BACKEND_FAULT', 'x', { details: { status: 500 } })) });
    const empty = system('empty', { answer: async (asked) => asked.mailboxes.map((mailbox) => ({ mailbox, error: new BridgeError('MAILBOX_UNKNOWN', 'x') })) });
    await lookup([dead, empty], logger, { ...noMetrics, lookup: (name, outcome) => void counted.push(`${name} ${outcome}`) }).freeBusy(query('a@dead.example', 'b@dead.example', 'c@empty.example', 'd@gmail.com'), context());
    const shown = lines.filter((line) => line.level !== 'debug');
    expect(shown).toMatchObject([{ level: 'warn', system: 'dead', code: 'BACKEND_FAULT', mailboxes: 2, requestId: 'test' }]);
    expect(JSON.stringify(shown)).not.toContain('@');
    // For the administrator who looks for one of them.
    const details = lines.flatMap((line) => (line.level === 'debug' ? [`${String(line.mailbox)} ${String(line.code)}`] : []));
    expect(details.sort()).toEqual(['a@dead.example BACKEND_FAULT', 'b@dead.example BACKEND_FAULT', 'c@empty.example MAILBOX_UNKNOWN', 'd@gmail.com MAILBOX_UNKNOWN']);
    expect(counted.sort()).toEqual(['dead BACKEND_FAULT', 'dead BACKEND_FAULT', 'empty MAILBOX_UNKNOWN', 'none MAILBOX_UNKNOWN']);
  });
});

describe('the deadline', () => {
  it('is all that a silent system costs, and it spoils no other', async () => {
    const quiet = system('quiet', { answer: silent });
    const started = Date.now();
    const results = await lookup([quiet, system('good')]).freeBusy(query('a@quiet.example', 'b@good.example'), context({ deadline: started + 300 }));
    expect(summary(results)).toEqual(['a@quiet.example DEADLINE', 'b@good.example ok']);
    expect(Date.now() - started).toBeGreaterThanOrEqual(250);
    expect(Date.now() - started).toBeLessThan(1_000);
    expect(quiet.asked[0]![1].signal.aborted).toBe(true);
  });

  it('a system that ends in time with a part keeps that part', async () => {
    const late = system('late', {
      answer: async (asked, ctx) => {
        await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve, { once: true }));
        return asked.mailboxes.map((mailbox) => ({ mailbox, freeBusy: freeBusyFrom(mailbox, asked.window, { known: [span(60, 100)] }), asOf: at(0) }));
      },
    });
    expect(summary(await lookup([late]).freeBusy(query('a@late.example'), context({ deadline: Date.now() + 200 })))).toEqual(['a@late.example ok']);
  });

  it('that has passed already, or a client that has gone, ends the question at once', async () => {
    const quiet = system('quiet', { answer: silent });
    const started = Date.now();
    expect(summary(await lookup([quiet]).freeBusy(query('a@quiet.example'), context({ deadline: started - 1_000 })))).toEqual(['a@quiet.example DEADLINE']);
    const gone = new AbortController();
    setTimeout(() => gone.abort(), 50);
    expect(summary(await lookup([quiet]).freeBusy(query('a@quiet.example'), context({ signal: gone.signal })))).toEqual(['a@quiet.example DEADLINE']);
    expect(Date.now() - started).toBeLessThan(1_000);
    expect(quiet.asked.every(([, ctx]) => ctx.signal.aborted)).toBe(true);
  });
});

describe('identical questions', () => {
  it('under way at the same time are asked once; later ones anew where nothing is kept', async () => {
    const corp = system('corp', { cacheForMs: 0, answer: async (asked, ctx) => { await new Promise((resolve) => setTimeout(resolve, 30)); return busy(asked, ctx); } });
    const all = lookup([corp]);
    const answers = await Promise.all(Array.from({ length: 20 }, () => all.freeBusy(query('a@corp.example'), context())));
    expect(corp.asked).toHaveLength(1);
    expect(answers.every((one) => summary(one)[0] === 'a@corp.example ok')).toBe(true);
    await all.freeBusy(query('a@corp.example'), context());
    expect(corp.asked).toHaveLength(2);
  });

  it.each([
    ['another mailbox', { mailboxes: [address('b@corp.example')] }, {}],
    ['a longer window', { window: span(60, 301) }, {}],
    ['details', { details: true }, {}],
    ['another number of hops', {}, { hops: 1 }],
  ])('are not those with %s', async (_name, changes, ctx) => {
    const corp = system('corp');
    const all = lookup([corp]);
    await Promise.all([all.freeBusy(query('a@corp.example'), context()), all.freeBusy({ ...query('a@corp.example'), ...changes }, context(ctx))]);
    expect(corp.asked).toHaveLength(2);
  });

  it('shared by clients of different rights are redacted for each', async () => {
    const corp = system('corp', { answer: async (asked, ctx) => { await new Promise((resolve) => setTimeout(resolve, 20)); return busy(asked, ctx); } });
    const all = lookup([corp]);
    const [blunt, kind, hidden] = await Promise.all((['free-busy', 'busy-type', 'none'] as const).map((detail) => all.freeBusy(query('a@corp.example'), context({ requester: { ...ASKER, detail } }))));
    expect(corp.asked).toHaveLength(1);
    expect(blunt![0]).toMatchObject({ freeBusy: { busy: [{ busyType: 'busy' }] } });
    expect(kind![0]).toMatchObject({ freeBusy: { busy: [{ busyType: 'oof' }] } });
    expect(hidden![0]).toMatchObject({ error: { code: 'MAILBOX_UNKNOWN' } });
  });
});

describe('working hours', () => {
  const asked = async (isZimbra: boolean, detail: 'free-busy' | 'busy-type' | 'details', workingHours?: boolean): Promise<boolean | undefined> => {
    const home = system('home', { isZimbra });
    await lookup([home]).freeBusy({ ...query('a@home.example'), ...(workingHours === undefined ? {} : { workingHours }) }, context({ requester: { ...ASKER, detail } }));
    return home.asked[0]![0].workingHours;
  };

  it('are asked of a Zimbra for clients that may see them and want them, and of nobody else', async () => {
    expect(await asked(true, 'busy-type', true)).toBe(true);
    expect(await asked(true, 'details', true)).toBe(true);
    for (const [isZimbra, detail, wanted] of [[true, 'free-busy', true], [true, 'busy-type', false], [true, 'details', undefined], [false, 'details', true]] as const) expect(await asked(isZimbra, detail, wanted)).toBeUndefined();
  });

  it('make two questions to a Zimbra of one with and one without, and one to everybody else', async () => {
    for (const [isZimbra, questions] of [[true, 2], [false, 1]] as const) {
      const home = system('home', { isZimbra, answer: async (question, ctx) => { await new Promise((resolve) => setTimeout(resolve, 20)); return busy(question, ctx); } });
      const all = lookup([home]);
      await Promise.all([all.freeBusy(query('a@home.example'), context()), all.freeBusy({ ...query('a@home.example'), workingHours: true }, context())]);
      expect(home.asked).toHaveLength(questions);
    }
  });
});

describe('the exit', () => {
  it('lets out no subject, place or private event that the client may not see', async () => {
    const seen = async (detail: 'free-busy' | 'busy-type' | 'details', details: boolean): Promise<string> => JSON.stringify(await lookup([system('corp')]).freeBusy({ ...query('a@corp.example'), details }, context({ requester: { ...ASKER, detail } })));
    for (const detail of ['free-busy', 'busy-type'] as const) for (const details of [true, false]) expect(await seen(detail, details)).not.toContain('canary');
    expect(await seen('details', false)).not.toContain('canary');
    const whole = await seen('details', true);
    expect(whole).toContain('canary-subject');
    expect(whole).not.toContain('canary-private');
  });

  it('does not even ask for details that nobody will see', async () => {
    const corp = system('corp');
    await lookup([corp]).freeBusy({ ...query('a@corp.example'), details: true }, context({ requester: { ...ASKER, detail: 'busy-type' } }));
    expect(corp.asked[0]![0].details).toBe(false);
  });

  it('explains itself: the route of each mailbox and why there is no data', async () => {
    const notes: ExplainNote[] = [];
    const dead = system('dead', { answer: async () => Promise.reject(new BridgeError('BACKEND_AUTH', 'refused', { details: { status: 401 } })) });
    await lookup([dead]).freeBusy(query('a@dead.example', 'b@gmail.com'), context({ explain: (note) => void notes.push(note) }));
    expect(notes.map((one) => `${one.kind} ${one.system}`)).toEqual(['route dead', 'route none', 'no-data dead']);
    expect(notes[2]!.text).toContain('BACKEND_AUTH');
  });
});
