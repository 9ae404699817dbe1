import { afterEach, describe, expect, it } from 'vitest';
import { readEntries } from '../../../src/protocols/address-file/read-entries.ts';
import type { SourceEntry } from '../../../src/directory/entry-source.ts';
import type { GalRecord, GalRow } from '../../../src/gal/gal-row.ts';
import { record, row } from '../../gal/rows.ts';
import { hasContactSlapd, startContactSlapd } from './contact-slapd.ts';
import type { ContactSlapd } from './contact-slapd.ts';
import { runGal } from './running-gal.ts';

const TREE = `dn: dc=corp,dc=example
objectClass: domain
dc: corp

dn: ou=Contacts,dc=corp,dc=example
objectClass: organizationalUnit
ou: Contacts

dn: cn=Lee,ou=Contacts,dc=corp,dc=example
objectClass: contact
cn: Lee
displayName: Lee
mail: lee.old@zimbra.example
targetAddress: SMTP:lee.old@zimbra.example
proxyAddresses: SMTP:lee.old@zimbra.example
proxyAddresses: smtp:lee@zimbra.example

dn: cn=Gone,ou=Contacts,dc=corp,dc=example
objectClass: contact
cn: Gone
mail: gone@zimbra.example
targetAddress: SMTP:gone@zimbra.example
proxyAddresses: SMTP:gone@zimbra.example

dn: cn=Friend,ou=Contacts,dc=corp,dc=example
objectClass: contact
cn: Friend
mail: friend@elsewhere.example
targetAddress: SMTP:friend@elsewhere.example
`;

const NAME = 'Größe, "Ä" <x>; 王\\ ';
const PEOPLE: readonly GalRecord[] = [
  record('zimbra', 'kim@zimbra.example', { name: NAME, givenName: ' Kim', surname: ':colon', title: 'a title so long that the line in which it stands has to be folded somewhere', department: 'D', company: 'C', office: '1', phone: '+1', mobile: '+2' }),
  record('zimbra', 'o+k#=x@zimbra.example', { name: '#odd' }),
  record('zimbra', 'lee@zimbra.example', { name: 'Lee New' }),
];

let slapd: ContactSlapd | undefined;
afterEach(async () => {
  await slapd?.close();
  slapd = undefined;
});

async function found(): Promise<readonly SourceEntry[]> {
  return (await readEntries('a.ldif', Buffer.from(slapd!.search()), new AbortController().signal)).entries;
}

/** The rows of an address book that reads both: a contact stands with the mailbox of one of its addresses. */
function rowsOf(target: string, contacts: readonly SourceEntry[], people: readonly GalRecord[]): readonly GalRow[] {
  const own = contacts.map((entry): GalRecord => ({ source: target, home: target, entry }));
  const addressesOf = ({ entry }: GalRecord): readonly string[] => [entry.address, ...(entry.aliases ?? []), ...(entry.targetAddress === undefined ? [] : [entry.targetAddress])];
  const joined = people.map((one) => row([one, ...own.filter((contact) => addressesOf(contact).includes(one.entry.address))]));
  return [...joined, ...own.filter((contact) => !joined.some(({ records }) => records.includes(contact))).map((contact) => row([contact]))];
}

describe.skipIf(!hasContactSlapd)('gal export --format ldif, entered into a real slapd', () => {
  it('adds, changes and removes what it says; the next export has nothing to do', async () => {
    slapd = await startContactSlapd(TREE);
    const first = await runGal({ rows: rowsOf('corp', await found(), PEOPLE) }, 'export', '--for', 'corp', '--format', 'ldif', '--base', 'ou=Contacts,dc=corp,dc=example');
    expect(first.printed[0]).toBe('# Contacts in corp for the people of the other sides: 2 to add, 1 to change, 1 to remove.');
    expect(slapd.modify(`${first.printed.join('\n')}\n`)).toBe('');
    const entries = await found();
    const [friend, kim, lee, odd] = [...entries].sort((one, other) => (one.address < other.address ? -1 : 1));
    expect(entries).toHaveLength(4);
    expect(friend).toMatchObject({ address: 'friend@elsewhere.example' });
    expect(kim).toMatchObject({ address: 'kim@zimbra.example', name: NAME.trim(), kind: 'contact', targetAddress: 'kim@zimbra.example', nickname: 'kim', givenName: 'Kim', surname: ':colon', title: PEOPLE[0]!.entry.title, department: 'D', company: 'C', office: '1', phone: '+1', mobile: '+2' });
    expect(lee).toMatchObject({ address: 'lee@zimbra.example', name: 'Lee New', targetAddress: 'lee@zimbra.example', aliases: ['lee.old@zimbra.example'], ref: 'cn=lee,ou=contacts,dc=corp,dc=example' });
    expect(odd).toMatchObject({ address: 'o+k#=x@zimbra.example', name: '#odd' });
    // A source reads blanks at the ends away; the address book would, too.
    const people = PEOPLE.map((one) => ({ ...one, entry: { ...one.entry, name: one.entry.name!.trim() } }));
    const second = await runGal({ rows: rowsOf('corp', entries, people) }, 'export', '--for', 'corp', '--format', 'ldif');
    expect(second.printed.filter((line) => !line.startsWith('#'))).toEqual([]);
  }, 30_000);

  it('for a Zimbra: people of inetOrgPerson, which a second export leaves alone', async () => {
    slapd = await startContactSlapd(TREE.split('\n\n').slice(0, 2).join('\n\n') + '\n');
    const people = PEOPLE.map((one) => ({ ...one, home: 'corp', entry: { ...one.entry, name: one.entry.name!.trim() } }));
    const printed = async (contacts: readonly SourceEntry[]): Promise<readonly string[]> => (await runGal({ rows: rowsOf('zimbra', contacts, people) }, 'export', '--for', 'zimbra', '--format', 'ldif', '--base', 'ou=Contacts,dc=corp,dc=example')).printed;
    expect(slapd.modify(`${(await printed([])).join('\n')}\n`)).toBe('');
    const entries = await found();
    expect(entries.map(({ address }) => address).sort()).toEqual(['kim@zimbra.example', 'lee@zimbra.example', 'o+k#=x@zimbra.example']);
    // The source of such a server has no home of its own people: they are contacts there.
    expect((await printed(entries.map((entry) => ({ ...entry, kind: 'contact', isMailbox: false })))).filter((line) => !line.startsWith('#'))).toEqual([]);
  }, 30_000);
});
