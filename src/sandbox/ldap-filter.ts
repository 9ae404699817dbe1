/** Whether an entry's attributes fit; names and values compare without case. */
export type LdapFilter = (attributes: Readonly<Record<string, string>>) => boolean;

/** Deep enough for anything but an attack. */
const DEPTH = 16;

/**
 * Reads a filter of RFC 4515 as far as SearchDirectory needs it: and, or, not, equality with `*` for anything, presence.
 * An empty text fits everything; undefined for what cannot be read.
 */
export function readLdapFilter(text: string): LdapFilter | undefined {
  if (text.trim() === '') return () => true;
  const reader = { text: text.trim(), at: 0 };
  const filter = readOne(reader, 0);
  return reader.at === reader.text.length ? filter : undefined;
}

interface Reader {
  readonly text: string;
  at: number;
}

function readOne(reader: Reader, depth: number): LdapFilter | undefined {
  if (depth > DEPTH || reader.text[reader.at] !== '(') return undefined;
  reader.at++;
  const operator = reader.text[reader.at];
  if (operator === '&' || operator === '|' || operator === '!') {
    reader.at++;
    const parts: LdapFilter[] = [];
    while (reader.text[reader.at] === '(') {
      const part = readOne(reader, depth + 1);
      if (part === undefined) return undefined;
      parts.push(part);
    }
    if (reader.text[reader.at++] !== ')' || parts.length === 0 || (operator === '!' && parts.length !== 1)) return undefined;
    if (operator === '!') return (attributes) => !parts[0]!(attributes);
    return operator === '&' ? (attributes) => parts.every((one) => one(attributes)) : (attributes) => parts.some((one) => one(attributes));
  }
  const end = reader.text.indexOf(')', reader.at);
  const item = end === -1 ? null : /^([A-Za-z][\w-]*)=([^(]*)$/.exec(reader.text.slice(reader.at, end));
  if (item === null) return undefined;
  reader.at = end + 1;
  const name = item[1]!.toLowerCase();
  const pieces = item[2]!.split('*').map((piece) => unescaped(piece).toLowerCase());
  return (attributes) => {
    const value = Object.entries(attributes).find(([key]) => key.toLowerCase() === name)?.[1].toLowerCase();
    return value !== undefined && fits(value, pieces);
  };
}

/** `a*b` is a value that begins with a and ends with b. */
function fits(value: string, pieces: readonly string[]): boolean {
  const [first = '', ...rest] = pieces;
  const last = rest.pop();
  if (last === undefined) return value === first;
  if (!value.startsWith(first) || value.length < first.length + last.length || !value.endsWith(last)) return false;
  let at = first.length;
  for (const piece of rest) {
    const found = value.indexOf(piece, at);
    if (found === -1 || found + piece.length > value.length - last.length) return false;
    at = found + piece.length;
  }
  return true;
}

function unescaped(text: string): string {
  return text.replace(/\\([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
