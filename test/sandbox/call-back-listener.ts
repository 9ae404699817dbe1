import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a client that was subscribed by push is told, and what it answers. */
export interface CallBackListener {
  readonly url: string;
  /** Bodies in the order in which they came; those already taken too. */
  readonly bodies: readonly string[];
  /** The next body that was not taken yet. */
  next(): Promise<string>;
  /** What is answered from now on: a SubscriptionStatus, or a status code. */
  answerWith(what: 'OK' | 'Unsubscribe' | number): void;
  close(): Promise<void>;
}

export async function startCallBackListener(): Promise<CallBackListener> {
  const bodies: string[] = [];
  const waiting: ((body: string) => void)[] = [];
  let taken = 0;
  let answer: 'OK' | 'Unsubscribe' | number = 'OK';
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.concat(parts).toString('utf8');
      response.statusCode = typeof answer === 'number' ? answer : 200;
      response.setHeader('Content-Type', 'text/xml');
      response.end(typeof answer === 'number' ? '' : `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><m:SendNotificationResult xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"><m:SubscriptionStatus>${answer}</m:SubscriptionStatus></m:SendNotificationResult></s:Body></s:Envelope>`);
      bodies.push(body);
      if (waiting.length > 0) {
        taken++;
        waiting.shift()!(body);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/a-token`,
    bodies,
    next: () => (taken < bodies.length ? Promise.resolve(bodies[taken++]!) : new Promise((resolve) => waiting.push(resolve))),
    answerWith(what) {
      answer = what;
    },
    close: () => new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  };
}
