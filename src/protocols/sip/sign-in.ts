import { BridgeError } from '../../core/errors.ts';
import { chooseChallenge, digestAnswer } from './digest.ts';
import type { DigestChallenge } from './digest.ts';
import { headerLines } from './message.ts';
import type { SipHeader, SipResponse } from './message.ts';

/** 401 comes from the server itself, 407 from a proxy before it (RFC 3261 §22.2, §22.3); both may ask. */
const CHALLENGERS = {
  401: { challenge: 'www-authenticate', answer: 'Authorization' },
  407: { challenge: 'proxy-authenticate', answer: 'Proxy-Authorization' },
} as const;
type ChallengeStatus = keyof typeof CHALLENGERS;

/** Digest credentials for one server: remembers its nonces, so that a request is challenged only when they are new or stale. */
export class SignIn {
  readonly #username: string | undefined;
  readonly #password: string | undefined;
  readonly #known = new Map<ChallengeStatus, { readonly challenge: DigestChallenge; count: number }>();

  /** Without both it answers no challenge. */
  constructor(username: string | undefined, password: string | undefined) {
    this.#username = username;
    this.#password = password;
  }

  /** Whether the server has asked for a sign-in. */
  get wasAsked(): boolean {
    return this.#known.size > 0;
  }

  /** The headers that answer the challenges known so far. */
  headersFor(method: string, uri: string): readonly SipHeader[] {
    const [username, password] = [this.#username, this.#password];
    if (username === undefined || password === undefined) return [];
    return [...this.#known].map(([status, known]) => ({
      name: CHALLENGERS[status].answer,
      value: digestAnswer(known.challenge, { username, password, method, uri, count: ++known.count }),
    }));
  }

  /**
   * Takes a challenge in; another try is worth it then. A nonce kept from before may be refused for its age (with `stale`, or without, where the server has begun anew), but not one that the server gave for this very request.
   *
   * @param hasTried whether this request was challenged so before
   * @throws BridgeError BACKEND_AUTH: the credentials are refused, there are none, or none of the challenges can be answered
   */
  take(status: ChallengeStatus, response: SipResponse, hasTried: boolean): void {
    if (this.#username === undefined || this.#password === undefined) throw refused('the presence server wants a sign-in', status, 'give username and password');
    const challenge = chooseChallenge(headerLines(response, CHALLENGERS[status].challenge));
    if (challenge === undefined) throw refused('the presence server asks for a sign-in that is not known here', status, 'let it offer digest with MD5 or SHA-256 (RFC 8760)');
    if (hasTried && !challenge.isStale) {
      this.#known.delete(status);
      throw refused('the presence server does not accept username and password', status, 'check username and password, and whether the account may publish for others');
    }
    // Two requests may be given the same nonce; its count goes on.
    const known = this.#known.get(status);
    this.#known.set(status, { challenge, count: known?.challenge.nonce === challenge.nonce ? known.count : 0 });
  }
}

/** Whether a status is a challenge. */
export function isChallenge(status: number): status is ChallengeStatus {
  return status in CHALLENGERS;
}

function refused(text: string, status: number, advice: string): BridgeError {
  return new BridgeError('BACKEND_AUTH', text, { details: { status, advice } });
}
