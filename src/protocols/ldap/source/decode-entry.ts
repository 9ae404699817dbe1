import { LIMITS } from '../../../core/limits.ts';
import { ENTRY_DETAILS } from '../../../directory/entry.ts';
import type { EntryDetails } from '../../../directory/entry.ts';
import type { SourceEntry } from '../../../directory/entry-source.ts';
import { parseMailboxAddress } from '../../../directory/smtp-address.ts';
import type { AttributeNames } from './attribute-names.ts';
import type { Complaints } from './complaints.ts';
import { normalisedDn } from './distinguished-name.ts';
import { addressesOf } from './entry-addresses.ts';
import { entryIdOf } from './entry-id.ts';
import { isTrue, kindOf } from './entry-kind.ts';
import type { RawEntry } from './raw-entry.ts';

/**
 * Makes an entry of the address book of what a directory says.
 *
 * @param complaints hears of everything that was cut or left out
 * @returns undefined for what has no usable address, or is nobody (an alias entry of Zimbra)
 */
export function decodeEntry(raw: RawEntry, names: AttributeNames, complaints: Complaints): SourceEntry | undefined {
  const addresses = addressesOf(raw, names);
  if (addresses === undefined) return undefined;
  const { address, aliases, formerDns } = addresses;
  const first = (attributes: readonly string[]): string | undefined => attributes.flatMap((attribute) => raw.text(attribute))[0];
  const targetAddress = parseMailboxAddress(first(names.targetAddress) ?? '');
  const kind = kindOf(raw, names, new Set([address, ...aliases]), targetAddress);
  if (kind === undefined) return undefined;
  if (addresses.unreadable > 0) complaints.hear('a value that can be no address is left out', raw.dn);
  if (addresses.dropped > 0) complaints.hear('aliases beyond the limit are left out', raw.dn, 'warn');

  const name = displayName(first(names.name), raw, complaints);
  const legacyExchangeDn = bounded(first(names.legacyExchangeDn), LIMITS.legacyExchangeDnCharacters, 'a legacyExchangeDN that is too long is left out', raw, complaints);
  const foreignPrincipal = foreignPrincipalOf(names.foreignPrincipal.flatMap((attribute) => raw.text(attribute)));
  const members = kind.kind === 'group' ? membersOf(raw, names, complaints) : [];
  return {
    id: entryIdOf(raw, names).id,
    address,
    ...(name === undefined ? {} : { name }),
    ...kind,
    ...(names.hidden.some((attribute) => isTrue(raw.text(attribute)[0])) ? { isHidden: true as const } : {}),
    ...(aliases.length === 0 ? {} : { aliases }),
    ...(targetAddress === undefined ? {} : { targetAddress }),
    ...(legacyExchangeDn === undefined ? {} : { legacyExchangeDn }),
    ...(formerDns.length === 0 ? {} : { formerDns }),
    ...(foreignPrincipal === undefined ? {} : { foreignPrincipal }),
    ref: normalisedDn(raw.dn),
    ...(members.length === 0 ? {} : { members }),
    ...detailsOf(raw, names, complaints),
  };
}

/** For showing only, so it may be cut; never within a character. */
function displayName(text: string | undefined, raw: RawEntry, complaints: Complaints): string | undefined {
  const name = oneLine(text ?? '');
  if (name === '') return undefined;
  const most = LIMITS.entryNameCharacters;
  if (name.length <= most) return name;
  complaints.hear('a name that is too long is cut', raw.dn);
  const isWithinPair = /[\uD800-\uDBFF]/.test(name[most - 1]!);
  return name.slice(0, isWithinPair ? most - 1 : most).trimEnd();
}

function detailsOf(raw: RawEntry, names: AttributeNames, complaints: Complaints): EntryDetails {
  const details: Partial<Record<keyof EntryDetails, string>> = {};
  for (const key of ENTRY_DETAILS) {
    for (const attribute of names[key]) {
      const value = bounded(oneLine(raw.text(attribute)[0] ?? ''), LIMITS.entryDetailCharacters, 'a detail that is too long is left out', raw, complaints);
      // ou, o and c are also what containers are named by; of a room's seats digits only.
      if (value === undefined || (key === 'capacity' && !/^\d{1,9}$/.test(value))) continue;
      details[key] = value;
      break;
    }
  }
  return details;
}

/** Control characters (a street has several lines in Active Directory) and runs of blanks are one blank. */
function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
}

function bounded(text: string | undefined, most: number, why: string, raw: RawEntry, complaints: Complaints): string | undefined {
  if (text === undefined || text === '') return undefined;
  if (text.length <= most) return text;
  complaints.hear(why, raw.dn);
  return undefined;
}

/** The first `ad:` value counts, as in Zimbra's own provider; an attribute that the configuration names may do without the prefix. */
function foreignPrincipalOf(values: readonly string[]): string | undefined {
  const found = values.find((one) => /^ad:./i.test(one))?.slice('ad:'.length) ?? values.find((one) => !/^[a-z][\w.+-]*:/i.test(one));
  const principal = found?.trim() ?? '';
  return principal === '' || principal.length > LIMITS.legacyExchangeDnCharacters ? undefined : principal;
}

/** Addresses as addresses, everything else as a DN. */
function membersOf(raw: RawEntry, names: AttributeNames, complaints: Complaints): readonly string[] {
  const all = new Set(names.members.flatMap((attribute) => raw.text(attribute).map((value) => parseMailboxAddress(value) ?? normalisedDn(value))));
  const kept = [...all].filter((one) => one.length <= LIMITS.entryIdCharacters);
  if (kept.length < all.size) complaints.hear('a member whose name is too long is left out', raw.dn);
  if (kept.length > LIMITS.groupMembers) complaints.hear('members beyond the limit are left out', raw.dn, 'warn');
  return kept.slice(0, LIMITS.groupMembers);
}
