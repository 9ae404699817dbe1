import type { Clock } from '../../../core/clock.ts';
import type { Logger } from '../../../core/logger.ts';
import type { Metrics } from '../../../core/metrics.ts';
import type { Requester } from '../../../core/request-context.ts';
import type { Directory } from '../../../directory/directory.ts';

/** How a bind becomes a requester. */
export interface LdapSignIn {
  /**
   * @param address the client's, by which some clients are restricted
   * @throws BridgeError AUTH_FAILED, TOO_MANY_ATTEMPTS; after a pause of its own where somebody guesses
   */
  withPassword(username: string, password: string, address: string): Promise<Requester>;
}

/** What the face answers with; a reload brings others. */
export interface LdapFaceServices {
  readonly directory: Directory;
  /** Distinguished name of the base: `dc=bridge`. */
  readonly base: string;
  readonly signIn: LdapSignIn;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Counts an operation in, and gives what counts it out; anything else: the bridge has too much to do (busy, 51). Absent: everything is let in. */
  readonly enter?: () => (() => void) | 'full' | 'late';
}
