import { LIMITS } from '../core/limits.ts';
import { codeOf } from './http-client/connection-error.ts';
import { ServerIdentityError } from './server-identity.ts';

/** What went wrong in a handshake, and what an administrator can do about it; one line each. */
export interface TlsTrouble {
  readonly text: string;
  readonly advice: string;
}

/** Never throws. */
export function tlsTrouble(error: Error): TlsTrouble {
  if (error instanceof ServerIdentityError) return nameTrouble(error);
  const code = codeOf(error);
  // Node has no code for what OpenSSL's security level refuses; OpenSSL has words.
  const text = code === 'UNSPECIFIED' ? `${code}: ${error.message.slice(0, LIMITS.certificateNameCharacters)}` : code;
  return { text, advice: ADVICE[code] ?? adviceForKind(code) };
}

/** Names of a certificate that are said; a hoster's has a hundred. */
const NAMES_SAID = 5;

function nameTrouble({ expected, found, code }: ServerIdentityError): TlsTrouble {
  if (found.length === 0) {
    return { text: `${code}: the certificate names no server`, advice: `renew the certificate on the server with ${expected} among its alternative names (subjectAltName)` };
  }
  const more = found.length > NAMES_SAID ? ` and ${found.length - NAMES_SAID} more` : '';
  return {
    text: `${code}: the certificate is for ${found.slice(0, NAMES_SAID).join(', ')}${more}, not for ${expected}`.slice(0, LIMITS.certificateNameCharacters),
    advice: 'use a host name in `url` that the certificate names (`*` stands for one label), or renew it on the server with this one',
  };
}

const ADVICE: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'renew the certificate on the server (or that of its authority, if the server’s own is still good), and look at the clock of this machine',
  CERT_NOT_YET_VALID: 'the certificate is not valid yet: set the clocks of both machines; if they are right, it was issued too early',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate is signed by itself: compare its fingerprint with the server’s own, and put the certificate into the file under tls.ca',
  SELF_SIGNED_CERT_IN_CHAIN: 'the server shows a root certificate that is not trusted: if it is that of your authority, put it into the file under tls.ca',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'let the server send its intermediate certificates too; if it does, put the root certificate of its authority into the file under tls.ca',
  UNABLE_TO_GET_ISSUER_CERT: 'put the root certificate of its authority into the file under tls.ca',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'put the root certificate of its authority into the file under tls.ca, and let the server send its intermediate certificates',
  CERT_SIGNATURE_FAILURE: 'an authority under tls.ca has the right name and another key: it was renewed; put its new certificate into the file under tls.ca',
  INVALID_PURPOSE: 'the certificate was not issued for a server: replace it on the server',
  INVALID_CA: 'a certificate in the chain is no authority’s: replace the chain on the server, or what stands under tls.ca',
  UNSPECIFIED: 'replace the certificate on the server by one with a key of 2048 bits (RSA) or 256 bits (EC) and a SHA-256 signature',
  EPROTO: 'is this an https port?',
  ERR_SSL_WRONG_VERSION_NUMBER: 'this port does not speak TLS: http://, or another port?',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'this port does not speak TLS: http://, or another port?',
  ECONNRESET: 'the server ended the handshake: is this an https port, does it speak TLS 1.2 or later (if not: tls.minVersion of its system), does a firewall look into it?',
};

/** What to do where both sides found no version or ciphers in common; undefined for any other code. */
export function handshakeAdvice(code: string): string | undefined {
  if (/PROTOCOL|VERSION/.test(code)) {
    return 'the server speaks no TLS 1.2 or later: enable TLS 1.2 there (Windows: SCHANNEL), or put a proxy before it that does; where neither can be (Windows 2000 to 2008), a calendar system or gateway may have tls: { minVersion: TLSv1 }, which is readable by who can break it';
  }
  if (/HANDSHAKE_FAILURE|NO_SHARED_CIPHER|CIPHER/.test(code)) return 'no cipher that both sides take: enable those of TLS 1.2 (ECDHE with AES-GCM) on the server (Windows 2003: AES, by hotfix KB948963; RC4 and 3DES are not taken), or put a proxy before it';
  if (/UNSAFE_LEGACY_RENEGOTIATION/.test(code)) return 'the server does not know secure renegotiation (RFC 5746): bring it up to date (Windows 2003: MS10-049, KB980436), or put a proxy before it';
  return undefined;
}

function adviceForKind(code: string): string {
  const agreement = handshakeAdvice(code);
  if (agreement !== undefined) return agreement;
  if (/DH_KEY|KEY_TOO_SMALL|MD_TOO_WEAK|BAD_ECPOINT/.test(code)) return 'a key of the server is too weak: one of 2048 bits (RSA, DH) or 256 bits (EC) is needed';
  if (code.startsWith('E') && !code.startsWith('ERR_')) return 'the connection broke off in the handshake: is this an https port, does a firewall stand between?';
  return 'the certificate or the TLS versions do not agree: put the certificate of its authority into the file under tls.ca, and see that the server speaks TLS 1.2';
}
