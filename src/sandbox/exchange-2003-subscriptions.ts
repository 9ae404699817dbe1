import { LIMITS } from '../core/limits.ts';
import { pause } from '../core/pause.ts';
import { xml } from '../platform/xml/write.ts';
import type { XmlText } from '../platform/xml/write.ts';
import type { CalendarStore, EntryChange } from './calendar-store.ts';
import { calendarUrl } from './exchange-2003-mailbox.ts';
import type { CalendarNames, MailboxPath } from './exchange-2003-mailbox.ts';
import { createNotifier, readCallBack } from './exchange-2003-notify.ts';
import type { CallBack } from './exchange-2003-notify.ts';
import { badRequest, notFound } from './exchange-2003-public-folder.ts';
import type { Faults } from './stand-in-faults.ts';
import type { StandInAnswer, StandInRequest } from './stand-in.ts';

const SOURCE = 'exchange.md §2.7, presence.md §B.4';

export const SUBSCRIPTION_METHODS = ['SUBSCRIBE', 'POLL', 'UNSUBSCRIBE'] as const;
export type SubscriptionMethod = (typeof SUBSCRIPTION_METHODS)[number];

/** What fires by each type; a `move` never does here, and mail comes to no calendar. */
const FIRING: Readonly<Record<string, readonly EntryChange['kind'][]>> = {
  update: ['created', 'modified', 'deleted'],
  'update/newmember': ['created'],
  delete: ['deleted'],
  move: [],
  'pragma/<http://schemas.microsoft.com/exchange/newmail>': [],
};

/** Where nobody says or too much is said; not in any source. */
const MOST_LIFETIME_SECONDS = 3_600;
/** A notification comes again until it is polled (exchange.md §2.7); how soon is not in any source. */
const REPEAT_SECONDS = 60;

export interface DavSubscriptionOptions {
  readonly calendars: CalendarStore;
  readonly names: CalendarNames;
  readonly faults: Faults<SubscriptionMethod>;
  /** How long a second of lifetimes, delays and repetitions takes. */
  readonly secondMs: number;
  /** More is cut down to it. */
  readonly mostLifetimeSeconds: number | undefined;
}

interface DavSubscription {
  readonly id: number;
  readonly address: string;
  /** As the client has to name it when it polls. */
  readonly location: string;
  readonly kinds: readonly EntryChange['kind'][];
  readonly callBack: CallBack | undefined;
  readonly delayMs: number;
  lifetimeSeconds: number;
  /** By `performance.now()`. */
  expiresAt: number;
  /** Something happened since the last POLL. */
  hasFired: boolean;
  /** Ends what is still to be sent. */
  sending: AbortController | undefined;
  /** A notification waits for its delay to be over, and covers what happens meanwhile. */
  isHeldBack: boolean;
}

export interface DavSubscriptions {
  /** The numbers of those that live. */
  readonly ids: readonly number[];
  answer(request: StandInRequest, path: MailboxPath): Promise<StandInAnswer>;
  /** Tells every client that has a call-back something without saying what. */
  notifyUnsolicited(): void;
  forget(): void;
  close(): void;
}

