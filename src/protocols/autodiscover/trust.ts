import { isLoopback } from '../../core/loopback.ts';

export interface TrustOptions {
  /** Of the mailbox, as it is configured. */
  readonly domain: string;
  /** The configured service, where there is one. */
  readonly url?: URL | undefined;
  /** `name` (any port of it) or `name:port`, as for redirects of every system. */
  readonly hosts: readonly string[];
}

/** Which hosts may learn the password. DNS, redirects and answers can be forged or wrong; a configuration and a verified certificate for a name that it speaks of are not. */
export class Trust {
  readonly #domain: string;
  readonly #url: URL | undefined;
  readonly #hosts: ReadonlySet<string>;

  constructor({ domain, url, hosts }: TrustOptions) {
    // As URLs write it: punycode.
    this.#domain = URL.canParse(`https://${domain}`) ? new URL(`https://${domain}`).hostname : domain;
    this.#url = url;
    this.#hosts = new Set(hosts.map((host) => host.toLowerCase()));
  }

  /** Whether a service of Autodiscover is one that we ask: listed, the configured one's origin, or https on port 443 in the mailbox's domain. */
  mayBeAsked(url: URL): boolean {
    if (url.origin === this.#url?.origin) return this.isSafe(url);
    return this.isSafe(url) && (this.#isListed(url) || (url.protocol === 'https:' && url.port === '' && isWithin(url.hostname, this.#domain)));
  }

  /** The same for EWS, which may also stand beside the configured service: in the same domain, or on another port of the same loopback. */
  mayHoldEws(url: URL): boolean {
    if (!this.isSafe(url)) return false;
    if (this.mayBeAsked(url) || url.protocol === 'http:') return true;
    return this.#url !== undefined && url.port === '' && isWithin(url.hostname, ownDomain(this.#url.hostname));
  }

  /** https; http only on loopback, and only where the configured service is there too. Never with somebody's password in it. */
  isSafe(url: URL): boolean {
    if (url.username !== '' || url.password !== '') return false;
    return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname) && this.#url?.protocol === 'http:' && isLoopback(this.#url.hostname));
  }

  #isListed(url: URL): boolean {
    return this.#hosts.has(url.hostname) || this.#hosts.has(`${url.hostname}:${url.port || (url.protocol === 'https:' ? '443' : '80')}`);
  }
}

function isWithin(host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`);
}

/** `autodiscover.hoster.example` speaks for hoster.example; any other name for itself and what is below: where a registered domain begins cannot be told by counting dots. */
function ownDomain(host: string): string {
  return /^autodiscover\.[^.]+\./.test(host) ? host.slice('autodiscover.'.length) : host;
}
