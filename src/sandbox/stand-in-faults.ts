import { pause } from '../core/pause.ts';

/** What goes wrong from now on with subscriptions and what they tell; `M`: the ways to subscribe that the stand-in knows. */
export interface FaultSettings<M extends string> {
  /** So many of the next notifications are lost on the way; the server takes them for delivered. */
  readonly drop: number;
  /** So many of the next notifications come twice. */
  readonly duplicate: number;
  /** Nobody can be reached: whoever tries hard (push) tries again, and gives up in the end. */
  readonly isUnreachable: boolean;
  /** Every answer about subscriptions and every notification comes so much later. */
  readonly delayMs: number;
  /** Busy: EWS answers ErrorServerBusy with so many BackOffMilliseconds; undefined: not busy. */
  readonly backOffMs: number | undefined;
  /** Every question is answered 503 with so many seconds as Retry-After; undefined: not so. */
  readonly retryAfterSeconds: number | undefined;
  /** These are unknown, as to an older version. */
  readonly refused: readonly M[];
}

/** The faults of one stand-in, and how much of them is left. */
export interface Faults<M extends string> {
  readonly now: FaultSettings<M>;
  set(settings: Partial<FaultSettings<M>>): void;
  /** How often the next notification is to be sent: 0, 1 or 2. Uses `drop` and `duplicate` up. */
  copies(): 0 | 1 | 2;
  delay(signal: AbortSignal): Promise<void>;
}

export function createFaults<M extends string>(): Faults<M> {
  let now: FaultSettings<M> = { drop: 0, duplicate: 0, isUnreachable: false, delayMs: 0, backOffMs: undefined, retryAfterSeconds: undefined, refused: [] };
  return {
    get now() {
      return now;
    },
    set(settings) {
      now = { ...now, ...settings };
    },
    copies() {
      if (now.drop > 0) {
        now = { ...now, drop: now.drop - 1 };
        return 0;
      }
      if (now.duplicate === 0) return 1;
      now = { ...now, duplicate: now.duplicate - 1 };
      return 2;
    },
    async delay(signal) {
      if (now.delayMs > 0) await pause(now.delayMs, signal);
    },
  };
}
