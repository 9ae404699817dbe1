import { afterEach, describe, expect, it } from 'vitest';
import { MINUTE_MS } from '../../../../src/core/clock.ts';
import { silentLogger } from '../../../../src/core/logger.ts';
import { parseMailboxAddress } from '../../../../src/directory/smtp-address.ts';
import type { FreeBusyResult } from '../../../../src/freebusy/source.ts';
import { memoryTexts } from '../../../../src/presence/publisher.ts';
import type { KeptTexts } from '../../../../src/presence/publisher.ts';
import { WebdavPresenceGateway } from '../../../../src/protocols/owa-webdav/presence-gateway.ts';
import type { WebdavPresenceOptions } from '../../../../src/protocols/owa-webdav/presence-gateway.ts';
import { context } from '../stand-in.ts';
import { NOW, PASSWORD, ScriptedExchange, USERNAME, item, multistatus } from './scripted-exchange.ts';

const anna = parseMailboxAddress('anna@exch.example')!;
const bob = parseMailboxAddress('bob@exch.example')!;
const WINDOW = { start: NOW, end: NOW + 4 * 60 * MINUTE_MS };

const closing: { close: () => Promise<void> }[] = [];
afterEach(async () => {
  for (const one of closing.splice(0)) await one.close();
});

async function start(options: Partial<WebdavPresenceOptions> = {}) {
  const exchange = await ScriptedExchange.start();
  const memory: KeptTexts = options.memory ?? memoryTexts();
  const gateway = new WebdavPresenceGateway({
    description: 'old exchange',
    servers: [exchange.url],
    auth: 'basic',
    username: USERNAME,
    password: PASSWORD,
    hosts: [],
    callBack: undefined,
    memory,
    listener: { changed: () => undefined, trouble: () => undefined },
    clock: { now: () => NOW },
    logger: silentLogger,
    ...options,
  });
  closing.push(gateway, exchange);
  const read = async (...mailboxes: (typeof anna)[]) => gateway.source.freeBusy({ mailboxes, window: WINDOW, details: false }, context());
  const methods = () => exchange.seen.all.map(({ method }) => method);
  return { exchange, gateway, memory, read, methods };
}

/** Minutes from the start of the window. */
const at = (minutes: number) => new Date(NOW + minutes * MINUTE_MS).toISOString();
const busy = (from: number, to: number, properties = {}) => item({ dtstart: at(from), dtend: at(to), ...properties });
const outcome = (result: FreeBusyResult | undefined) =>
  result === undefined || 'error' in result ? result?.error.code : result.freeBusy.busy.map((one) => [(one.start - NOW) / MINUTE_MS, (one.end - NOW) / MINUTE_MS, one.busyType]);

