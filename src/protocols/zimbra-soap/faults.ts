import type { BridgeError, ErrorCode } from '../../core/errors.ts';
import type { AnswerElement, AnswerFormat } from './face/answer.ts';
import { writeElement, writeFaultMessage } from './face/write-answer.ts';
import type { WrittenAnswer } from './face/write-answer.ts';
import { ZIMBRA_NS } from './names.ts';

/** A fault as Zimbra words it (zimbra.md §1.5). */
export interface ZimbraFault {
  readonly code: ZimbraFaultCode;
  /** Sender: the client's mistake; Receiver: ours, worth another try. */
  readonly role: 'Sender' | 'Receiver';
  readonly reason: string;
  /** 500 as Zimbra has it for every fault; 429 where a client must slow down. */
  readonly status: 500 | 429;
}

export type ZimbraFaultCode =
  | 'service.AUTH_REQUIRED'
  | 'service.AUTH_EXPIRED'
  | 'service.PERM_DENIED'
  | 'service.INVALID_REQUEST'
  | 'service.UNKNOWN_DOCUMENT'
  | 'service.PARSE_ERROR'
  | 'service.TOO_MANY_HOPS'
  | 'service.TEMPORARILY_UNAVAILABLE'
  | 'service.FAILURE'
  | 'account.AUTH_FAILED'
  | 'account.NO_SUCH_DISTRIBUTION_LIST';

const FAULT_OF: Readonly<Record<ErrorCode, ZimbraFaultCode>> = {
  INVALID_REQUEST: 'service.INVALID_REQUEST',
  INVALID_WINDOW: 'service.INVALID_REQUEST',
  TOO_MANY_MAILBOXES: 'service.INVALID_REQUEST',
  WINDOW_TOO_LARGE: 'service.INVALID_REQUEST',
  BODY_TOO_LARGE: 'service.INVALID_REQUEST',
  AUTH_REQUIRED: 'service.AUTH_REQUIRED',
  AUTH_FAILED: 'account.AUTH_FAILED',
  AUTH_EXPIRED: 'service.AUTH_EXPIRED',
  TOO_MANY_ATTEMPTS: 'service.TEMPORARILY_UNAVAILABLE',
  ACCESS_DENIED: 'service.PERM_DENIED',
  // A path that does not exist never comes here; what a request asks for by name and is not there is a distribution list.
  NOT_FOUND: 'account.NO_SUCH_DISTRIBUTION_LIST',
  UNSUPPORTED: 'service.UNKNOWN_DOCUMENT',
  // Of a whole request: passed on by too many Zimbras (zimbra.md §1.2).
  LOOP: 'service.TOO_MANY_HOPS',
  // One mailbox's failure is an `n` slot; as the fate of a whole request these are our own mistake.
  MAILBOX_UNKNOWN: 'service.FAILURE',
  MAILBOX_REFUSED: 'service.FAILURE',
  NO_DATA: 'service.FAILURE',
  BACKEND_UNREACHABLE: 'service.TEMPORARILY_UNAVAILABLE',
  BACKEND_TLS: 'service.TEMPORARILY_UNAVAILABLE',
  BACKEND_AUTH: 'service.TEMPORARILY_UNAVAILABLE',
  BACKEND_BUSY: 'service.TEMPORARILY_UNAVAILABLE',
  BACKEND_REDIRECT: 'service.TEMPORARILY_UNAVAILABLE',
  BACKEND_FAULT: 'service.TEMPORARILY_UNAVAILABLE',
  BACKEND_MALFORMED: 'service.TEMPORARILY_UNAVAILABLE',
  BACKEND_TOO_LARGE: 'service.TEMPORARILY_UNAVAILABLE',
  DEADLINE: 'service.TEMPORARILY_UNAVAILABLE',
  STORE_UNAVAILABLE: 'service.TEMPORARILY_UNAVAILABLE',
  CONFIGURATION: 'service.FAILURE',
  INTERNAL: 'service.FAILURE',
};

/** The fault for an error of ours; total over ErrorCode. Reasons of invalid requests carry Zimbra's prefix. */
export function faultOf(error: BridgeError): ZimbraFault {
  const code = FAULT_OF[error.code];
  const reason = code === 'service.INVALID_REQUEST' ? `invalid request: ${error.publicMessage}` : error.publicMessage;
  const isOurs = code === 'service.FAILURE' || code === 'service.TEMPORARILY_UNAVAILABLE';
  return { code, role: isOurs ? 'Receiver' : 'Sender', reason, status: error.code === 'TOO_MANY_ATTEMPTS' ? 429 : 500 };
}

/** The message to answer with when a request is refused as a whole. */
export function encodeFault(format: AnswerFormat, fault: ZimbraFault): string {
  return writeFaultMessage(format, writeFault(format, fault));
}

/** A fault by itself, in the request's flavour: Code, Reason, Detail in SOAP 1.2 and JSON, faultcode, faultstring, detail in 1.1. A part of a batch is one of these. */
export function writeFault(format: AnswerFormat, { code, role, reason }: ZimbraFault, requestId?: string): WrittenAnswer {
  const detail: AnswerElement = { name: 'Error', ns: ZIMBRA_NS, once: 'object', children: [value('Code', code), value('Trace', 'freebusy-bridge')] };
  if (format === '1.1') {
    const children = [value('faultcode', role === 'Sender' ? 'soap:Client' : 'soap:Server'), value('faultstring', reason), object('detail', detail)];
    return writeElement(format, { name: 'soap:Fault', children }, requestId);
  }
  const soap = format === 'js' ? '' : 'soap:';
  const children = [
    object(`${soap}Code`, value(`${soap}Value`, `soap:${role}`)),
    object(`${soap}Reason`, value(`${soap}Text`, reason)),
    object(`${soap}Detail`, detail),
  ];
  return writeElement(format, { name: `${soap}Fault`, children }, requestId);
}

function object(name: string, child: AnswerElement): AnswerElement {
  return { name, once: 'object', children: [child] };
}

function value(name: string, text: string): AnswerElement {
  return { name, once: 'member', text };
}
