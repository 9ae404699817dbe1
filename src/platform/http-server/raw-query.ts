/**
 * The query of a raw request target as pairs, in order, percent-decoded. A `+` stays a `+`: it stands in zone offsets and
 * addresses, and no value we read may hold a blank. What cannot be decoded stays as it came.
 */
export function rawQuery(target: string): readonly (readonly [name: string, value: string])[] {
  const mark = target.indexOf('?');
  if (mark < 0) return [];
  return target
    .slice(mark + 1)
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const equals = part.indexOf('=');
      return equals < 0 ? ([decode(part), ''] as const) : ([decode(part.slice(0, equals)), decode(part.slice(equals + 1))] as const);
    });
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A lone % or broken UTF-8: such a value matches nothing, which is the right answer to it.
    return text;
  }
}