describe('reading', () => {
  it('is exact to the second, clipped to the window, and knows what does not count', async () => {
    const { exchange, read } = await start();
    exchange.add(anna, 'Calendar', [
      busy(-600, 30),
      busy(60.5, 61, { busystatus: 'OOF' }),
      busy(60, 90, { busystatus: 'TENTATIVE' }),
      busy(100, 110, { busystatus: 'FREE' }),
      busy(120, 130, { meetingstatus: 'CANCELLED' }),
      busy(140, 150, { instancetype: '1' }),
      busy(160, 160),
      busy(-60, -30),
      busy(230, 900),
    ]);
    const [result] = await read(anna);
    expect(outcome(result)).toEqual([[0, 30, 'busy'], [60, 60.5, 'tentative'], [60.5, 61, 'oof'], [61, 90, 'tentative'], [230, 240, 'busy']]);
    expect(result).toMatchObject({ mailbox: anna, asOf: NOW, freeBusy: { window: WINDOW } });
    const search = exchange.seen.all.find(({ method }) => method === 'SEARCH')!;
    expect([search.path, search.headers['translate'], search.headers['content-type']]).toEqual(['/exchange/anna@exch.example/Calendar/', 'f', 'text/xml; charset="utf-8"']);
    expect(JSON.stringify(exchange.seen.all)).not.toMatch(/subject|location|description/i);
  });

  it('what cannot be read is no data, where it lies; free time around it stays free', async () => {
    const { exchange, read } = await start();
    exchange.add(anna, 'Calendar', [busy(60, 90, { busystatus: 'PERHAPS' }), busy(70, 80)]);
    exchange.add(bob, 'Calendar', [item({ dtstart: at(60), dtend: undefined }), busy(0, 10)]);
    expect((await read(anna, bob)).map(outcome)).toEqual([
      [[60, 70, 'no-data'], [70, 80, 'busy'], [80, 90, 'no-data']],
      [[0, 10, 'busy'], [60, 240, 'no-data']],
    ]);
  });

  it.each([
    ['ends early', { status: 207, body: multistatus(busy(0, 30)).slice(0, -40) }, 'BACKEND_MALFORMED'],
    ['is cut off', { status: 207, body: multistatus(busy(0, 30)), cutAfter: 100 }, 'BACKEND_MALFORMED'],
    ['has a DOCTYPE', { status: 207, body: '<!DOCTYPE a><a:multistatus xmlns:a="DAV:"/>' }, 'BACKEND_MALFORMED'],
    ['is a web page', { status: 207, body: '<html></html>', headers: { 'content-type': 'text/html' } }, 'BACKEND_MALFORMED'],
    ['is another document', { status: 207, body: '<x/>' }, 'BACKEND_MALFORMED'],
    ['is empty', { status: 207, body: '' }, 'BACKEND_MALFORMED'],
    ['is a 200', { status: 200, body: multistatus('') }, 'BACKEND_MALFORMED'],
    ['fails', { status: 500 }, 'BACKEND_FAULT'],
    ['is busy', { status: 503, headers: { 'retry-after': '5' } }, 'BACKEND_BUSY'],
  ])('an answer that %s is an error of that mailbox, never free', async (_name, reply, code) => {
    const { exchange, read } = await start();
    exchange.add(anna, 'Calendar', [busy(0, 30)]);
    exchange.add(bob, 'Calendar', [busy(0, 30)]);
    exchange.script = ({ method, path }) => (method === 'SEARCH' && path.includes('anna') ? reply : undefined);
    expect((await read(anna, bob)).map(outcome)).toEqual([code, [[0, 30, 'busy']]]);
  });

  it.each([400, 401, 403, 404, 501])('where SEARCH is refused (%d), cmd=freebusy is asked, and status says so', async (status) => {
    const { exchange, gateway, read } = await start();
    exchange.add(anna, 'Calendar', [busy(0, 30)]);
    exchange.script = ({ method }) => (method === 'SEARCH' ? { status } : undefined);
    expect(outcome((await read(anna))[0])).toEqual([[0, 240, 'busy']]);
    expect(gateway.watch.status().trouble).toMatch(/1 calendars may not be searched: read by cmd=freebusy/);
    exchange.script = () => undefined;
    expect(outcome((await read(anna))[0])).toEqual([[0, 30, 'busy']]);
    expect(gateway.watch.status().trouble).toBeUndefined();
  });

  it('a mailbox that is closed keeps its reason where cmd=freebusy says nothing either', async () => {
    const { exchange, read } = await start();
    exchange.script = ({ method, path }) => (method === 'PROPFIND' ? { status: 403 } : path.startsWith('/public/') ? { status: 404 } : undefined);
    expect(outcome((await read(anna))[0])).toBe('MAILBOX_REFUSED');
  });

  it('explains what it asks, without a word of any event', async () => {
    const { exchange, gateway } = await start();
    exchange.add(anna, 'Kalender', [busy(0, 30, { subject: 'secret' })]);
    const notes: string[] = [];
    await gateway.source.freeBusy({ mailboxes: [anna], window: WINDOW, details: true }, context({ explain: ({ kind, text }) => notes.push(`${kind} ${text}`) }));
    expect(notes).toEqual(['request SEARCH /exchange/anna@exch.example/Kalender/, 2026-03-02T09:00:00.000Z/2026-03-02T13:00:00.000Z', `answer ${anna}: 1 events`]);
  });
});

