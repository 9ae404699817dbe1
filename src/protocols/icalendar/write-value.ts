/**
 * TEXT (RFC 5545 §3.3.11): backslash, semicolon, comma and line ends are escaped; other control characters, which no value may hold, are left out.
 *
 * @param text plain, not escaped yet
 */
export function encodeText(text: string): string {
  return text
    .replace(/[\\;,]/g, '\\$&')
    .replace(/\r\n|\r|\n/g, '\\n')
    .replace(CONTROLS, '');
}

/** A URI as it was given; what no URI and no content line may hold (control characters, blanks, quotes, angle brackets) is percent-encoded. */
export function encodeUri(uri: string): string {
  return uri.replace(/[\u0000-\u0020\u007f-\u00a0\u2028\u2029"<>\\^`{|}]/gu, (character) => encodeURIComponent(character));
}

/**
 * CAL-ADDRESS (RFC 5545 §3.3.3). One that already has a scheme, like `mailto:anna@corp.example` or `urn:uuid:…`, or is a path stays as it is, because clients match
 * by their own spelling; an address without one becomes a `mailto:` URI (RFC 6068), in which `%`, `#`, `&` and `?` mean something else and are percent-encoded.
 */
export function encodeCalendarAddress(address: string): string {
  if (/^(?:[a-z][a-z\d+.-]*:|\/)/i.test(address)) return encodeUri(address);
  return `mailto:${encodeUri(address.replace(/[%#&?]/g, (character) => encodeURIComponent(character)))}`;
}

const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
