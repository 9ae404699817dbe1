import { LIMITS } from '../../core/limits.ts';
import type { SourceEntry } from '../../directory/entry-source.ts';
import { parseMailboxAddress } from '../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { attribute } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { accountValues, foreignPrincipalOf, isAccountId, isElsewhere } from './account.ts';

/** What an administrator sees of an account or resource beside what the address list shows. */
export interface AccountDetails {
  readonly zimbraId: string;
  /** Undefined: nothing that names a mailbox. */
  readonly address: MailboxAddress | undefined;
  readonly name: string | undefined;
  readonly aliases: readonly MailboxAddress[];
  readonly foreignPrincipal: string | undefined;
  readonly resource: 'room' | 'equipment' | undefined;
  /** zimbraHideInGal: the address list does not show it. */
  readonly isHidden: boolean;
  /** Its mail goes to another system (split domains): so does its calendar. */
  readonly isElsewhere: boolean;
}

export type AccountsByZimbraId = ReadonlyMap<string, AccountDetails>;

/** What is asked for of every account. */
export const DETAIL_ATTRIBUTES = [
  'displayName',
  'zimbraMailDeliveryAddress',
  'zimbraMailAlias',
  'zimbraForeignPrincipal',
  'zimbraHideInGal',
  'zimbraCalResType',
  'zimbraMailTransport',
  'zimbraFreebusyLocalMailboxNotActive',
] as const;

const ASKED: ReadonlySet<string> = new Set(DETAIL_ATTRIBUTES);

/** Reads `<account name id [isExternal]>` or `<calresource …>`. @returns undefined without an id @throws BridgeError BACKEND_AUTH where we may not see an attribute */
export function decodeAccountDetails(element: XmlElement): AccountDetails | undefined {
  const zimbraId = attribute(element, 'id') ?? '';
  if (!isAccountId(zimbraId)) return undefined;
  const values = accountValues(element, ASKED);
  const first = (name: string): string | undefined => values.get(name)?.[0];
  const address = parseMailboxAddress(attribute(element, 'name') ?? '') ?? parseMailboxAddress(first('zimbraMailDeliveryAddress') ?? '');
  const others = ['zimbraMailDeliveryAddress', 'zimbraMailAlias'].flatMap((name) => values.get(name) ?? []).flatMap((text) => parseMailboxAddress(text) ?? []);
  const type = first('zimbraCalResType')?.toLowerCase();
  return {
    zimbraId,
    address,
    name: first('displayName')?.slice(0, LIMITS.entryNameCharacters) || undefined,
    aliases: [...new Set(others)].filter((one) => one !== address).slice(0, LIMITS.entryAliases),
    foreignPrincipal: foreignPrincipalOf(values.get('zimbraForeignPrincipal') ?? []),
    resource: type === 'location' ? 'room' : type === 'equipment' || element.name === 'calresource' ? 'equipment' : undefined,
    isHidden: first('zimbraHideInGal')?.toUpperCase() === 'TRUE',
    isElsewhere: first('zimbraFreebusyLocalMailboxNotActive')?.toUpperCase() === 'TRUE' || isElsewhere(attribute(element, 'isExternal'), first('zimbraMailTransport')),
  };
}

/** An entry of the address list with what its account says besides. */
export function completed(entry: SourceEntry, details: AccountDetails | undefined): SourceEntry {
  if (details === undefined) return entry;
  const aliases = [...new Set([...(entry.aliases ?? []), ...details.aliases, ...(details.address === undefined ? [] : [details.address])])].filter((one) => one !== entry.address);
  return {
    ...entry,
    ...(aliases.length === 0 ? {} : { aliases: aliases.slice(0, LIMITS.entryAliases) }),
    ...(details.foreignPrincipal === undefined ? {} : { foreignPrincipal: details.foreignPrincipal }),
    ...(details.isHidden ? { isHidden: true } : {}),
    ...(details.isElsewhere ? { isMailbox: false, kind: entry.kind === 'person' ? 'contact' : entry.kind } : {}),
  };
}

/** Those whom the address list does not show: nobody is to find them, and where their mailbox lives counts all the same. */
export function hiddenEntries(accounts: AccountsByZimbraId): readonly SourceEntry[] {
  return [...accounts.values()].flatMap(({ zimbraId: id, address, name, aliases, foreignPrincipal, resource, isHidden, isElsewhere: isAway }): readonly SourceEntry[] => {
    if (!isHidden || address === undefined) return [];
    return [
      {
        id,
        address,
        kind: resource ?? (isAway ? 'contact' : 'person'),
        isMailbox: !isAway,
        isHidden: true,
        ...(name === undefined ? {} : { name }),
        ...(aliases.length === 0 ? {} : { aliases }),
        ...(foreignPrincipal === undefined ? {} : { foreignPrincipal }),
      },
    ];
  });
}
