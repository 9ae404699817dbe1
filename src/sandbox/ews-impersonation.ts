import { child, descend } from '../platform/xml/element.ts';
import type { XmlElement } from '../platform/xml/element.ts';
import type { CalendarStore } from './calendar-store.ts';
import { EwsFault } from './ews-envelope.ts';
import { TYPES_NS } from './ews-names.ts';

const WAYS = ['PrincipalName', 'PrimarySmtpAddress', 'SmtpAddress'];

/**
 * As whom the request is made: the address (as the mailbox has it) of its `ExchangeImpersonation`, undefined where there is none. A principal name is taken for an
 * address; SIDs are nobody's.
 *
 * @param isDenied whom the account may not be
 * @throws EwsFault ErrorNonExistentMailbox, ErrorImpersonateUserDenied: the whole request fails
 */
export function impersonatedBy(envelope: XmlElement, calendars: CalendarStore, isDenied: (address: string) => boolean): string | undefined {
  const header = descend(envelope, 'Header', 'ExchangeImpersonation');
  if (header === undefined) return undefined;
  const named = child(header, 'ConnectingSID')?.children[0];
  if (header.ns !== TYPES_NS || named?.ns !== TYPES_NS || named.text.trim() === '') throw new EwsFault('ErrorInvalidExchangeImpersonationHeaderData', 'The ExchangeImpersonation header could not be read.');
  const address = WAYS.includes(named.name) ? calendars.find(named.text)?.address : undefined;
  if (address === undefined) throw new EwsFault('ErrorNonExistentMailbox', 'No mailbox with such guid.');
  if (isDenied(address)) throw new EwsFault('ErrorImpersonateUserDenied', 'The account does not have permission to impersonate the requested user.');
  return address;
}
