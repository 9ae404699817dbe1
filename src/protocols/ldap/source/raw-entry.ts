import type { LdapEntry } from '../source-connection.ts';

/** What a server sent of one entry: names of attributes without regard to case, their options (`;lang-ja`) left out. */
export interface RawEntry {
  /** As the server spells it. */
  readonly dn: string;
  /** Values that are text, trimmed, without empty ones; in the server's order. */
  text(attribute: string): readonly string[];
  /** The first value as it is. */
  bytes(attribute: string): Buffer | undefined;
  /** Attributes of which only a first part came (Active Directory, `member;range=0-1499`), and where the next part begins. */
  readonly partial: readonly { readonly attribute: string; readonly next: number }[];
}

/** Reads what ldapts gives. A value that is no UTF-8 counts only as bytes. */
export function rawEntryOf(entry: LdapEntry): RawEntry {
  const values = new Map<string, readonly (string | Buffer)[]>();
  const partial: { attribute: string; next: number }[] = [];
  for (const name of Object.keys(entry)) {
    const value = entry[name]!;
    const list = Array.isArray(value) ? value : [value];
    // ldapts gives an empty list for what was asked for and is not there, which is most.
    if (list.length === 0 || name === 'dn') continue;
    const [type = '', option = ''] = name.includes(';') ? name.split(';', 2) : [name];
    const range = option === '' ? null : /^range=\d+-(\d+|\*)$/i.exec(option);
    if (option !== '' && range === null) continue;
    const key = type.toLowerCase();
    const before = values.get(key);
    values.set(key, before === undefined ? list : [...before, ...list]);
    if (range !== null && range[1] !== '*') partial.push({ attribute: key, next: Number(range[1]) + 1 });
  }
  return {
    dn: typeof entry.dn === 'string' ? entry.dn : '',
    text: (attribute) => {
      const found = values.get(attribute.toLowerCase());
      return found === undefined ? NOTHING : found.map((one) => (typeof one === 'string' ? one.trim() : utf8(one))).filter((one) => one !== '');
    },
    bytes: (attribute) => {
      const [first] = values.get(attribute.toLowerCase()) ?? NOTHING;
      return typeof first === 'string' ? Buffer.from(first) : first;
    },
    partial,
  };
}

const NOTHING: readonly string[] = [];

/** Of a value among others of which one is no UTF-8: ldapts gives all of them as bytes then. Empty where it is none. */
function utf8(value: Buffer): string {
  try {
    return UTF8.decode(value).trim();
  } catch {
    return '';
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });
