import type { ServerResponse } from 'node:http';
import { LIMITS } from '../../core/limits.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { PresenceChange } from '../../presence/presence.ts';
import type { PresenceEvent, PresenceService } from '../../presence/presence-service.ts';
import { BEGINNING, encodeChange, encodeEvent, KEEP_ALIVE, RESET } from './presence-events.ts';
import type { EventsQuestion } from './presence-events.ts';

/** For tests; absent: LIMITS. */
export interface StreamBounds {
  /** Events that may wait. */
  readonly waiting?: number;
  readonly keepAliveMs?: number;
  readonly stallMs?: number;
}

/**
 * One watcher's text/event-stream (HTML Living Standard §9.2). No faster than the watcher takes it: what comes meanwhile waits as it is, shared by all watchers, and one behind whom too
 * much waits, or who takes nothing at all, is cut off and comes back with Last-Event-ID.
 */
export class PresenceStream {
  readonly #response: ServerResponse;
  readonly #bounds: StreamBounds;
  readonly #keepAlive: NodeJS.Timeout;
  readonly #subscription: { stop(): void };
  readonly #resolve: () => ReadonlySet<MailboxAddress> | undefined;
  /** Undefined: everybody. */
  #wanted: ReadonlySet<MailboxAddress> | undefined;
  #snapshot: Iterator<PresenceChange> | undefined;
  #waiting: PresenceEvent[] = [];
  /** Of `#waiting`, what has been written. */
  #taken = 0;
  #blockedSince: number | undefined;
  #isOver = false;

  constructor(presence: PresenceService, response: ServerResponse, { after, addresses, wantsSnapshot }: EventsQuestion, bounds: StreamBounds) {
    this.#response = response;
    this.#bounds = bounds;
    // Who hides behind an alias is whom the events name.
    this.#resolve = () => (addresses === undefined ? undefined : new Set(addresses.map((address) => presence.optInOf(address).mailbox)));
    this.#wanted = this.#resolve();
    const isWanted = ({ mailbox }: PresenceChange): boolean => this.#wanted === undefined || this.#wanted.has(mailbox);
    // The connection ends with the stream: a watcher then knows, and nothing keeps a listener from closing.
    response.shouldKeepAlive = false;
    response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' });
    response.write(after === undefined ? BEGINNING : `retry: ${LIMITS.presenceRetryMs}\n\n`);
    response.once('close', () => this.#stop());
    // First the changes, then what is there: what changes between the two is told twice, never missed.
    const subscription = presence.subscribe((event) => isWanted(event) && this.#add(event), after);
    this.#subscription = subscription;
    const hasMissed = after !== undefined && subscription.missed;
    if (hasMissed) response.write(RESET);
    if (hasMissed || (wantsSnapshot && after === undefined)) this.#snapshot = wantedOf(presence.snapshot(), isWanted);
    this.#keepAlive = setInterval(() => this.#look(), bounds.keepAliveMs ?? LIMITS.presenceKeepAliveMs).unref();
    if (this.#isOver) this.#stop();
    else this.#pump();
  }

  /** Another configuration is in force: its aliases count from now on. */
  goOn(): void {
    this.#wanted = this.#resolve();
  }

  /** Lets what has been written go out, and closes. */
  end(): void {
    if (this.#isOver) return;
    this.#stop();
    // An answer that is out has no connection any more; one whose watcher does not read stays open.
    const { socket } = this.#response;
    this.#response.end();
    setTimeout(() => socket?.destroy(), LIMITS.presenceStreamEndMs).unref();
  }

  #stop(): void {
    this.#isOver = true;
    clearInterval(this.#keepAlive);
    // While it is made it has none yet.
    this.#subscription?.stop();
    this.#waiting = [];
    this.#snapshot = undefined;
  }

  #cutOff(): void {
    this.#stop();
    this.#response.destroy();
  }

  #add(event: PresenceEvent): void {
    if (this.#isOver) return;
    this.#waiting.push(event);
    if (this.#waiting.length - this.#taken > (this.#bounds.waiting ?? LIMITS.presenceStreamWaiting)) this.#cutOff();
    // A burst goes out together.
    else if (this.#waiting.length - this.#taken === 1) setImmediate(() => this.#pump());
  }

  #look(): void {
    if (this.#blockedSince === undefined) this.#write(KEEP_ALIVE);
    else if (performance.now() - this.#blockedSince >= (this.#bounds.stallMs ?? LIMITS.presenceStreamStallMs)) this.#cutOff();
  }

  #pump(): void {
    while (!this.#isOver && this.#blockedSince === undefined) {
      let text = '';
      while (text.length < LIMITS.presenceStreamWrite) {
        const next = this.#next();
        if (next === undefined) break;
        text += next;
      }
      if (text === '') return;
      this.#write(text);
    }
  }

  #next(): string | undefined {
    const change = this.#snapshot?.next();
    if (change?.done === false) return encodeChange(change.value);
    this.#snapshot = undefined;
    const event = this.#waiting[this.#taken];
    if (event === undefined) return undefined;
    this.#taken += 1;
    if (this.#taken === this.#waiting.length) {
      this.#waiting = [];
      this.#taken = 0;
    }
    return encodeEvent(event);
  }

  #write(text: string): void {
    if (this.#response.write(text)) return;
    this.#blockedSince = performance.now();
    this.#response.once('drain', () => {
      this.#blockedSince = undefined;
      this.#pump();
    });
  }
}

function* wantedOf(changes: Iterable<PresenceChange>, isWanted: (change: PresenceChange) => boolean): Generator<PresenceChange> {
  for (const change of changes) if (isWanted(change)) yield change;
}
