import { randomBytes } from 'node:crypto';
import { pauseAfter } from '../../core/back-off.ts';
import type { Clock } from '../../core/clock.ts';
import { BridgeError, toBridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Logger } from '../../core/logger.ts';
import { pause } from '../../core/pause.ts';
import { untilAborted } from '../../core/until-aborted.ts';
import { attribute } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { xml } from '../../platform/xml/write.ts';
import type { XmlText } from '../../platform/xml/write.ts';
import { ComponentStream } from './component-stream.ts';
import type { ComponentAccount } from './component-stream.ts';
import { stanzaFailure } from './failure.ts';
import { STANZA_ERROR_NS } from './names.ts';
import { decodePrivileges } from './privilege.ts';
import type { IqType, Privileges } from './privilege.ts';

export interface ComponentClientOptions extends ComponentAccount {
  readonly label: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Pending {
  readonly to: string;
  readonly answered: (stanza: XmlElement) => void;
  readonly failed: (error: BridgeError) => void;
}

/** One life of the connection. */
interface Session {
  readonly stream: ComponentStream;
  readonly since: number;
  /** By host. */
  readonly privileges: Map<string, Privileges>;
  /** Resolves when every host has had its time to tell. */
  readonly settled: Promise<void>;
  /** Called with every host that tells. */
  readonly waiting: Set<() => void>;
}

type State = { readonly is: 'connecting'; readonly session: Promise<Session> } | { readonly is: 'online'; readonly session: Session } | { readonly is: 'away'; readonly why: BridgeError; readonly until: number };

/** Keeps a component connected, remembers its privileges, and asks questions over it. */
export class ComponentClient {
  readonly #options: ComponentClientOptions;
  readonly #ids = randomBytes(6).toString('hex');
  readonly #pending = new Map<string, Pending>();
  readonly #over = new AbortController();
  #number = 0;
  #state: State | undefined;
  #turns: Promise<void> | undefined;

  constructor(options: ComponentClientOptions) {
    this.#options = options;
  }

