import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/logger.ts';
import type { TlsVersion } from '../../core/tls-version.ts';
import type { BackEndLoads } from '../../platform/http-client/load/back-end-load.ts';

/** With what an account signs in at a Zimbra, ordinary or administrator. */
export interface ZimbraConnectionOptions {
  /** The system's name in bridge.yaml. */
  readonly name: string;
  readonly username: string;
  readonly password: string;
  /** PEM certificates of the authorities to trust in place of Node's own. */
  readonly ca?: readonly string[] | undefined;
  /** The oldest TLS that is spoken with it; absent: 1.2. */
  readonly minTlsVersion?: TlsVersion | undefined;
  /** Further hosts (`name` or `name:port`) that may be sent the token: where a redirect may lead; for an administrator mail stores too. */
  readonly hosts: readonly string[];
  /** Absent: as much is asked as there is. */
  readonly loads?: BackEndLoads | undefined;
  /** Requests at the same time, an account at a server; absent: LIMITS.zimbraConcurrency. */
  readonly concurrency?: number | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}
