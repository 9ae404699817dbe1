import { BridgeError } from '../../core/errors.ts';
import { sendWhole, sentPath } from '../../platform/http-server/busy-answer.ts';
import type { BusyAnswer } from '../../platform/http-server/busy-answer.ts';
import { noteForLog } from '../../platform/http-server/request-scope.ts';
import { formatOfBeginning } from './face/soap-message.ts';
import { encodeFault, faultOf } from './faults.ts';
import { REPLY_CONTENT_TYPE } from './names.ts';

/**
 * service.TEMPORARILY_UNAVAILABLE (zimbra.md §1.5) in the request's flavour, as far as what has come by now tells: Zimbra's own web client sends JSON under the Content-Type of SOAP 1.2. Of the body
 * nothing is waited for.
 */
export const zimbraSoapBusy: BusyAnswer = (request, response, retryAfterMs) => {
  if (!/^\/service\/soap(?:\/|$)/.test(sentPath(request))) return false;
  noteForLog(request, { face: 'zimbra-soap' });
  // What came in one piece with the head is handed on after the head.
  setImmediate(() => {
    if (response.destroyed) return;
    const begun = request.read() as Buffer | null;
    const format = begun === null ? '1.2' : formatOfBeginning(begun);
    const fault = faultOf(new BridgeError('BACKEND_BUSY', 'the server is busy: try again later', { temporary: true, retryAfterMs }));
    sendWhole(response, fault.status, REPLY_CONTENT_TYPE[format], encodeFault(format, fault));
  });
  return true;
};
