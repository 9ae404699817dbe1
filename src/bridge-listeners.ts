import type { RequestListener } from 'node:http';
import { BridgeLdap } from './bridge-ldap.ts';
import type { Config, Listener as ListenerConfig } from './config/config.ts';
import { listenerUrl } from './config/listener-url.ts';
import type { Logger } from './core/logger.ts';
import { Listener } from './platform/http-server/listener.ts';
import type { ServerCertificate } from './platform/http-server/listener.ts';
import type { LdapFaceServices } from './protocols/ldap/endpoint.ts';

/** What answers behind the listeners of one configuration. */
export interface Answering {
  readonly config: Config;
  readonly faces: RequestListener;
  readonly admin: RequestListener;
  readonly ldap: (base: string) => LdapFaceServices;
}

/** The open ports: public, admin and LDAP. A reload opens what is new before it closes what is gone. */
export class BridgeListeners {
  readonly #logger: Logger;
  readonly #listeners = new Map<string, Listener>();
  readonly #leaving = new Set<Listener>();
  readonly #ldap = new BridgeLdap();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** The public ones first, that of the LDAP face last. */
  get urls(): readonly string[] {
    const { url } = this.#ldap;
    return [...[...this.#listeners.values()].map((listener) => listener.url), ...(url === undefined ? [] : [url])];
  }

  async close(graceMs: number): Promise<void> {
    const listeners = [...this.#listeners.values(), ...this.#leaving].map((listener) => listener.close(graceMs));
    await Promise.all([...listeners, this.#ldap.close(graceMs)]);
    this.#listeners.clear();
  }

  /**
   * Opens what is new, hands the new handler to what stays, closes what is gone; opens nothing where one cannot be opened.
   *
   * @param leaveMs how long requests under way on listeners that are gone have
   * @throws BridgeError CONFIGURATION
   */
  async swap({ config, faces, admin, ldap }: Answering, leaveMs: number): Promise<void> {
    const wanted = new Map<string, { readonly listener: ListenerConfig; readonly handler: RequestListener; readonly certificate: ServerCertificate | undefined }>();
    const want = (listener: ListenerConfig, handler: RequestListener, certificate: ServerCertificate | undefined): void => {
      // Port 0 may stand there several times.
      let key = listenerUrl(listener);
      for (let again = 2; wanted.has(key); again++) key = `${listenerUrl(listener)} ${again}`;
      wanted.set(key, { listener, handler, certificate });
    };
    const certificate = config.tls === undefined ? undefined : { certificate: config.tls.certificate, key: config.tls.key.reveal() };
    // Browsers ask their users which certificate to show; nobody is bothered where no client has one.
    const clientCa = config.clients.some(({ auth }) => auth.includes('certificate')) ? config.tls?.clientCa : undefined;
    for (const listener of config.listen) want(listener, faces, certificate === undefined ? undefined : { ...certificate, clientCa });
    if (config.admin !== undefined) want(config.admin.listen, admin, certificate);

    const opened = new Map<string, Listener>();
    let openedLdap: Awaited<ReturnType<BridgeLdap['prepare']>>;
    try {
      for (const [key, { listener, handler, certificate: own }] of wanted) {
        if (!this.#listeners.has(key)) opened.set(key, await Listener.open(new URL(listenerUrl(listener)), listener.protocol === 'https' ? own : undefined, handler, this.#logger));
      }
      openedLdap = await this.#ldap.prepare(config, ldap);
    } catch (error) {
      await Promise.all([...opened.values()].map((listener) => listener.close(0)));
      throw error;
    }
    const gone = [...this.#listeners].filter(([key]) => !wanted.has(key));
    for (const [key, { handler, certificate: own }] of wanted) {
      const kept = this.#listeners.get(key);
      kept?.setHandler(handler);
      if (own !== undefined) kept?.setCertificate(own);
    }
    for (const [key] of gone) this.#listeners.delete(key);
    for (const [key, listener] of opened) this.#listeners.set(key, listener);
    await this.#ldap.swap(config, openedLdap, ldap, 0);
    // Nobody waits for these: requests under way on them have as long as their systems.
    for (const [, listener] of gone) {
      this.#leaving.add(listener);
      void listener.close(leaveMs).then(() => this.#leaving.delete(listener));
    }
  }
}
