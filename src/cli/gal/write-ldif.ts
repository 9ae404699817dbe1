/** Octets of a line of LDIF before it is folded; ldapsearch folds there, too. */
const LINE_OCTETS = 76;

/**
 * One attribute with its value, folded (RFC 2849): as it is where it is a SAFE-STRING, else in base64.
 *
 * @returns physical lines, without line ends
 */
export function ldifLine(attribute: string, value: string): readonly string[] {
  // SAFE-INIT-CHAR has no blank, colon or less-than; a blank at the end would not be seen (note 8).
  const isSafe = /^(?:[\u0001-\u0009\u000b\u000c\u000e-\u001f!-9;=-\u007f][\u0001-\u0009\u000b\u000c\u000e-\u007f]*)?$/.test(value) && !value.endsWith(' ');
  const line = isSafe ? `${attribute}: ${value}` : `${attribute}:: ${Buffer.from(value).toString('base64')}`;
  const lines = [line.slice(0, LINE_OCTETS)];
  for (let at = LINE_OCTETS; at < line.length; at += LINE_OCTETS - 1) lines.push(` ${line.slice(at, at + LINE_OCTETS - 1)}`);
  return lines;
}
