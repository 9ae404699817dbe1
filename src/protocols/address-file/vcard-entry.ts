import { LIMITS } from '../../core/limits.ts';
import type { EntryKind } from '../../directory/entry.ts';
import { memberNamed } from './entry-fields.ts';
import type { EntryFields } from './entry-fields.ts';
import { splitUnescaped, structuredText, unescapedText } from './vcard-line.ts';
import type { VcardLine } from './vcard-line.ts';

/** KIND of RFC 6350 §6.1.4 and RFC 6869; Apple's is X-ADDRESSBOOKSERVER-KIND. */
const KIND_OF: Readonly<Record<string, EntryKind>> = { individual: 'person', group: 'group', location: 'room', device: 'equipment', org: 'person' };

/** A card as one of our entries. What is marked as of home counts only where there is nothing else: a private address is no alias of a mailbox. */
export function vcardFields(card: readonly VcardLine[]): EntryFields {
  const byName = new Map<string, VcardLine[]>();
  for (const line of card) {
    const same = byName.get(line.name);
    if (same === undefined) byName.set(line.name, [line]);
    else same.push(line);
  }
  const lines = (...names: readonly string[]): readonly VcardLine[] => names.flatMap((name) => byName.get(name) ?? []);
  const text = (...names: readonly string[]): string | undefined => names.map((name) => preferred(lines(name))[0]?.value).find((value) => value !== undefined && value !== '');
  const plain = (...names: readonly string[]): string | undefined => unescapedText(text(...names) ?? '') || undefined;
  const [surname, givenName, more] = structuredText(text('N') ?? '');
  const [company, ...units] = splitUnescaped(text('ORG') ?? '', ';').map(unescapedText);
  const [, office, street, city, state, postalCode, country] = structuredText(ofWork(preferred(lines('ADR')))[0]?.value ?? '');
  const kind = KIND_OF[(plain('KIND', 'X-ADDRESSBOOKSERVER-KIND') ?? '').trim().toLowerCase()] ?? 'person';
  const uid = plain('UID')?.trim();
  const phones = ofWork(preferred(lines('TEL')));
  const phone = (...types: readonly string[]): string | undefined => numberOf(phones.find((line) => types.some((type) => hasType(line, type))));
  return {
    id: uid,
    addresses: ofWork(preferred(lines('EMAIL'))).filter((line) => !hasType(line, 'x400')).map(({ value }) => unescapedText(value)),
    name: plain('FN'),
    kind,
    standsForAnother: false,
    isHidden: false,
    ref: uid === undefined ? undefined : refOf(uid),
    members: lines('MEMBER', 'X-ADDRESSBOOKSERVER-MEMBER').slice(0, LIMITS.groupMembers + 1).map(({ value }) => memberNamed(refOf(unescapedText(value)))),
    details: {
      givenName: [givenName, more].filter((one) => one !== undefined && one !== '').join(' '),
      surname,
      nickname: splitUnescaped(text('NICKNAME') ?? '', ',').map(unescapedText)[0],
      phoneticName: [plain('X-PHONETIC-LAST-NAME'), plain('X-PHONETIC-FIRST-NAME')].filter((one) => one !== undefined).join(' '),
      title: plain('TITLE'),
      company,
      department: units.filter((one) => one !== '').join(', '),
      office,
      phone: numberOf(phones.find((line) => !['cell', 'fax', 'pager', 'text', 'textphone', 'video', 'modem'].some((type) => hasType(line, type)))),
      mobile: phone('cell'),
      fax: phone('fax'),
      street,
      city,
      state,
      postalCode,
      country,
    },
  };
}

function hasType({ parameters }: VcardLine, type: string): boolean {
  return parameters.get('TYPE')?.some((one) => one.toLowerCase() === type) === true;
}

/** Best first: PREF from 1 (RFC 6350 §5.3), `TYPE=pref` (RFC 2426), then as they stand. */
function preferred(lines: readonly VcardLine[]): readonly VcardLine[] {
  const rank = (line: VcardLine): number => {
    const pref = Number(line.parameters.get('PREF')?.[0]);
    return pref >= 1 && pref <= 100 ? pref : hasType(line, 'pref') ? 1 : 101;
  };
  return lines
    .map((line) => ({ line, rank: rank(line) }))
    .sort((one, other) => one.rank - other.rank)
    .map(({ line }) => line);
}

/** Those that are not marked as of home; all of them where there are no others. */
function ofWork(lines: readonly VcardLine[]): readonly VcardLine[] {
  const others = lines.filter((line) => !hasType(line, 'home') || hasType(line, 'work'));
  return others.length > 0 ? others : lines;
}

/** `tel:` of RFC 3966 without prefix and parameters. */
function numberOf(line: VcardLine | undefined): string | undefined {
  return line === undefined ? undefined : unescapedText(line.value).replace(/^tel:([^;]*).*$/is, '$1');
}

/** By what members name a card: its UID with or without `urn:uuid:`; `mailto:` names an address. */
function refOf(uid: string): string {
  return uid.trim().toLowerCase().replace(/^urn:uuid:/, '');
}
