import { MINUTE_MS } from '../core/clock.ts';
import type { Clock } from '../core/clock.ts';
import { LIMITS } from '../core/limits.ts';
import { child } from '../platform/xml/element.ts';
import type { XmlElement } from '../platform/xml/element.ts';
import { readXml, XmlError } from '../platform/xml/read.ts';
import { addressList } from './address-list.ts';
import type { ListedPerson } from './address-list.ts';
import type { CalendarStore } from './calendar-store.ts';
import { answerAboutCalendar } from './ews-calendar-folder.ts';
import { EwsFault, envelope, faultEnvelope } from './ews-envelope.ts';
import type { ServerGeneration } from './ews-envelope.ts';
import { answerFindPeople } from './ews-find-people.ts';
import { answerGetUserAvailability } from './ews-get-user-availability.ts';
import { impersonatedBy } from './ews-impersonation.ts';
import { MESSAGES_NS, SOAP_NS } from './ews-names.ts';
import { PUBLIC_FOLDER_OPERATIONS } from './ews-public-folders.ts';
import { answerResolveNames } from './ews-resolve-names.ts';
import { createSubscriptionService } from './ews-subscription-service.ts';
import type { ShownSubscription } from './ews-subscription-service.ts';
import type { SubscriptionKind } from './ews-subscriptions.ts';
import { WRITE_OPERATIONS } from './ews-write-items.ts';
import type { WritableExchange } from './exchange-2003.ts';
import { createMessageFolder } from './message-folder.ts';
import { isSameAccount, readBasic } from './stand-in-credentials.ts';
import { createFaults } from './stand-in-faults.ts';
import type { FaultSettings } from './stand-in-faults.ts';
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
  /** How long a minute of subscriptions takes (StatusFrequency, Timeout, ConnectionTimeout and the pauses between tries); default: a minute. */
  readonly minuteMs?: number;
  /** Subscriptions at a time; default: 5,000. */
  readonly mostSubscriptions?: number;
  /** Streaming connections at a time (HangingConnectionLimit, presence.md §B.2); default: 3. */
  readonly mostConnections?: number;
  /** What each calendar folder is called in the language of its owner; default: Calendar. */
  readonly folderNameOf?: (address: string) => string;
  /** PEM of who signs the certificates of clients that are called back by https. */
  readonly callBackCa?: string;
}

export interface ExchangeEws extends WritableExchange {
  /** Which version its answers name from now on; 2010 at first. */
  setGeneration(generation: ServerGeneration): void;
  readonly subscriptions: readonly ShownSubscription[];
  /** Streaming connections that are open. */
  readonly streams: number;
  readonly faults: FaultSettings<SubscriptionKind>;
  /** What goes wrong from now on; what is not named stays as it is. */
  setFaults(settings: Partial<FaultSettings<SubscriptionKind>>): void;
  /** Whom the account may not impersonate from now on. */
  denyImpersonation(addresses: readonly string[] | 'everybody'): void;
  /** Ends all streaming connections: with ConnectionStatus Closed, or by breaking them off. */
  closeStreams(how: 'closed' | 'broken'): void;
  /** Every push subscription is told ErrorReadEventsFailed, and ends. */
  failPush(): void;
  /** As after a restart: no subscription is known; watermarks still are. So does `stop`. */
  forgetSubscriptions(): void;
  /** As after a restore, or thirty days later: no watermark that was given out is valid. */
  forgetWatermarks(): void;
}

const READ_AND_WRITE = { ...PUBLIC_FOLDER_OPERATIONS, ...WRITE_OPERATIONS };

/** Exchange 2007 and later put users into this group (exchange.md §1.1). */
export const EXCHANGE_EWS_ORGANISATION = '/o=Corp/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)';

