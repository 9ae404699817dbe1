import { Duplex } from 'node:stream';
import { BridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import { connectionFailure } from './failure.ts';
import { MessageFrames } from './message-frames.ts';
import { readMessageShape } from './message-shape.ts';

/** What this needs of a socket, plain or in TLS. */
export interface ByteStream extends Duplex {
  setTimeout(ms: number, heard?: () => void): unknown;
}

/**
 * What ldapts takes for its socket: an open connection that gives one whole and well-formed message at a time. ldapts itself keeps whatever comes until a message of
 * any length is whole, joins it anew with every packet, and calls itself for every further message in one; a hostile server would hold or end the bridge.
 */
export class MessageSocket extends Duplex {
  /** ldapts asks for these to see that the connection is open already. */
  readonly connecting = false;
  readonly readyState = 'open';
  readonly #stream: ByteStream;
  readonly #frames = new MessageFrames();
  #answerBytes = 0;
  #answerEntries = 0;
  /** Of the last result of a search; empty where it was the last page, or where the server does not page. */
  cookie: Buffer = Buffer.alloc(0);
  /** Why it ended; undefined while it is open. */
  failure: BridgeError | undefined;

  constructor(stream: ByteStream) {
    super({ allowHalfOpen: false, autoDestroy: true });
    this.#stream = stream;
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
    stream.on('error', (error: Error) => this.fail(connectionFailure(error)));
    stream.on('close', () => this.fail(new BridgeError('BACKEND_UNREACHABLE', 'the directory closed the connection', { temporary: true, details: { reason: 'ECONNRESET' } })));
  }

  /** Ends the connection; whoever waits for an answer learns why. */
  fail(error: BridgeError): void {
    this.failure ??= error;
    this.destroy();
  }

  /**
   * Gives the plain stream back, to go on in TLS; this one is of no use then.
   *
   * @throws BridgeError BACKEND_TLS where something came already that would be read as if it had come in TLS
   */
  release(): ByteStream {
    if (this.#frames.held > 0) throw new BridgeError('BACKEND_TLS', 'somebody spoke between STARTTLS and TLS');
    this.#stream.removeAllListeners('data').removeAllListeners('error').removeAllListeners('close');
    this.removeAllListeners();
    return this.#stream;
  }

  /** Before every question: what its answer may hold is counted from here. */
  beginAnswer(): void {
    this.#answerBytes = 0;
    this.#answerEntries = 0;
    this.cookie = Buffer.alloc(0);
  }

  #take(chunk: Buffer): void {
    try {
      for (const message of this.#frames.push(chunk)) {
        if (this.destroyed) return;
        const { kind, cookie } = readMessageShape(message);
        this.#answerBytes += message.length;
        if (kind === 'entry' && ++this.#answerEntries > LIMITS.ldapAnswerEntries) throw tooLarge('ldapAnswerEntries');
        if (this.#answerBytes > LIMITS.ldapAnswerBytes) throw tooLarge('ldapAnswerBytes');
        if (cookie !== undefined) this.cookie = cookie;
        // References to other servers are not followed (Active Directory gives three of them at the root), so nobody needs to keep them.
        if (kind !== 'reference') this.emit('data', message);
      }
    } catch (thrown) {
      this.fail(thrown instanceof BridgeError ? thrown : new BridgeError('INTERNAL', 'internal error', { cause: thrown }));
    }
  }

  override _read(): void {
    // Messages are given as events: what is read is asked for, and bounded by the answer's limits.
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: () => void): void {
    this.#stream.write(chunk, encoding, (error) => {
      // A connection that is gone shows here before it shows as closed.
      if (error) this.fail(connectionFailure(error));
      done();
    });
  }

  override _final(done: () => void): void {
    this.#stream.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#stream.destroy();
    // The reason is in `failure`: nobody has to listen for 'error'.
    done(error === null ? null : undefined);
  }
}

function tooLarge(limit: string): BridgeError {
  return new BridgeError('BACKEND_TOO_LARGE', 'the directory answers with more than is read at once', { details: { limit } });
}
