import { LIMITS } from '../../core/limits.ts';
import type { LdapAddress } from '../config.ts';
import { Mistake, text } from './field.ts';
import type { Field } from './field.ts';
import { isLoopback } from '../../core/loopback.ts';
import { isHostName } from './network.ts';

/** `ldap://host`, `ldaps://host:636`: scheme, host and port, nothing else; the ports are 389 and 636 where none stands there. Port 0 only where `mayBeFree`: one that the machine chooses. */
export function ldapAddress(example: string, { mayBeFree }: { readonly mayBeFree: boolean }): Field<LdapAddress> {
  return text(`ldap:// or ldaps:// with host and port and nothing else, e.g. ${example}`, (value) => {
    const address = parseLdapAddress(value);
    if (address !== undefined && address.port === 0 && !mayBeFree) throw new Mistake('should have a port other than 0');
    return address;
  });
}

/** Undefined for what is none. */
export function parseLdapAddress(value: string): LdapAddress | undefined {
  const match = /^(ldaps?):\/\/([^/?#@\\\s]+)\/?$/i.exec(value);
  if (match === null || value.length > LIMITS.urlCharacters || !URL.canParse(`http://${match[2]}`)) return undefined;
  const { hostname, port } = new URL(`http://${match[2]}`);
  if (!isHostName(hostname)) return undefined;
  const protocol = match[1]!.toLowerCase() === 'ldaps' ? 'ldaps' : 'ldap';
  // The URL parser drops 80, which is http's own.
  const given = port === '' && match[2]!.endsWith(':80') ? '80' : port;
  const host = hostname.replace(/^\[|\]$/g, '');
  return { protocol, host, port: given === '' ? (protocol === 'ldaps' ? 636 : 389) : Number(given), isLoopback: isLoopback(host) };
}
