import { BridgeError } from '../../core/errors.ts';
import { sendWhole, sentPath } from '../../platform/http-server/busy-answer.ts';
import type { BusyAnswer } from '../../platform/http-server/busy-answer.ts';
import { encodeError } from '../../platform/http-server/refuse-json.ts';
import { noteForLog } from '../../platform/http-server/request-scope.ts';

/** 503 as where a change cannot be stored: whoever tells tries again. */
export const notifyBusy: BusyAnswer = (request, response) => {
  if (sentPath(request) !== '/notify') return false;
  noteForLog(request, { face: 'notify' });
  sendWhole(response, 503, 'application/json; charset=utf-8', JSON.stringify({ error: encodeError(new BridgeError('BACKEND_BUSY', 'the bridge is busy, nothing was stored: try again later')) }));
  return true;
};
