import type { EntryDetails } from '../../directory/entry.ts';
import type { ContactDifference, WantedContact } from '../../gal/contact-difference.ts';
import { shown } from '../terminal.ts';

/** Our details by the names of Zimbra's contact fields (zimbra.md §6.1). */
const FIELDS: readonly (readonly [field: string, key: keyof EntryDetails])[] = [
  ['firstName', 'givenName'],
  ['lastName', 'surname'],
  ['company', 'company'],
  ['department', 'department'],
  ['jobTitle', 'title'],
  ['office', 'office'],
  ['workPhone', 'phone'],
  ['mobilePhone', 'mobile'],
];

export const ZIMBRA_FIELDS: readonly string[] = ['email', 'fullName', ...FIELDS.map(([field]) => field)];

/** A contact's fields in the order of ZIMBRA_FIELDS; empty where nothing is known. */
export function zimbraContact({ entry }: WantedContact): readonly string[] {
  return [entry.address, entry.name, ...FIELDS.map(([, key]) => entry[key] ?? '')].map(shown);
}

/** Zimbra's folder is filled anew every time: whoever is to be there, whether or not some directory of Zimbra's shows him otherwise. */
export function zimbraContacts({ add, change }: ContactDifference): readonly WantedContact[] {
  return [...add, ...change].sort((one, other) => (one.entry.address < other.entry.address ? -1 : 1));
}