  /** Connects, and again whenever the connection has ended; returns at once. @param onAgain connected again, from the second time on */
  start(onAgain: () => void): void {
    if (this.#over.signal.aborted) return;
    this.#turns ??= this.#stayConnected(onAgain);
  }

  get isOnline(): boolean {
    return this.#state?.is === 'online';
  }

  /** Whether any host of the present connection grants that. */
  isGranted(namespace: string, type: IqType): boolean {
    return this.#state?.is === 'online' && [...this.#state.session.privileges.values()].some(({ iq }) => iq.get(namespace)?.has(type) === true);
  }

  /**
   * What a host lets us do; undefined where it has said nothing within its time.
   *
   * @throws BridgeError why there is no connection
   */
  async privilegesOf(host: string, signal: AbortSignal): Promise<Privileges | undefined> {
    const session = await this.#session(signal);
    const isOver = session.privileges.has(host) ? undefined : session.settled.then(() => true);
    for (;;) {
      const known = session.privileges.get(host);
      if (known !== undefined || isOver === undefined) return known;
      let told = (): void => undefined;
      const again = new Promise<boolean>((resolve) => (told = () => resolve(false)));
      session.waiting.add(told);
      const ended = await untilAborted(Promise.race([again, isOver]), signal).finally(() => session.waiting.delete(told));
      if (ended) {
        this.#tryAnew(session);
        return session.privileges.get(host);
      }
    }
  }

  /** Every host that has told its privileges, when all have had their time to. @throws BridgeError why there is no connection */
  async hosts(signal: AbortSignal): Promise<ReadonlyMap<string, Privileges>> {
    const session = await this.#session(signal);
    await untilAborted(session.settled, signal);
    return session.privileges;
  }

  /**
   * Sends an IQ that `write` makes with the id given to it, and gives its result.
   *
   * @throws BridgeError what the answer's error says; DEADLINE, BACKEND_BUSY and why there is no connection
   */
  async ask(to: string, write: (id: string) => XmlText, signal: AbortSignal): Promise<XmlElement> {
    const { stream } = await this.#session(signal);
    if (this.#pending.size >= LIMITS.presenceXmppPending) throw new BridgeError('BACKEND_BUSY', 'too many questions wait for the XMPP server', { temporary: true });
    const id = `${this.#ids}-${++this.#number}`;
    const heard = stream.heard;
    const answer = new Promise<XmlElement>((resolve, reject) => {
      this.#pending.set(id, { to, answered: resolve, failed: reject });
    });
    try {
      stream.send(write(id));
      const stanza = await untilAborted(answer, signal, LIMITS.presenceXmppAnswerMs);
      if (attribute(stanza, 'type') === 'error') throw stanzaFailure(stanza);
      return stanza;
    } catch (error) {
      // Nothing at all has come for so long: the server hangs, or the way to it is gone.
      if (error instanceof BridgeError && error.code === 'DEADLINE' && !signal.aborted && stream.heard === heard) stream.close();
      throw error;
    } finally {
      this.#pending.delete(id);
      answer.catch(() => undefined);
    }
  }

  /** Safe to call twice. */
  async close(): Promise<void> {
    this.#over.abort();
    if (this.#state?.is === 'online') this.#state.session.stream.close();
    await this.#turns;
    this.#state = undefined;
  }

  async #session(signal: AbortSignal): Promise<Session> {
    const state = this.#state;
    if (state === undefined) throw new BridgeError('BACKEND_UNREACHABLE', 'not connected to the XMPP server', { temporary: true });
    if (state.is === 'online') return state.session;
    if (state.is === 'connecting') return untilAborted(state.session, signal);
    const { why, until } = state;
    throw new BridgeError(why.code, why.publicMessage, { temporary: why.temporary, details: why.details, cause: why, ...(why.temporary ? { retryAfterMs: Math.max(0, until - this.#options.clock.now()) } : {}) });
  }

  async #stayConnected(onAgain: () => void): Promise<void> {
    const { label, clock, logger } = this.#options;
    const signal = this.#over.signal;
    const line = { protocol: 'xmpp', address: label } as const;
    let failures = 0;
    let hasBeenOnline = false;
    while (!signal.aborted) {
      let why: BridgeError;
      let wasSteady = false;
      try {
        const opening = this.#open(signal);
        opening.catch(() => undefined);
        this.#state = { is: 'connecting', session: opening };
        const session = await opening;
        this.#state = { is: 'online', session };
        logger.info(line, 'connected to the XMPP server');
        if (hasBeenOnline) onAgain();
        hasBeenOnline = true;
        why = await session.stream.ended;
        wasSteady = clock.now() - session.since >= LIMITS.presenceXmppSteadyMs;
      } catch (error) {
        why = toBridgeError(error);
      }
      for (const { failed } of this.#pending.values()) failed(why);
      if (signal.aborted) return;
      failures = wasSteady ? 1 : failures + 1;
      const pauseMs = why.temporary ? pauseAfter(failures, LIMITS.presenceXmppPauses) : LIMITS.presenceXmppRefusedMs;
      this.#state = { is: 'away', why, until: clock.now() + pauseMs };
      logger.warn({ ...line, code: why.code, reason: [why.publicMessage, why.details['reason'], why.details['fault']].filter((one) => one !== undefined).join(': '), attempt: failures, durationMs: pauseMs }, 'no connection to the XMPP server');
      await pause(pauseMs, signal);
    }
  }

  async #open(signal: AbortSignal): Promise<Session> {
    const privileges = new Map<string, Privileges>();
    const waiting = new Set<() => void>();
    const stream = await ComponentStream.open(this.#options, (stanza, from) => this.#take(stanza, { privileges, waiting, stream: from }), signal);
    const settled = pause(LIMITS.presenceXmppPrivilegesMs, signal);
    return { stream, since: this.#options.clock.now(), privileges, waiting, settled };
  }

  /** Everything that is not understood costs its reading only. */
  #take(stanza: XmlElement, session: Pick<Session, 'privileges' | 'waiting' | 'stream'>): void {
    if (stanza.name === 'message') {
      const told = decodePrivileges(stanza);
      if (told === undefined || (session.privileges.size >= LIMITS.presenceXmppHosts && !session.privileges.has(told.host))) return;
      session.privileges.set(told.host, told.privileges);
      for (const tell of session.waiting) tell();
      return;
    }
    if (stanza.name !== 'iq') return;
    const [type, id, from] = ['type', 'id', 'from'].map((name) => attribute(stanza, name));
    if (id === undefined || from === undefined) return;
    if (type === 'result' || type === 'error') {
      const pending = this.#pending.get(id);
      if (pending?.to.toLowerCase() === from.toLowerCase()) pending.answered(stanza);
    } else if (session.stream.hasRoom) {
      // RFC 6120 §8.2.3: whoever asks is answered.
      session.stream.send(xml`<iq type="error" id="${id}" from="${this.#options.component}" to="${from}"><error type="cancel"><service-unavailable xmlns="${STANZA_ERROR_NS}"/></error></iq>`);
    }
  }

  /** Prosody tells its privileges at the handshake only: where it has granted nothing, it is asked again from time to time, because somebody may have changed that. */
  #tryAnew({ stream, since, privileges }: Session): void {
    const isUseless = [...privileges.values()].every(({ iq }) => iq.size === 0);
    if (isUseless && this.#options.clock.now() - since >= LIMITS.presenceXmppRefusedMs) stream.close();
  }
}
