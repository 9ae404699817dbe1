import { SECOND_MS } from '../core/clock.ts';
import type { Clock } from '../core/clock.ts';
import { addressList } from './address-list.ts';
import type { ListedPerson } from './address-list.ts';
import type { CalendarStore } from './calendar-store.ts';
import { answerCalendarSearch } from './exchange-2003-calendar.ts';
import { answerFreeBusyQuery } from './exchange-2003-free-busy.ts';
import { answerGalfind } from './exchange-2003-galfind.ts';
import { createFormLogon } from './exchange-2003-logon.ts';
import type { FormLogonOptions } from './exchange-2003-logon.ts';
import { answerMailboxPropfind, createCalendarNames, mayOpen, readMailboxPath } from './exchange-2003-mailbox.ts';
import type { Visitor } from './exchange-2003-mailbox.ts';
import { answerDelete, answerProppatch } from './exchange-2003-proppatch.ts';
import { answerPropfind, answerSearch, notFound } from './exchange-2003-public-folder.ts';
import { createDavSubscriptions, SUBSCRIPTION_METHODS } from './exchange-2003-subscriptions.ts';
import type { SubscriptionMethod } from './exchange-2003-subscriptions.ts';
import { createMessageFolder } from './message-folder.ts';
import type { MessageFolder } from './message-folder.ts';
import { readRawQuery } from './raw-query.ts';
import { isSameAccount, readBasic } from './stand-in-credentials.ts';
import type { Credentials } from './stand-in-credentials.ts';
import { createFaults } from './stand-in-faults.ts';
import type { FaultSettings } from './stand-in-faults.ts';
import { createStandIn } from './stand-in.ts';
import type { StandIn, StandInAnswer, StandInRequest } from './stand-in.ts';
import type { WritingMode } from './writing-mode.ts';

export interface Exchange2003Options {
  readonly username: string;
  readonly password: string;
  /** Windows domain: `DOMAIN\user` signs in as well as `user`. */
  readonly domain: string;
  readonly calendars: CalendarStore;
  readonly clock: Clock;
  readonly auth: 'basic' | 'form';
  /** How the form behaves. */
  readonly form?: FormLogonOptions;
  /** The part of legacyExchangeDN before `/cn=`. */
  readonly organisation?: string;
  /** Months of free/busy that mailboxes publish; outside there is no data (digit 4). Default 3, as captured. */
  readonly publishMonths?: number;
  /** The mail contacts of the directory: the legacyExchangeDN of somebody whose mailbox is elsewhere. */
  readonly contacts?: (address: string) => string | undefined;
  /** Who else stands in the address list beside its own people. */
  readonly listed?: readonly ListedPerson[];
  /** Ordinary accounts, which see their own mailbox only. */
  readonly people?: readonly (Credentials & { readonly address: string })[];
  /** What each calendar folder is called at first, by address, in the language of its owner; default: Calendar. */
  readonly calendarNames?: Readonly<Record<string, string>>;
  /** How long a second of subscriptions takes (lifetimes, delays); default: a second. */
  readonly secondMs?: number;
  /** Longer lifetimes are cut down to it; default: 3,600. */
  readonly mostLifetimeSeconds?: number;
}

/** What both Exchange stand-ins have: the free/busy messages that were written into them. */
export interface WritableExchange extends StandIn, Pick<MessageFolder, 'organisation' | 'published' | 'onPublished' | 'nextPublished'> {
  readonly writing: WritingMode;
  /** What happens to who writes from now on. */
  setWriting(mode: WritingMode): void;
}

