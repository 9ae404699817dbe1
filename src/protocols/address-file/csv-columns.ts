/** What a column may be about, by names without case, blanks and punctuation: Google's `E-mail 1 - Value` is `email1value`. */
const NAMES = {
  address: ['address', 'primarysmtpaddress', 'windowsemailaddress', 'emailaddress', 'email', 'mail', 'email1value', 'smtpaddress'],
  proxies: ['emailaddresses', 'proxyaddresses'],
  moreAddresses: ['aliases', 'email2address', 'email3address', 'email2value', 'email3value', 'email4value', 'zimbramailalias'],
  id: ['guid', 'objectguid', 'entryuuid', 'zimbraid'],
  name: ['displayname', 'name', 'fullname', 'cn'],
  kind: ['kind', 'recipienttypedetails', 'recipienttype', 'objectclass', 'zimbracalrestype'],
  hidden: ['hidden', 'hiddenfromaddresslistsenabled', 'msexchhidefromaddresslists', 'zimbrahideingal'],
  legacyExchangeDn: ['legacyexchangedn'],
  targetAddress: ['targetaddress', 'externalemailaddress'],
  members: ['members', 'member'],
  givenName: ['givenname', 'firstname'],
  surname: ['surname', 'lastname', 'sn', 'familyname'],
  initials: ['initials'],
  nickname: ['nickname', 'mailnickname', 'alias'],
  phoneticName: ['phoneticname', 'phoneticdisplayname', 'furigana', 'surnameyomi', 'familynameyomi', 'phoneticlastname'],
  phoneticGivenName: ['givenyomi', 'givennameyomi', 'phoneticfirstname'],
  // Outlook's `Title` is Mr or Dr, its `Job Title` what we mean: the better name first.
  title: ['jobtitle', 'organizationtitle', 'organization1title', 'title'],
  department: ['department', 'organizationdepartment', 'organization1department', 'ou'],
  company: ['company', 'organizationname', 'organization1name', 'organization', 'o'],
  office: ['office', 'officelocation', 'physicaldeliveryofficename'],
  phone: ['phone', 'businessphone', 'telephonenumber', 'telephone', 'workphone', 'phone1value'],
  mobile: ['mobile', 'mobilephone', 'cellphone', 'mobilenumber'],
  fax: ['fax', 'businessfax', 'facsimiletelephonenumber', 'faxnumber'],
  street: ['street', 'businessstreet', 'streetaddress', 'address1street'],
  city: ['city', 'businesscity', 'address1city', 'l'],
  state: ['state', 'businessstate', 'stateorprovince', 'address1region', 'st'],
  postalCode: ['postalcode', 'businesspostalcode', 'zip', 'zipcode', 'address1postalcode'],
  country: ['country', 'businesscountryregion', 'businesscountry', 'countryregion', 'countryorregion', 'address1country', 'co'],
  capacity: ['capacity', 'resourcecapacity'],
} as const;

export type CsvColumn = keyof typeof NAMES;

/** Which columns of a header are about what, best first; a column that nobody knows is left alone. */
export interface CsvColumns {
  readonly of: Readonly<Record<CsvColumn, readonly number[]>>;
  /** Without one every row would be nobody. */
  readonly hasAddress: boolean;
}

/** Finds the columns by their names, without regard to case, blanks and punctuation: those of Outlook's, Google's and Exchange's exports, of LDAP, and ours. */
export function csvColumns(header: readonly string[]): CsvColumns {
  const plain = header.map((name) => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, ''));
  const of = Object.fromEntries(Object.entries(NAMES).map(([column, names]) => [column, names.flatMap((name) => plain.flatMap((one, index) => (one === name ? [index] : [])))])) as unknown as CsvColumns['of'];
  return { of, hasAddress: [of.address, of.proxies, of.targetAddress].some((columns) => columns.length > 0) };
}
