import type { EntryDetails } from '../../directory/entry.ts';
import type { SourceEntry } from '../../directory/entry-source.ts';
import { isAtHome } from '../../directory/home-mailboxes.ts';
import type { HomeMailboxes } from '../../directory/home-mailboxes.ts';
import { parseMailboxAddress } from '../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { childText } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';

/** One of a server's directory, as ResolveNames or FindPeople tells of it. */
export interface DirectoryPerson {
  /** Primary; undefined where only a legacyExchangeDN was given (RoutingType EX): to be resolved again. */
  readonly address: MailboxAddress | undefined;
  readonly legacyExchangeDn: string | undefined;
  readonly name: string | undefined;
  readonly aliases: readonly MailboxAddress[];
  /** MailboxTypeType; undefined where the server does not say. */
  readonly mailboxType: string | undefined;
  /** Only FindPeople tells. */
  readonly isRoom: boolean;
  readonly details: EntryDetails;
}

/** What an EmailAddressType says: where mail for it goes. */
export interface Recipient {
  readonly name: string | undefined;
  readonly address: MailboxAddress | undefined;
  readonly legacyExchangeDn: string | undefined;
  readonly mailboxType: string | undefined;
}

/** Reads a `t:Mailbox`, `t:EmailAddress` or `t:Address`. Without a RoutingType it is SMTP, which is the default. */
export function decodeRecipient(element: XmlElement | undefined): Recipient {
  const text = textOf(element, 'EmailAddress') ?? '';
  return {
    name: textOf(element, 'Name'),
    address: parseMailboxAddress(text),
    legacyExchangeDn: textOf(element, 'RoutingType')?.toUpperCase() === 'EX' && text.startsWith('/') ? text : undefined,
    mailboxType: textOf(element, 'MailboxType'),
  };
}

/** The text of a child; undefined where there is none or nothing in it. */
export function textOf(element: XmlElement | undefined, name: string): string | undefined {
  const text = childText(element, name);
  return text === '' ? undefined : text;
}

/** Those that have a value. */
export function detailsOf(details: { readonly [Key in keyof EntryDetails]: string | undefined }): EntryDetails {
  return Object.fromEntries(Object.entries(details).filter((pair) => pair[1] !== undefined));
}

/** In no address list: what a user keeps for himself, or what was only typed. */
const NOT_OF_THE_DIRECTORY: ReadonlySet<string> = new Set(['PrivateDL', 'OneOff', 'ImplicitContact']);

/**
 * A row of the address book; undefined for what has no address or is none of the directory's own. A mailbox or a list whose address is not of the system is somebody
 * else's (a remote mailbox). There is nothing better than the address to know one again by.
 */
export function entryOf(person: DirectoryPerson, home: HomeMailboxes): SourceEntry | undefined {
  const { address, name, mailboxType, aliases, legacyExchangeDn, details } = person;
  if (address === undefined || NOT_OF_THE_DIRECTORY.has(mailboxType ?? '')) return undefined;
  const isGroup = mailboxType === 'PublicDL' || mailboxType === 'GroupMailbox';
  // PublicFolder and Unknown take mail, and have no calendar.
  const isMailbox = (mailboxType === 'Mailbox' || isGroup) && isAtHome(address, home);
  const isPerson = mailboxType === 'Mailbox' || mailboxType === undefined;
  const others = [...new Set(aliases)].filter((one) => one !== address);
  return {
    id: address,
    address,
    kind: isGroup ? 'group' : person.isRoom ? 'room' : isPerson ? 'person' : 'contact',
    isMailbox,
    ...(name === undefined ? {} : { name }),
    ...(others.length === 0 ? {} : { aliases: others }),
    ...(legacyExchangeDn === undefined ? {} : { legacyExchangeDn }),
    ...details,
  };
}
