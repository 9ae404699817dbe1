import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import { availability, events, fault, response } from './answer-text.ts';
import { contextWith, systemAt } from './ews-stub.ts';

/** What grommunio 3.10 was seen doing: a Fault with status 200, then an answer nobody asked for (ews-server-measured.md). */
const http = (body: string): string => `HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
const query = {
  mailboxes: ['anna@works.example' as MailboxAddress],
  window: { start: Date.parse('2026-06-01T09:00:00Z'), end: Date.parse('2026-06-01T11:00:00Z') },
  details: false,
};

describe('a server that answers one request twice', () => {
  const sockets: Socket[] = [];
  let requests = 0;
  const server = createServer((socket) => {
    sockets.push(socket);
    let received = '';
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      if (!received.includes('Envelope>')) return;
      received = '';
      requests += 1;
      const free = http(availability(response(events())));
      const busy = http(availability(response(events(['2026-06-01T09:00:00', '2026-06-01T09:30:00', 'Busy']))));
      // The stray answer says free: whoever takes it for the next question's double-books.
      socket.write(requests === 1 ? http(fault('ErrorInvalidRequest')) + free : busy);
    });
  });
  beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
  afterAll(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });

  it('does not get its second answer taken for the next question’s', async () => {
    const system = systemAt(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/EWS/Exchange.asmx`));
    const [first] = await system.freeBusy(query, contextWith());
    expect(first).toHaveProperty('error');
    const [second] = await system.freeBusy(query, contextWith());
    expect(second).toMatchObject({ freeBusy: { busy: [{ busyType: 'busy' }] } });
  });
});
