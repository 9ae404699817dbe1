import { TOKEN_COOKIE } from './names.ts';

/** The token in a `Cookie` header; undefined where there is no such cookie. The first counts. */
export function decodeTokenCookie(header: string | undefined): string | undefined {
  for (const piece of header?.split(';') ?? []) {
    const equals = piece.indexOf('=');
    if (equals < 0 || piece.slice(0, equals).trim() !== TOKEN_COOKIE) continue;
    return piece.slice(equals + 1).trim().replace(/^"(.*)"$/, '$1');
  }
  return undefined;
}
