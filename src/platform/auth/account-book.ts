import type { AddressSet } from './address-set.ts';
import { hasClaims } from './bearer/claims.ts';
import type { TokenMark } from './bearer/claims.ts';
import type { Claims } from './bearer/json-web-token.ts';
import { isMarked } from './certificate-names.ts';
import type { CertificateMark, CertificateNames } from './certificate-names.ts';
import type { Requester } from '../../core/request-context.ts';
import type { ScryptHash } from '../../core/scrypt-hash.ts';

/** How a client may prove who it is: `basic` by sending its password (in a header, a form or a SOAP body), `ntlm` by NTLMv2, `bearer` by a token of an issuer, `certificate` in the TLS handshake. */
export type ClientAuth = 'basic' | 'ntlm' | 'bearer' | 'certificate';

const DEFAULT_AUTH: readonly ClientAuth[] = ['basic'];

/** What a client with a name signs in with: a password as it is, or the hash of one. */
export interface AccountCredentials {
  readonly username: string;
  /** Absent: only its hash is known; nothing that needs the password itself (NTLM, preauth) succeeds. */
  readonly password?: string | undefined;
  readonly passwordHash?: ScryptHash | undefined;
}

/** One entry of `clients:`. */
export interface ClientAccount {
  readonly requester: Requester;
  /** Absent for an anonymous client, and for one that has no password. */
  readonly credentials?: AccountCredentials | undefined;
  /** What its tokens say. */
  readonly token?: TokenMark | undefined;
  /** What its certificate is known by. */
  readonly certificate?: CertificateMark | undefined;
  /** Absent: basic. Of no meaning for an anonymous client. */
  readonly auth?: readonly ClientAuth[] | undefined;
  /** Where it may come from; absent: from anywhere. */
  readonly addresses?: AddressSet | undefined;
}

/** The configured clients, found by what they may be known by; names without regard to case. */
export class AccountBook {
  readonly #byUsername: ReadonlyMap<string, ClientAccount>;
  readonly #byName: ReadonlyMap<string, ClientAccount>;
  readonly #anonymous: readonly ClientAccount[];
  readonly #withToken: readonly ClientAccount[];
  readonly #withCertificate: readonly ClientAccount[];
  readonly #auths: ReadonlySet<ClientAuth>;

  constructor(accounts: readonly ClientAccount[]) {
    this.#byUsername = new Map(accounts.flatMap((account) => (account.credentials === undefined ? [] : [[account.credentials.username.toLowerCase(), account] as const])));
    this.#byName = new Map(accounts.map((account) => [account.requester.name, account]));
    this.#anonymous = accounts.filter((account) => account.requester.anonymous);
    this.#withToken = accounts.filter((account) => account.token !== undefined && mayUse(account, 'bearer'));
    this.#withCertificate = accounts.filter((account) => account.certificate !== undefined && mayUse(account, 'certificate'));
    const withPassword = [...this.#byUsername.values()].flatMap(({ auth }) => auth ?? DEFAULT_AUTH).filter((auth) => auth === 'basic' || auth === 'ntlm');
    this.#auths = new Set<ClientAuth>([...withPassword, ...(this.#withToken.length === 0 ? [] : (['bearer'] as const)), ...(this.#withCertificate.length === 0 ? [] : (['certificate'] as const))]);
  }

  byUsername(username: string): ClientAccount | undefined {
    return this.#byUsername.get(username.toLowerCase());
  }

  /**
   * By the user name that goes with a password: as it is configured, or with a Windows domain before it. Exchange's
   * Add-AvailabilityAddressSpace takes `domain\user` and mail addresses only, and makes `corp.example\asker@corp.example` of the latter (read, not seen on a wire).
   */
  byTypedName(username: string): ClientAccount | undefined {
    return username.includes('\\') ? this.byDomainUser('', username) : this.byUsername(username);
  }

  /**
   * By user name and domain as NTLM sends them: `DOMAIN\user`, then `user@domain`, then the user name alone, because Windows adds
   * a domain of its own making where somebody typed none. With an empty domain the user name may itself be either form, and is what is configured where it stands so.
   */
  byDomainUser(domain: string, username: string): ClientAccount | undefined {
    const [realm, user] = domain === '' ? parted(username) : [domain, username];
    const names = [...(domain === '' ? [username] : []), ...(realm === '' ? [] : [`${realm}\\${user}`, `${user}@${realm}`, username]), user];
    return names.map((name) => this.byUsername(name)).find((account) => account !== undefined);
  }

  byName(name: string): ClientAccount | undefined {
    return this.#byName.get(name);
  }

  anonymousAt(address: string): ClientAccount | undefined {
    return this.#anonymous.find((account) => account.addresses?.has(address) === true);
  }

  /** The first one whose tokens are of this issuer with these claims. */
  byToken(issuer: string, claims: Claims): ClientAccount | undefined {
    return this.#withToken.find(({ token }) => token!.issuer === issuer && hasClaims(claims, token!));
  }

  /** The first one that is known by one of a certificate's names. */
  byCertificate(names: CertificateNames): ClientAccount | undefined {
    return this.#withCertificate.find(({ certificate }) => isMarked(names, certificate!));
  }

  /** Whether some client that has what it takes may use it in this way. */
  hasAuth(auth: ClientAuth): boolean {
    return this.#auths.has(auth);
  }
}

/** Whether this client may prove who it is in this way. */
export function mayUse(account: ClientAccount, auth: ClientAuth): boolean {
  return (account.auth ?? DEFAULT_AUTH).includes(auth);
}

/** For the log: nobody is called so. The Windows domain is named, because that is what people get wrong; the user name is not (some type their password there). */
export function unknownClient(domain: string): string {
  return /^[\w.-]{1,64}$/.test(domain) ? `no client has this user name, with or without the domain ${domain}` : 'no client has this user name';
}

/** Domain and user name of `DOMAIN\user` or `user@domain`; an empty domain for a name that is neither. */
function parted(name: string): readonly [domain: string, user: string] {
  const slash = name.indexOf('\\');
  if (slash > 0) return [name.slice(0, slash), name.slice(slash + 1)];
  const at = name.lastIndexOf('@');
  return at > 0 ? [name.slice(at + 1), name.slice(0, at)] : ['', name];
}
