/**
 * A DN as it is compared (RFC 4514 §2.4 read, lower case): `cn=Müller\, B. , DC=x` and `CN=müller\2C b.,dc=x` are one. Blanks around `=`, `,` and `+` go, runs of blanks
 * within a value are one, and whatever was escaped is escaped one way. A text that is no DN is only trimmed and put in lower case: it equals itself.
 */
export function normalisedDn(text: string): string {
  const parts = partsOf(text);
  return parts === undefined ? text.trim().toLowerCase() : parts.map((part) => part.join('+')).join(',');
}

/** Of the entry above, normalised; empty at the top. */
export function parentDn(text: string): string {
  const parts = partsOf(text);
  return parts === undefined ? '' : parts.slice(1).map((part) => part.join('+')).join(',');
}

/** Address that Zimbra gives what stands at this DN: its uid at the domain of the dc's; undefined without both. */
export function addressOfDn(text: string): string | undefined {
  const parts = partsOf(text)?.map(([first]) => first!) ?? [];
  const domain = parts.filter((part) => part.startsWith('dc=')).map((part) => part.slice('dc='.length));
  return parts[0]?.startsWith('uid=') === true && domain.length > 0 ? `${parts[0].slice('uid='.length)}@${domain.join('.')}` : undefined;
}

/** RDNs, each with its sorted `type=value` pairs; undefined for what is no DN. */
function partsOf(text: string): readonly (readonly string[])[] | undefined {
  const parts: string[][] = [[]];
  // Type, `=`, value (escaped pairs, or anything but the separators), and what ends it.
  const pattern = /\s*([A-Za-z][\w.-]*|[\d.]+)\s*=\s*((?:\\[\s\S]|[^\\,+;])*)([,;+]|$)/y;
  for (let at = 0; at < text.length; at = pattern.lastIndex) {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found === null) return undefined;
    const [, type, value, end] = found;
    parts.at(-1)!.push(`${type!.toLowerCase()}=${escaped(unescaped(value!))}`);
    if (end === '') break;
    if (pattern.lastIndex === text.length) return undefined;
    if (end !== '+') parts.push([]);
  }
  for (const part of parts) part.sort();
  return parts.length === 1 && parts[0]!.length === 0 ? undefined : parts;
}

/** Octets in hexadecimal are UTF-8; a blank that was escaped at an end counts, others there do not. */
function unescaped(value: string): string {
  const trimmed = value.replace(/((?:^|[^\\])(?:\\\\)*)\s+$/, '$1');
  return trimmed.replace(/(?:\\[0-9a-f]{2})+|\\([\s\S])/gi, (found, character: string | undefined) => character ?? Buffer.from(found.replaceAll('\\', ''), 'hex').toString('utf8'));
}

function escaped(value: string): string {
  return value.toLowerCase().replace(/\s+/g, ' ').replace(/[\\,+;"<>=#]/g, '\\$&');
}
