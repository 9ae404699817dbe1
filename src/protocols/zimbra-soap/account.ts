import { BridgeError } from '../../core/errors.ts';
import { localPartOf, parseMailboxAddress } from '../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { Resident } from '../../freebusy/roster.ts';
import { attribute, childrenNamed } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';

/** An account or calendar resource as the admin SOAP shows it. */
export interface ZimbraAccount extends Resident {
  /** zimbraId, by which WaitSets name it. */
  readonly id: string;
}

/** What is asked for of every account. */
export const ACCOUNT_ATTRIBUTES = [
  'zimbraForeignPrincipal',
  'zimbraIsSystemAccount',
  'zimbraIsSystemResource',
  'zimbraMailDeliveryAddress',
  'zimbraMailTransport',
  'zimbraFreebusyLocalMailboxNotActive',
] as const;

/**
 * Reads `<account name id [isExternal]><a n="…">…</a></account>`, or `<calresource …>`, of which neither knows `isExternal` in a GetAccountResponse.
 *
 * `isSystem` is also true of accounts whose calendar is elsewhere (mail goes to another system, or zimbraFreebusyLocalMailboxNotActive):
 * Zimbra would ask its external provider about them (zimbra.md §2.3), and their message in Exchange is not ours to write or to remove.
 *
 * @returns undefined where its name can name no mailbox
 * @throws BridgeError BACKEND_MALFORMED without an id, BACKEND_AUTH where we may not see an attribute (`pd`): it must not look like none
 */
export function decodeAccount(element: XmlElement): ZimbraAccount | undefined {
  const id = attribute(element, 'id');
  if (id === undefined || !isAccountId(id)) throw new BridgeError('BACKEND_MALFORMED', 'the calendar system named an account without an id');
  const values = accountValues(element, ASKED);
  const mailbox = parseMailboxAddress(attribute(element, 'name') ?? '') ?? parseMailboxAddress(values.get('zimbraMailDeliveryAddress')?.[0] ?? '');
  if (mailbox === undefined) return undefined;
  const principal = foreignPrincipalOf(values.get('zimbraForeignPrincipal') ?? []);
  const isTrue = (name: string): boolean => values.get(name)?.[0]?.toUpperCase() === 'TRUE';
  const isSystem =
    isTrue('zimbraIsSystemAccount') ||
    isTrue('zimbraIsSystemResource') ||
    isTrue('zimbraFreebusyLocalMailboxNotActive') ||
    isElsewhere(attribute(element, 'isExternal'), values.get('zimbraMailTransport')?.[0]) ||
    (principal === undefined && hasSystemName(mailbox));
  return { id, mailbox, isSystem, ...(principal === undefined ? {} : { foreignPrincipal: principal }) };
}

/** Zimbra makes UUIDs; anything without room for mischief is taken. */
export function isAccountId(text: string): boolean {
  return /^[\w.-]{1,64}$/.test(text);
}

/** Values of the attributes that were asked for. @throws BridgeError BACKEND_AUTH where we may not see one (`pd`) */
export function accountValues(element: XmlElement, asked: ReadonlySet<string>): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>();
  for (const one of childrenNamed(element, 'a')) {
    const name = attribute(one, 'n') ?? '';
    if (!asked.has(name)) continue;
    if (attribute(one, 'pd') === '1' || attribute(one, 'pd') === 'true') {
      throw new BridgeError('BACKEND_AUTH', 'the calendar system does not show our account what it needs to see', { details: { attribute: name } });
    }
    const list = values.get(name);
    if (list === undefined) values.set(name, [one.text.trim()]);
    else list.push(one.text.trim());
  }
  return values;
}

const ASKED: ReadonlySet<string> = new Set(ACCOUNT_ATTRIBUTES);

/** The first `ad:` value counts, as in Zimbra's own provider. */
export function foreignPrincipalOf(values: readonly string[]): string | undefined {
  const value = values.find((one) => /^ad:./i.test(one))?.slice('ad:'.length).trim();
  return value === '' ? undefined : value;
}

/** Local mail goes by LMTP; another transport is another system's mailbox (split domains). */
export function isElsewhere(isExternal: string | undefined, transport: string | undefined): boolean {
  if (isExternal !== undefined) return isExternal === '1' || isExternal === 'true';
  return transport !== undefined && transport !== '' && !/^lmtp:/i.test(transport);
}

/**
 * What zmsetup.pl names the accounts for GAL synchronisation, spam training and quarantine; old ones carry no attribute that says so. Behind
 * `spam.` and its like stands what `RandomPassword -l 8 10` made, in lower case: letters, digits and `_`. People are called spam.filter@ and ham.jiyoon@.
 */
function hasSystemName(mailbox: MailboxAddress): boolean {
  return /^(?:galsync(?:[.-].+)?|(?:spam|ham|virus-quarantine)\.[0-9a-z_]{8,10})$/.test(localPartOf(mailbox));
}
