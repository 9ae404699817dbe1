import type { Clock } from '../core/clock.ts';
import { attribute, child, childText } from '../platform/xml/element.ts';
import type { XmlElement } from '../platform/xml/element.ts';
import { readXml, XmlError } from '../platform/xml/read.ts';
import { xml } from '../platform/xml/write.ts';
import type { XmlText } from '../platform/xml/write.ts';
import type { CalendarStore } from './calendar-store.ts';
import type { Credentials } from './stand-in-credentials.ts';
import { createStandIn } from './stand-in.ts';
import type { StandIn, StandInAnswer, StandInRequest } from './stand-in.ts';
import { createAccounts } from './zimbra-accounts.ts';
import type { Account, AccountDetails, Accounts } from './zimbra-accounts.ts';
import { ADMIN_OPERATIONS } from './zimbra-admin.ts';
import type { ZimbraAdminContext } from './zimbra-admin.ts';
import { answerAdminAuth, answerAuth, createTokens } from './zimbra-auth.ts';
import type { Tokens } from './zimbra-auth.ts';
import { ZimbraFault, zimbraFaultBody } from './zimbra-fault.ts';
import { createGal } from './zimbra-gal.ts';
import type { Gal } from './zimbra-gal.ts';
import { GAL_OPERATIONS } from './zimbra-gal-operations.ts';
import { answerGetFreeBusy } from './zimbra-get-free-busy.ts';
import { answerGetWorkingHours } from './zimbra-get-working-hours.ts';
import { createWaitSets } from './zimbra-wait-sets.ts';

export interface ZimbraOptions {
  /** The account that the bridge signs in with, an address. */
  readonly username: string;
  readonly password: string;
  readonly calendars: CalendarStore;
  readonly clock: Clock;
  /**
   * What callers without a token see: `true` is Zimbra's default (everybody may view free/busy). The sandbox's domain has
   * `pub -viewFreeBusy`, so that a bridge that forgot to sign in gets `n` for everybody.
   */
  readonly publicFreeBusy?: boolean;
  readonly tokenLifetimeMs?: number;
  /** The global administrator of `/service/admin/soap/`; absent: nobody is. */
  readonly admin?: Credentials;
  /** What the directory says of each account; default: everybody is replicated under their local part. */
  readonly detailsOf?: (address: string) => AccountDetails;
}

/** A WaitSet's answer that named an account. */
export interface Signal {
  readonly address: string;
  readonly accountId: string;
  readonly waitSet: string;
  readonly seq: string;
}

export interface Zimbra extends StandIn {
  readonly accounts: Accounts;
  /** What users find when they write to somebody. */
  readonly gal: Gal;
  /** Every token given out so far is answered service.AUTH_EXPIRED from now on, as after a change of password. */
  revokeTokens(): void;
  /** The mailbox server starts again: connections break, WaitSets live on by their id and seq, unless the redo logs were rotated meanwhile. */
  restart(options?: { readonly isLogRotated?: boolean }): Promise<void>;
  /** Whether Zimbra's own push to Exchange is on; off at first. */
  setNativePush(isOn: boolean): void;
  /** Hears what WaitSets answer until the function that it gives is called. */
  onSignal(listener: (signal: Signal) => void): () => void;
}

const SOAP12 = 'http://www.w3.org/2003/05/soap-envelope';
const SOAP11 = 'http://schemas.xmlsoap.org/soap/envelope/';
const MAX_HOPS = 5;

/** Operations of the real server that this one does not play, but that it would refuse to a caller without a token. */
const NEEDS_TOKEN = new Set(['NoOpRequest', 'GetInfoRequest', 'SearchRequest', 'GetFolderRequest', 'CreateWaitSetRequest', 'WaitSetRequest']);

/**
 * Stands in for a Zimbra mailbox server in XML: AuthRequest, GetFreeBusyRequest, GetWorkingHoursRequest and the address book at `/service/soap/`, accounts and WaitSets at
 * `/service/admin/soap/` (a port of its own in real life). There is no capture of a Zimbra server's answers: zimbra.md, read
 * from its source, is the best there is.
 */
export function createZimbra(options: ZimbraOptions): Zimbra {
  const tokens = createTokens(options.clock, options.tokenLifetimeMs ?? 172_800_000);
  const accounts = createAccounts(options.calendars, options.detailsOf);
  const gal = createGal(accounts, options.clock);
  const waitSets = createWaitSets(options.clock);
  const listeners = new Set<(signal: Signal) => void>();
  let isPushing = false;
  options.calendars.onChange((address) => waitSets.changed(accounts.byAddress(address)!.id));
  const adminContext = (gone: AbortSignal): ZimbraAdminContext => ({
    accounts, waitSets, isPushing, gone, host: '127.0.0.1', port: Number(new URL(standIn.url).port),
    signalled: (account: Account, waitSet, seq) => {
      for (const listener of [...listeners]) listener({ address: account.address, accountId: account.id, waitSet, seq });
    },
  });
  const standIn: StandIn = createStandIn('Zimbra', async (request): Promise<StandInAnswer> => {
    const door = /^\/service\/(admin\/)?soap(?:\/|$)/i.exec(request.path);
    if (door === null) return { status: 404, headers: { 'Content-Type': 'text/html' }, body: '<html><body>404</body></html>', source: 'zimbra.md §1.1' };
    if (request.method !== 'POST') return { status: 405, source: 'zimbra.md §1.1' };
    let ns = SOAP12;
    try {
      const root = await readEnvelope(request);
      if (root.ns === SOAP11) ns = SOAP11;
      const { body, source, mailboxes } = door[1] === undefined ? answerOperation(root, { options, accounts, gal, tokens }) : await answerAdminOperation(root, options, tokens, () => adminContext(request.gone));
      return { ...reply(200, ns, body), source, mailboxes };
    } catch (error) {
      if (!(error instanceof ZimbraFault)) throw error;
      return { ...reply(500, ns, zimbraFaultBody(error, ns === SOAP12)), source: 'zimbra.md §1.5' };
    }
  });
  const own = {
    accounts,
    gal,
    revokeTokens: () => tokens.revokeAll(),
    async restart({ isLogRotated = false } = {}) {
      await standIn.stop();
      waitSets.restart(isLogRotated);
      await standIn.start();
    },
    setNativePush: (isOn) => {
      isPushing = isOn;
    },
    onSignal: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  } satisfies Partial<Zimbra>;
  return Object.defineProperties(own, Object.getOwnPropertyDescriptors(standIn)) as unknown as Zimbra;
}

