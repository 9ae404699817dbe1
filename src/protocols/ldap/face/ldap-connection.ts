import { BridgeError, toBridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import { OVER } from '../../../core/over.ts';
import type { Requester } from '../../../core/request-context.ts';
import { placeOf } from '../../../platform/http-server/note-refusal.ts';
import type { ByteStream } from '../../../platform/stream-server/byte-stream.ts';
import { OPERATION, RESULT, START_TLS } from '../names.ts';
import { bind } from './bind.ts';
import { compare } from './compare.ts';
import { parseDn } from './distinguished-name.ts';
import { MessageFrames } from './message-frames.ts';
import { unknownCriticalControl } from './operation.ts';
import type { Answer, OperationContext } from './operation.ts';
import { NAME_OF, READ_ONLY, RESPONSE_OF, abandonedId, extended, extendedNameOf } from './other-operations.ts';
import { PagedSearches } from './paged-results.ts';
import { decodeControls, decodeRequestMessage } from './request-message.ts';
import type { RequestMessage } from './request-message.ts';
import { resultOf } from './result-code.ts';
import { encodeNoticeOfDisconnection, encodeResultMessage } from './result-message.ts';
import { search } from './search.ts';
import type { LdapFaceServices } from './services.ts';

/**
 * One client's connection: cuts what comes into messages, answers them, keeps who has bound and what is under way. Searches run beside each other; a bind and StartTLS stand alone, as
 * RFC 4511 §4.2.1 and §4.14 want. What cannot be read ends the connection with a notice.
 */
export class LdapConnection {
  readonly #stream: ByteStream;
  readonly #services: () => LdapFaceServices;
  readonly #frames = new MessageFrames();
  readonly #underWay = new Map<number, AbortController>();
  readonly #pagedSearches: PagedSearches;
  /** Octets that came and are not looked at yet; at most one chunk while reading is paused. */
  #waiting: Buffer[] = [];
  #isWorking = false;
  #requester: Requester | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timerIsFor: 'message' | 'idle' | undefined;
  #isEnding = false;
  /** What is said when everything under way has ended. */
  #farewell: Answer | undefined;
  readonly closed: Promise<void>;

  constructor(stream: ByteStream, services: () => LdapFaceServices) {
    this.#stream = stream;
    this.#services = services;
    this.#pagedSearches = new PagedSearches({ now: () => services().clock.now() });
    this.closed = new Promise((resolve) =>
      stream.read({
        data: (chunk) => this.#take(chunk),
        close: () => {
          clearTimeout(this.#timer);
          this.#isEnding = true;
          this.#waiting = [];
          this.#abandonAll();
          resolve();
        },
      }),
    );
    this.#expect();
  }

  /** Whether somebody has signed in on it. */
  get isBound(): boolean {
    return this.#requester !== undefined;
  }

  /** Takes no more requests, lets what is under way end, then says that it is over. */
  retire(reason: string): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#stream.pause();
    this.#waiting = [];
    this.#farewell = { code: RESULT.unavailable, message: reason };
    this.#endWhenIdle();
  }

  destroy(): void {
    this.#stream.destroy();
  }

  /** Closes it at once where nothing is lost by that: nobody has signed in, nothing is under way. @param address only where it comes from there @returns whether it did */
  giveUp(address: string | undefined): boolean {
    if (this.#isEnding || this.isBound || this.#isWorking || this.#underWay.size > 0 || (address !== undefined && this.#stream.address !== address)) return false;
    this.#isEnding = true;
    this.#stream.destroy();
    return true;
  }

  #endWhenIdle(): void {
    if (this.#farewell === undefined || this.#isWorking || this.#underWay.size > 0) return;
    this.#stream.end(encodeNoticeOfDisconnection(this.#farewell));
    this.#stream.resume();
  }

  #take(chunk: Buffer): void {
    if (this.#isEnding) return;
    this.#waiting.push(chunk);
    // Nothing more is read while this is looked at: what a client sends before it has taken its answers stays in its own buffers.
    this.#stream.pause();
    if (!this.#isWorking) void this.#work();
  }

  async #work(): Promise<void> {
    this.#isWorking = true;
    try {
      for (let chunk = this.#waiting.shift(); chunk !== undefined && !this.#isEnding; chunk = this.#waiting.shift()) {
        for (let rest = chunk; rest.length > 0 && !this.#isEnding; ) {
          const { taken, message } = this.#frames.take(rest, this.isBound ? LIMITS.ldapMessageBytes : LIMITS.ldapMessageBytesBeforeBind);
          rest = rest.subarray(taken);
          if (message === undefined) continue;
          this.#timerIsFor = undefined;
          await this.#handle(decodeRequestMessage(message), rest.length);
        }
      }
    } catch (thrown) {
      this.#refuse(toBridgeError(thrown));
    }
    this.#isWorking = false;
    if (this.#farewell !== undefined) this.#endWhenIdle();
    else if (!this.#isEnding) {
      this.#expect();
      this.#stream.resume();
    }
  }

  async #handle(message: RequestMessage, restBytes: number): Promise<void> {
    const { id, operation, content } = message;
    switch (operation) {
      case OPERATION.unbindRequest:
        this.#isEnding = true;
        this.#stream.end();
        return;
      case OPERATION.abandonRequest:
        this.#underWay.get(abandonedId(content))?.abort(OVER);
        return;
      case OPERATION.bindRequest:
        // Whatever is under way was asked by somebody else (RFC 4511 §4.2.1).
        this.#abandonAll();
        this.#requester = undefined;
        this.#pagedSearches.clear();
        await this.#perform(message, () => this.#bind(message));
        return;
    }
    if (!RESPONSE_OF.has(operation)) throw new BridgeError('INVALID_REQUEST', 'no such operation');
    if (this.#underWay.has(id)) throw new BridgeError('INVALID_REQUEST', 'an operation with this id is under way');
    if (operation === OPERATION.extendedRequest) {
      const name = extendedNameOf(content);
      if (name === START_TLS) await this.#startTls(message, restBytes);
      else await this.#perform(message, async (context) => extended(name, context));
      return;
    }
    const done = this.#perform(message, async (context) => {
      const controls = decodeControls(message.controls);
      if (operation === OPERATION.searchRequest) return search(content, controls, context);
      if (operation === OPERATION.compareRequest) return compare(content, controls, context);
      return unknownCriticalControl(controls) === undefined ? READ_ONLY : { code: RESULT.unavailableCriticalExtension };
    });
    // One of them has to end before more is read.
    if (this.#underWay.size >= LIMITS.ldapOperationsPerConnection) await Promise.race([done, this.closed]);
    // An answer that is there at once is sent before the next request is looked at: a client that takes none is read no further.
    else await this.#stream.send(Buffer.alloc(0));
  }

  /** Runs an operation, sends its result, and writes its line in the log. */
  async #perform({ id, operation }: RequestMessage, run: (context: OperationContext) => Promise<(Answer & { readonly error?: BridgeError }) | undefined>): Promise<void> {
    const { clock, logger, metrics, directory, base, enter } = this.#services();
    // StartTLS is no work, and what follows it is not understood without it.
    const admitted = operation === OPERATION.extendedRequest ? undefined : enter?.();
    const startedAt = performance.now();
    const abandon = new AbortController();
    this.#underWay.set(id, abandon);
    const view = this.#requester === undefined ? undefined : { directory, requester: this.#requester, base, baseName: parseDn(base) ?? [] };
    const context: OperationContext = {
      id,
      view,
      base,
      offersStartTls: this.#stream.canStartTls,
      pagedSearches: this.#pagedSearches,
      clock,
      signal: abandon.signal,
      send: async (bytes) => this.#stream.send(bytes),
    };
    let answer: (Answer & { readonly error?: BridgeError }) | undefined;
    try {
      if (typeof admitted === 'string') throw new BridgeError('BACKEND_BUSY', 'busy: try again later', { temporary: true });
      answer = await run(context);
    } catch (thrown) {
      const error = toBridgeError(thrown);
      answer = { ...resultOf(error), error };
    }
    if (typeof admitted === 'function') admitted();
    if (!abandon.signal.aborted && answer !== undefined) {
      await this.#stream.send(encodeResultMessage(id, RESPONSE_OF.get(operation)!, answer, answer));
      const durationMs = Math.round(performance.now() - startedAt);
      metrics.request('ldap', answer.code, durationMs);
      const line = { face: 'ldap', operation: NAME_OF.get(operation), client: this.#requester?.name, address: this.#stream.address, status: answer.code, code: answer.error?.code, count: answer.count, durationMs };
      if (answer.error?.code === 'INTERNAL') logger.error({ ...line, stack: placeOf(answer.error.cause) }, 'request failed');
      else if (answer.error !== undefined) logger.warn(line, 'request refused');
      else logger.info(line, 'request');
    }
    if (this.#underWay.get(id) === abandon) this.#underWay.delete(id);
    this.#endWhenIdle();
    if (!this.#isWorking && !this.#isEnding) this.#expect();
  }

  async #bind(message: RequestMessage): Promise<Answer & { readonly error?: BridgeError }> {
    if (unknownCriticalControl(decodeControls(message.controls)) !== undefined) return { code: RESULT.unavailableCriticalExtension };
    const services = this.#services();
    const { signIn, base } = services;
    const { address, isTls, isLoopback } = this.#stream;
    const bound = await bind(message.content, { signIn, baseName: parseDn(base) ?? [], address, isConfidential: isTls || isLoopback });
    // Whoever that was may be nobody now.
    if (this.#services() !== services) return { code: RESULT.busy, message: 'the configuration has changed meanwhile: bind again' };
    this.#requester = bound.requester;
    return bound.error === undefined ? bound.result : { ...bound.result, error: bound.error };
  }

  /** RFC 4511 §4.14: nothing may be under way, and what came in the same breath was not said under TLS by whoever speaks then. */
  async #startTls(message: RequestMessage, restBytes: number): Promise<void> {
    const isAlone = this.#underWay.size === 0;
    const can = this.#stream.canStartTls && isAlone && restBytes === 0 && this.#waiting.length === 0;
    const refusal: Answer = this.#stream.isTls || !isAlone ? { code: RESULT.operationsError, message: 'TLS cannot begin now' } : { code: RESULT.protocolError, message: 'no TLS here' };
    if (this.#stream.canStartTls && isAlone && !can) throw new BridgeError('INVALID_REQUEST', 'something came behind StartTLS');
    await this.#perform(message, async () => (can ? { code: RESULT.success, responseName: START_TLS } : refusal));
    if (!can) return;
    this.#requester = undefined;
    clearTimeout(this.#timer);
    try {
      await this.#stream.startTls();
    } catch {
      // The listener has said in the log what was wrong.
      this.#isEnding = true;
      this.#stream.destroy();
    }
  }

  /** Cannot be read on: says so and ends. */
  #refuse(error: BridgeError): void {
    const { logger, metrics } = this.#services();
    this.#isEnding = true;
    this.#waiting = [];
    this.#abandonAll();
    const result = error.code === 'BODY_TOO_LARGE' ? { code: RESULT.protocolError, message: error.publicMessage } : resultOf(error);
    metrics.request('ldap', result.code, 0);
    logger.warn({ face: 'ldap', client: this.#requester?.name, address: this.#stream.address, status: result.code, code: error.code, reason: error.publicMessage, ...(error.code === 'INTERNAL' ? { stack: placeOf(error.cause) } : {}) }, 'a connection was ended');
    this.#stream.end(encodeNoticeOfDisconnection(result));
    // What is still on its way is let go, or the client never sees why.
    this.#stream.resume();
  }

  #abandonAll(): void {
    for (const abandon of this.#underWay.values()) abandon.abort(OVER);
    this.#underWay.clear();
  }

  /** Sets how long the next octets may take: a message that has begun must be whole in time, however slowly its octets come. */
  #expect(): void {
    const isFor = this.#frames.isWithinMessage ? 'message' : 'idle';
    if (isFor === 'message' && this.#timerIsFor === 'message') return;
    clearTimeout(this.#timer);
    this.#timerIsFor = isFor;
    const ms = isFor === 'message' ? LIMITS.ldapMessageMs : this.isBound ? LIMITS.ldapIdleMs : LIMITS.ldapIdleBeforeBindMs;
    this.#timer = setTimeout(() => {
      this.#timerIsFor = undefined;
      if (this.#underWay.size > 0 && isFor === 'idle') return;
      this.retire(isFor === 'message' ? 'a request did not become whole' : 'nothing was asked for a long time');
    }, ms);
    this.#timer.unref();
  }
}
