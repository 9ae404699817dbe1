import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { ServerCertificate } from '../../platform/http-server/listener.ts';
import { StreamListener } from '../../platform/stream-server/stream-listener.ts';
import { parseDn } from './face/distinguished-name.ts';
import { LdapConnection } from './face/ldap-connection.ts';
import type { LdapFaceServices } from './face/services.ts';

export type { LdapFaceServices, LdapSignIn } from './face/services.ts';

export interface LdapTls extends ServerCertificate {
  /** `ldaps://`: every connection begins with TLS. Else StartTLS is offered. */
  readonly implicit: boolean;
}

/** The address book as a read-only LDAP server: one open port. What answers can be exchanged while it stays open. */
export class LdapListener {
  readonly #listener: StreamListener;
  readonly #connections: Set<LdapConnection>;
  readonly #scheme: string;
  #services: LdapFaceServices;

  private constructor(listener: StreamListener, connections: Set<LdapConnection>, scheme: string, services: LdapFaceServices) {
    this.#listener = listener;
    this.#connections = connections;
    this.#scheme = scheme;
    this.#services = services;
  }

  /**
   * Opens `ldap://host:port` or `ldaps://host:port`; port 0 takes a free one.
   *
   * @throws BridgeError CONFIGURATION when the port cannot be opened, the certificate cannot be used, or the base is no distinguished name
   */
  static async open({ host, port }: { readonly host: string; readonly port: number }, tls: LdapTls | undefined, services: LdapFaceServices): Promise<LdapListener> {
    requireBase(services.base);
    const scheme = tls?.implicit === true ? 'ldaps' : 'ldap';
    const connections = new Set<LdapConnection>();
    const options = {
      host,
      port,
      label: `${scheme}://${host}:${port}`,
      tls,
      connections: LIMITS.ldapConnections,
      connectionsPerAddress: LIMITS.ldapConnectionsPerAddress,
      handshakeMs: LIMITS.ldapHandshakeMs,
      stalledMs: LIMITS.ldapStalledMs,
      // In the order in which they came: who sits on connections without signing in loses the oldest, and keeps nobody out who does.
      makeRoom: (address: string | undefined) => [...connections].some((connection) => connection.giveUp(address)),
    };
    const current = { services: (): LdapFaceServices => services };
    const listener = await StreamListener.open(
      options,
      (stream) => {
        const connection = new LdapConnection(stream, () => current.services());
        connections.add(connection);
        void connection.closed.then(() => connections.delete(connection));
      },
      services.logger,
    );
    const opened = new LdapListener(listener, connections, scheme, services);
    current.services = () => opened.#services;
    return opened;
  }

  /** Where it listens, with the port that was really taken. */
  get url(): string {
    return `${this.#scheme}://${this.#listener.authority}`;
  }

  /**
   * From now on these answer. Whoever has bound is told that the connection is over when what is under way has its answer: the client may be gone from the configuration, or have another password.
   *
   * @throws BridgeError CONFIGURATION where the base is no distinguished name; nothing has changed then
   */
  setServices(services: LdapFaceServices): void {
    requireBase(services.base);
    this.#services = services;
    for (const connection of this.#connections) if (connection.isBound) connection.retire('the configuration has changed: connect again');
  }

  /** From now on new handshakes see this certificate. Without effect where there was none. */
  setCertificate(certificate: ServerCertificate): void {
    this.#listener.setCertificate(certificate);
  }

  /** Takes no new connection, lets what is under way end for `graceMs`, then cuts it off. */
  async close(graceMs: number): Promise<void> {
    const closed = this.#listener.close();
    for (const connection of this.#connections) connection.retire('the server ends');
    const over = setTimeout(() => this.#connections.forEach((connection) => connection.destroy()), graceMs);
    await closed;
    clearTimeout(over);
  }
}

/** @throws BridgeError CONFIGURATION where the base is no distinguished name: the listener would refuse it */
export function requireBase(base: string): void {
  const name = parseDn(base);
  if (name === undefined || name.length === 0) throw new BridgeError('CONFIGURATION', 'the base of the LDAP face is no distinguished name');
}