interface Answered {
  readonly body: XmlText;
  readonly source: string;
  readonly mailboxes: number;
}

function operationOf(root: XmlElement): { readonly operation: XmlElement; readonly context: XmlElement | undefined } {
  const operation = child(root, 'Body')?.children[0];
  if (operation === undefined) throw new ZimbraFault('service.PARSE_ERROR', 'parse error: no body');
  const context = child(child(root, 'Header'), 'context');
  if (Number(attribute(context, 'hops') ?? 0) > MAX_HOPS) throw new ZimbraFault('service.TOO_MANY_HOPS', 'mountpoint loop detected');
  return { operation, context };
}

async function answerAdminOperation(root: XmlElement, options: ZimbraOptions, tokens: Tokens, adminContext: () => ZimbraAdminContext): Promise<Answered> {
  const { operation, context } = operationOf(root);
  if (operation.name === 'AuthRequest' && operation.ns === 'urn:zimbraAdmin') return { body: answerAdminAuth(operation, options.admin, tokens), source: 'zimbra.md §1.3', mailboxes: 0 };
  const token = childText(context, 'authToken');
  const rank = token === undefined ? undefined : tokens.check(token);
  const answer = operation.ns === 'urn:zimbraAdmin' && Object.hasOwn(ADMIN_OPERATIONS, operation.name) ? ADMIN_OPERATIONS[operation.name] : undefined;
  if (answer === undefined) throw new ZimbraFault('service.UNKNOWN_DOCUMENT', `unknown document: ${operation.name}`);
  if (rank === undefined) throw new ZimbraFault('service.AUTH_REQUIRED', 'no valid authtoken present');
  if (rank !== 'admin') throw new ZimbraFault('service.PERM_DENIED', 'permission denied: need adequate admin rights');
  return { body: await answer(operation, adminContext()), source: 'zimbra.md §5', mailboxes: 0 };
}

interface UserContext {
  readonly options: ZimbraOptions;
  readonly accounts: Accounts;
  readonly gal: Gal;
  readonly tokens: Tokens;
}

function answerOperation(root: XmlElement, { options, accounts, gal, tokens }: UserContext): Answered {
  const { operation, context } = operationOf(root);
  if (operation.name === 'AuthRequest' && operation.ns === 'urn:zimbraAccount') {
    return { body: answerAuth(operation, options, tokens), source: 'zimbra.md §1.3', mailboxes: 0 };
  }
  // Raised even for operations that need no token (zimbra.md §1.5).
  const token = childText(context, 'authToken');
  const rank = token === undefined ? undefined : tokens.check(token);
  const asker = rank ?? (options.publicFreeBusy === true ? 'user' : undefined);
  if (operation.name === 'GetFreeBusyRequest' && operation.ns === 'urn:zimbraMail') {
    const { body, mailboxes } = answerGetFreeBusy(operation, options.calendars, accounts, asker);
    return { body, source: 'zimbra.md §2.2', mailboxes };
  }
  if (operation.name === 'GetWorkingHoursRequest' && operation.ns === 'urn:zimbraMail') {
    const { body, mailboxes } = answerGetWorkingHours(operation, accounts, asker);
    return { body, source: 'zimbra.md §2.5', mailboxes };
  }
  const galOperation = operation.ns === 'urn:zimbraAccount' && Object.hasOwn(GAL_OPERATIONS, operation.name) ? GAL_OPERATIONS[operation.name] : undefined;
  if (galOperation !== undefined && rank !== undefined) return { body: galOperation(operation, gal), source: 'zimbra.md §6.1', mailboxes: 0 };
  if ((galOperation !== undefined || NEEDS_TOKEN.has(operation.name)) && rank === undefined) throw new ZimbraFault('service.AUTH_REQUIRED', 'no valid authtoken present');
  throw new ZimbraFault('service.UNKNOWN_DOCUMENT', `unknown document: ${operation.name}`);
}

/** Whatever does not begin with `<` is JSON to Zimbra (a byte order mark or a blank too); this stand-in speaks XML only. */
async function readEnvelope(request: StandInRequest): Promise<XmlElement> {
  if (request.body[0] !== '<'.charCodeAt(0)) throw new ZimbraFault('service.PARSE_ERROR', 'parse error: not a SOAP document');
  try {
    return await readXml(request.body);
  } catch (error) {
    if (error instanceof XmlError) throw new ZimbraFault('service.PARSE_ERROR', `parse error: ${error.message}`);
    throw error;
  }
}

function reply(status: number, ns: string, body: XmlText): Pick<StandInAnswer, 'status' | 'headers' | 'body'> {
  return {
    status,
    headers: { 'Content-Type': 'text/xml; charset=utf-8', 'Cache-Control': 'no-store, no-cache' },
    body: xml`<soap:Envelope xmlns:soap="${ns}"><soap:Header><context xmlns="urn:zimbra"><change token="1234"/></context></soap:Header><soap:Body>${body}</soap:Body></soap:Envelope>`.text,
  };
}
