import { createHmac } from 'node:crypto';

/** The cookie's name: Exchange 2003's own. */
const SESSION_COOKIE = 'sessionid';

/** What a logon leaves with the client. */
export interface Session {
  readonly token: string;
  /** As it was typed; absent where it is longer than any address. It names nothing but its owner's own empty mailbox. */
  readonly username?: string | undefined;
}

/** Mail addresses fit. */
const USERNAME_BYTES = 254;

/**
 * The `Set-Cookie` of a logon: the token, the user name in hex, and a digest by which a cookie that was changed is told from ours (who holds the token
 * can make it, and call his mailbox what he likes). No comma and no quote in it: commons-httpclient 3 (Zimbra up to 8.8.12) breaks cookies at commas
 * (zimbra-measured.md §2).
 */
export function encodeSessionCookie({ token, username }: Session, secure: boolean): string {
  const name = Buffer.from(username ?? '');
  const value = name.length === 0 || name.length > USERNAME_BYTES ? token : `${token}.${name.toString('hex')}.${digestOf(token, name)}`;
  return `${SESSION_COOKIE}=${value}; path=/; HttpOnly${secure ? '; Secure' : ''}`;
}

/**
 * What a `Cookie` header brings back; undefined where there is no such cookie. One that was changed is all token, which is then not a good one. Read as
 * commons-httpclient 3 writes it, too: `$Version=0; sessionid=…; $Path=/`.
 */
export function decodeSessionCookie(header: string | undefined): Session | undefined {
  for (const piece of header?.split(/[;,]/) ?? []) {
    const equals = piece.indexOf('=');
    if (equals < 0 || piece.slice(0, equals).trim().toLowerCase() !== SESSION_COOKIE) continue;
    return readValue(piece.slice(equals + 1).trim().replace(/^"(.*)"$/, '$1'));
  }
  return undefined;
}

function readValue(value: string): Session {
  const [, token, hex, digest] = /^(.+)\.((?:[0-9a-f]{2}){1,254})\.([0-9a-f]{16})$/.exec(value) ?? [];
  const name = Buffer.from(hex ?? '', 'hex');
  if (token === undefined || digestOf(token, name) !== digest) return { token: value };
  return { token, username: name.toString('utf8') };
}

function digestOf(token: string, name: Buffer): string {
  return createHmac('sha256', token).update(name).digest('hex').slice(0, 16);
}
