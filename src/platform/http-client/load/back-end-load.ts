/** A request's turn at a back end. */
export interface Turn {
  /** Ends it; called once. `failed`: the server could not be reached or did not answer in time, which is what the breaker counts. */
  done(outcome: 'answered' | 'failed' | 'given-up'): void;
}

/**
 * What one account may ask of one server: how much at the same time, and whether anything at all just now. Everything that asks it shares one of these, and
 * it outlives reloads.
 */
export interface BackEndLoad {
  /** Waits for a turn. @throws BridgeError BACKEND_BUSY (held off, or too many wait already), BACKEND_UNREACHABLE (its breaker is open), DEADLINE */
  enter(signal: AbortSignal): Promise<Turn>;
  /** The server has asked to be left alone for so long. */
  holdOff(ms: number): void;
  /** So much may be asked at the same time from now on. */
  setConcurrency(most: number): void;
}

export interface BackEndLoads {
  /**
   * The load of an account at a server, always the same one.
   *
   * @param server its origin
   * @param account no secret; empty for a server that is asked without one
   */
  of(server: string, account: string, concurrency: number): BackEndLoad;
}

/** Lets everything through; for tests, and for clients that are no calendar systems. */
export const noLoads: BackEndLoads = { of: () => ({ enter: async () => ({ done: () => undefined }), holdOff: () => undefined, setConcurrency: () => undefined }) };
