import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';

/** What a watcher was shown: the seconds left, and the document; empty where the NOTIFY had none. */
export interface Shown {
  readonly document: string;
  readonly subscriptionState: string;
}

/** A raw watcher over UDP, written for tests and with nothing of ours: subscribes to one user and answers every NOTIFY. */
export class SipWatcher {
  readonly #socket: Socket;
  readonly #waiting = new Set<() => void>();
  readonly shown: Shown[] = [];
  /** Every document so far, those that were waited for among them. */
  readonly documents: string[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (datagram) => this.#received(datagram.toString()));
  }

  /** @param user `anna@corp.example` */
  static async watch(port: number, user: string): Promise<SipWatcher> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.connect(port, '127.0.0.1', () => resolve()));
    const watcher = new SipWatcher(socket);
    const ours = `127.0.0.1:${socket.address().port}`;
    const lines = [`SUBSCRIBE sip:${user} SIP/2.0`, `Via: SIP/2.0/UDP ${ours};branch=z9hG4bK${unique()}`, 'Max-Forwards: 70', 'From: <sip:bob@corp.example>;tag=bob', `To: <sip:${user}>`, `Call-ID: ${unique()}`, 'CSeq: 1 SUBSCRIBE', `Contact: <sip:bob@${ours}>`, 'Event: presence', 'Accept: application/pidf+xml', 'Expires: 600', 'Content-Length: 0', '', ''];
    socket.send(lines.join('\r\n'));
    // The first NOTIFY says what there is now.
    await watcher.sees(() => true);
    return watcher;
  }

  /** Waits for a NOTIFY after those that were waited for, whose document is like that. */
  sees(what: (document: string) => boolean): Promise<Shown> {
    return new Promise((resolve) => {
      const look = (): void => {
        const at = this.shown.findIndex((one) => what(one.document));
        if (at < 0) return;
        const [found] = this.shown.splice(0, at + 1).slice(-1);
        this.#waiting.delete(look);
        resolve(found!);
      };
      this.#waiting.add(look);
      look();
    });
  }

  close(): void {
    this.#socket.close();
  }

  #received(text: string): void {
    if (!text.startsWith('NOTIFY ')) return;
    const [head = '', document = ''] = text.split('\r\n\r\n');
    const copied = head.split('\r\n').filter((line) => /^(?:via|from|to|call-id|cseq):/i.test(line));
    this.#socket.send(['SIP/2.0 200 OK', ...copied, 'Content-Length: 0', '', ''].join('\r\n'));
    this.documents.push(document);
    this.shown.push({ document, subscriptionState: /^subscription-state: (.*)$/im.exec(head)?.[1]?.trim() ?? '' });
    for (const look of [...this.#waiting]) look();
  }
}

/** A telephone that publishes a state of its own for the same user, as one message. */
export async function publishAsTelephone(port: number, user: string): Promise<void> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.connect(port, '127.0.0.1', () => resolve()));
  const document = `<?xml version="1.0"?><presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:${user}"><tuple id="telephone"><status><basic>open</basic></status><contact>sip:${user}</contact></tuple></presence>`;
  const lines = [`PUBLISH sip:${user} SIP/2.0`, `Via: SIP/2.0/UDP 127.0.0.1:${socket.address().port};branch=z9hG4bK${unique()}`, 'Max-Forwards: 70', `From: <sip:${user}>;tag=telephone`, `To: <sip:${user}>`, `Call-ID: ${unique()}`, 'CSeq: 1 PUBLISH', 'Event: presence', 'Expires: 600', 'Content-Type: application/pidf+xml', `Content-Length: ${document.length}`, '', document];
  const answer = new Promise<string>((resolve) => socket.once('message', (datagram) => resolve(datagram.toString())));
  socket.send(lines.join('\r\n'));
  const status = (await answer).split('\r\n')[0]!;
  socket.close();
  if (!status.startsWith('SIP/2.0 200')) throw new Error(status);
}

function unique(): string {
  return Math.random().toString(36).slice(2) + Math.random().toString(36).slice(2);
}
