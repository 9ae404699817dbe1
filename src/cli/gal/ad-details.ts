import type { DirectoryEntry, EntryDetails } from '../../directory/entry.ts';

interface AdDetail {
  readonly key: keyof EntryDetails;
  readonly ldap: string;
  /** Of Set-Contact; those of New-MailContact are not here. */
  readonly parameter: string;
  /** rangeUpper of the attribute in Active Directory's schema. */
  readonly most: number;
}

/** Details that a contact takes along, as Active Directory and Set-Contact call them. */
export const AD_DETAILS: readonly AdDetail[] = [
  { key: 'givenName', ldap: 'givenName', parameter: 'FirstName', most: 64 },
  { key: 'surname', ldap: 'sn', parameter: 'LastName', most: 64 },
  { key: 'title', ldap: 'title', parameter: 'Title', most: 128 },
  { key: 'department', ldap: 'department', parameter: 'Department', most: 64 },
  { key: 'company', ldap: 'company', parameter: 'Company', most: 64 },
  { key: 'office', ldap: 'physicalDeliveryOfficeName', parameter: 'Office', most: 128 },
  { key: 'phone', ldap: 'telephoneNumber', parameter: 'Phone', most: 64 },
  { key: 'mobile', ldap: 'mobile', parameter: 'MobilePhone', most: 64 },
];

/** The details of an entry that Active Directory takes, and what is too long for it: one command line with such a value would fail as a whole. */
export function adDetails(entry: DirectoryEntry): { readonly fitting: readonly (AdDetail & { readonly value: string })[]; readonly tooLong: readonly string[] } {
  const known = AD_DETAILS.flatMap((detail) => (entry[detail.key] === undefined ? [] : [{ ...detail, value: entry[detail.key]! }]));
  return { fitting: known.filter(({ value, most }) => value.length <= most), tooLong: known.filter(({ value, most }) => value.length > most).map(({ key, most }) => `# CAUTION: ${entry.address}: ${key} is longer than the ${most} characters of Active Directory and left out`) };
}
