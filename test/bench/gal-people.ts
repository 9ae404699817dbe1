import type { EntryKind } from '../../src/directory/entry.ts';
import type { SourceEntry } from '../../src/directory/entry-source.ts';
import { parseMailboxAddress } from '../../src/directory/smtp-address.ts';

const SURNAMES = 5_000;
const GIVEN_NAMES = 1_000;
/** Of a hundred entries: in another script, a room, a list. The rest are people with Latin letters. */
const OTHER_SCRIPTS = 5;
const ROOMS = 2;
const LISTS = 3;

/** Real names lead both lists, so that what an administrator types in a demonstration finds somebody; the rest is put together from syllables. */
const KNOWN_SURNAMES = ['Müller', 'Schmidt', 'Schneider', 'Fischer', 'Weber', 'Meyer', 'Smith', 'Johnson', 'Nguyễn', 'Martin', 'García', 'Kowalski', 'Nováková', 'Øvergård', "O'Brien", 'Łukasiewicz', 'Groß', 'Yılmaz'];
const KNOWN_GIVEN_NAMES = ['Anna', 'Peter', 'Maria', 'Thomas', 'Julia', 'Michael', 'Sophie', 'Jürgen', 'René', 'Zoë', 'İpek', 'Søren', 'Anna-Lena', 'John', 'Łukasz'];
const OTHERS = [
  { surnames: ['山田', '佐藤', '鈴木', '高橋', '王', '李', '张', '刘'], givenNames: ['太郎', '花子', '一郎', '伟', '芳', '秀英', '敏'], isJoined: true },
  { surnames: ['Иванов', 'Смирнова', 'Кузнецов', 'Попова', 'Шевченко'], givenNames: ['Анна', 'Сергей', 'Ольга', 'Дмитрий', 'Юлия'], isJoined: false },
];
const SYLLABLES = ['al', 'an', 'ar', 'ba', 'bel', 'bre', 'cha', 'dor', 'der', 'el', 'fen', 'gar', 'hol', 'ing', 'jor', 'kas', 'ken', 'lin', 'lor', 'man', 'mar', 'mil', 'mül', 'nor', 'nad', 'pet', 'ra', 'rich', 'ros', 'sa', 'schu', 'stein', 'tor', 'ul', 'va', 'wal', 'win', 'zim'];
const PLACES = ['Berlin', 'Wien', 'Paris', 'London', 'Kraków', 'İstanbul', 'Hà Nội'];
const DEPARTMENTS = ['Sales', 'Research', 'Human Resources', 'Engineering', 'Facilities'];

/**
 * So many entries of an address book, distributed as in a company: a few surnames many people share and thousands that few do, display names of either order, an alias or two,
 * rooms, lists. The same for every call. Addresses are `given.surname@corp.example` with a number where that is taken.
 */
export function people(count: number): readonly SourceEntry[] {
  const random = randomNumbers(20_261_129);
  const surnames = names(KNOWN_SURNAMES, SURNAMES, random);
  const givenNames = names(KNOWN_GIVEN_NAMES, GIVEN_NAMES, random);
  const taken = new Map<string, number>();
  const local = (text: string): string => {
    const plain = text.normalize('NFKD').toLowerCase().replace(/ß/g, 'ss').replace(/[^a-z0-9.]/g, '') || 'person';
    const before = taken.get(plain) ?? 0;
    taken.set(plain, before + 1);
    return before === 0 ? plain : `${plain}${before}`;
  };
  return Array.from({ length: count }, (_, index): SourceEntry => {
    const share = index % 100;
    if (share < ROOMS) return entry(index, 'room', `Room ${PLACES[index % PLACES.length]!} ${index}`, local(`room${index}`), { capacity: String(4 + (index % 30)), city: PLACES[index % PLACES.length]! });
    if (share < ROOMS + LISTS) return entry(index, 'group', `${DEPARTMENTS[index % DEPARTMENTS.length]!} ${PLACES[index % PLACES.length]!} ${index}`, local(`list${index}`), {});
    if (share >= 100 - OTHER_SCRIPTS) {
      const { surnames: theirs, givenNames: given, isJoined } = OTHERS[index % OTHERS.length]!;
      const [surname, givenName] = [theirs[skewed(random, theirs.length)]!, given[skewed(random, given.length)]!];
      return entry(index, 'person', isJoined ? `${surname}${givenName}` : `${givenName} ${surname}`, local(`p${index}`), { givenName, surname });
    }
    const [surname, givenName] = [surnames[skewed(random, SURNAMES)]!, givenNames[skewed(random, GIVEN_NAMES)]!];
    const own = local(`${givenName}.${surname}`);
    const details = { givenName, surname, nickname: own, title: 'Engineer', department: DEPARTMENTS[index % DEPARTMENTS.length]!, phone: `+49 30 ${1_000_000 + index}`, city: PLACES[index % PLACES.length]! };
    return entry(index, 'person', index % 3 === 0 ? `${surname}, ${givenName}` : `${givenName} ${surname}`, own, details, index % 2 === 0 ? [`${own.split('.')[1] ?? own}.${index}`] : []);
  });
}

function entry(index: number, kind: EntryKind, name: string, local: string, details: Partial<SourceEntry>, aliases: readonly string[] = []): SourceEntry {
  const address = (part: string): SourceEntry['address'] => parseMailboxAddress(`${part}@corp.example`)!;
  return {
    id: index.toString(16).padStart(32, '0'),
    address: address(local),
    name,
    kind,
    isMailbox: kind !== 'contact',
    legacyExchangeDn: `/o=Corp/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn=${local}`,
    ...(aliases.length === 0 ? {} : { aliases: aliases.map(address) }),
    ...details,
  };
}

/** A list that begins with the known ones, each name once. */
function names(known: readonly string[], count: number, random: () => number): readonly string[] {
  const list = new Set(known);
  while (list.size < count) {
    const syllables = Array.from({ length: 2 + Math.floor(random() * 2) }, () => SYLLABLES[Math.floor(random() * SYLLABLES.length)]!).join('');
    list.add(syllables[0]!.toUpperCase() + syllables.slice(1));
  }
  return [...list];
}

/** An index below `count`; the first ones far more often (the square of an even distribution: a tenth of the names has a third of the people). */
function skewed(random: () => number, count: number): number {
  return Math.floor(random() ** 2 * count);
}

/** Numbers from 0 to below 1, the same ones from the same seed (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
