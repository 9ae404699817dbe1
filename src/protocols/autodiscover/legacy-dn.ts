import { domainOf, localPartOf, parseMailboxAddress } from '../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';

/**
 * The name that an answer gives a user. It is made of the address alone, so it says nothing of whether there is such a user, and can be read
 * backwards when a client asks by LegacyDN.
 */
export function encodeLegacyDn(address: MailboxAddress): string {
  return `/o=freebusy-bridge/ou=${domainOf(address)}/cn=Recipients/cn=${localPartOf(address)}`;
}

/** The address behind a name of ours, in any case; undefined for everybody else's. */
export function decodeLegacyDn(dn: string): MailboxAddress | undefined {
  const [, domain, localPart] = /^\/o=freebusy-bridge\/ou=([^/]+)\/cn=Recipients\/cn=([^/]+)$/i.exec(dn.trim()) ?? [];
  return domain === undefined ? undefined : parseMailboxAddress(`${localPart}@${domain}`);
}
