import type { Instant } from '../../../core/clock.ts';

/**
 * How a request ended, as far as its server is concerned.
 *
 * - `answered`: with whatever; a refusal and an unreadable answer are answers.
 * - `failed`: the server could not be reached, or the connection broke.
 * - `aborted`: its signal fired while the server was waited for. Whether that speaks against the server is judged by the time it had.
 * - `given-up`: nothing was learnt of the server.
 */
export type TurnOutcome = 'answered' | 'failed' | 'aborted' | 'given-up';

/** A request's turn at a back end. */
export interface Turn {
  /** Ends it; must be called, and only the first call counts. */
  done(outcome: TurnOutcome): void;
}

/**
 * What one account may ask of one server: how much at the same time, and whether anything at all just now. Everything that asks it shares one of these, and
 * it outlives reloads.
 */
export interface BackEndLoad {
  /**
   * Waits for a turn, first come, first served. Whoever has one must end it, and must not wait for another one meanwhile.
   *
   * @param deadline when the answer is worth nothing any more (epoch ms): a turn that would come too late for it is refused at once. Absent: the signal alone ends the waiting
   * @throws BridgeError BACKEND_BUSY (held off, or too many wait already), BACKEND_UNREACHABLE (its breaker is open), both with `retryAfterMs`; DEADLINE (the signal fired)
   */
  enter(signal: AbortSignal, deadline?: Instant): Promise<Turn>;
  /** The server has asked to be left alone for so long; who waits is refused. A longer wish that was heard before stays in force. */
  holdOff(ms: number): void;
  /** So much may be asked at the same time from now on; what is under way ends as it will. */
  setConcurrency(most: number): void;
}

export interface BackEndLoads {
  /**
   * The load of an account at a server, always the same one.
   *
   * @param server its origin
   * @param account no secret; empty for a server that is asked without one
   * @param concurrency as configured; another number than the last time takes the place of what was learnt since
   */
  of(server: string, account: string, concurrency: number): BackEndLoad;
}

/** Lets everything through; for tests, and for clients that are no calendar systems. */
export const noLoads: BackEndLoads = { of: () => ({ enter: async () => ({ done: () => undefined }), holdOff: () => undefined, setConcurrency: () => undefined }) };
