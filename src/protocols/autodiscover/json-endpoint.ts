import type { Request, RequestHandler } from 'express';
import { toBridgeError } from '../../core/errors.ts';
import { setChallenge } from '../../platform/http-server/challenge.ts';
import { noteRefusal } from '../../platform/http-server/note-refusal.ts';
import { percentDecode, rawQueryOf } from '../../platform/http-server/raw-query.ts';
import { noteForLog } from '../../platform/http-server/request-scope.ts';
import { STATUS_OF } from '../../platform/http-server/status-of.ts';
import type { AutodiscoverServices } from './endpoint.ts';
import { handoutOf } from './handout.ts';
import { answerJson } from './json-answer.ts';

/** `/autodiscover/autodiscover.json`. Exchange answers anybody; here clients sign in, or an anonymous one is configured for their address. */
export function jsonHandler({ signIn, addresses, publicUrl }: AutodiscoverServices): RequestHandler {
  return async (request, response) => {
    noteForLog(request, { face: 'autodiscover', operation: 'json' });
    response.setHeader('Cache-Control', 'no-store');
    try {
      const requester = await signIn.fromRequest(request);
      noteForLog(request, { client: requester.name });
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        response.status(405).set('Allow', 'GET, HEAD').type('text/plain').send('method not allowed\n');
        return;
      }
      const { status, body } = answerJson(rawQueryOf(request.originalUrl), addressInPath(request), handoutOf(publicUrl()), addresses, requester);
      if ('ErrorCode' in body) noteForLog(request, { reason: body.ErrorCode });
      response.status(status).json(body);
    } catch (thrown) {
      const error = toBridgeError(thrown);
      const status = STATUS_OF[error.code];
      noteRefusal(request, response, error);
      if (status === 401) setChallenge(request, response);
      response.status(status).json({ ErrorCode: status < 500 ? 'AccessDenied' : 'InternalServerError', ErrorMessage: error.publicMessage });
    }
  };
}

/** What follows `/v1.0/`, whatever it holds: an address may have a slash, which names nobody. */
function addressInPath(request: Request): string | undefined {
  const path = request.originalUrl.split('?', 1)[0]!;
  const address = /\/v1\.0\/(.*)$/i.exec(path)?.[1];
  return address === undefined ? undefined : percentDecode(address);
}
