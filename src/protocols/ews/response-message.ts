import { BridgeError } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/errors.ts';
import { attribute, child, childText, childrenNamed } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { decodeFault } from '../soap/fault.ts';
import { responseCodeError } from './response-code.ts';

/**
 * What a response message says went wrong; undefined where it says Success (or Warning) *and* NoError. A missing or doubled
 * ResponseCode, an unknown class and a message that is not there at all are errors: silence is not success.
 */
export function decodeResponseMessageError(message: XmlElement | undefined): BridgeError | undefined {
  const codes = childrenNamed(message, 'ResponseCode');
  const code = codes.length === 1 ? codes[0]!.text.trim() : '';
  const responseClass = attribute(message, 'ResponseClass');
  if (code === 'NoError') return responseClass === 'Success' || responseClass === 'Warning' ? undefined : responseCodeError('');
  return codedError(code, message, childText(message, 'MessageText') ?? '');
}

/**
 * What a Fault means. The code stands in its detail, in `faultcode`, or nowhere (grommunio: text only). A Fault is about the
 * request, so a code that elsewhere speaks of one mailbox is BACKEND_FAULT here: nobody has become unknown by it.
 */
export function decodeFaultError(fault: XmlElement): BridgeError {
  const { code, reason, detail } = decodeFault(fault);
  const error = codedError(childText(detail, 'ResponseCode') ?? code, detail, reason);
  if (ABOUT_THE_REQUEST.has(error.code)) return error;
  const { temporary, details } = error;
  return new BridgeError('BACKEND_FAULT', 'the calendar system refused the request', { temporary, details });
}

const ABOUT_THE_REQUEST: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['BACKEND_BUSY', 'BACKEND_FAULT', 'BACKEND_AUTH']);

/**
 * What went wrong where everything in an answer failed for the same reason: then it is about the request and not about a mailbox, though the answer
 * came without a Fault (ErrorServerBusy inside a 200). Undefined where anything was answered.
 */
export function commonError(body: XmlElement): BridgeError | undefined {
  const [response] = body.children;
  const messages = [
    ...(child(response, 'ResponseMessages')?.children ?? []),
    ...childrenNamed(child(response, 'FreeBusyResponseArray'), 'FreeBusyResponse').map((one) => child(one, 'ResponseMessage')),
  ];
  const code = childText(messages[0], 'ResponseCode');
  if (code === undefined || code === 'NoError' || !messages.every((one) => childText(one, 'ResponseCode') === code)) return undefined;
  return decodeResponseMessageError(messages[0]);
}

/** Exchange also wraps its "busy" into ErrorInternalServerError, named in the text or in MessageXml only (exchange.md §3.7). */
function codedError(code: string, container: XmlElement | undefined, text: string): BridgeError {
  const values = childrenNamed(child(container, 'MessageXml'), 'Value');
  const named = (name: string): string | undefined => values.find((one) => attribute(one, 'Name') === name)?.text.trim();
  const namesBusy = named('InnerErrorResponseCode') === 'ErrorServerBusy' || text.includes('ErrorServerBusy');
  const isWrapped = code === 'ErrorInternalServerError' && namesBusy;
  const backOff = named('BackOffMilliseconds') ?? '';
  return responseCodeError(isWrapped ? 'ErrorServerBusy' : code, /^\d{1,9}$/.test(backOff) ? Number(backOff) : undefined);
}
