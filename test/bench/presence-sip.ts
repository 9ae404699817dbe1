import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import type { ShownPresence } from '../../src/presence/presence.ts';
import { memoryTexts } from '../../src/presence/publisher.ts';
import { SipPublisher } from '../../src/protocols/sip/publisher.ts';
import { startKamailio } from '../peers/kamailio.ts';
import { median, ratios, spread } from './statistics.ts';
import { goal, table } from './table.ts';

const MAILBOXES = Number(process.env['SIP_MAILBOXES'] ?? 1_000);
const ROUNDS = 5;
const CONCURRENCY = 32;
const GOAL_RATIO = 0.5;
/** Cisco's users / 100 for the 7,500 that one of its servers takes in a minute (presence.md §E). */
const GOAL_PER_SECOND = 125;

/** Figure: changes a second through SipPublisher to a real Kamailio over UDP, beside a bare sender of the same messages; every change is a new document by the tag of the one before. Needs Debian's kamailio with its presence modules. */
export async function presenceSip(): Promise<string> {
  const kamailio = await startKamailio({ children: 4, sharedMemoryMiB: 1_024 });
  const memory = memoryTexts();
  const publisher = new SipPublisher({ server: { host: kamailio.host, port: kamailio.port, transport: 'udp' }, expiresMs: 3_600_000, memory, clock: systemClock, logger: silentLogger });
  try {
    publisher.start(() => undefined);
    const bare = await BareSender.to(kamailio.port);
    const signal = new AbortController().signal;
    const [ours, reference]: [number[], number[]] = [[], []];
    const used = process.memoryUsage().heapUsed;
    for (let round = 0; round <= ROUNDS; round++) {
      const shown = state(round);
      const bareRate = await rate((index) => bare.publish(`bare${index}@corp.example`, round));
      const ourRate = await rate((index) => publisher.publish(`ours${index}@corp.example` as MailboxAddress, shown, signal));
      // The first round makes the publications.
      if (round === 0) continue;
      reference.push(bareRate);
      ours.push(ourRate);
    }
    const bytes = (process.memoryUsage().heapUsed - used) / (2 * MAILBOXES);
    bare.close();
    const ratio = ratios(ours, reference);
    return [
      `10. SIP: changes of ${MAILBOXES.toLocaleString('en')} mailboxes at a Kamailio over UDP, ${CONCURRENCY} at a time, ${ROUNDS} rounds`,
      table([
        ['', 'changes/s', 'of the bare sender’s'],
        ['bare sender, the same PUBLISH', spread(reference, 0), '1'],
        ['SipPublisher', spread(ours, 0), spread(ratio, 2)],
      ]),
      goal(`changes/s of the bare sender's ≥ ${GOAL_RATIO}`, spread(ratio, 2), median(ratio) >= GOAL_RATIO),
      goal(`changes/s ≥ ${GOAL_PER_SECOND}, 7,500 in a minute`, spread(ours, 0), median(ours) >= GOAL_PER_SECOND),
      `  memory in this process, bare and ours together, a mailbox: ${bytes.toFixed(0)} bytes (not collected before it was read)`,
    ].join('\n');
  } finally {
    await publisher.close();
    await kamailio.close();
  }
}

function state(round: number): ShownPresence {
  const now = Date.now();
  const isMeeting = round % 2 === 0;
  return { state: isMeeting ? 'in-a-meeting' : 'available', until: isMeeting ? now + 3_600_000 : null, reason: 'calendar', since: now, next: null, text: isMeeting ? 'In a meeting' : '', language: 'en' };
}

async function rate(publish: (index: number) => Promise<void>): Promise<number> {
  let next = 0;
  const began = performance.now();
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      for (let index = next++; index < MAILBOXES; index = next++) await publish(index);
    }),
  );
  return MAILBOXES / ((performance.now() - began) / 1_000);
}

/** The least that can send a PUBLISH and keep its tag: templates, no transactions, answers told apart by Call-ID. */
class BareSender {
  readonly #socket: Socket;
  readonly #tags = new Map<string, string>();
  readonly #waiting = new Map<string, (answer: string) => void>();
  readonly #port: number;
  #calls = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#port = socket.address().port;
    socket.on('message', (datagram) => {
      const answer = datagram.toString();
      const callId = /^Call-ID: (\S+)/im.exec(answer)?.[1] ?? '';
      this.#waiting.get(callId)?.(answer);
      this.#waiting.delete(callId);
    });
  }

  static async to(port: number): Promise<BareSender> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.connect(port, '127.0.0.1', () => resolve()));
    socket.setRecvBufferSize(1024 * 1024);
    return new BareSender(socket);
  }

  async publish(user: string, round: number): Promise<void> {
    const call = `bare${++this.#calls}`;
    const tag = this.#tags.get(user);
    const isMeeting = round % 2 === 0;
    const person = isMeeting ? `<dm:person id="p"><r:activities until="2026-03-02T10:00:00Z"><r:meeting/></r:activities><dm:timestamp>2026-03-02T09:00:00Z</dm:timestamp></dm:person>` : '';
    const namespaces = isMeeting ? ' xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" xmlns:r="urn:ietf:params:xml:ns:pidf:rpid"' : '';
    const document = `<?xml version="1.0" encoding="utf-8"?><presence xmlns="urn:ietf:params:xml:ns:pidf"${namespaces} entity="sip:${user}"><tuple id="t"><status><basic>open</basic></status>${isMeeting ? '<note xml:lang="en">In a meeting</note>' : ''}<timestamp>2026-03-02T09:00:00Z</timestamp></tuple>${person}</presence>`;
    const answer = new Promise<string>((resolve) => this.#waiting.set(call, resolve));
    this.#socket.send(
      `PUBLISH sip:${user} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:${this.#port};branch=z9hG4bK${call}\r\nMax-Forwards: 70\r\nFrom: <sip:${user}>;tag=${call}\r\nTo: <sip:${user}>\r\nCall-ID: ${call}\r\nCSeq: 1 PUBLISH\r\nEvent: presence\r\nExpires: 3600\r\n${tag === undefined ? '' : `SIP-If-Match: ${tag}\r\n`}Content-Type: application/pidf+xml\r\nContent-Length: ${Buffer.byteLength(document)}\r\n\r\n${document}`,
    );
    const text = await answer;
    const next = /^SIP-ETag: (\S+)/im.exec(text)?.[1];
    if (next === undefined) throw new Error(text.split('\r\n')[0]);
    this.#tags.set(user, next);
  }

  close(): void {
    this.#socket.close();
  }
}