describe('the calendar folder', () => {
  it.each(['Kalender', 'Calendrier', 'Calendário', '予定表'])('is found as %s, asked for once, and kept over a restart', async (name) => {
    const memory = memoryTexts();
    const { exchange, read, methods } = await start({ memory });
    exchange.add(anna, name, [busy(0, 30)]);
    expect(outcome((await read(anna))[0])).toEqual([[0, 30, 'busy']]);
    expect(outcome((await read(anna))[0])).toEqual([[0, 30, 'busy']]);
    expect(methods()).toEqual(['PROPFIND', 'SEARCH', 'SEARCH']);
    expect(exchange.seen.all[1]!.path).toBe(`/exchange/anna@exch.example/${encodeURIComponent(name)}/`);
    expect([...memory.keys()]).toEqual(['webdav-folder anna@exch.example']);
  });

  it('is found again when it is renamed', async () => {
    const { exchange, read, methods } = await start();
    exchange.add(anna, 'Calendar', [busy(0, 30)]);
    await read(anna);
    exchange.add(anna, 'Kalender', [busy(0, 45)]);
    expect(outcome((await read(anna))[0])).toEqual([[0, 45, 'busy']]);
    expect(methods()).toEqual(['PROPFIND', 'SEARCH', 'SEARCH', 'PROPFIND', 'SEARCH']);
  });

  it('is looked for by the names of the list and as Calendar where the server does not say', async () => {
    const { exchange, read, methods } = await start({ fallbackFolderNames: ['Kalender', 'Agenda'] });
    exchange.add(anna, 'Agenda', [busy(0, 30)]).href = undefined;
    exchange.add(bob, 'Calendar', [busy(0, 45)]).href = undefined;
    expect((await read(anna, bob)).map(outcome)).toEqual([[[0, 30, 'busy']], [[0, 45, 'busy']]]);
    expect(methods().filter((one) => one === 'PROPFIND')).toHaveLength(7);
  });

  it('on another host it is not gone to: no request, no credentials', async () => {
    const other = await ScriptedExchange.start();
    closing.push(other);
    const { exchange, read } = await start();
    exchange.add(anna, 'Calendar', [busy(0, 30)]).href = `${other.url.origin}/exchange/anna@exch.example/Calendar/`;
    expect(outcome((await read(anna))[0])).toBe('BACKEND_REDIRECT');
    expect(other.seen.all).toEqual([]);
    const place = `${other.url.hostname}:${other.url.port}`;
    const listed = await start({ hosts: [place] });
    other.add(anna, 'Calendar', [busy(0, 30)]);
    listed.exchange.add(anna).href = `${other.url.origin}/exchange/anna@exch.example/Calendar/`;
    expect(outcome((await listed.read(anna))[0])).toEqual([[0, 30, 'busy']]);
  });

  it('kept of another server is asked for anew', async () => {
    const memory = memoryTexts();
    memory.set('webdav-folder anna@exch.example', 'https://former.exch.example/exchange/anna/Calendar/');
    const { exchange, read } = await start({ memory });
    exchange.add(anna, 'Calendar', [busy(0, 30)]);
    expect(outcome((await read(anna))[0])).toEqual([[0, 30, 'busy']]);
  });

  it('is looked for where the site has its mailboxes', async () => {
    const { exchange, read } = await start({ mailboxPath: (mailbox) => `/owa-legacy/${mailbox.split('@')[0]!}/` });
    await read(anna);
    expect(exchange.seen.all[0]!.path).toBe('/owa-legacy/anna/');
  });
});

describe('signing in', () => {
  it('with a form, and again when the session is forgotten', async () => {
    const { exchange, read } = await start({ auth: 'form' });
    exchange.auth = 'form';
    exchange.add(anna, 'Calendar', [busy(0, 30)]);
    expect(outcome((await read(anna))[0])).toEqual([[0, 30, 'busy']]);
    exchange.forgetSessions();
    expect(outcome((await read(anna))[0])).toEqual([[0, 30, 'busy']]);
  });

  it('a wrong password is tried on one mailbox only, and not again for a while', async () => {
    const { exchange, gateway } = await start({ password: 'wrong' });
    const ask = () => gateway.source.freeBusy({ mailboxes: [anna], window: WINDOW, details: false }, context());
    expect(outcome((await ask())[0])).toBe('BACKEND_AUTH');
    const before = exchange.seen.all.length;
    expect(outcome((await ask())[0])).toBe('BACKEND_AUTH');
    expect([before, exchange.seen.all.length]).toEqual([2, 2]);
  });

  it('a mailbox without the right (401) stands in nobody else\'s way', async () => {
    const { exchange, read } = await start();
    exchange.add(bob, 'Calendar', [busy(0, 30)]);
    exchange.script = ({ path }) => (path.startsWith('/exchange/anna') ? { status: 401, headers: { 'www-authenticate': 'Basic realm="mail"' } } : path.startsWith('/public/') && path.includes('anna') ? { status: 404 } : undefined);
    expect((await read(anna, bob)).map(outcome)).toEqual(['MAILBOX_REFUSED', [[0, 30, 'busy']]]);
  });
});
