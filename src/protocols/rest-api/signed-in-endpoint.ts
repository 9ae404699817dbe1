import type { Request, RequestHandler, Response } from 'express';
import { BridgeError } from '../../core/errors.ts';
import type { RequestContext, Requester } from '../../core/request-context.ts';
import type { SignIn } from '../../platform/auth/sign-in.ts';
import { encodeError, refuseJson } from '../../platform/http-server/refuse-json.ts';
import { contextFor, noteForLog } from '../../platform/http-server/request-scope.ts';

/** Gives the answer's JSON; undefined where it has answered itself. */
export type Operation = (request: Request, requester: Requester, ctx: RequestContext, response: Response) => Promise<unknown>;

/** What a path does, by method; HEAD is GET. */
export type Methods = Readonly<Partial<Record<'GET' | 'PUT' | 'DELETE', Operation>>>;

/** Makes handlers that sign in first, whatever the method: nobody without a client learns what exists. What they throw is refused as JSON. */
export function signedIn(signIn: SignIn): (name: string, methods: Methods | Operation) => RequestHandler {
  return (name, given) => {
    const methods: Methods = typeof given === 'function' ? { GET: given } : given;
    const allowed = [...(methods.GET === undefined ? [] : ['GET', 'HEAD']), ...Object.keys(methods).filter((method) => method !== 'GET')];
    return async (request, response) => {
      noteForLog(request, { face: 'api', operation: name });
      try {
        const requester = await signIn.fromRequest(request);
        response.setHeader('Cache-Control', 'no-store');
        const method = request.method === 'HEAD' ? 'GET' : request.method;
        const run = Object.hasOwn(methods, method) ? methods[method as keyof Methods] : undefined;
        if (run === undefined) {
          const words = Object.keys(methods).join(', ').replace(/, ([A-Z]+)$/, ' and $1');
          response.status(405).set('Allow', allowed.join(', ')).json({ error: encodeError(new BridgeError('UNSUPPORTED', `only ${words} ${allowed.length > 2 ? 'are' : 'is'} answered here`)) });
          return;
        }
        const answer = await run(request, requester, contextFor(request, requester, 'json'), response);
        if (answer !== undefined) response.json(answer);
      } catch (thrown) {
        refuseJson(request, response, thrown);
      }
    };
  };
}
