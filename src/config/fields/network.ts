import { isIP } from 'node:net';
import { text } from './field.ts';
import type { Field } from './field.ts';

/** `10.0.0.0/8`, `192.0.2.7`, `2001:db8::/32`, as it stands. */
export function network(): Field<string> {
  return text('an IP address or a network, e.g. 192.0.2.7 or 10.0.0.0/8', (value) => (isNetwork(value) ? value : undefined));
}

function isNetwork(value: string): boolean {
  const [address = '', prefix, ...more] = value.split('/');
  const version = address.includes('%') ? 0 : isIP(address);
  if (version === 0 || more.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128));
}

/** A host for `hosts`: `name` or `name:port`, lower case. */
export function hostPattern(): Field<string> {
  return text('a host or host:port without scheme or path, e.g. ews2.corp.example', (value) => {
    const url = /[/?#@\\\s]/.test(value) || !URL.canParse(`x://${value}`) ? undefined : new URL(`http://${value.toLowerCase()}`);
    if (url === undefined || !isHostName(url.hostname)) return undefined;
    return value.toLowerCase();
  });
}

/** Whether a URL's host is one: WHATWG parsing lets `*`, `{` and the like pass. */
export function isHostName(hostname: string): boolean {
  if (hostname.startsWith('[')) return true;
  return hostname.length <= 253 && /^(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?$/.test(hostname);
}