export function createDavSubscriptions(options: DavSubscriptionOptions): DavSubscriptions {
  const { calendars, names, faults, secondMs } = options;
  const most = options.mostLifetimeSeconds ?? MOST_LIFETIME_SECONDS;
  const notifier = createNotifier();
  const byId = new Map<number, DavSubscription>();
  const byAddress = new Map<string, Set<DavSubscription>>();
  let lastId = 14;

  const living = (id: number): DavSubscription | undefined => {
    const found = byId.get(id);
    if (found === undefined || found.expiresAt > performance.now()) return found;
    remove(found);
    return undefined;
  };
  const remove = (one: DavSubscription): void => {
    byId.delete(one.id);
    byAddress.get(one.address)?.delete(one);
    one.sending?.abort();
  };
  const refresh = (one: DavSubscription, seconds: number): void => {
    one.lifetimeSeconds = Math.min(seconds, most);
    one.expiresAt = performance.now() + one.lifetimeSeconds * secondMs;
  };
  const send = (to: CallBack, ids: readonly number[]): void => {
    if (faults.now.isUnreachable) return;
    for (let copies = faults.copies(); copies > 0; copies--) notifier.send(to, ids);
  };

  /** After the delay, and again until the client has polled. */
  const announce = async (one: DavSubscription, callBack: CallBack): Promise<void> => {
    const sending = new AbortController();
    one.sending = sending;
    one.isHeldBack = true;
    if (one.delayMs > 0) await pause(one.delayMs, sending.signal);
    await faults.delay(sending.signal);
    if (sending.signal.aborted) return;
    one.isHeldBack = false;
    while (!sending.signal.aborted && living(one.id) === one) {
      send(callBack, [one.id]);
      await pause(REPEAT_SECONDS * secondMs, sending.signal);
    }
  };

  calendars.onChange((address, changes) => {
    for (const one of byAddress.get(address) ?? []) {
      if (living(one.id) === undefined || !changes.some(({ kind }) => one.kinds.includes(kind))) continue;
      one.hasFired = true;
      if (one.callBack === undefined) continue;
      if (one.isHeldBack) continue;
      one.sending?.abort();
      void announce(one, one.callBack);
    }
  });

  const subscribe = (request: StandInRequest, path: MailboxPath): StandInAnswer => {
    const { headers } = request;
    const seconds = secondsOf(headers['subscription-lifetime'], most);
    const delay = secondsOf(headers['notification-delay'], 0);
    const type = headerOf(headers['notification-type'])?.toLowerCase();
    const kinds = type !== undefined && Object.hasOwn(FIRING, type) ? FIRING[type] : undefined;
    if (kinds === undefined || seconds === undefined || delay === undefined) return badRequest(SOURCE);
    if (!['0', '1', 'infinity', undefined].includes(headerOf(headers.depth))) return badRequest(SOURCE);
    const wanted = headerOf(headers['call-back']) ?? '';
    const callBack = wanted === '' ? undefined : readCallBack(wanted);
    if (wanted !== '' && callBack === undefined) return badRequest(SOURCE);
    if (byId.size >= LIMITS.standInSubscriptions) for (const id of [...byId.keys()]) living(id);
    if (byId.size >= LIMITS.standInSubscriptions) return plain(503, 'Service Unavailable');
    const { address } = path.mailbox;
    const location = calendarUrl(request, path.mailbox, names);
    const added: DavSubscription = { id: ++lastId, address, location, kinds, callBack, delayMs: Math.min(delay, most) * secondMs, lifetimeSeconds: 0, expiresAt: 0, hasFired: false, sending: undefined, isHeldBack: false };
    refresh(added, seconds);
    byId.set(added.id, added);
    const ofMailbox = byAddress.get(address) ?? new Set();
    byAddress.set(address, ofMailbox.add(added));
    return { status: 200, headers: { 'Subscription-ID': String(added.id), 'Content-Location': location, 'Subscription-Lifetime': String(added.lifetimeSeconds) }, source: SOURCE, mailboxes: 1 };
  };

  /** The named ones that live and lie in this folder, and the numbers of the rest; undefined where the header is none of numbers. */
  const named = (request: StandInRequest, path: MailboxPath): { readonly known: readonly DavSubscription[]; readonly unknown: readonly number[] } | undefined => {
    const header = headerOf(request.headers['subscription-id']) ?? '';
    if (!/^\s*\d{1,9}(?:\s*,\s*\d{1,9})*\s*$/.test(header)) return undefined;
    const ids = [...new Set(header.split(',').map(Number))];
    const isHere = (id: number): boolean => living(id)?.address === path.mailbox.address;
    return { known: ids.filter(isHere).map((id) => byId.get(id)!), unknown: ids.filter((id) => !isHere(id)) };
  };

  const renew = (request: StandInRequest, path: MailboxPath): StandInAnswer => {
    const { headers } = request;
    const seconds = secondsOf(headers['subscription-lifetime'], most);
    const found = named(request, path);
    // Forbidden on renewal (presence.md §B.4).
    if (found === undefined || seconds === undefined || [headers['notification-type'], headers['call-back'], headers.depth].some((one) => one !== undefined)) return badRequest(SOURCE);
    if (found.known.length === 0) return plain(412, 'Precondition Failed');
    for (const one of found.known) refresh(one, seconds);
    const [first] = found.known;
    const answered = { 'Subscription-ID': found.known.map((one) => one.id).join(','), 'Content-Location': first!.location, 'Subscription-Lifetime': String(first!.lifetimeSeconds) };
    if (found.unknown.length === 0) return { status: 200, headers: answered, source: SOURCE, mailboxes: 1 };
    const made = multistatus(request, [[200, 'OK', found.known.map((one) => one.id)], [412, 'Precondition Failed', found.unknown]]);
    return { ...made, headers: { ...made.headers, ...answered } };
  };

  const poll = (request: StandInRequest, path: MailboxPath): StandInAnswer => {
    const found = named(request, path);
    if (found === undefined) return badRequest(SOURCE);
    if (found.known.length === 0) return plain(412, 'Precondition Failed');
    const fired = found.known.filter((one) => one.hasFired).map((one) => one.id);
    const quiet = found.known.filter((one) => !one.hasFired).map((one) => one.id);
    for (const one of found.known) {
      one.hasFired = false;
      one.sending?.abort();
      one.isHeldBack = false;
      // Polling renews (presence.md §B.4).
      refresh(one, one.lifetimeSeconds);
    }
    return multistatus(request, [[200, 'OK', fired], [204, 'No Content', quiet], [412, 'Precondition Failed', found.unknown]]);
  };

  const unsubscribe = (request: StandInRequest, path: MailboxPath): StandInAnswer => {
    const found = named(request, path);
    if (found === undefined) return badRequest(SOURCE);
    if (found.known.length === 0) return plain(412, 'Precondition Failed');
    const ids = found.known.map((one) => one.id);
    for (const one of found.known) remove(one);
    return multistatus(request, [[200, 'OK', ids], [412, 'Precondition Failed', found.unknown]]);
  };

  return {
    get ids() {
      return [...byId.keys()].filter((id) => living(id) !== undefined);
    },
    async answer(request, path) {
      await faults.delay(request.gone);
      if (request.gone.aborted) return plain(503, 'Service Unavailable');
      if (faults.now.refused.some((method) => method === request.method)) return plain(501, 'Not Implemented');
      if (path.folder !== 'calendar') return notFound();
      if (request.method === 'POLL') return poll(request, path);
      if (request.method === 'UNSUBSCRIBE') return unsubscribe(request, path);
      return request.headers['subscription-id'] === undefined ? subscribe(request, path) : renew(request, path);
    },
    notifyUnsolicited() {
      const callBacks = new Map([...byId.values()].flatMap(({ callBack }) => (callBack === undefined ? [] : [[callBack.url, callBack] as const])));
      for (const callBack of callBacks.values()) send(callBack, []);
    },
    forget() {
      for (const one of [...byId.values()]) remove(one);
    },
    close() {
      for (const one of [...byId.values()]) remove(one);
      notifier.close();
    },
  };
}

