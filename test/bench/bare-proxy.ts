import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import express from 'express';
import { Agent, request as send } from 'undici';
import { answerMessages } from './child-process.ts';

/** Where the reference sends what; `many` are the two requests of the large lookup. */
export interface ProxyWork {
  readonly upstream: string;
  readonly one: string;
  readonly many: readonly string[];
}

/**
 * The reference: the least that any bridge on this stack must do. It takes the same GET, posts the same body to the same
 * upstream over as many kept-alive connections, and pipes the answer back unread.
 */
answerMessages(async ({ upstream, one, many }: ProxyWork) => {
  const dispatcher = new Agent({ connections: 32, pipelining: 1 });
  const post = (body: string) =>
    send(upstream, { method: 'POST', body, dispatcher, headers: { 'content-type': 'text/xml; charset=utf-8', authorization: 'Basic YmVuY2g6YmVuY2g=' } });
  const app = express();
  app.get('/public/', async (_request, response) => {
    const answer = await post(one);
    response.status(answer.statusCode).set('Content-Type', 'text/xml').set('Content-Length', String(answer.headers['content-length']));
    await pipeline(answer.body, response);
  });
  app.get('/many', async (_request, response) => {
    const texts = await Promise.all(many.map(async (body) => (await post(body)).body.text()));
    response.type('text/xml').send(texts.join('\n'));
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port };
});
