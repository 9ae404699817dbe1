import type { Config, LdapAddress } from './config/config.ts';
import type { ServerCertificate } from './platform/http-server/listener.ts';
import { LdapListener } from './protocols/ldap/endpoint.ts';
import type { LdapFaceServices } from './protocols/ldap/endpoint.ts';

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
    if (ldap === undefined || this.#open?.key === keyOf(ldap.listen)) return undefined;
    return LdapListener.open(ldap.listen, certificateOf(config), services(ldap.base));
  }

  /** Puts a configuration in force; `prepared` is what `prepare` opened for it. */
  async swap(config: Config, prepared: LdapListener | undefined, services: (base: string) => LdapFaceServices, graceMs: number): Promise<void> {
    const old = this.#open;
    const { ldap } = config.gal;
    if (ldap === undefined) this.#open = undefined;
    else if (prepared !== undefined) this.#open = { key: keyOf(ldap.listen), listener: prepared };
    else {
      const certificate = certificateOf(config);
      if (certificate !== undefined) old?.listener.setCertificate(certificate);
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

function keyOf({ protocol, host, port }: LdapAddress): string {
  return `${protocol}://${host}:${port}`;
}

function certificateOf({ tls }: Config): ServerCertificate | undefined {
  return tls === undefined ? undefined : { certificate: tls.certificate, key: tls.key.reveal() };
}
