import type { Request, RequestHandler } from 'express';
import { BridgeError } from '../../core/errors.ts';
import { isOwnHost } from '../../platform/http-server/own-host.ts';
import { encodeError, refuseJson } from '../../platform/http-server/refuse-json.ts';
import { noteForLog } from '../../platform/http-server/request-scope.ts';

/** Gives the answer's JSON. */
export type AdminOperation = (request: Request) => Promise<unknown>;

/** What a path of the admin listener does, by method; HEAD is GET. */
export type AdminMethods = Readonly<Partial<Record<'GET' | 'POST' | 'PUT' | 'DELETE', AdminOperation>>>;

/** Makes handlers that look at the Host first. What they throw is refused as JSON. @param hosts see AdminServices */
export function adminHandler(name: string, methods: AdminMethods, hosts: readonly string[]): RequestHandler {
  const allowed = Object.keys(methods);
  return async (request, response) => {
    noteForLog(request, { face: 'admin', operation: name });
    try {
      if (!isOwnHost(request, hosts)) throw new BridgeError('ACCESS_DENIED', 'this host name is not that of the admin listener');
      response.setHeader('Cache-Control', 'no-store');
      const method = request.method === 'HEAD' ? 'GET' : request.method;
      const run = Object.hasOwn(methods, method) ? methods[method as keyof AdminMethods] : undefined;
      if (run !== undefined) response.json(await run(request));
      else response.status(405).set('Allow', allowed.join(', ')).json({ error: encodeError(new BridgeError('UNSUPPORTED', `only ${allowed.join(', ')} is answered here`)) });
    } catch (thrown) {
      refuseJson(request, response, thrown);
    }
  };
}
