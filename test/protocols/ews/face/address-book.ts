import { memoryDirectory, entryOf } from '../../../directory/memory-directory.ts';
import type { Asking } from './asked.ts';

const DETAILS = { initials: 'A.', title: 'Director', department: 'Sales', company: 'Corp', office: '3.14', phone: '+49 30 1', mobile: '+49 170 1', fax: '+49 30 2', street: 'Unter den Linden 1', city: 'Berlin', state: 'BE', postalCode: '10117', country: 'Germany', phoneticName: 'anna', capacity: '8' };

export const ANNA = entryOf('anna@corp.example', { id: 'a'.repeat(32), name: 'Anna Müller', givenName: 'Anna', surname: 'Müller', nickname: 'anna', aliases: ['a.mueller@corp.example', 'am@corp.example', 'old@corp.example'], ...DETAILS });
export const KIM = entryOf('kim@zimbra.example', { name: 'Kim Lee', givenName: 'Kim', surname: 'Lee', home: 'zimbra', nickname: 'kim' });
export const KIMBERLY = entryOf('kimberly@corp.example', { name: 'Kimberly <Smith> & "Co"', nickname: 'kim' });
export const ROOM = entryOf('room@corp.example', { name: 'Room Atlas', kind: 'room' });
export const ROOM_2 = entryOf('room2@corp.example', { name: 'Room Zeus', kind: 'room' });
export const TEAM = entryOf('team@corp.example', { name: 'Team All', kind: 'group' });
export const ROOMS = entryOf('rooms@corp.example', { name: 'Building 1', kind: 'group' });
export const GUEST = entryOf('guest@elsewhere.example', { name: 'Guest Guest', kind: 'contact', home: undefined });
export const ANNA_DN = '/o=Corp/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn=anna';

export const EVERYBODY = [ANNA, KIM, KIMBERLY, ROOM, ROOM_2, TEAM, ROOMS, GUEST];

export const BOOK = memoryDirectory(EVERYBODY, { members: { 'team@corp.example': ['anna@corp.example', 'rooms@corp.example', 'kim@zimbra.example'], 'rooms@corp.example': ['room@corp.example', 'room2@corp.example'] }, dns: { 'anna@corp.example': ANNA_DN } });

/** A client that may search, and one that may have everything. */
export const SEARCHING: Asking = { directory: BOOK, requester: { gal: 'search' }, version: 'Exchange2016' };
export const SYNCING: Asking = { directory: BOOK, requester: { gal: 'sync' }, version: 'Exchange2016' };

/** `count` people p0 … with a name that begins with `Person`. */
export function crowd(count: number): ReturnType<typeof entryOf>[] {
  return Array.from({ length: count }, (_, index) => entryOf(`p${index}@corp.example`, { id: index.toString(16).padStart(32, '0'), name: `Person ${index}` }));
}
