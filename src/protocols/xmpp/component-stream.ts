import { createHash } from 'node:crypto';
import { SECOND_MS } from '../../core/clock.ts';
import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { untilAborted } from '../../core/until-aborted.ts';
import { attribute } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { StanzaReader } from '../../platform/xml/stanza-reader.ts';
import { xml } from '../../platform/xml/write.ts';
import type { XmlText } from '../../platform/xml/write.ts';
import { openStream } from '../../platform/stream-connection.ts';
import { connectionFailure, notForComponents, streamFailure } from './failure.ts';
import { COMPONENT_NS, STREAM_NS } from './names.ts';

/** A component of a server (XEP-0114). */
export interface ComponentAccount {
  /** The component's own domain. */
  readonly component: string;
  /** Host: a name, or an address without brackets. */
  readonly server: { readonly host: string; readonly port: number };
  readonly secret: string;
}

/** How long the other side may take to read what was written last. */
const FAREWELL_MS = SECOND_MS;

type OnStanza = (stanza: XmlElement, stream: ComponentStream) => void;
type Socket = Awaited<ReturnType<typeof openStream>>;

/** One connection of a component, from its handshake to its end. */
export class ComponentStream {
  readonly #socket: Socket;
  readonly #reader: StanzaReader;
  readonly #onStanza: OnStanza;
  readonly #blanks: NodeJS.Timeout;
  readonly #shaken: Promise<void>;
  /** Resolves with why it is over; never rejects. */
  readonly ended: Promise<BridgeError>;
  #shake = (): void => undefined;
  #refuse = (_why: BridgeError): void => undefined;
  #tellEnd = (_why: BridgeError): void => undefined;
  #isOnline = false;
  #isEnded = false;
  /** Chunks that came; whoever waits can tell whether the server has said anything since. */
  heard = 0;

  private constructor(socket: Socket, { component, secret }: ComponentAccount, onStanza: OnStanza) {
    this.#socket = socket;
    this.#onStanza = onStanza;
    this.#reader = new StanzaReader(
      {
        opened: (root, contentNs) => this.#opened(root, contentNs, secret),
        // Logins and logouts of everybody, where the component may see them, are passed over unbuilt.
        wants: (name) => name !== 'presence',
        stanza: (element) => this.#stanza(element),
        closed: () => this.#end(closedFailure()),
      },
      LIMITS.presenceXmppStanzaBytes,
    );
    this.ended = new Promise((resolve) => (this.#tellEnd = resolve));
    this.#shaken = new Promise((resolve, reject) => {
      this.#shake = resolve;
      this.#refuse = reject;
    });
    // Only `open` waits for it.
    this.#shaken.catch(() => undefined);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', (error) => this.#end(connectionFailure(error)));
    socket.on('close', () => this.#end(closedFailure()));
    this.#blanks = setInterval(() => this.#write(' '), LIMITS.presenceXmppBlankMs).unref();
    this.#write(`<?xml version="1.0"?><stream:stream xmlns="${COMPONENT_NS}" xmlns:stream="${STREAM_NS}" to="${xml`${component}`.text}">`);
  }

  /**
   * Connects, opens the stream and shakes hands.
   *
   * @param onStanza every stanza but presence, from the handshake on; those that come with it are told before this resolves
   * @throws BridgeError BACKEND_UNREACHABLE, BACKEND_BUSY (connected already), DEADLINE: temporary; BACKEND_AUTH (secret, component), CONFIGURATION (not a port for components), BACKEND_MALFORMED (no XMPP at all)
   */
  static async open(account: ComponentAccount, onStanza: OnStanza, signal: AbortSignal): Promise<ComponentStream> {
    const socket = await openStream({ ...account.server, timeoutMs: LIMITS.presenceXmppOpenMs, signal }).catch((error: unknown) => {
      throw connectionFailure(error);
    });
    const stream = new ComponentStream(socket, account, onStanza);
    try {
      await untilAborted(stream.#shaken, signal, LIMITS.presenceXmppOpenMs);
    } catch (error) {
      stream.close();
      throw error;
    }
    return stream;
  }

  /** @throws BridgeError BACKEND_UNREACHABLE where it is over, BACKEND_BUSY where too much waits to be sent; both temporary */
  send(stanza: XmlText): void {
    if (this.#isEnded) throw closedFailure();
    if (!this.hasRoom) throw new BridgeError('BACKEND_BUSY', 'the XMPP server does not take what is sent', { temporary: true });
    this.#write(stanza.text);
  }

  get hasRoom(): boolean {
    return this.#socket.writableLength < LIMITS.presenceXmppSendBytes;
  }

  /** Takes leave, as far as that goes at once. Safe to call twice. */
  close(): void {
    if (!this.#isEnded) this.#write('</stream:stream>');
    this.#end(closedFailure());
  }

  #write(text: string): void {
    if (!this.#socket.destroyed && this.#socket.writable) this.#socket.write(text);
  }

  #read(chunk: Buffer): void {
    this.heard++;
    try {
      this.#reader.write(chunk);
    } catch (error) {
      this.#end(new BridgeError('BACKEND_MALFORMED', this.#isOnline ? 'the XMPP server’s stream cannot be read' : 'what answers there is no XMPP server', { temporary: true, cause: error, details: { reason: error instanceof Error ? error.message : 'unreadable' } }));
    }
  }

  #opened(root: XmlElement, contentNs: string | undefined, secret: string): void {
    const id = attribute(root, 'id');
    if (root.name !== 'stream' || root.ns !== STREAM_NS) this.#end(new BridgeError('BACKEND_MALFORMED', 'what answers there is no XMPP server', { temporary: true }));
    // Prosody's port for clients says `host-unknown` behind it, which would be misleading.
    else if (contentNs !== undefined && contentNs !== COMPONENT_NS) this.#end(notForComponents(contentNs.slice(0, LIMITS.presenceXmppWordsCharacters)));
    // A stream that Prosody will not have begins with an empty id; why comes behind it.
    else if (id !== undefined && id !== '') this.#write(`<handshake>${createHash('sha1').update(id + secret).digest('hex')}</handshake>`);
  }

  #stanza(element: XmlElement): void {
    if (this.#isEnded) return;
    if (element.name === 'error' && element.ns === STREAM_NS) this.#end(streamFailure(element));
    else if (this.#isOnline) this.#onStanza(element, this);
    else if (element.name === 'handshake') {
      this.#isOnline = true;
      this.#shake();
    }
  }

  #end(why: BridgeError): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#reader.end();
    clearInterval(this.#blanks);
    this.#refuse(why);
    this.#tellEnd(why);
    // A farewell still goes out, where the other side reads.
    this.#socket.destroySoon();
    setTimeout(() => this.#socket.destroy(), FAREWELL_MS).unref();
  }
}

function closedFailure(): BridgeError {
  return new BridgeError('BACKEND_UNREACHABLE', 'the XMPP server closed the connection', { temporary: true });
}
