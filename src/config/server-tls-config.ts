import type { TlsVersion } from '../core/tls-version.ts';

/** What a calendar system, or a presence gateway with a server of its own, says under `tls:`. Certificates are verified in any case. */
export interface ServerTlsConfig {
  /** PEM certificates trusted in place of Node's own; absent: Node's own. */
  readonly ca?: readonly string[] | undefined;
  /** The oldest TLS that is spoken with its servers; absent: 1.2. */
  readonly minTlsVersion?: TlsVersion | undefined;
}
