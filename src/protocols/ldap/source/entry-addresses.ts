import { LIMITS } from '../../../core/limits.ts';
import { parseMailboxAddress } from '../../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../../directory/smtp-address.ts';
import type { AttributeNames } from './attribute-names.ts';
import { addressOfDn } from './distinguished-name.ts';
import type { RawEntry } from './raw-entry.ts';

export interface EntryAddresses {
  readonly address: MailboxAddress;
  /** Without `address`, each once, in the directory's order. */
  readonly aliases: readonly MailboxAddress[];
  /** `X500:` proxies. */
  readonly formerDns: readonly string[];
  /** Values that can be no address. */
  readonly unreadable: number;
  /** Aliases beyond LIMITS.entryAliases. */
  readonly dropped: number;
}

/**
 * The addresses of an entry. Primary is what the first attribute that has any says:
 *
 * 1. `SMTP:` in capitals among proxyAddresses (Exchange: exactly one; several: the one that is `mail`, else the first),
 * 2. the first zimbraMailDeliveryAddress,
 * 3. of several `mail`s the one that Zimbra makes of the DN (uid at the dc's: a distribution list lists its aliases among them in any order), else the first.
 *
 * Everything else that is an address is an alias. Proxies of other kinds (`sip:`, `x400:`, `EUM:`, `SPO:`) are none.
 *
 * @returns undefined without a usable address: no entry
 */
export function addressesOf(raw: RawEntry, names: AttributeNames): EntryAddresses | undefined {
  let unreadable = 0;
  const formerDns = new Set<string>();
  const read = (attribute: string): readonly { readonly address: MailboxAddress; readonly isPrimary: boolean }[] =>
    raw.text(attribute).flatMap((value) => {
      const prefix = /^([A-Za-z][A-Za-z0-9-]*):/.exec(value)?.[1];
      if (prefix?.toLowerCase() === 'x500' && value.length <= LIMITS.legacyExchangeDnCharacters) formerDns.add(value.slice('x500:'.length).trim());
      if (prefix !== undefined && !/^(?:smtp|mailto)$/i.test(prefix)) return [];
      const address = parseMailboxAddress(value);
      if (address !== undefined) return [{ address, isPrimary: prefix === 'SMTP' }];
      unreadable += 1;
      return [];
    });
  const primary = names.address.map((attribute) => primaryOf(attribute, read(attribute), raw)).find((one) => one !== undefined);
  if (primary === undefined) return undefined;
  unreadable = 0;
  const aliases = new Set(names.aliases.flatMap((attribute) => read(attribute).map(({ address }) => address)));
  aliases.delete(primary);
  return { address: primary, aliases: [...aliases].slice(0, LIMITS.entryAliases), formerDns: [...formerDns].slice(0, LIMITS.entryAliases), unreadable, dropped: Math.max(0, aliases.size - LIMITS.entryAliases) };
}

function primaryOf(attribute: string, found: readonly { readonly address: MailboxAddress; readonly isPrimary: boolean }[], raw: RawEntry): MailboxAddress | undefined {
  if (/^proxyAddresses$/i.test(attribute)) {
    const candidates = found.filter(({ isPrimary }) => isPrimary);
    const mail = parseMailboxAddress(raw.text('mail')[0] ?? '');
    return (candidates.find(({ address }) => address === mail) ?? candidates[0])?.address;
  }
  const fromDn = found.length > 1 ? addressOfDn(raw.dn) : undefined;
  return (found.find(({ address }) => address === fromDn) ?? found[0])?.address;
}
