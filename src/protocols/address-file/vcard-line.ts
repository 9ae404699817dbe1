/** One unfolded line of a vCard (RFC 6350 §3.3), its group (`item1.`) taken off. */
export interface VcardLine {
  /** Upper case. */
  readonly name: string;
  /** By upper-case name; values of a list and of a repeated parameter together, as they stand. */
  readonly parameters: ReadonlyMap<string, readonly string[]>;
  /** Not unescaped. */
  readonly value: string;
}

/**
 * Takes a line apart, quoted parameters and RFC 6868 carets included; a bare parameter (`TEL;WORK:`) is a TYPE, as writers of 3.0 that
 * learned from 2.1 mean it.
 *
 * @returns undefined where the line is none
 */
export function readVcardLine(line: string): VcardLine | undefined {
  const [, name = ''] = /^(?:[A-Za-z0-9-]+\.)?([A-Za-z0-9-]+)(?=[;:])/.exec(line) ?? [];
  if (name === '') return undefined;
  const parameters = new Map<string, string[]>();
  let at = line.indexOf(name, line.indexOf('.') < line.search(/[;:]/) ? line.indexOf('.') + 1 : 0) + name.length;
  // Sticky: each match begins where the last one ended.
  const parameter = /;(?:([A-Za-z0-9-]+)=)?((?:"[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*)/y;
  for (parameter.lastIndex = at; line[at] === ';'; at = parameter.lastIndex) {
    const [, key = 'TYPE', values] = parameter.exec(line) ?? [];
    if (values === undefined) return undefined;
    const known = parameters.get(key.toUpperCase()) ?? [];
    const read = [...values.matchAll(/"([^"]*)"|([^",]+)/g)].map(([, quoted, bare = '']) => withoutCarets(quoted ?? bare));
    // RFC 6350's own examples quote a whole list: TYPE="work,voice".
    known.push(...(key.toUpperCase() === 'TYPE' ? read.flatMap((one) => one.split(',')) : read));
    parameters.set(key.toUpperCase(), known);
  }
  return line[at] === ':' ? { name: name.toUpperCase(), parameters, value: line.slice(at + 1) } : undefined;
}

/** RFC 6868 §3.2. */
function withoutCarets(text: string): string {
  return text.replace(/\^([n^'])/g, (_all, character: string) => ({ n: '\n', "'": '"' })[character] ?? character);
}

/** A text value (RFC 6350 §3.4, RFC 2426 §5): `\n`, `\,`, `\;`, `\\`; Apple writes `\:`, too. */
export function unescapedText(text: string): string {
  return text.replace(/\\(.)/gs, (_all, character: string) => (character === 'n' || character === 'N' ? '\n' : character));
}

/** A structured value in its parts; the values of one part are put together with a blank. */
export function structuredText(text: string): readonly string[] {
  return splitUnescaped(text, ';').map((part) => splitUnescaped(part, ',').map(unescapedText).join(' ').trim());
}

/** Parts of one value that are looked at: a name has five, an address seven; beyond it a value is nobody's. */
const PARTS = 50;

/** Splits where the separator has no backslash before it; what comes behind the fiftieth part is not looked at. */
export function splitUnescaped(text: string, separator: ';' | ','): readonly string[] {
  const parts: string[] = [];
  let begin = 0;
  for (let at = 0; at < text.length && parts.length < PARTS; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === separator) {
      parts.push(text.slice(begin, at));
      begin = at + 1;
    }
  }
  return parts.length < PARTS ? [...parts, text.slice(begin)] : parts;
}
