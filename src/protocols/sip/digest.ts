import { createHash, randomBytes } from 'node:crypto';
import { parametersOf, quoted, splitValue } from './header-value.ts';

/** A challenge that we can answer (RFC 3261 §22.4, RFC 7616 §3.3, RFC 8760). */
export interface DigestChallenge {
  readonly realm: string;
  readonly nonce: string;
  readonly algorithm: DigestAlgorithm;
  /** As the server spelled it; undefined: it named none, which is MD5. */
  readonly algorithmName: string | undefined;
  readonly opaque: string | undefined;
  /** Whether `qop=auth` is offered; without it the answer is RFC 2069's. */
  readonly hasQop: boolean;
  /** The nonce is too old, credentials may be right. */
  readonly isStale: boolean;
}

/** RFC 7616 §6.1's names to Node's; all of them without `-sess`, which no presence server asks for. */
const ALGORITHMS = { MD5: 'md5', 'SHA-256': 'sha256', 'SHA-512-256': 'sha512-256' } as const;
export type DigestAlgorithm = keyof typeof ALGORITHMS;

/**
 * The first challenge that we can answer: a server lists them in its own order of preference (RFC 8760 §2.4).
 *
 * @param lines values of WWW-Authenticate or Proxy-Authenticate, one challenge each (RFC 3261 §7.3.1)
 */
export function chooseChallenge(lines: readonly string[]): DigestChallenge | undefined {
  for (const line of lines) {
    const challenge = readChallenge(line);
    if (challenge !== undefined) return challenge;
  }
  return undefined;
}

function readChallenge(line: string): DigestChallenge | undefined {
  const [, rest] = /^digest[ \t]+(.*)$/is.exec(line) ?? [];
  if (rest === undefined) return undefined;
  const parameters = parametersOf(splitValue(rest, ','));
  const [realm, nonce, algorithmName] = [parameters.get('realm'), parameters.get('nonce'), parameters.get('algorithm')];
  const algorithm = (Object.keys(ALGORITHMS) as DigestAlgorithm[]).find((one) => one === (algorithmName ?? 'MD5').toUpperCase());
  if (realm === undefined || nonce === undefined || algorithm === undefined) return undefined;
  const offered = parameters.get('qop')?.split(',').map((one) => one.trim().toLowerCase());
  // auth-int alone would cover the body; nobody asks for it.
  if (offered !== undefined && !offered.includes('auth')) return undefined;
  return { realm, nonce, algorithm, algorithmName, opaque: parameters.get('opaque'), hasQop: offered !== undefined, isStale: parameters.get('stale')?.toLowerCase() === 'true' };
}

export interface DigestQuestion {
  readonly username: string;
  readonly password: string;
  readonly method: string;
  /** The Request-URI. */
  readonly uri: string;
  /** How many requests were answered with this nonce, this one included. */
  readonly count: number;
  /** Only for tests that repeat a specification's example. */
  readonly cnonce?: string;
}

/** The value of Authorization or Proxy-Authorization (RFC 7616 §3.4). */
export function digestAnswer(challenge: DigestChallenge, { username, password, method, uri, count, cnonce = randomBytes(12).toString('hex') }: DigestQuestion): string {
  const { realm, nonce, algorithm, algorithmName, opaque, hasQop } = challenge;
  const hash = (text: string): string => createHash(ALGORITHMS[algorithm]).update(text).digest('hex');
  const nc = count.toString(16).padStart(8, '0');
  const [a1, a2] = [hash(`${username}:${realm}:${password}`), hash(`${method}:${uri}`)];
  const response = hash(hasQop ? `${a1}:${nonce}:${nc}:${cnonce}:auth:${a2}` : `${a1}:${nonce}:${a2}`);
  return [
    `Digest username=${quoted(username)}`,
    `realm=${quoted(realm)}`,
    `nonce=${quoted(nonce)}`,
    `uri=${quoted(uri)}`,
    `response=${quoted(response)}`,
    ...(algorithmName === undefined ? [] : [`algorithm=${algorithm}`]),
    ...(opaque === undefined ? [] : [`opaque=${quoted(opaque)}`]),
    ...(hasQop ? [`cnonce=${quoted(cnonce)}`, 'qop=auth', `nc=${nc}`] : []),
  ].join(', ');
}
