import { MINUTE_MS } from '../core/clock.ts';
import type { Instant } from '../core/clock.ts';
import { child, childrenNamed, childText } from '../platform/xml/element.ts';
import type { XmlElement } from '../platform/xml/element.ts';
import { readXml, XmlError } from '../platform/xml/read.ts';
import { tile } from './status-row.ts';
import type { Status, Stretch } from './status-row.ts';
import type { Credentials } from './stand-in-credentials.ts';
import { writeBasic } from './stand-in-credentials.ts';
import { openWire } from './wire-request.ts';
import type { Wire, WireAnswer } from './wire-request.ts';

export interface AskingOptions extends Credentials {
  readonly auth?: 'basic' | 'form';
  /** localconfig exchange_free_busy_interval_min. */
  readonly intervalMinutes?: number;
}

/** What a web client shows of one mailbox. */
export interface ShownMailbox {
  readonly address: string;
  readonly slots: readonly Stretch[];
}

export interface Window {
  readonly start: Instant;
  readonly end: Instant;
}

const USER_AGENT = 'Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; SV1; .NET CLR 1.1.4322)';
const FORM_USER_AGENT = 'Apache-HttpClient/4.5.8 (Java/17.0.15)';

/**
 * Asks as a stock Zimbra 8.8.15 asks "Exchange" about its users, byte for byte (zimbra-measured.md §2,
 * captures/zimbra/webdav-basic-8.8.15.txt, webdav-form-and-timezones.txt), from a server whose zone is UTC, and reads the answer
 * with Zimbra's own rules: a user who is missing is FREE, an unknown character is FREE, only status 200 counts.
 *
 * @throws Error when nothing can be sent (a blank or a quote in an address) or the connection fails: 8.8.15's lookup ends in a
 * NullPointerException then and its web client sees a fault.
 */
export async function askExchangeAbout(bridgeUrl: string, addresses: readonly string[], window: Window, options: AskingOptions): Promise<readonly ShownMailbox[]> {
  const intervalMs = (options.intervalMinutes ?? 15) * MINUTE_MS;
  const end = Math.floor(window.end / MINUTE_MS) * MINUTE_MS;
  const start = Math.floor(window.start / MINUTE_MS) * MINUTE_MS;
  const floored = Math.floor(start / intervalMs) * intervalMs;
  const target = freeBusyTarget(addresses, floored, end, intervalMs / MINUTE_MS);
  const url = new URL(bridgeUrl);
  const wire = openWire(url);
  try {
    const answer = options.auth === 'form' ? await askWithForm(wire, url, target, options) : await askWithBasic(wire, url, target, options);
    const root = answer.status === 200 ? await readOrNothing(answer) : undefined;
    return addresses.map((address) => ({ address, slots: shown(root, address, { start, end }, floored, intervalMs) }));
  } finally {
    wire.close();
  }
}

/** The path and query as they go on the wire: `+` of the offset raw, addresses as they are, cut at a `#`. */
export function freeBusyTarget(addresses: readonly string[], start: Instant, end: Instant, intervalMinutes: number): string {
  const target = `/public/?cmd=freebusy&start=${time(start)}&end=${time(end)}&interval=${intervalMinutes}${addresses.map((one) => `&u=SMTP:${one}`).join('')}`;
  if (/[\s"<>\\^`{|}]/.test(target)) throw new Error('IllegalArgumentException: the URI cannot be built, nothing is sent');
  return target.split('#')[0]!;
}

function time(at: Instant): string {
  return `${new Date(at).toISOString().slice(0, 19)}+00:00`;
}

async function askWithBasic(wire: Wire, url: URL, target: string, credentials: Credentials): Promise<WireAnswer> {
  const headers = ['User-Agent', USER_AGENT, 'Host', url.host, 'Connection', 'Keep-Alive', 'Accept-Encoding', 'gzip,deflate'];
  const first = await wire.send('GET', target, headers);
  const challenges = [first.headers['www-authenticate'] ?? []].flat().join(', ');
  if (first.status !== 401 || !/\bbasic\b/i.test(challenges)) return first;
  return wire.send('GET', target, [...headers, 'Authorization', writeBasic(credentials)]);
}

async function askWithForm(wire: Wire, url: URL, target: string, credentials: Credentials): Promise<WireAnswer> {
  // The user name and "Log On" go out as they are; only destination and password are encoded, with + for a blank.
  const body = `destination=${formEncoded(`${url.protocol}//${url.host}`)}&username=${credentials.username}&password=${formEncoded(credentials.password)}&flags=0&SubmitCreds=Log On&trusted=0`;
  const logon = await wire.send('POST', '/exchweb/bin/auth/owaauth.dll', [
    'Content-Length', String(Buffer.byteLength(body)), 'Content-Type', 'x-www-form-urlencoded', 'Host', url.host, 'Connection', 'Keep-Alive',
    'User-Agent', FORM_USER_AGENT, 'Accept-Encoding', 'gzip,deflate',
  ], body);
  // Anything under 400 counts as signed in, and the redirect is not followed.
  const cookies = logon.status >= 400 ? [] : [logon.headers['set-cookie'] ?? []].flat().map((one) => one.split(';')[0]!);
  const cookieHeader = cookies.length === 0 ? [] : ['Cookie', cookies.join('; ')];
  return wire.send('GET', target, ['User-Agent', USER_AGENT, 'Host', url.host, 'Connection', 'Keep-Alive', ...cookieHeader, 'Accept-Encoding', 'gzip,deflate']);
}

/** java.net.URLEncoder. */
function formEncoded(text: string): string {
  return encodeURIComponent(text).replace(/%20/g, '+').replace(/[!'()~]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
}

async function readOrNothing(answer: WireAnswer): Promise<XmlElement | undefined> {
  try {
    return await readXml(answer.body);
  } catch (error) {
    if (error instanceof XmlError) return undefined;
    throw error;
  }
}

const STATUS_OF_DIGIT: Readonly<Record<string, Status>> = { '0': 'free', '1': 'tentative', '2': 'busy', '3': 'oof', '4': 'no-data' };

/** Reads one user's digits as Zimbra does; `root` undefined: the whole answer was no good, so nobody has data. */
function shown(root: XmlElement | undefined, address: string, window: Window, floored: Instant, intervalMs: number): readonly Stretch[] {
  if (root === undefined) return [{ ...window, status: 'no-data' }];
  const item = childrenNamed(child(root, 'recipients'), 'item').find((one) => childText(one, 'email')?.toLowerCase() === address.toLowerCase());
  const digits = child(item, 'fbdata')?.text ?? '';
  const stretches = [...digits].map((digit, slot) => ({
    start: floored + slot * intervalMs,
    end: floored + (slot + 1) * intervalMs,
    status: STATUS_OF_DIGIT[digit] ?? ('free' as const),
  }));
  return tile(stretches, window.start, window.end);
}
