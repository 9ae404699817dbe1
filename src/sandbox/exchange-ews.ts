import type { Clock } from '../core/clock.ts';
import { child } from '../platform/xml/element.ts';
import type { XmlElement } from '../platform/xml/element.ts';
import { readXml, XmlError } from '../platform/xml/read.ts';
import { addressList } from './address-list.ts';
import type { ListedPerson } from './address-list.ts';
import type { CalendarStore } from './calendar-store.ts';
import { EwsFault, envelope, faultEnvelope } from './ews-envelope.ts';
import type { ServerGeneration } from './ews-envelope.ts';
import { answerFindPeople } from './ews-find-people.ts';
import { answerGetUserAvailability } from './ews-get-user-availability.ts';
import { MESSAGES_NS, SOAP_NS } from './ews-names.ts';
import { PUBLIC_FOLDER_OPERATIONS } from './ews-public-folders.ts';
import { answerResolveNames } from './ews-resolve-names.ts';
import { WRITE_OPERATIONS } from './ews-write-items.ts';
import type { WritableExchange } from './exchange-2003.ts';
import { createMessageFolder } from './message-folder.ts';
import { isSameAccount, readBasic } from './stand-in-credentials.ts';
import { createStandIn } from './stand-in.ts';
import type { StandInAnswer, StandInRequest } from './stand-in.ts';
import type { WritingMode } from './writing-mode.ts';

export interface ExchangeEwsOptions {
  readonly username: string;
  readonly password: string;
  readonly domain: string;
  readonly calendars: CalendarStore;
  readonly clock: Clock;
  /** The part of legacyExchangeDN before `/cn=`, for the public folder. */
  readonly organisation?: string;
  readonly publishMonths?: number;
  /** Whether an error for one mailbox comes with a FreeBusyView of type None (default) or without any. */
  readonly viewWithErrors?: boolean;
  /** The mail contacts of the directory: the legacyExchangeDN of somebody whose mailbox is elsewhere. */
  readonly contacts?: (address: string) => string | undefined;
  /** Who else stands in the address list beside its own people. */
  readonly listed?: readonly ListedPerson[];
  /** Whether a 2013's FindPeople reads the directory without a query; default: false. */
  readonly isBrowsable?: boolean;
}

export interface ExchangeEws extends WritableExchange {
  /** Which version its answers name from now on; 2010 at first. */
  setGeneration(generation: ServerGeneration): void;
}

const READ_AND_WRITE = { ...PUBLIC_FOLDER_OPERATIONS, ...WRITE_OPERATIONS };

/** Exchange 2007 and later put users into this group (exchange.md §1.1). */
export const EXCHANGE_EWS_ORGANISATION = '/o=Corp/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)';

/** Stands in for the Exchange Web Services of Exchange 2010: GetUserAvailability, reading and writing the free/busy public folder, ResolveNames; FindPeople as a 2013. */
export function createExchangeEws(options: ExchangeEwsOptions): ExchangeEws {
  const settings = { viewWithErrors: true, publishMonths: 3, organisation: EXCHANGE_EWS_ORGANISATION, contacts: (): undefined => undefined, ...options };
  const folder = createMessageFolder(settings.organisation, settings.clock);
  let writing: WritingMode = 'allowed';
  let generation: ServerGeneration = 2010;
  const known = new Map<string, string>();
  const standIn = createStandIn('Exchange (EWS)', async (request): Promise<StandInAnswer> => {
    if (request.path.toLowerCase() !== '/ews/exchange.asmx') return { status: 404, headers: { 'Content-Type': 'text/html' }, body: '<html><body>404</body></html>', source: 'exchange.md §3.1' };
    if (!isSameAccount(readBasic(request.headers.authorization), settings, settings.domain)) {
      return { status: 401, headers: { 'WWW-Authenticate': ['Negotiate', 'NTLM', 'Basic realm="127.0.0.1"'] }, source: 'exchange.md §3.7' };
    }
    if (request.method !== 'POST') return { status: 405, headers: { Allow: 'POST' }, source: 'exchange.md §3.1' };
    try {
      const operation = await readOperation(request);
      if (operation.name === 'GetUserAvailabilityRequest') return envelope(answerGetUserAvailability(operation, { ...settings, folder }), generation);
      if (operation.name === 'ResolveNames') return envelope(answerResolveNames(operation, { rows: addressList(settings.calendars, settings.listed), contacts: settings.contacts, known }), generation);
      if (operation.name === 'FindPeople' && generation === 2013) return envelope(answerFindPeople(operation, addressList(settings.calendars, settings.listed), settings.isBrowsable ?? false), generation);
      const answer = Object.hasOwn(READ_AND_WRITE, operation.name) ? READ_AND_WRITE[operation.name] : undefined;
      if (answer === undefined) throw new EwsFault('ErrorInvalidRequest', 'The request is invalid.');
      return envelope(answer(operation, { ...settings, folder, writing }), generation);
    } catch (error) {
      if (error instanceof EwsFault) return faultEnvelope(error);
      throw error;
    }
  });
  const own = {
    organisation: settings.organisation,
    published: folder.published,
    onPublished: folder.onPublished,
    nextPublished: folder.nextPublished,
    get writing() {
      return writing;
    },
    setWriting(mode: WritingMode) {
      writing = mode;
    },
    setGeneration(next: ServerGeneration) {
      generation = next;
    },
  };
  return Object.defineProperties(own, Object.getOwnPropertyDescriptors(standIn)) as ExchangeEws;
}

async function readOperation(request: StandInRequest): Promise<XmlElement> {
  let root: XmlElement;
  try {
    root = await readXml(request.body);
  } catch (error) {
    if (error instanceof XmlError) throw new EwsFault('ErrorSchemaValidation', 'The request failed schema validation.');
    throw error;
  }
  const operation = child(root, 'Body')?.children[0];
  if (root.ns !== SOAP_NS || operation?.ns !== MESSAGES_NS) throw new EwsFault('ErrorSchemaValidation', 'The request failed schema validation.');
  return operation;
}
