import type { Router } from 'express';
import { entryOf, memoryDirectory } from '../directory/memory-directory.ts';
import { ASKER, faceUnderTest } from '../protocols/face-under-test.ts';
import type { FaceServices, FaceUnderTest } from '../protocols/face-under-test.ts';
import { PEER } from './peer-world.ts';

const CROWD = Array.from({ length: 120 }, (_, index) => entryOf(`extra${index}@corp.example`, { name: `Extra ${index}`, id: index.toString(16).padStart(32, '0') }));

/** Whom peers find: two Kims, one on each side, with the same alias; a room, two lists, a contact, and a crowd. */
export const PEOPLE = [
  entryOf('kim@zimbra.example', { name: 'Kim Lee', givenName: 'Kim', surname: 'Lee', nickname: 'kim', home: 'zimbra' }),
  entryOf('kimberly@corp.example', { name: 'Kimberly Ng', givenName: 'Kimberly', surname: 'Ng', nickname: 'kim' }),
  entryOf('anna@corp.example', {
    name: 'Anna Müller',
    givenName: 'Anna',
    surname: 'Müller',
    initials: 'A.',
    nickname: 'amueller',
    aliases: ['a.mueller@corp.example'],
    title: 'Director',
    department: 'Sales',
    company: 'Corp & Sons',
    office: '3.14',
    phone: '+49 30 1',
    mobile: '+49 170 1',
    street: 'Unter den Linden 1',
    city: 'Berlin',
    state: 'BE',
    postalCode: '10117',
    country: 'Germany',
  }),
  entryOf('atlas@corp.example', { name: 'Atlas', kind: 'room', nickname: 'atlas' }),
  entryOf('team@corp.example', { name: 'Team', kind: 'group' }),
  entryOf('rooms@corp.example', { name: 'Rooms', kind: 'group' }),
  entryOf('guest@partner.example', { name: 'Guest', kind: 'contact', home: undefined }),
  ...CROWD,
];

/** A face over an address book in memory, which the peer may search; DavMail wants its own user there too. */
export async function openDirectoryWorld(make: (services: FaceServices) => Router): Promise<FaceUnderTest> {
  const members = { 'team@corp.example': ['anna@corp.example', 'kim@zimbra.example', 'rooms@corp.example'], 'rooms@corp.example': ['atlas@corp.example'] };
  return faceUnderTest(make, {
    directory: memoryDirectory([...PEOPLE, entryOf(PEER.username, { name: 'Peer Client' })], { members, dns: { 'anna@corp.example': '/o=Corp/ou=Group/cn=Recipients/cn=anna' } }),
    accounts: [{ requester: { ...ASKER, name: 'peer', gal: 'search' }, credentials: PEER }],
  });
}
