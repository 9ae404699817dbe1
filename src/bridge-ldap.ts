import type { Config, LdapAddress } from './config/config.ts';
import type { Logger } from './core/logger.ts';
import type { PasswordSignIn } from './platform/auth/sign-in.ts';
import { LdapListener } from './protocols/ldap/endpoint.ts';
import type { LdapFaceServices, LdapSignIn, LdapTls } from './protocols/ldap/endpoint.ts';

/** The LDAP face's port, kept open over reloads that leave it where it is. */
export class BridgeLdap {
  #open: { readonly key: string; readonly listener: LdapListener } | undefined;

  /** `ldap://127.0.0.1:3890`; undefined where none is open. */
  get url(): string | undefined {
    return this.#open?.listener.url;
  }

  /**
   * Opens what a configuration wants where it is not open yet. What is open already answers as before until `swap`.
   *
   * @throws BridgeError CONFIGURATION where the port cannot be opened
   */
  async prepare(config: Config, services: (base: string) => LdapFaceServices): Promise<LdapListener | undefined> {
    const { ldap } = config.gal;
    if (ldap === undefined || this.#open?.key === keyOf(config, ldap.listen)) return undefined;
    // The same port with TLS that was not there before, or without: it cannot be open twice.
    if (this.#open?.key.startsWith(placeOf(ldap.listen)) === true) await this.close(0);
    return LdapListener.open(ldap.listen, tlsOf(config, ldap.listen), services(ldap.base));
  }

  /** Puts a configuration in force; `prepared` is what `prepare` opened for it. */
  async swap(config: Config, prepared: LdapListener | undefined, services: (base: string) => LdapFaceServices, graceMs: number): Promise<void> {
    const old = this.#open;
    const { ldap } = config.gal;
    if (ldap === undefined) this.#open = undefined;
    else if (prepared !== undefined) this.#open = { key: keyOf(config, ldap.listen), listener: prepared };
    else {
      const tls = tlsOf(config, ldap.listen);
      if (tls !== undefined) old?.listener.setCertificate(tls);
      old?.listener.setServices(services(ldap.base));
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

function placeOf({ protocol, host, port }: LdapAddress): string {
  return `${protocol}://${host}:${port} `;
}

function keyOf({ tls }: Config, listen: LdapAddress): string {
  return placeOf(listen) + (tls === undefined ? 'plain' : 'tls');
}

function tlsOf({ tls }: Config, { protocol }: LdapAddress): LdapTls | undefined {
  return tls === undefined ? undefined : { certificate: tls.certificate, key: tls.key.reveal(), implicit: protocol === 'ldaps' };
}