/** Stands in for the Exchange Web Services of Exchange 2010: GetUserAvailability, calendars and subscriptions to their changes, reading and writing the free/busy public folder, ResolveNames; FindPeople as a 2013. */
export function createExchangeEws(options: ExchangeEwsOptions): ExchangeEws {
  const settings = { viewWithErrors: true, publishMonths: 3, organisation: EXCHANGE_EWS_ORGANISATION, contacts: (): undefined => undefined, folderNameOf: (): string => 'Calendar', ...options };
  const folder = createMessageFolder(settings.organisation, settings.clock);
  let writing: WritingMode = 'allowed';
  let generation: ServerGeneration = 2010;
  const known = new Map<string, string>();
  const faults = createFaults<SubscriptionKind>();
  const subscriptions = createSubscriptionService({
    calendars: settings.calendars,
    clock: settings.clock,
    faults,
    minuteMs: options.minuteMs ?? MINUTE_MS,
    mostSubscriptions: options.mostSubscriptions ?? LIMITS.standInSubscriptions,
    mostConnections: options.mostConnections ?? HANGING_CONNECTIONS,
    ca: options.callBackCa,
  });
  let denied: readonly string[] | 'everybody' = [];
  const isDenied = (address: string): boolean => denied === 'everybody' || denied.includes(address.toLowerCase());
  const standIn = createStandIn('Exchange (EWS)', async (request): Promise<StandInAnswer> => {
    if (request.path.toLowerCase() !== '/ews/exchange.asmx') return { status: 404, headers: { 'Content-Type': 'text/html' }, body: '<html><body>404</body></html>', source: 'exchange.md §3.1' };
    if (!isSameAccount(readBasic(request.headers.authorization), settings, settings.domain)) {
      return { status: 401, headers: { 'WWW-Authenticate': ['Negotiate', 'NTLM', 'Basic realm="127.0.0.1"'] }, source: 'exchange.md §3.7' };
    }
    if (request.method !== 'POST') return { status: 405, headers: { Allow: 'POST' }, source: 'exchange.md §3.1' };
    const { backOffMs, retryAfterSeconds } = faults.now;
    if (retryAfterSeconds !== undefined) return { status: 503, headers: { 'Retry-After': String(retryAfterSeconds), 'Content-Type': 'text/html' }, body: '<html><body>Service Unavailable</body></html>', source: 'presence.md §B.3' };
    try {
      if (backOffMs !== undefined) throw new EwsFault('ErrorServerBusy', 'The server cannot service this request right now. Try again later.', backOffMs);
      const { operation, soap } = await readOperation(request);
      const impersonated = impersonatedBy(soap, settings.calendars, isDenied);
      const asker = impersonated ?? settings.calendars.find(settings.username)?.address;
      const subscribed = await subscriptions.answer(operation, { address: asker, generation, gone: request.gone });
      if (subscribed !== undefined) return subscribed;
      const aboutCalendar = answerAboutCalendar(operation, { calendars: settings.calendars, nameOf: settings.folderNameOf, generation }, asker);
      if (aboutCalendar !== undefined) return envelope(aboutCalendar, generation);
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
    get subscriptions() {
      return subscriptions.list;
    },
    get streams() {
      return subscriptions.connections;
    },
    get faults() {
      return faults.now;
    },
    setFaults: (changes: Partial<FaultSettings<SubscriptionKind>>) => faults.set(changes),
    denyImpersonation(addresses: readonly string[] | 'everybody') {
      denied = addresses === 'everybody' ? addresses : addresses.map((one) => one.toLowerCase());
    },
    closeStreams: (how: 'closed' | 'broken') => subscriptions.closeStreams(how),
    failPush: () => subscriptions.failPush(),
    forgetSubscriptions: () => subscriptions.forget(),
    forgetWatermarks: () => subscriptions.forgetWatermarks(),
    async stop() {
      subscriptions.forget();
      await standIn.stop();
    },
    async close() {
      subscriptions.forget();
      await standIn.close();
    },
  };
  return Object.defineProperties({}, { ...Object.getOwnPropertyDescriptors(standIn), ...Object.getOwnPropertyDescriptors(own) }) as ExchangeEws;
}

/** On premises (presence.md §B.2). */
const HANGING_CONNECTIONS = 3;

async function readOperation(request: StandInRequest): Promise<{ readonly operation: XmlElement; readonly soap: XmlElement }> {
  let root: XmlElement;
  try {
    root = await readXml(request.body);
  } catch (error) {
    if (error instanceof XmlError) throw new EwsFault('ErrorSchemaValidation', 'The request failed schema validation.');
    throw error;
  }
  const operation = child(root, 'Body')?.children[0];
  if (root.ns !== SOAP_NS || operation?.ns !== MESSAGES_NS) throw new EwsFault('ErrorSchemaValidation', 'The request failed schema validation.');
  return { operation, soap: root };
}
