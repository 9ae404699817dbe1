import { afterEach, describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../src/core/clock.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import type { ExplainNote, RequestContext } from '../../../src/core/request-context.ts';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import type { WorkingHours } from '../../../src/freebusy/free-busy.ts';
import type { FreeBusyResult } from '../../../src/freebusy/source.ts';
import { ZimbraSystem } from '../../../src/protocols/zimbra-soap/client.ts';
import { envelope, everybody, fault, token, zimbraServer } from './zimbra-server.ts';
import type { ZimbraAnswer, ZimbraStandIn } from './zimbra-server.ts';

const LEA = 'lea@south.example' as MailboxAddress;
const MAX = 'max@south.example' as MailboxAddress;
/** A Wednesday; its week ends on Tuesday the 24th. */
const START = Date.parse('2026-11-18T08:00:00Z');
const MIDNIGHT = START - 8 * HOUR_MS;
const WEEK_END = MIDNIGHT + 7 * DAY_MS;
const WINDOW = { start: START, end: START + 10 * HOUR_MS };

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

interface World {
  readonly system: ZimbraSystem;
  readonly server: ZimbraStandIn;
  readonly clock: { at: number };
  readonly hoursAsked: () => readonly string[];
}

const isHours = (body: string): boolean => body.includes('<GetWorkingHoursRequest');

/** Signs everybody in and shows everybody busy; `hours` answers the rest. */
async function world(hours: ZimbraAnswer, freeBusy: ZimbraAnswer = (body) => ({ body: everybody('b', body) })): Promise<World> {
  const server = await zimbraServer((body, request) => (body.includes('<AuthRequest') ? { body: token(`t${server.asked.length}`) } : isHours(body) ? hours(body, request) : freeBusy(body, request)));
  const clock = { at: START };
  const system = new ZimbraSystem({ name: 'south', url: server.url, username: 'bridge@south.example', password: 'p', hosts: [], clock: { now: () => clock.at }, logger: silentLogger });
  open.push(server, system);
  return { system, server, clock, hoursAsked: () => server.asked.filter(isHours) };
}

interface Question {
  readonly mailboxes?: readonly MailboxAddress[];
  readonly window?: { readonly start: number; readonly end: number };
  readonly workingHours?: boolean;
}

function ask({ system, clock }: World, { mailboxes = [LEA], window = WINDOW, workingHours = true }: Question = {}, more: Partial<RequestContext> = {}): Promise<readonly FreeBusyResult[]> {
  const requester = { name: 'test', from: 'outside', mayAsk: 'all', detail: 'busy-type', anonymous: false, presence: 'none' } as const;
  const ctx: RequestContext = { requestId: 'r', requester, hops: 0, deadline: clock.at + 5_000, signal: AbortSignal.timeout(5_000), ...more };
  return system.freeBusy({ mailboxes, window, details: false, workingHours }, ctx);
}

const hoursOf = (result: FreeBusyResult | undefined): WorkingHours | undefined => (result !== undefined && 'freeBusy' in result ? result.freeBusy.workingHours : undefined);
const isBusy = (result: FreeBusyResult | undefined): boolean => result !== undefined && 'freeBusy' in result && result.freeBusy.busy[0]?.busyType === 'busy';
/** `Monday Tuesday 420-960` for each period. */
const periods = (result: FreeBusyResult | undefined): readonly string[] | undefined => hoursOf(result)?.periods.map(({ days, startMinute, endMinute }) => `${days.join(' ')} ${startMinute}-${endMinute}`);

const slot = (letter: string, start: number, end: number): string => `<${letter} s="${start}" e="${end}"/>`;
const users = (slots: string, ...ids: readonly string[]): { readonly body: string } => ({
  body: envelope(`<GetWorkingHoursResponse xmlns="urn:zimbraMail">${(ids.length === 0 ? [LEA] : ids).map((id) => `<usr id="${id}">${slots}</usr>`).join('')}</GetWorkingHoursResponse>`),
});

/** Monday to Friday from 8 to 17 in a zone so many minutes ahead of UTC, over the week, as Zimbra tiles it. */
function office(aheadMinutes: number): string {
  let out = '';
  let free = MIDNIGHT;
  for (let day = MIDNIGHT - DAY_MS; day < WEEK_END + DAY_MS; day += DAY_MS) {
    if ([0, 6].includes(new Date(day).getUTCDay())) continue;
    const start = Math.max(MIDNIGHT, day + 8 * HOUR_MS - aheadMinutes * MINUTE_MS);
    const end = Math.min(WEEK_END, day + 17 * HOUR_MS - aheadMinutes * MINUTE_MS);
    if (start >= end) continue;
    if (free < start) out += slot('u', free, start);
    out += slot('f', start, end);
    free = end;
  }
  return out + (free < WEEK_END ? slot('u', free, WEEK_END) : '');
}

describe('working hours of a Zimbra', () => {
  it('are asked for beside free/busy, by name and with the same token, over the week from midnight on', async () => {
    const south = await world(() => users(office(60), LEA, MAX));
    const results = await ask(south, { mailboxes: [LEA, MAX] });
    expect(results.map(isBusy)).toEqual([true, true]);
    expect(results.map(periods)).toEqual([['Monday Tuesday Wednesday Thursday Friday 420-960'], ['Monday Tuesday Wednesday Thursday Friday 420-960']]);
    expect(south.hoursAsked()).toHaveLength(1);
    expect(south.hoursAsked()[0]).toContain(`<GetWorkingHoursRequest xmlns="urn:zimbraMail" s="${MIDNIGHT}" e="${WEEK_END}" name="lea@south.example,max@south.example"/>`);
    expect(south.hoursAsked()[0]).toContain('<authToken>t1</authToken>');
    expect(south.server.asked).toHaveLength(3);
  });

  it('are not asked for where nobody wants them', async () => {
    const south = await world(() => users(office(60)));
    const [result] = await ask(south, { workingHours: false });
    expect([isBusy(result), hoursOf(result)]).toEqual([true, undefined]);
    expect(south.hoursAsked()).toEqual([]);
  });

  it.each([
    ['New York', -300, ['Monday Tuesday Wednesday Thursday Friday 780-1320']],
    ['Los Angeles, until after midnight', -480, ['Monday 960-1440', 'Tuesday Wednesday Thursday Friday 0-60', 'Tuesday Wednesday Thursday Friday 960-1440', 'Saturday 0-60']],
    ['Kolkata', 330, ['Monday Tuesday Wednesday Thursday Friday 150-690']],
    ['Sydney, from the evening before', 660, ['Sunday 1260-1440', 'Monday Tuesday Wednesday Thursday 0-360', 'Monday Tuesday Wednesday Thursday 1260-1440', 'Friday 0-360']],
  ])('of somebody in %s', async (_place, ahead, wanted) => {
    expect(periods((await ask(await world(() => users(office(ahead)))))[0])).toEqual(wanted);
  });

  it('may be none at all, or all of them, in touching slots and in any order', async () => {
    expect(periods((await ask(await world(() => users(slot('u', MIDNIGHT, WEEK_END)))))[0])).toEqual([]);
    const halves = slot('f', START, WEEK_END) + slot('f', MIDNIGHT, START);
    expect(periods((await ask(await world(() => users(halves))))[0])).toEqual(['Sunday Monday Tuesday Wednesday Thursday Friday Saturday 0-1440']);
  });

  it.each([
    ['n', slot('n', MIDNIGHT, WEEK_END)],
    ['half a week', slot('u', MIDNIGHT, START) + slot('f', START, START + 3 * DAY_MS)],
    ['a hole', slot('u', MIDNIGHT, START) + slot('f', START + HOUR_MS, WEEK_END)],
    ['one n among them', slot('u', MIDNIGHT, START) + slot('n', START, START + HOUR_MS) + slot('f', START + HOUR_MS, WEEK_END)],
    ['both at once', slot('u', MIDNIGHT, WEEK_END) + slot('f', START, START + HOUR_MS)],
    ['nothing', ''],
    ['a word of free/busy', slot('b', MIDNIGHT, WEEK_END)],
    ['a name of every object', slot('toString', MIDNIGHT, WEEK_END)],
    ['an end before its start', slot('u', MIDNIGHT, WEEK_END) + slot('u', START, MIDNIGHT)],
    ['a time in words', slot('u', MIDNIGHT, WEEK_END).replace(String(MIDNIGHT), 'midnight')],
    ['seconds', slot('u', MIDNIGHT, START + 1_000) + slot('f', START + 1_000, WEEK_END)],
    ['ten thousand slots', Array.from({ length: 10_000 }, (_, index) => slot(index % 2 === 0 ? 'f' : 'u', MIDNIGHT + index * MINUTE_MS, MIDNIGHT + (index + 1) * MINUTE_MS)).join('') + slot('u', MIDNIGHT + 10_000 * MINUTE_MS, WEEK_END)],
  ])('are none where the week is %s, and free/busy stands', async (_name, slots) => {
    const [result] = await ask(await world(() => users(slots)));
    expect([isBusy(result), hoursOf(result)]).toEqual([true, undefined]);
  });

  it('are read by name: others count for nobody, one given twice alike counts, one given twice differently does not', async () => {
    const ids = async (body: string): Promise<readonly boolean[]> => (await ask(await world(() => ({ body: envelope(`<GetWorkingHoursResponse xmlns="urn:zimbraMail">${body}</GetWorkingHoursResponse>`) })), { mailboxes: [LEA, MAX] })).map((one) => hoursOf(one) !== undefined);
    const usr = (id: string, ahead: number): string => `<usr id="${id}">${office(ahead)}</usr>`;
    expect(await ids(usr('eve@south.example', 60) + usr('MAX@South.example', 60))).toEqual([false, true]);
    expect(await ids(usr(LEA, 60) + usr(LEA, 60) + usr(MAX, 60) + usr(MAX, 120))).toEqual([true, false]);
    expect(await ids(usr(MAX, 60) + usr(MAX, 120) + usr(MAX, 60))).toEqual([false, false]);
    expect(await ids(`<usr>${office(60)}</usr>${usr('', 60)}`)).toEqual([false, false]);
  });

  const failures: readonly (readonly [string, ReturnType<ZimbraAnswer> & object])[] = [
    ['a fault', fault('service.FAILURE', 'Receiver')],
    ['a refusal', fault('service.PERM_DENIED')],
    ['a refused token', fault('service.AUTH_EXPIRED')],
    ['maintenance', fault('account.MAINTENANCE_MODE')],
    ['503', { status: 503, body: '', headers: { 'retry-after': '60' } }],
    ['401', { status: 401, body: '' }],
    ['a redirect', { status: 307, body: '', headers: { location: '/service/soap/' } }],
    ['a page', { body: '<html><p>' }],
    ['nothing', { body: '' }],
    ['the answer to another question', { body: envelope(`<GetFreeBusyResponse xmlns="urn:zimbraMail"><usr id="${LEA}">${slot('f', MIDNIGHT, WEEK_END)}</usr></GetFreeBusyResponse>`) }],
    ['a DOCTYPE', { body: `<!DOCTYPE x [<!ENTITY y "z">]>${users(office(60)).body}` }],
    ['a cut-off answer', { body: users(office(60)).body.slice(0, 700) }],
  ];
  it.each(failures)('that fail with %s harm no free/busy, and no token', async (_name, said) => {
    const south = await world(() => said);
    const [result] = await ask(south);
    expect([isBusy(result), hoursOf(result)]).toEqual([true, undefined]);
    expect(isBusy((await ask(south))[0])).toBe(true);
    expect(south.server.asked.filter((body) => body.includes('<AuthRequest'))).toHaveLength(1);
  });

  it.each(failures)('that fail with %s are asked for once in a lookup about 500 mailboxes, which all have their free/busy', async (_name, said) => {
    const south = await world(() => said);
    const mailboxes = Array.from({ length: 500 }, (_, index) => `u${index}@south.example` as MailboxAddress);
    expect((await ask(south, { mailboxes })).every(isBusy)).toBe(true);
    expect(south.hoursAsked()).toHaveLength(1);
  });

  it('are asked for 100 mailboxes a request, of a long window only about its first week', async () => {
    const south = await world((body) => users(office(60), ...(/ e="\d+" name="([^"]*)"/.exec(body)?.[1] ?? '').split(',')));
    const mailboxes = Array.from({ length: 250 }, (_, index) => `u${index}@south.example` as MailboxAddress);
    const results = await ask(south, { mailboxes, window: { start: START, end: START + 200 * DAY_MS } });
    expect(new Set(results.map((one) => JSON.stringify(periods(one))))).toEqual(new Set(['["Monday Tuesday Wednesday Thursday Friday 420-960"]']));
    expect(south.hoursAsked()).toHaveLength(3);
    expect(south.hoursAsked().every((body) => body.includes(` s="${MIDNIGHT}" e="${WEEK_END}" `))).toBe(true);
  });

  it('that never come leave the free/busy in time for the deadline, and are not waited for by the next lookup', async () => {
    const south = await world(() => undefined);
    const [result] = await ask(south, {}, { deadline: START + 400, signal: AbortSignal.timeout(400) });
    expect([isBusy(result), hoursOf(result)]).toEqual([true, undefined]);
    expect(isBusy((await ask(south))[0])).toBe(true);
    expect(south.hoursAsked()).toHaveLength(1);
    south.clock.at += 61_000;
    await ask(south, {}, { deadline: south.clock.at + 300 });
    expect(south.hoursAsked()).toHaveLength(2);
  });

  it('are worth nothing without free/busy, which fails as ever', async () => {
    const south = await world(() => undefined, () => fault('service.FAILURE', 'Receiver'));
    expect(await ask(south)).toMatchObject([{ error: { code: 'BACKEND_FAULT' } }]);
    const half = await world(() => users(office(60)), (body) => ({ body: everybody('n', body) }));
    expect(await ask(half)).toMatchObject([{ error: { code: 'NO_DATA' } }]);
  });

  it('that the server does not have are not asked for again for an hour', async () => {
    const south = await world(() => fault('service.UNKNOWN_DOCUMENT'));
    await ask(south);
    await ask(south);
    south.clock.at += 59 * MINUTE_MS;
    expect(isBusy((await ask(south))[0])).toBe(true);
    expect(south.hoursAsked()).toHaveLength(1);
    south.clock.at += 2 * MINUTE_MS;
    await ask(south);
    expect(south.hoursAsked()).toHaveLength(2);
  });

  it('come with the new token where the old one has ended', async () => {
    const taken = (body: string, answer: () => { readonly body: string }): ReturnType<ZimbraAnswer> => (body.includes('<authToken>t1</authToken>') ? fault('service.AUTH_EXPIRED') : answer());
    const south = await world((body) => taken(body, () => users(office(60))), (body) => taken(body, () => ({ body: everybody('b', body) })));
    const [result] = await ask(south);
    expect([isBusy(result), periods(result)]).toEqual([true, ['Monday Tuesday Wednesday Thursday Friday 420-960']]);
    expect(south.server.asked.filter((body) => body.includes('<AuthRequest'))).toHaveLength(2);
  });

  it.each([401, 503, 307])('count among the ten requests that a lookup sends to a server that refuses with %i', async (status) => {
    const refusal = { status, body: '', headers: { location: '/service/soap/' } };
    const south = await world(() => refusal, () => refusal);
    const mailboxes = Array.from({ length: 500 }, (_, index) => `u${index}@south.example` as MailboxAddress);
    const results = await ask(south, { mailboxes, window: { start: START, end: START + 900 * DAY_MS } });
    expect(results.every((one) => 'error' in one)).toBe(true);
    expect(south.server.asked.length).toBeLessThanOrEqual(10);
  });

  it('show in an explanation', async () => {
    const notes: ExplainNote[] = [];
    await ask(await world(() => users(slot('u', MIDNIGHT, WEEK_END))), {}, { explain: (note) => void notes.push(note) });
    const texts = notes.map((note) => note.text);
    expect(texts).toContain('GetWorkingHoursRequest for lea@south.example, the week from 2026-11-18T00:00:00.000Z on');
    expect(texts).toContain('working hours of usr lea@south.example: u 2026-11-18T00:00:00.000Z/2026-11-25T00:00:00.000Z');
  });
});
