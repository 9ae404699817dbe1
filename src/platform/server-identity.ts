import { isIP } from 'node:net';
import type { PeerCertificate } from 'node:tls';
import { domainToASCII } from 'node:url';

/**
 * Which names of a certificate count. `san-then-cn`: its alternative names (DNS and IP) where it has any, else its common name. `cn-only`: the common name, as Cisco
 * Unified Presence up to 8.6(3) read certificates (presence.md, A14).
 */
export type NameCheck = 'san-then-cn' | 'cn-only';

/** The names of a server's certificate, as far as they can be a server's. */
export interface ServerNames {
  /** Common names of the subject; one as a rule. */
  readonly common: readonly string[];
  /** dNSName entries of the subjectAltName. */
  readonly dns: readonly string[];
  /** iPAddress entries. */
  readonly addresses: readonly string[];
}

/** What the certificate says is not what was asked for. Its code is Node's own, so that it is sorted like Node's. */
export class ServerIdentityError extends Error {
  override readonly name = 'ServerIdentityError';
  readonly code = 'ERR_TLS_CERT_ALTNAME_INVALID';
  /** The host that was asked for. */
  readonly expected: string;
  /** The names that count. */
  readonly found: readonly string[];

  constructor(expected: string, found: readonly string[]) {
    super('the certificate names another server');
    this.expected = expected;
    this.found = found;
  }
}

/** For `tls.connect`: compares the certificate, whose chain is verified already, with the host that was asked for. */
export function checkServerIdentity(mode: NameCheck): (host: string, certificate: PeerCertificate) => Error | undefined {
  return (host, certificate) => {
    const names = serverNamesOf(certificate);
    return namesHost(names, host, mode) ? undefined : new ServerIdentityError(host, countedNames(names, mode));
  };
}

/**
 * What every TLS connection to a server keeps to, whatever the environment says (NODE_TLS_REJECT_UNAUTHORIZED, --tls-min-v1.0). The common name counts where there is no alternative one: certificates
 * of Exchange 2003 have no other.
 */
export const TLS_RULES = { rejectUnauthorized: true, minVersion: 'TLSv1.2', checkServerIdentity: checkServerIdentity('san-then-cn') } as const;

/** Never throws. */
export function serverNamesOf({ subject, subjectaltname }: Partial<Pick<PeerCertificate, 'subject' | 'subjectaltname'>>): ServerNames {
  const alternative = alternativeNames(subjectaltname ?? '');
  const of = (kind: string): readonly string[] => alternative.flatMap((one) => (one.kind === kind ? [one.value] : []));
  // Without any subject Node gives null.
  return { common: [(subject as PeerCertificate['subject'] | null | undefined)?.CN ?? []].flat(), dns: of('DNS'), addresses: of('IP Address') };
}

/** Those against which a host is compared. */
export function countedNames({ common, dns, addresses }: ServerNames, mode: NameCheck): readonly string[] {
  const alternative = [...dns, ...addresses];
  return mode === 'cn-only' || alternative.length === 0 ? common : alternative;
}

/** Whether the certificate is this host's (a name, or an address with or without brackets). */
export function namesHost(names: ServerNames, host: string, mode: NameCheck): boolean {
  const { common, dns, addresses } = names;
  const isCommon = mode === 'cn-only' || (dns.length === 0 && addresses.length === 0);
  const address = canonicalAddress(host);
  if (address !== undefined) return (isCommon ? common : addresses).some((one) => canonicalAddress(one) === address);
  const wanted = labelsOf(host);
  return wanted !== undefined && (isCommon ? common : dns).some((one) => matches(one, wanted));
}

/** Case-insensitive; `*` stands for exactly one whole label, the left-most, above two others at least (RFC 6125 §6.4.3; A15). */
function matches(pattern: string, wanted: readonly string[]): boolean {
  const isWildcard = pattern.startsWith('*.');
  const labels = labelsOf(isWildcard ? pattern.slice(2) : pattern);
  if (labels === undefined) return false;
  if (!isWildcard) return labels.join('.') === wanted.join('.');
  return labels.length >= 2 && labels.join('.') === wanted.slice(1).join('.');
}

/** Lower case, international labels as punycode, without the dot of the root; undefined for what is no host name. */
function labelsOf(name: string): readonly string[] | undefined {
  const isAscii = /^[\u0000-\u007f]*$/.test(name);
  if (!isAscii && !/^[\p{L}\p{N}\p{M}.-]+$/u.test(name)) return undefined;
  const ascii = (isAscii ? name : domainToASCII(name)).toLowerCase().replace(/\.$/, '');
  const labels = ascii.split('.');
  return ascii.length <= 253 && labels.every((label) => /^[a-z0-9_-]{1,63}$/.test(label)) && isIP(ascii) === 0 ? labels : undefined;
}

/** One spelling for each address; undefined for what is none. */
function canonicalAddress(text: string): string | undefined {
  const bare = text.replace(/^\[(.*)\]$/, '$1');
  const version = bare.includes('%') ? 0 : isIP(bare);
  if (version === 0) return undefined;
  return version === 4 ? bare : new URL(`http://[${bare}]`).hostname;
}

/** Node's text of a subjectAltName: `DNS:a.example, IP Address:192.0.2.7`; a value with anything odd in it stands in JSON's quotes. */
function alternativeNames(text: string): readonly { readonly kind: string; readonly value: string }[] {
  const names: { kind: string; value: string }[] = [];
  for (const [, kind = '', quoted, plain = ''] of text.matchAll(/(?:^|, )([A-Za-z][A-Za-z ]*):(?:("(?:[^"\\]|\\.)*")|([^",]*))(?=, |$)/g)) {
    // What is quoted can be no host name; that it is there counts all the same.
    names.push({ kind, value: quoted ?? plain });
  }
  return names;
}
