import type { Config, LdapAddress } from './config/config.ts';
import type { Logger } from './core/logger.ts';
import type { PasswordSignIn } from './platform/auth/sign-in.ts';
import { LdapListener, requireBase } from './protocols/ldap/endpoint.ts';
import type { LdapFaceServices, LdapSignIn, LdapTls } from './protocols/ldap/endpoint.ts';

interface OpenPort {
  readonly key: string;
  readonly listener: LdapListener;
  /** The same port as it was, after it was closed for another. */
  readonly reopen: () => Promise<LdapListener>;
}

/** The LDAP face's port, kept open over reloads that leave it where it is. */
export class BridgeLdap {
  #open: OpenPort | undefined;

  /** `ldap://127.0.0.1:3890`; undefined where none is open. */
  get url(): string | undefined {
    return this.#open?.listener.url;
  }

  /**
   * Opens what a configuration wants where it is not open yet. What is open already answers as before until `swap`; only where the same port is to be another kind of door it is
   * closed, because it cannot be open twice, and opened again as it was where that fails.
   *
   * @throws BridgeError CONFIGURATION where the port cannot be opened, or `swap` would fail
   */
  async prepare(config: Config, services: (base: string) => LdapFaceServices): Promise<LdapListener | undefined> {
    const { ldap } = config.gal;
    if (ldap === undefined) return undefined;
    requireBase(ldap.base);
    const old = this.#open;
    if (old?.key === keyOf(config, ldap.listen)) return undefined;
    const open = (): Promise<LdapListener> => LdapListener.open(ldap.listen, tlsOf(config, ldap.listen), services(ldap.base));
    if (old === undefined || !isSamePort(old.key, ldap.listen)) return open();
    await old.listener.close(0);
    try {
      return await open();
    } catch (error) {
      // Where not even that can be opened again, none is.
      this.#open = undefined;
      this.#open = { ...old, listener: await old.reopen() };
      throw error;
    }
  }

  /** Puts a configuration in force; `prepared` is what `prepare` opened for it. */
  async swap(config: Config, prepared: LdapListener | undefined, services: (base: string) => LdapFaceServices, graceMs: number): Promise<void> {
    const old = this.#open;
    const { ldap } = config.gal;
    if (ldap === undefined) this.#open = undefined;
    else if (prepared !== undefined) {
      this.#open = { key: keyOf(config, ldap.listen), listener: prepared, reopen: () => LdapListener.open(ldap.listen, tlsOf(config, ldap.listen), services(ldap.base)) };
    }
    else {
      const tls = tlsOf(config, ldap.listen);
      if (tls !== undefined) old!.listener.setCertificate(tls);
      old!.listener.setServices(services(ldap.base));
      this.#open = { ...old!, reopen: () => LdapListener.open(ldap.listen, tls, services(ldap.base)) };
    }
    if (old !== undefined && old.listener !== this.#open?.listener) await old.listener.close(graceMs);
  }

  async close(graceMs: number): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.listener.close(graceMs);
  }
}

/** A bind is judged as any other sign-in with a password: the same clients, the same slowing down. */
export function ldapSignIn(signIn: PasswordSignIn, logger: Logger): LdapSignIn {
  return {
    withPassword: (username, password, address) =>
      signIn.withPasswordFrom(username, password, address, (reason, client) => logger.warn({ face: 'ldap', operation: 'bind', address, client, reason }, 'a client could not sign in')),
  };
}

/** Port 0 is another one every time. */
function isSamePort(key: string, { host, port }: LdapAddress): boolean {
  return port !== 0 && key.startsWith(`${host}:${port} `);
}

function keyOf({ tls }: Config, { protocol, host, port }: LdapAddress): string {
  return `${host}:${port} ${protocol} ${tls === undefined ? 'plain' : 'tls'}`;
}

function tlsOf({ tls }: Config, { protocol }: LdapAddress): LdapTls | undefined {
  return tls === undefined ? undefined : { certificate: tls.certificate, key: tls.key.reveal(), implicit: protocol === 'ldaps' };
}
