/** The cookie's name: Exchange 2003's own. */
const SESSION_COOKIE = 'sessionid';

/**
 * The `Set-Cookie` of a logon. No comma and no quote in it: commons-httpclient 3 (Zimbra up to 8.8.12) breaks cookies at
 * commas (zimbra-measured.md §2).
 */
export function encodeSessionCookie(token: string, secure: boolean): string {
  return `${SESSION_COOKIE}=${token}; path=/; HttpOnly${secure ? '; Secure' : ''}`;
}

/**
 * The token in a `Cookie` header; undefined where there is no such cookie. Read as commons-httpclient 3 writes it, too:
 * `$Version=0; sessionid=…; $Path=/`.
 */
export function decodeSessionCookie(header: string | undefined): string | undefined {
  for (const piece of header?.split(/[;,]/) ?? []) {
    const equals = piece.indexOf('=');
    if (equals < 0 || piece.slice(0, equals).trim().toLowerCase() !== SESSION_COOKIE) continue;
    return piece.slice(equals + 1).trim().replace(/^"(.*)"$/, '$1');
  }
  return undefined;
}
