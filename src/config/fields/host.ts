import { isIP } from 'node:net';
import { Mistake, text } from './field.ts';
import type { Field } from './field.ts';
import { isHostName } from './network.ts';

/**
 * A host without scheme, port and path: `ews1.corp.example`, `192.0.2.7`, `2001:db8::7` (brackets are taken off). Lower case, international names as punycode.
 *
 * `why` says where scheme and port come from.
 */
export function host(why: { readonly scheme: string; readonly port: string }): Field<string> {
  const right = 'a host name or an IP address and nothing else, e.g. ews1.corp.example or 192.0.2.7';
  return text(right, (value) => {
    if (/^[a-z][a-z0-9+.-]*:\/\//i.test(value)) throw new Mistake(`should be ${right}: no URL; ${why.scheme}`);
    if (value.includes('@')) throw new Mistake(`should be ${right}: without @; an account belongs under its own key`);
    if (/[/\\?#]/.test(value)) throw new Mistake(`should be ${right}: without a path, which the bridge adds itself`);
    if (/^(?:[^:[\]]+|\[.*\]):\d*$/.test(value)) throw new Mistake(`should be ${right}: without a port, which is ${why.port}`);
    if (value.includes('*')) throw new Mistake(`should be ${right}: one host; a wildcard stands in certificates only`);
    return readHost(value);
  });
}

/** Undefined for what is none: no spelling of an address that only some programs read (`0x7f.1`, `127.1`), no zone (`fe80::1%eth0`). */
export function readHost(value: string): string | undefined {
  const bare = value.replace(/^\[(.*)\]$/, '$1');
  if (isIP(bare) === 6) return bare.includes('%') ? undefined : new URL(`http://[${bare}]`).hostname.slice(1, -1);
  if (isIP(value) === 4) return value;
  if (value === '' || /[\s/\\?#@:*%[\]]/.test(value) || !URL.canParse(`http://${value}`)) return undefined;
  const { hostname } = new URL(`http://${value}`);
  // WHATWG reads 0x7f.1 as an address; whoever writes that means something else.
  return isIP(hostname) === 0 && isHostName(hostname) ? hostname.replace(/\.$/, '') : undefined;
}

/** An address to listen at; IPv6 without brackets. */
export function listenAddress(): Field<string> {
  return text('an IP address of this machine, e.g. 192.0.2.7, or 0.0.0.0 for every one', (value) => {
    const found = readHost(value);
    return found !== undefined && isIP(found) !== 0 ? found : undefined;
  });
}

/** `host:port`, or `host` alone where the port is the usual one. */
export function hostAndPort(usual: number): Field<{ readonly host: string; readonly port: number }> {
  return text(`host:port, e.g. xmpp.corp.example:${usual}`, (value) => readHostAndPort(value, usual));
}

/** Undefined for what is none. IPv6 stands in brackets. */
export function readHostAndPort(value: string, usual: number): { readonly host: string; readonly port: number } | undefined {
  const match = /^(\[[^\]]*\]|[^:[\]]*)(?::(\d{1,5}))?$/.exec(value);
  const found = readHost(match?.[1] ?? '');
  const port = match?.[2] === undefined ? usual : Number(match[2]);
  return found === undefined || port < 1 || port > 65_535 ? undefined : { host: found, port };
}
