import type { BridgeError, ErrorCode } from '../../../core/errors.ts';
import { el, xml, xmlFragment, XmlText } from '../../../platform/xml/write.ts';
import type { XmlNode } from '../../../platform/xml/write.ts';
import { ERRORS_NS, TYPES_NS } from '../names.ts';

/** Refuses a whole request as Exchange does: HTTP 500 with a SOAP Fault (exchange.md §3.7). */
export class EwsFault extends Error {
  override readonly name = 'EwsFault';
  /** ResponseCode of the schema: `ErrorSchemaValidation`. */
  readonly code: string;
  /** `t:Value` elements of MessageXml; left out where empty. */
  readonly messageXml: readonly XmlNode[];

  /** @param message shown to the client: no host, no other mailbox */
  constructor(code: string, message: string, messageXml: readonly XmlNode[] = []) {
    super(message);
    this.code = code;
    this.messageXml = messageXml;
  }
}

/** Refuses what is no EWS at all: a Fault of SOAP's own (SOAP 1.1 §4.4.1), without detail. */
export class EnvelopeFault extends Error {
  override readonly name = 'EnvelopeFault';
  readonly code: 'MustUnderstand' | 'VersionMismatch';

  /** @param message shown to the client */
  constructor(code: EnvelopeFault['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * A document that is not what the schema says, broken XML among it. Exchange tells where; our reader keeps no positions, so both are 0.
 *
 * @param violation what is wrong, in words; may quote the client's own document
 */
export function schemaFault(violation: string): EwsFault {
  const shown = violation.slice(0, VIOLATION_CHARACTERS);
  return new EwsFault('ErrorSchemaValidation', `${SCHEMA_MESSAGE}: ${shown}`, [el('t:LineNumber', undefined, 0), el('t:LinePosition', undefined, 0), el('t:Violation', undefined, shown)]);
}

const SCHEMA_MESSAGE = 'The request failed schema validation';
/** Element names and values are the client's and may be long. */
const VIOLATION_CHARACTERS = 500;

interface FaultForm {
  readonly code: string;
  readonly message: string;
  readonly status: number;
}

const status = (code: string, message: string, httpStatus = 500): FaultForm => ({ code, message, status: httpStatus });

const INVALID_REQUEST = status('ErrorInvalidRequest', 'The request is invalid.');
const INTERNAL = status('ErrorInternalServerError', 'An internal server error occurred. The operation failed.');
const BUSY = status('ErrorServerBusy', 'The server cannot service this request right now. Try again later.');
const ACCESS_DENIED = status('ErrorAccessDenied', 'Access is denied. Check credentials and try again.');
const UNAUTHORIZED = status('ErrorAccessDenied', 'Access is denied. Check credentials and try again.', 401);
const NO_MAILBOX = status('ErrorNonExistentMailbox', 'No mailbox with such an address.');
const UNAVAILABLE = status('ErrorInternalServerTransientError', 'An internal server error occurred. Try again later.');

/** Why a whole request fails; what concerns one mailbox is answered in its place and comes here only from operations about one. */
const FAULTS: Readonly<Record<ErrorCode, FaultForm>> = {
  INVALID_REQUEST,
  INVALID_WINDOW: status('ErrorInvalidTimeInterval', 'The time duration specified for FreeBusyViewOptions.TimeWindow is invalid.'),
  TOO_MANY_MAILBOXES: status('ErrorMailboxDataArrayTooBig', 'There are too many mailboxes in the request.'),
  WINDOW_TOO_LARGE: status('ErrorTimeIntervalTooBig', 'The requested time duration specified for FreeBusyViewOptions.TimeWindow is too long.'),
  BODY_TOO_LARGE: status('ErrorMessageSizeExceeded', 'The request is too large.', 413),
  AUTH_REQUIRED: UNAUTHORIZED,
  AUTH_FAILED: UNAUTHORIZED,
  AUTH_EXPIRED: UNAUTHORIZED,
  TOO_MANY_ATTEMPTS: { ...BUSY, status: 429 },
  ACCESS_DENIED,
  NOT_FOUND: status('ErrorItemNotFound', 'The specified object was not found in the store.'),
  UNSUPPORTED: INVALID_REQUEST,
  MAILBOX_UNKNOWN: NO_MAILBOX,
  MAILBOX_REFUSED: NO_MAILBOX,
  LOOP: NO_MAILBOX,
  NO_DATA: UNAVAILABLE,
  BACKEND_UNREACHABLE: UNAVAILABLE,
  BACKEND_TLS: UNAVAILABLE,
  BACKEND_AUTH: UNAVAILABLE,
  BACKEND_BUSY: BUSY,
  BACKEND_REDIRECT: UNAVAILABLE,
  BACKEND_FAULT: UNAVAILABLE,
  BACKEND_MALFORMED: UNAVAILABLE,
  BACKEND_TOO_LARGE: UNAVAILABLE,
  DEADLINE: status('ErrorTimeoutExpired', 'There was not enough time to process the request.'),
  STORE_UNAVAILABLE: BUSY,
  CONFIGURATION: INTERNAL,
  INTERNAL,
};

/** A Fault for the Body of an answer, and the status it goes out with. */
export interface EncodedFault {
  readonly status: number;
  readonly fault: XmlText;
}

/** The Fault of a BridgeError. ErrorServerBusy says how long to stay away, as Exchange's throttling does. */
export function encodeBridgeFault(error: BridgeError): EncodedFault {
  const form = FAULTS[error.code];
  const backOff = form.code === 'ErrorServerBusy' ? [el('t:Value', { Name: 'BackOffMilliseconds' }, Math.ceil(error.retryAfterMs ?? BACK_OFF_MS))] : [];
  return { status: form.status, fault: faultOf(form.code, form.message, form.message, backOff) };
}

/** Where nobody knows how long a back end stays busy. */
const BACK_OFF_MS = 5_000;

/** The Fault that an operation or the frame throws. */
export function encodeFault(fault: EwsFault | EnvelopeFault): EncodedFault {
  if (fault instanceof EnvelopeFault) return { status: 500, fault: xml`<s:Fault><faultcode>s:${fault.code}</faultcode><faultstring xml:lang="en-US">${fault.message}</faultstring></s:Fault>` };
  const message = fault.code === 'ErrorSchemaValidation' ? `${SCHEMA_MESSAGE}.` : fault.message;
  return { status: 500, fault: faultOf(fault.code, fault.message, message, fault.messageXml) };
}

/** Prefixes are declared where Exchange declares them: clients were written against that (XLIB looks for the errors' namespace on the element). */
function faultOf(code: string, reason: string, message: string, messageXml: readonly XmlNode[]): XmlText {
  const values = messageXml.length === 0 ? NOTHING : xmlFragment(el('t:MessageXml', { 'xmlns:t': TYPES_NS }, messageXml));
  const detail = xml`<e:ResponseCode xmlns:e="${ERRORS_NS}">${code}</e:ResponseCode><e:Message xmlns:e="${ERRORS_NS}">${message}</e:Message>${values}`;
  return xml`<s:Fault><faultcode xmlns:a="${TYPES_NS}">a:${code}</faultcode><faultstring xml:lang="en-US">${reason}</faultstring><detail>${detail}</detail></s:Fault>`;
}

const NOTHING = new XmlText('');