function multistatus(request: StandInRequest, groups: readonly (readonly [status: number, reason: string, ids: readonly number[]])[]): StandInAnswer {
  const href = `http://${request.headers.host ?? 'localhost'}${request.path}`;
  const responses = groups.filter(([, , ids]) => ids.length > 0).map(([status, reason, ids]): XmlText => xml`<a:response><a:href>${href}</a:href><a:status>HTTP/1.1 ${status} ${reason}</a:status><b:subscriptionID>${ids.map((id) => xml`<li>${id}</li>`)}</b:subscriptionID></a:response>`);
  return {
    status: 207,
    headers: { 'Content-Type': 'text/xml' },
    body: xml`<?xml version="1.0"?><a:multistatus xmlns:b="http://schemas.microsoft.com/Exchange/" xmlns:a="DAV:">${responses}</a:multistatus>`.text,
    source: SOURCE,
    mailboxes: 1,
  };
}

function plain(status: number, reason: string): StandInAnswer {
  return { status, headers: { 'Content-Type': 'text/html' }, body: `<html><body>${status} ${reason}</body></html>`, source: SOURCE };
}

function headerOf(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : header?.join(',');
}

/** Whole seconds; the default where nothing is said, undefined for nonsense. */
function secondsOf(header: string | readonly string[] | undefined, usual: number): number | undefined {
  const text = headerOf(header);
  if (text === undefined) return usual;
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
