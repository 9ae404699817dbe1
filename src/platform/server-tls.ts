import type { ConnectionOptions } from 'node:tls';
import { isLowered } from '../core/tls-version.ts';
import type { TlsVersion } from '../core/tls-version.ts';
import { TLS_RULES, checkServerIdentity } from './server-identity.ts';
import type { NameCheck } from './server-identity.ts';

/** What a system may say about the TLS of its servers. That certificates are verified is not among it. */
export interface ServerTls {
  /** PEM certificates of the authorities trusted in place of Node's own. */
  readonly ca?: readonly string[] | undefined;
  /** Which names of the certificate count; absent: its alternative names, else the common name. */
  readonly nameCheck?: NameCheck | undefined;
  /** Absent: TLS 1.2. */
  readonly minTlsVersion?: TlsVersion | undefined;
}

/**
 * Below TLS 1.2 every signature of a handshake is SHA-1 (RFC 2246, RFC 4346), which OpenSSL 3 makes only at security level 0. That level also takes keys below 2048 bits and
 * certificates signed with SHA-1; OpenSSL knows no narrower way. Never without a certificate, nor by a shared secret; RC4 and 3DES are not in Node's OpenSSL at all.
 */
const LOWERED_CIPHERS = 'DEFAULT:!PSK:!SRP:@SECLEVEL=0';

/** For `tls.connect`: TLS_RULES, and what this server's system says. Only the version (and with it the security level) can be lowered. */
export function tlsTo({ ca, nameCheck, minTlsVersion }: ServerTls): Required<Pick<ConnectionOptions, 'rejectUnauthorized' | 'checkServerIdentity'>> & Pick<ConnectionOptions, 'minVersion' | 'ciphers' | 'ca'> {
  return {
    ...TLS_RULES,
    ...(ca === undefined ? {} : { ca: [...ca] }),
    ...(nameCheck === undefined ? {} : { checkServerIdentity: checkServerIdentity(nameCheck) }),
    ...(isLowered(minTlsVersion) ? { minVersion: minTlsVersion, ciphers: LOWERED_CIPHERS } : {}),
  };
}
