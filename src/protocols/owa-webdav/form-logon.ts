import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { xml } from '../../platform/xml/write.ts';
import { LOGON_PAGES, LOGON_PATHS } from './names.ts';
import { firstRaw, formDecode, percentDecode, rawParameters } from '../../platform/http-server/raw-query.ts';

/** What a logon form brings. */
export interface LogonForm {
  readonly username: string;
  readonly password: string;
  /** A path of this server, beginning with exactly one `/`. */
  readonly destination: string;
}

/**
 * Reads a posted form whatever its Content-Type says (Zimbra's lacks `application/`, and it leaves the user name and `Log On`
 * unescaped: `dom\svc+fb` is a name with a plus). Only a real form's `+` in the user name is a blank; in the password it always is.
 *
 * @throws BridgeError AUTH_FAILED where user name or password is missing or absurdly long
 */
export function decodeLogonForm(body: Uint8Array, contentType: string | undefined): LogonForm {
  const parameters = rawParameters(Buffer.from(body).toString('latin1'));
  const username = firstRaw(parameters, 'username');
  const password = firstRaw(parameters, 'password');
  const isUsable = username !== undefined && password !== undefined && Math.max(username.length, password.length) <= LIMITS.credentialCharacters;
  if (!isUsable) throw new BridgeError('AUTH_FAILED', 'wrong user name or password');
  const isForm = /^\s*application\/x-www-form-urlencoded\s*(?:;|$)/i.test(contentType ?? '');
  return {
    username: isForm ? formDecode(username) : percentDecode(username),
    password: formDecode(password),
    destination: safeDestination(formDecode(firstRaw(parameters, 'destination') ?? '')),
  };
}

/** The body that logs on to a real Exchange as a private computer: exchange.md §2.6. */
export function encodeLogonForm(destination: URL, username: string, password: string): string {
  const form = new URLSearchParams({ destination: destination.href, flags: '4', username, password, SubmitCreds: 'Log On', trusted: '4' });
  return form.toString();
}

/** Only the path of a destination is kept, and only as one below our own root: a form must not send its user elsewhere. */
export function safeDestination(destination: string): string {
  const base = 'http://bridge.invalid';
  if (!URL.canParse(destination, base)) return DEFAULT_DESTINATION;
  const url = new URL(destination, base);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return DEFAULT_DESTINATION;
  const path = `/${url.pathname.replace(/^[/\\]+/, '')}`;
  return path === '/' || path.length > LIMITS.destinationCharacters ? DEFAULT_DESTINATION : path;
}

const DEFAULT_DESTINATION = '/public/';

/** Reasons that Exchange gives its logon page. */
export type LogonReason = 'none' | 'wrong-credentials';
const REASON_NUMBER: Readonly<Record<LogonReason, string>> = { none: '0', 'wrong-credentials': '2' };

/** Where a failed logon leads: the form's page of the same generation, `reason=2` as Exchange says it. */
export function logonPageLocation(logonPath: string, destination: string, reason: LogonReason): string {
  const page = logonPath === LOGON_PATHS[0] ? LOGON_PAGES[0] : LOGON_PAGES[1];
  return `${page}?url=${encodeURIComponent(destination)}&reason=${REASON_NUMBER[reason]}`;
}

/** The page with the form, as XHTML that every browser reads. `rawQuery` is that of the page's own URL; nothing of it is trusted. */
export function encodeLogonPage(pagePath: string, rawQuery: string): string {
  const parameters = rawParameters(rawQuery);
  const destination = safeDestination(formDecode(firstRaw(parameters, 'url') ?? ''));
  const action = pagePath === LOGON_PAGES[0] ? LOGON_PATHS[0] : LOGON_PATHS[1];
  const failed = firstRaw(parameters, 'reason') === REASON_NUMBER['wrong-credentials'];
  const notice = failed ? xml`<p role="alert">Wrong user name or password.</p>` : xml``;
  return xml`<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" lang="en"><head><meta charset="utf-8"/><title>Log on</title></head><body><h1>Log on</h1>${notice}
<form method="post" action="${action}"><input type="hidden" name="destination" value="${destination}"/><input type="hidden" name="flags" value="0"/>
<p><label>User name <input name="username" autocomplete="username"/></label></p>
<p><label>Password <input type="password" name="password" autocomplete="current-password"/></label></p>
<p><button type="submit" name="SubmitCreds" value="Log On">Log on</button></p></form></body></html>
`.text;
}
