/** The value of a cookie in a `Cookie` header, without quotes; undefined where there is none of that name. The first counts. */
export function cookieNamed(name: string, header: string | undefined): string | undefined {
  for (const piece of header?.split(';') ?? []) {
    const equals = piece.indexOf('=');
    if (equals < 0 || piece.slice(0, equals).trim() !== name) continue;
    return piece.slice(equals + 1).trim().replace(/^"(.*)"$/, '$1');
  }
  return undefined;
}
