import { randomBytes } from 'node:crypto';

/** An account of a stand-in or of a client of the bridge in the sandbox. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** New at each start: nothing in the sandbox has a password that could be learnt by heart. */
export function randomPassword(): string {
  return randomBytes(12).toString('base64url');
}

/** What an `Authorization: Basic` header says; undefined when it is another scheme or unreadable. */
export function readBasic(header: string | undefined): Credentials | undefined {
  const token = /^basic ([A-Za-z0-9+/=]+)$/i.exec(header ?? '')?.[1];
  if (token === undefined) return undefined;
  const text = Buffer.from(token, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon === -1 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

export function writeBasic(credentials: Credentials): string {
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`, 'utf8').toString('base64')}`;
}

/** `DOMAIN\user` and plain `user` (the server's default domain) are the same account; names have no case, passwords do. */
export function isSameAccount(given: Credentials | undefined, expected: Credentials, domain: string): boolean {
  if (given === undefined || given.password !== expected.password) return false;
  const name = given.username.toLowerCase();
  const user = expected.username.toLowerCase();
  return name === user || name === `${domain.toLowerCase()}\\${user}`;
}
