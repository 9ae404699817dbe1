import type { Clock } from '../core/clock.ts';
import { addressList } from './address-list.ts';
import type { ListedPerson } from './address-list.ts';
import type { CalendarStore } from './calendar-store.ts';
import { answerFreeBusyQuery } from './exchange-2003-free-busy.ts';
import { answerGalfind } from './exchange-2003-galfind.ts';
import { createFormLogon } from './exchange-2003-logon.ts';
import { answerDelete, answerProppatch } from './exchange-2003-proppatch.ts';
import { answerPropfind, answerSearch } from './exchange-2003-public-folder.ts';
import { createMessageFolder } from './message-folder.ts';
import type { MessageFolder } from './message-folder.ts';
import { readRawQuery } from './raw-query.ts';
import { isSameAccount, readBasic } from './stand-in-credentials.ts';
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
  /** The part of legacyExchangeDN before `/cn=`. */
  readonly organisation?: string;
  /** Months of free/busy that mailboxes publish; outside there is no data (digit 4). Default 3, as captured. */
  readonly publishMonths?: number;
  /** The mail contacts of the directory: the legacyExchangeDN of somebody whose mailbox is elsewhere. */
  readonly contacts?: (address: string) => string | undefined;
  /** Who else stands in the address list beside its own people. */
  readonly listed?: readonly ListedPerson[];
}

/** What both Exchange stand-ins have: the free/busy messages that were written into them. */
export interface WritableExchange extends StandIn, Pick<MessageFolder, 'organisation' | 'published' | 'onPublished' | 'nextPublished'> {
  readonly writing: WritingMode;
  /** What happens to who writes from now on. */
  setWriting(mode: WritingMode): void;
}

/** An Exchange 2003 of which only what shows free/busy is there. */
export interface Exchange2003 extends WritableExchange {
  /** All form-logon cookies given out are void from now on: the next request meets 440 or the logon page. */
  expireSessions(): void;
}

export const EXCHANGE_2003_ORGANISATION = '/o=Sandbox/ou=First Administrative Group';

/** Kept by every answer; the store's build is 2003 SP1 (exchange.md §2.6). */
const SERVER_HEADERS = { Server: 'Microsoft-IIS/6.0', 'X-Powered-By': 'ASP.NET', 'MS-WebStorage': '6.5.7226' };

/** IIS refuses a query of 2,048 characters and more. */
const QUERY_CHARACTERS = 2_048;

/**
 * Stands in for Exchange 2003: OWA's `cmd=freebusy` and `cmd=galfind`, reading and writing of SCHEDULE+ FREE BUSY messages, Basic or form logon.
 * Unlike the real one it takes the form logon over plain http, because it listens on loopback only.
 */
export function createExchange2003(options: Exchange2003Options): Exchange2003 {
  const organisation = options.organisation ?? EXCHANGE_2003_ORGANISATION;
  const publishMonths = options.publishMonths ?? 3;
  const contacts = options.contacts ?? ((): undefined => undefined);
  const logon = createFormLogon(options);
  const folder = createMessageFolder(organisation, options.clock);
  let writing: WritingMode = 'allowed';

  const answer = async (request: StandInRequest): Promise<StandInAnswer> => {
    if (request.query.length >= QUERY_CHARACTERS) {
      return { status: 404, headers: HTML, body: '<html><body>HTTP Error 404.15 - Not Found. The query string is too long.</body></html>', source: 'exchange.md §2.4 and LIMITS.owaQueryCharacters' };
    }
    if (options.auth === 'form') {
      const refused = logon.answer(request);
      if (refused !== undefined) return refused;
    } else if (!isSameAccount(readBasic(request.headers.authorization), options, options.domain)) {
      return { status: 401, headers: { ...HTML, 'WWW-Authenticate': 'Basic realm="127.0.0.1"' }, body: '<html><body>Access is denied.</body></html>', source: 'exchange.md §2.6' };
    }
    const context: Exchange2003Context = { calendars: options.calendars, now: options.clock.now(), publishMonths, contacts, folder, writing };
    if (request.method === 'GET' && /^\/public\/?$/i.test(request.path) && readRawQuery(request.query).first('cmd')?.toLowerCase() === 'galfind') {
      return answerGalfind(request, addressList(options.calendars, options.listed));
    }
    if (request.method === 'GET' && /^\/public\/?$/i.test(request.path)) return answerFreeBusyQuery(request, context);
    if (request.method === 'PROPFIND') return answerPropfind(request, context);
    if (request.method === 'SEARCH') return answerSearch(request, context);
    if (request.method === 'PROPPATCH') return answerProppatch(request, context);
    if (request.method === 'DELETE') return answerDelete(request, context);
    return { status: 404, headers: HTML, body: '<html><body>The page cannot be found</body></html>', source: 'exchange.md §2.4' };
  };

  const standIn = createStandIn('Exchange 2003', async (request) => {
    const made = await answer(request);
    return { ...made, headers: { ...SERVER_HEADERS, ...made.headers } };
  });
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
  };
  return Object.defineProperties(own, Object.getOwnPropertyDescriptors(standIn)) as Exchange2003;
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
