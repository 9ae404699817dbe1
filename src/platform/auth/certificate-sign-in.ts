import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Clock, Instant } from '../../core/clock.ts';
import { trustOf, trustOfConnection } from '../http-server/client-trust.ts';
import type { AccountBook, ClientAccount } from './account-book.ts';
import { namesOfCertificate } from './certificate-names.ts';
import type { CertificateNames } from './certificate-names.ts';

export interface CertificateSignInOptions {
  readonly accounts: AccountBook;
  /** PEM certificates of the authorities that vouch for clients; absent: nobody does. */
  readonly clientCa?: readonly string[] | undefined;
  readonly clock: Clock;
}

/** Whose certificate it is, or, where it is nobody's, why; for the log. */
export type CertificateOwner = { readonly account: ClientAccount; /** When the certificate ends. */ readonly until: Instant } | { readonly reason: string };

/** What was read out of a connection's certificate; undefined: it has none. */
const read = new WeakMap<Socket, { readonly names: CertificateNames | undefined }>();

/**
 * Clients' certificates (mutual TLS). One belongs to its connection, and so to every request on it; whether it counts is decided for each of them by the configuration and the time of then.
 * Whether an authority has revoked it is not asked: give certificates a short life, or name them by fingerprint and take that out.
 */
export class CertificateSignIn {
  readonly #options: CertificateSignInOptions;
  readonly #trust: string | undefined;

  constructor(options: CertificateSignInOptions) {
    this.#options = options;
    this.#trust = options.clientCa === undefined ? undefined : trustOf(options.clientCa);
  }

  /** Undefined where the client has shown none. */
  ownerOf({ socket }: IncomingMessage): CertificateOwner | undefined {
    const trust = trustOfConnection(socket);
    const names = trust === undefined ? undefined : namesOf(socket as TLSSocket);
    if (names === undefined) return undefined;
    const { authorized, authorizationError } = socket as TLSSocket;
    if (!authorized) return { reason: `the client's certificate is not accepted (${String(authorizationError)})` };
    if (trust !== this.#trust) return { reason: "the client's certificate was vouched for by authorities of an earlier configuration; it may connect anew" };
    // A connection, and a session that it resumes, outlive the certificate.
    const now = this.#options.clock.now();
    if (!(names.validFrom <= now && now <= names.validTo)) return { reason: "the client's certificate has ended" };
    const account = this.#options.accounts.byCertificate(names);
    return account === undefined ? { reason: 'no client has this certificate' } : { account, until: names.validTo };
  }
}

function namesOf(socket: TLSSocket): CertificateNames | undefined {
  const known = read.get(socket);
  if (known !== undefined) return known.names;
  // A resumed session of TLS 1.3 counts as authorized to Node even where no certificate was ever shown.
  const certificate = socket.getPeerX509Certificate();
  const names = certificate === undefined ? undefined : namesOfCertificate(certificate);
  read.set(socket, { names });
  return names;
}