/** An Exchange 2003 of which only what shows free/busy, and calendars that can be read and watched, is there. */
export interface Exchange2003 extends WritableExchange {
  /** All form-logon cookies given out are void from now on: the next request meets 440 or the logon page. */
  expireSessions(): void;
  /** Renames a calendar folder, as its owner may: the old path is 404 from now on. */
  renameCalendar(address: string, name: string): void;
  /** Whether the service account may open other people's mailboxes; it may at first. */
  setReceiveAs(isGranted: boolean): void;
  /** The numbers of the subscriptions that live. */
  readonly subscriptions: readonly number[];
  readonly faults: FaultSettings<SubscriptionMethod>;
  /** What goes wrong from now on; what is not named stays as it is. */
  setFaults(settings: Partial<FaultSettings<SubscriptionMethod>>): void;
  /** A datagram without Subscription-ID to every call-back, as before the store shuts down (presence.md §B.4). */
  notifyUnsolicited(): void;
  /** As after a restart: no subscription is known. So does `stop`. */
  forgetSubscriptions(): void;
}

export const EXCHANGE_2003_ORGANISATION = '/o=Sandbox/ou=First Administrative Group';

/** Kept by every answer; the store's build is 2003 SP1 (exchange.md §2.6). */
const SERVER_HEADERS = { Server: 'Microsoft-IIS/6.0', 'X-Powered-By': 'ASP.NET', 'MS-WebStorage': '6.5.7226' };

/** IIS refuses a query of 2,048 characters and more. */
const QUERY_CHARACTERS = 2_048;

/**
 * Stands in for Exchange 2003: OWA's `cmd=freebusy` and `cmd=galfind`, reading and writing of SCHEDULE+ FREE BUSY messages, reading and watching calendars (PROPFIND,
 * SEARCH, SUBSCRIBE, POLL, NOTIFY by UDP), Basic or form logon.
 * Unlike the real one it takes the form logon over plain http, because it listens on loopback only.
 */
