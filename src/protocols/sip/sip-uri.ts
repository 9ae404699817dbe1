import { domainToASCII } from 'node:url';
import { domainOf, localPartOf } from '../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';

/**
 * `sip:anna@corp.example` (RFC 3261 §19.1.1): whatever a user part may not hold is escaped, the domain is in its ASCII form. The local part stays lower case: servers compare it with case.
 */
export function sipUri(mailbox: MailboxAddress): string {
  const domain = domainOf(mailbox);
  // A domain that has no ASCII form is left to the server to refuse: escaped, because a domain may hold letters only.
  const host = domainToASCII(domain) || encodeURIComponent(domain);
  return `sip:${localPartOf(mailbox).replace(/[^A-Za-z0-9_.!~*'()&=+$-]/gu, encodeURIComponent)}@${host}`;
}

/** A host in a URI or a Via: IPv6 in brackets. */
export function hostText(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
