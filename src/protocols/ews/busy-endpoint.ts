import { BridgeError } from '../../core/errors.ts';
import { sendWhole, sentPath } from '../../platform/http-server/busy-answer.ts';
import type { BusyAnswer } from '../../platform/http-server/busy-answer.ts';
import { noteForLog } from '../../platform/http-server/request-scope.ts';
import { encodeBridgeFault } from './face/faults.ts';
import { encodeEwsAnswer } from './face/soap-frame.ts';
import { FACE_PATH } from './names.ts';

/** ErrorServerBusy with BackOffMilliseconds in a Fault with 500 (exchange.md §3.7): clients of Exchange wait so long. A GET is nobody's question. */
export const ewsBusy: BusyAnswer = (request, response, retryAfterMs) => {
  if (request.method !== 'POST' || !FACE_PATH.test(sentPath(request))) return false;
  noteForLog(request, { face: 'ews' });
  const { status, fault } = encodeBridgeFault(new BridgeError('BACKEND_BUSY', 'busy', { temporary: true, retryAfterMs }));
  sendWhole(response, status, 'text/xml; charset=utf-8', encodeEwsAnswer(fault));
  return true;
};