export function createExchange2003(options: Exchange2003Options): Exchange2003 {
  const organisation = options.organisation ?? EXCHANGE_2003_ORGANISATION;
  const publishMonths = options.publishMonths ?? 3;
  const contacts = options.contacts ?? ((): undefined => undefined);
  const folder = createMessageFolder(organisation, options.clock);
  let writing: WritingMode = 'allowed';
  const names = createCalendarNames(options.calendarNames ?? {});
  const faults = createFaults<SubscriptionMethod>();
  const subscriptions = createDavSubscriptions({ calendars: options.calendars, names, faults, secondMs: options.secondMs ?? SECOND_MS, mostLifetimeSeconds: options.mostLifetimeSeconds });
  let hasReceiveAs = true;
  const people = options.people ?? [];
  /** Whose account it is; undefined for nobody's. */
  const visitorOf = (given: Credentials | undefined): Visitor | undefined => {
    if (isSameAccount(given, options, options.domain)) return { hasReceiveAs, address: options.calendars.find(options.username)?.address };
    const person = people.find((one) => isSameAccount(given, one, options.domain));
    return person && { hasReceiveAs: false, address: person.address };
  };

  const answerMailbox = async (request: StandInRequest, visitor: Visitor): Promise<StandInAnswer> => {
    const path = readMailboxPath(request.path, options.calendars, names);
    if (path === undefined) return notFound();
    if (!mayOpen(visitor, path.mailbox)) return { status: 403, headers: HTML, body: '<html><body>403 Forbidden</body></html>', source: 'presence.md §A.3: Receive-As' };
    if (request.method === 'PROPFIND') return answerMailboxPropfind(request, path, names);
    if (request.method === 'SEARCH') return answerCalendarSearch(request, path, options.calendars, names);
    if (SUBSCRIPTION_METHODS.some((one) => one === request.method)) return subscriptions.answer(request, path);
    return notFound();
  };

  const answerVisitor = async (request: StandInRequest, visitor: Visitor): Promise<StandInAnswer> => {
    const context: Exchange2003Context = { calendars: options.calendars, now: options.clock.now(), publishMonths, contacts, folder, writing };
    if (request.method === 'GET' && /^\/public\/?$/i.test(request.path) && readRawQuery(request.query).first('cmd')?.toLowerCase() === 'galfind') {
      return answerGalfind(request, addressList(options.calendars, options.listed));
    }
    if (request.method === 'GET' && /^\/public\/?$/i.test(request.path)) return answerFreeBusyQuery(request, context);
    if (/^\/exchange\//i.test(request.path)) return answerMailbox(request, visitor);
    if (request.method === 'PROPFIND') return answerPropfind(request, context);
    if (request.method === 'SEARCH') return answerSearch(request, context);
    if (request.method === 'PROPPATCH') return answerProppatch(request, context);
    if (request.method === 'DELETE') return answerDelete(request, context);
    return { status: 404, headers: HTML, body: '<html><body>The page cannot be found</body></html>', source: 'exchange.md §2.4' };
  };

  const logon = createFormLogon((given) => visitorOf(given) !== undefined, options.form);
  const answer = async (request: StandInRequest): Promise<StandInAnswer> => {
    let renewed: StandInAnswer['headers'] = {};
    if (request.query.length >= QUERY_CHARACTERS) {
      return { status: 404, headers: HTML, body: '<html><body>HTTP Error 404.15 - Not Found. The query string is too long.</body></html>', source: 'exchange.md §2.4 and LIMITS.owaQueryCharacters' };
    }
    const { retryAfterSeconds } = faults.now;
    if (retryAfterSeconds !== undefined) return { status: 503, headers: { ...HTML, 'Retry-After': String(retryAfterSeconds) }, body: '<html><body>Service Unavailable</body></html>', source: 'presence.md §B.3' };
    let visitor: Visitor | undefined;
    if (options.auth === 'form') {
      const entered = logon.answer(request);
      if ('status' in entered) return entered;
      visitor = visitorOf(entered);
      renewed = entered.headers;
    } else visitor = visitorOf(readBasic(request.headers.authorization));
    if (visitor === undefined) {
      return { status: 401, headers: { ...HTML, 'WWW-Authenticate': 'Basic realm="127.0.0.1"' }, body: '<html><body>Access is denied.</body></html>', source: 'exchange.md §2.6' };
    }
    const made = await answerVisitor(request, visitor);
    return { ...made, headers: { ...made.headers, ...renewed } };
  };

  const standIn = createStandIn('Exchange 2003', async (request) => {
    const made = await answer(request);
    return { ...made, headers: { ...SERVER_HEADERS, ...made.headers } };
  }, { unknownMethod: { method: 'POLL', as: 'SOURCE' } });
  const own = {
    organisation,
    published: folder.published,
    onPublished: folder.onPublished,
    nextPublished: folder.nextPublished,
    get writing() {
      return writing;
    },
    setWriting(mode: WritingMode) {
      writing = mode;
    },
    expireSessions: () => logon.expireAll(),
    renameCalendar: (address: string, name: string) => names.rename(address, name),
    setReceiveAs(isGranted: boolean) {
      hasReceiveAs = isGranted;
    },
    get subscriptions() {
      return subscriptions.ids;
    },
    get faults() {
      return faults.now;
    },
    setFaults: (changes: Partial<FaultSettings<SubscriptionMethod>>) => faults.set(changes),
    notifyUnsolicited: () => subscriptions.notifyUnsolicited(),
    forgetSubscriptions: () => subscriptions.forget(),
    async stop() {
      subscriptions.forget();
      await standIn.stop();
    },
    async close() {
      subscriptions.close();
      await standIn.close();
    },
  };
  return Object.defineProperties({}, { ...Object.getOwnPropertyDescriptors(standIn), ...Object.getOwnPropertyDescriptors(own) }) as Exchange2003;
}

/** What the answers are made from. */
export interface Exchange2003Context {
  readonly calendars: CalendarStore;
  readonly now: number;
  readonly publishMonths: number;
  readonly contacts: (address: string) => string | undefined;
  /** Its organisation is the part of every legacyExchangeDN before `/cn=`. */
  readonly folder: MessageFolder;
  readonly writing: WritingMode;
}

const HTML = { 'Content-Type': 'text/html' };
