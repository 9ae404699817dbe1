/** Octets of one physical line without its line end (RFC 5545 §3.1). */
const LINE_OCTETS = 75;

/**
 * One content line with its CRLF, folded so that no physical line has more than 75 octets in UTF-8 (RFC 5545 §3.1), never inside a character.
 *
 * @param line without line ends: whoever writes values keeps them out
 */
export function foldLine(line: string): string {
  const octets = Buffer.byteLength(line);
  if (octets <= LINE_OCTETS) return `${line}\r\n`;
  return octets === line.length ? foldAscii(line) : foldCharacters(line);
}

/** One octet a character: cut by counting, because answers hold such lines by the thousand. */
function foldAscii(line: string): string {
  let out = line.slice(0, LINE_OCTETS);
  // The blank belongs to the line it begins.
  for (let at = LINE_OCTETS; at < line.length; at += LINE_OCTETS - 1) out += `\r\n ${line.slice(at, at + LINE_OCTETS - 1)}`;
  return `${out}\r\n`;
}

function foldCharacters(line: string): string {
  let out = '';
  let octets = 0;
  for (const character of line) {
    const size = Buffer.byteLength(character);
    if (octets + size > LINE_OCTETS) {
      out += '\r\n ';
      octets = 1;
    }
    out += character;
    octets += size;
  }
  return `${out}\r\n`;
}
