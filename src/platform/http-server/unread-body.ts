import type { IncomingMessage, ServerResponse } from 'node:http';
import { LIMITS } from '../../core/limits.ts';

/**
 * Bounds what is still read of a request that has its answer already, like the body sent along with a first, unsigned try. Node reads such a
 * body off and throws it away, to use the connection again, without any bound (300 MB were read after a 401). Closing at once would
 * break an NTLM handshake, whose first requests carry their body too (curl does so).
 */
export function boundUnreadBody(request: IncomingMessage, response: ServerResponse): void {
  response.once('finish', () => {
    const { socket } = request;
    if (request.complete || socket.destroyed) return;
    const answeredAt = socket.bytesRead;
    const watch = setInterval(() => {
      const isOver = request.complete || socket.destroyed;
      if (!isOver && socket.bytesRead - answeredAt > LIMITS.requestBodyBytes) socket.destroy();
      if (isOver || socket.destroyed) clearInterval(watch);
    }, LIMITS.unreadBodyLooksMs);
    watch.unref();
  });
}
