import type { ServerResponse } from 'node:http';
import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { PresenceService } from '../../presence/presence-service.ts';
import { PresenceStream } from './presence-stream.ts';
import type { StreamBounds } from './presence-stream.ts';
import type { EventsQuestion } from './presence-events.ts';

/** How many watch, over all listeners and reloads; one for the life of the process. */
export class StreamSlots {
  readonly #most: number;
  #open = 0;

  constructor(most: number = LIMITS.presenceStreams) {
    this.#most = most;
  }

  get open(): number {
    return this.#open;
  }

  /** False where there are too many already. */
  take(): boolean {
    if (this.#open >= this.#most) return false;
    this.#open += 1;
    return true;
  }

  give(): void {
    this.#open -= 1;
  }
}

/** Node's timers know no longer one. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** One watcher, and who counts it. */
interface Watching {
  readonly stream: PresenceStream;
  readonly client: string;
  holder: PresenceStreams;
}

/** The watchers of one configuration. The next one takes over those of clients whose rights it leaves as they are; the others are sent away, and come back as whoever they are then. */
export class PresenceStreams {
  readonly #slots: StreamSlots;
  readonly #bounds: StreamBounds;
  readonly #open = new Set<Watching>();
  #isOver = false;

  constructor(slots: StreamSlots, bounds: StreamBounds = {}) {
    this.#slots = slots;
    this.#bounds = bounds;
  }

  /**
   * Goes on until somebody leaves, or `end`.
   *
   * @param client its name
   * @param leftMs until what it signed in with ends (a token, a certificate): then it is sent away, and comes back with another; absent: it does not end
   * @throws BridgeError BACKEND_BUSY where too many watch, or the configuration is being replaced
   */
  open(presence: PresenceService, response: ServerResponse, question: EventsQuestion, client: string, leftMs?: number): void {
    if (this.#isOver || !this.#slots.take()) throw new BridgeError('BACKEND_BUSY', this.#isOver ? 'come back at once' : `${LIMITS.presenceStreams} watch already`, { temporary: true, retryAfterMs: this.#isOver ? 1_000 : 10_000 });
    // Before anything can fail: whatever happens, it is given back once.
    response.once('close', () => this.#slots.give());
    const watching: Watching = { stream: new PresenceStream(presence, response, question, this.#bounds), client, holder: this };
    this.#open.add(watching);
    response.once('close', () => watching.holder.#open.delete(watching));
    if (leftMs === undefined) return;
    const ending = setTimeout(() => watching.stream.end(), Math.min(leftMs, LONGEST_TIMER_MS)).unref();
    response.once('close', () => clearTimeout(ending));
  }

  /** Gives those of these clients to the next configuration, ends the others, and takes none any more. */
  handOver(next: PresenceStreams, stays: (client: string) => boolean): void {
    for (const watching of [...this.#open]) {
      if (!stays(watching.client)) continue;
      this.#open.delete(watching);
      watching.holder = next;
      next.#open.add(watching);
      watching.stream.goOn();
    }
    this.end();
  }

  /** Ends all of them, and takes none any more. */
  end(): void {
    this.#isOver = true;
    for (const { stream } of this.#open) stream.end();
  }
}
