/** One `name=value` of a query or a form as it was sent, names in lower case, values not yet decoded. */
export interface RawParameter {
  readonly name: string;
  readonly value: string;
}

/** The query part of a raw request target, as sent, without `?`. */
export function rawQueryOf(target: string): string {
  const mark = target.indexOf('?');
  return mark < 0 ? '' : target.slice(mark + 1);
}

/**
 * Splits a raw query string or form body. Nothing is decoded: in a stock Zimbra's query the `+` of a zone offset and of an
 * address stands for itself (zimbra-measured.md §2), which no form parser would leave alone.
 */
export function rawParameters(text: string): readonly RawParameter[] {
  return text.split('&').flatMap((piece) => {
    if (piece === '') return [];
    const equals = piece.indexOf('=');
    const name = equals < 0 ? piece : piece.slice(0, equals);
    return [{ name: percentDecode(name).toLowerCase(), value: equals < 0 ? '' : piece.slice(equals + 1) }];
  });
}

/** The first of that name: what an unescaped `&` inside an address breaks off comes later and changes nothing. */
export function firstRaw(parameters: readonly RawParameter[], name: string): string | undefined {
  return parameters.find((one) => one.name === name)?.value;
}

/** `%XX` as UTF-8; text with a `%` that is no escape (Zimbra does not escape) stays as it was sent. `+` stays `+`. */
export function percentDecode(text: string): string {
  const bytes = utf8(text);
  if (!bytes.includes('%')) return bytes;
  try {
    return decodeURIComponent(bytes);
  } catch {
    // Not escaped, or not in UTF-8: the sender meant the text itself.
    return bytes;
  }
}

/** As `percentDecode`, and `+` is a blank: what `application/x-www-form-urlencoded` means. */
export function formDecode(text: string): string {
  return percentDecode(text.replace(/\+/g, ' '));
}

/** Node hands over the bytes of a URL one character each; raw UTF-8 becomes text again. */
function utf8(text: string): string {
  if (!/[\u0080-\u00ff]/.test(text) || /[^\u0000-\u00ff]/.test(text)) return text;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(text, 'latin1'));
  } catch {
    // Latin-1 after all.
    return text;
  }
}
