import { LIMITS } from '../../core/limits.ts';

/** The cookies of one server, by name; paths and domains do not matter, because only that server gets them. */
export class CookieJar {
  readonly #cookies = new Map<string, string>();

  get isEmpty(): boolean {
    return this.#cookies.size === 0;
  }

  /** Takes over what `Set-Cookie` headers say; values keep their quotes (`cadata="…"`). An empty or expired one is forgotten. */
  store(setCookies: readonly string[]): void {
    for (const header of setCookies) {
      const match = /^\s*([^=;,\s]+)\s*=\s*([^;]*?)\s*(?:;(.*))?$/.exec(header);
      if (match === null) continue;
      const [, name, value, attributes = ''] = match;
      const expires = /(?:^|;)\s*expires\s*=\s*([^;]+)/i.exec(attributes)?.[1];
      const isGone = /(?:^|;)\s*max-age\s*=\s*"?(?:0|-\d+)"?\s*(?:;|$)/i.test(attributes) || (expires !== undefined && Date.parse(expires) <= LONG_AGO);
      if (isGone || value === '' || value === '""') this.#cookies.delete(name!);
      else if (this.#cookies.has(name!) || this.#cookies.size < LIMITS.logonCookies) this.#cookies.set(name!, value!);
    }
  }

  /** The `Cookie` header. */
  header(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }
}

/** Servers delete a cookie by a date in the past, usually 1970 or 2000; a wrong clock must not delete a living one. */
const LONG_AGO = Date.UTC(2001, 0, 1);
