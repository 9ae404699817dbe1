/** The oldest version of TLS that a server may speak, in the words of bridge.yaml, OpenSSL and Node; the oldest first. */
export const TLS_VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2'] as const;
export type TlsVersion = (typeof TLS_VERSIONS)[number];

/** What every server speaks at least, unless its system says otherwise (Windows 2000 to 2008 end at TLS 1.0). */
export const USUAL_TLS_VERSION = 'TLSv1.2' satisfies TlsVersion;

/** Whether more is taken than usual, in which case weak keys and signatures are taken as well. */
export function isLowered(version: TlsVersion | undefined): version is Exclude<TlsVersion, typeof USUAL_TLS_VERSION> {
  return version !== undefined && version !== USUAL_TLS_VERSION;
}
