import { xml } from '../platform/xml/write.ts';
import type { XmlText } from '../platform/xml/write.ts';

/** The codes of zimbra.md §1.5 that this stand-in gives. */
export type ZimbraFaultCode =
  | 'service.AUTH_REQUIRED'
  | 'service.AUTH_EXPIRED'
  | 'service.PERM_DENIED'
  | 'service.FAILURE'
  | 'service.INVALID_REQUEST'
  | 'service.PARSE_ERROR'
  | 'service.TOO_MANY_HOPS'
  | 'service.UNKNOWN_DOCUMENT'
  | 'account.AUTH_FAILED'
  | 'account.NO_SUCH_ACCOUNT'
  | 'admin.NO_SUCH_WAITSET';

/** Answered with HTTP 500, as every fault of Zimbra is. */
export class ZimbraFault extends Error {
  override readonly name = 'ZimbraFault';
  readonly code: ZimbraFaultCode;
  constructor(code: ZimbraFaultCode, reason: string) {
    super(reason);
    this.code = code;
  }
}

export function zimbraFaultBody(fault: ZimbraFault, isSoap12: boolean): XmlText {
  const detail = xml`<Error xmlns="urn:zimbra"><Code>${fault.code}</Code><Trace>qtp1:sandbox</Trace></Error>`;
  // Its own fault, worth another try, or the caller's.
  const isReceiver = fault.code === 'service.FAILURE';
  if (!isSoap12) return xml`<soap:Fault><faultcode>soap:${isReceiver ? 'Server' : 'Client'}</faultcode><faultstring>${fault.message}</faultstring><detail>${detail}</detail></soap:Fault>`;
  return xml`<soap:Fault><soap:Code><soap:Value>soap:${isReceiver ? 'Receiver' : 'Sender'}</soap:Value></soap:Code><soap:Reason><soap:Text>${fault.message}</soap:Text></soap:Reason><soap:Detail>${detail}</soap:Detail></soap:Fault>`;
}
