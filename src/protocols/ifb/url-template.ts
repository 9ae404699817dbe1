import { BridgeError } from '../../core/errors.ts';
import { SECOND_MS } from '../../core/clock.ts';
import { domainOf, localPartOf } from '../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { alignOutward } from '../../freebusy/interval.ts';
import type { Interval } from '../../freebusy/interval.ts';
import { encodeUtcDateTime } from '../icalendar/date-time.ts';

/** What may stand in braces in a system's `url` (configuration.md, Templates). */
export const PLACEHOLDERS = ['address', 'localPart', 'domain', 'start', 'end'] as const;
export type Placeholder = (typeof PLACEHOLDERS)[number];

/** A `url` that was checked: scheme, host and port are fixed, placeholders stand in path and query only. */
export interface UrlTemplate {
  readonly origin: string;
  /** Path and query, each placeholder as a mark of its own (`MARK`). */
  readonly target: string;
  /** It asks for a window; otherwise one request brings whatever the server publishes. */
  readonly hasWindow: boolean;
}

/** Stands for a placeholder while the URL is parsed: letters and digits only, so that no part of a URL changes it. */
const MARK = /fb0x(address|localPart|domain|start|end)x0fb/g;

/**
 * Checks a template and takes it apart.
 *
 * @throws BridgeError CONFIGURATION; the message does not quote the template, whose query is a secret
 */
export function parseUrlTemplate(template: string): UrlTemplate {
  const unknown = [...template.matchAll(/\{([^{}]*)\}/g)].find((match) => !isPlaceholder(match[1]!));
  if (unknown !== undefined) throw wrong(`only ${PLACEHOLDERS.map((name) => `{${name}}`).join(', ')} may stand in braces`);
  const marked = template.replace(/\{(\w+)\}/g, 'fb0x$1x0fb');
  if (/[{}]/.test(marked)) throw wrong('a brace without its partner');
  if (!URL.canParse(marked)) throw wrong('it is no URL');
  const url = new URL(marked);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw wrong('only http and https');
  if (url.username !== '' || url.password !== '') throw wrong('credentials belong in username and password');
  // Host names are lower-cased by the parser, so the mark is looked for without its placeholder's own case.
  if (/fb0x/i.test(url.origin) || /fb0x/i.test(url.hash)) throw wrong('placeholders may stand in path and query only');
  const target = url.pathname + url.search;
  const used = new Set([...target.matchAll(MARK)].map((match) => match[1]));
  return { origin: url.origin, target, hasWindow: used.has('start') || used.has('end') };
}

/**
 * The URL for one mailbox and window. Values are percent-encoded down to letters, digits and `-._~`, so that none of them can end a
 * path segment or begin a query; start and end are whole seconds in UTC, rounded outward.
 *
 * @returns undefined where the mailbox can have no such URL: a value that is a dot segment or that no URL can carry
 */
export function expandUrlTemplate(template: UrlTemplate, mailbox: MailboxAddress, window: Interval): URL | undefined {
  if (/\p{Surrogate}/u.test(mailbox)) return undefined;
  const { start, end } = alignOutward(window, SECOND_MS);
  const values: Readonly<Record<Placeholder, string>> = {
    address: mailbox,
    localPart: localPartOf(mailbox),
    domain: domainOf(mailbox),
    start: encodeUtcDateTime(start),
    end: encodeUtcDateTime(end),
  };
  const target = template.target.replace(MARK, (_mark, name: Placeholder) => percentEncode(values[name]));
  const url = new URL(template.origin + target);
  // `.` and `..` (also as %2e) would be resolved away: somebody else's URL.
  return url.origin === template.origin && url.pathname + url.search === target ? url : undefined;
}

function isPlaceholder(name: string): name is Placeholder {
  return (PLACEHOLDERS as readonly string[]).includes(name);
}

/** RFC 3986 §2.3: everything but the unreserved characters. */
function percentEncode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

function wrong(why: string): BridgeError {
  return new BridgeError('CONFIGURATION', `the url of an ifb system is wrong: ${why}`);
}
