import { BridgeError } from '../../../core/errors.ts';
import type { Requester } from '../../../core/request-context.ts';
import type { Directory } from '../../../directory/directory.ts';
import type { EntryKind } from '../../../directory/entry.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import type { Allowance } from './allowance.ts';
import { member } from './member.ts';

/** What `type` (and AutoCompleteRequest's `t`) asks for. People come with groups: Zimbra's filters for `account` leave out resources only (GalSearchControl.java, zimbraGalLdapFilterDef). */
const KINDS_OF_TYPE: Readonly<Record<string, readonly EntryKind[] | undefined>> = {
  all: undefined,
  account: ['person', 'contact', 'group'],
  resource: ['room', 'equipment'],
  group: ['group'],
};

/** @param named the attribute @returns undefined: all kinds @throws BridgeError INVALID_REQUEST for a type that Zimbra does not have */
export function requestedKinds(request: XmlElement, named: 'type' | 't', otherwise: 'all' | 'account'): readonly EntryKind[] | undefined {
  const type = member(request, named) ?? otherwise;
  if (!Object.hasOwn(KINDS_OF_TYPE, type)) throw new BridgeError('INVALID_REQUEST', `unknown GAL search type: ${type.slice(0, 50)}`);
  return KINDS_OF_TYPE[type];
}

/** A number as Zimbra reads an `int`; undefined where there is none. @throws BridgeError INVALID_REQUEST for anything else, negative ones too */
export function requestedNumber(request: XmlElement, name: 'limit' | 'offset'): number | undefined {
  const text = member(request, name)?.trim() ?? '';
  if (text === '') return undefined;
  if (!/^\+?\d{1,10}$/.test(text) || Number(text) > 0x7fff_ffff) throw new BridgeError('INVALID_REQUEST', `invalid value for attribute: ${name}`);
  return Number(text);
}

/**
 * A name to search for without the stars that clients put around it: Zimbra puts its own there (zimbra.md §6.3). Empty for `.`, `*` and nothing, which
 * all mean everybody. A star inside stands for itself.
 */
export function searchedName(text: string): string {
  const bare = text.trim();
  return bare === '.' ? '' : bare.replace(/^\*+|\*+$/g, '').trim();
}

/** The address book for whoever may search in it. @throws BridgeError ACCESS_DENIED where none is kept or the client may not: Zimbra's features that are switched off */
export function galFor(directory: Directory, requester: Requester): Directory {
  if (!maySearch(directory, requester)) throw new BridgeError('ACCESS_DENIED', 'permission denied: GAL feature is not enabled');
  return directory;
}

export function maySearch({ isKept }: Directory, { gal = 'none' }: Requester): boolean {
  return isKept && gal !== 'none';
}

/** Takes from what the whole request may still say. @throws BridgeError INVALID_REQUEST where it is not enough */
export function spendCharacters(allowance: Allowance, characters: number): void {
  allowance.galCharacters -= characters;
  if (allowance.galCharacters < 0) throw new BridgeError('INVALID_REQUEST', 'the answer would be too large: ask for fewer entries');
}
