import { LIMITS } from '../../core/limits.ts';
import { Mistake, text } from './field.ts';
import type { Field } from './field.ts';
import { isHostName } from './network.ts';

/**
 * The URL of a server. No message shows it: its query may hold a secret.
 *
 * `right` completes "it should be …"; `notBelow` are first segments of paths that the bridge appends itself.
 */
export function serverUrl(right: string, notBelow: readonly string[] = []): Field<URL> {
  return text(right, (value) => {
    const url = readHttpUrl(value, right);
    const first = url.pathname.split('/')[1]?.toLowerCase() ?? '';
    if (notBelow.includes(first)) throw new Mistake(`should be ${right}: without /${first}, which the bridge appends itself`);
    return url;
  });
}

/** `publicUrl`: no query either; without the slash at its end. */
export function publicUrl(): Field<string> {
  const right = 'the URL under which clients reach the bridge, e.g. https://bridge.example.com';
  return text(right, (value) => {
    const url = readHttpUrl(value, right);
    if (url.search !== '') throw new Mistake(`should be ${right}: without a query`);
    return url.href.replace(/\/+$/, '');
  });
}

/** An absolute http(s) URL without credentials and fragment. @throws Mistake */
export function readHttpUrl(value: string, right: string): URL {
  if (value.length > LIMITS.urlCharacters) throw new Mistake(`is longer than ${LIMITS.urlCharacters} characters`);
  if (/[\u0000-\u0020\u007f]/.test(value)) throw new Mistake(`should be ${right}: without blanks or control characters`);
  // The URL parser forgives missing slashes and backslashes; an administrator's slip is better named.
  if (!/^https?:\/\/[^/\\]/i.test(value) || !URL.canParse(value)) throw new Mistake(`should be ${right}`);
  const url = new URL(value);
  if (url.username !== '' || url.password !== '' || authorityOf(value).includes('@')) {
    throw new Mistake(`should be ${right}: credentials belong under username and password`);
  }
  if (value.includes('#')) throw new Mistake(`should be ${right}: without a fragment (#)`);
  if (!isHostName(url.hostname) || url.port === '0') throw new Mistake(`should be ${right}: its host or port is not one`);
  return url;
}

/** What stands between `//` and the first `/`, `?` or `#`. */
export function authorityOf(value: string): string {
  return /^[^:]*:\/\/([^/?#\\]*)/.exec(value)?.[1] ?? '';
}
