import { BridgeError } from '../../core/errors.ts';
import { sendWhole, sentPath } from '../../platform/http-server/busy-answer.ts';
import type { BusyAnswer } from '../../platform/http-server/busy-answer.ts';
import { encodeError } from '../../platform/http-server/refuse-json.ts';
import { noteForLog } from '../../platform/http-server/request-scope.ts';

/** The API's error body with 503. */
export const restApiBusy: BusyAnswer = (request, response) => {
  if (!sentPath(request).startsWith('/api/v1/')) return false;
  noteForLog(request, { face: 'api' });
  sendWhole(response, 503, 'application/json; charset=utf-8', JSON.stringify({ error: encodeError(new BridgeError('BACKEND_BUSY', 'the bridge is busy: try again later')) }));
  return true;
};
