import { DOMAIN } from './bridge-process.ts';

const DAY_MS = 86_400_000;
const QUARTER_MS = 900_000;

/** Monday of an ordinary week; no change of clocks within reach. */
export const MONDAY = Date.UTC(2027, 0, 11);
export const WEEK_MS = 7 * DAY_MS;
export const LARGE_WINDOW_MS = 42 * DAY_MS;
export const LARGE_MAILBOXES = 100;
/** The pieces in which the bridge asks (LIMITS.upstreamWindowDays). */
export const PIECE_MS = 35 * DAY_MS;

export function addressOf(mailbox: number): string {
  return `person${String(mailbox).padStart(3, '0')}@${DOMAIN}`;
}

function zimbraTime(instant: number): string {
  return `${new Date(instant).toISOString().slice(0, 19)}+00:00`;
}

/** The question as a stock Zimbra spells it (zimbra-measured.md §2): raw `+` and `@`, 15-minute slots. */
export function owaPath(mailboxes: number, start: number, end: number): string {
  const users = Array.from({ length: mailboxes }, (_, index) => `&u=SMTP:${addressOf(index)}`).join('');
  return `/public/?cmd=freebusy&start=${zimbraTime(start)}&end=${zimbraTime(end)}&interval=15${users}`;
}

/** One mailbox, one week, 400 different windows: many more than are under way, so that none is asked together with another. */
export const ONE_MAILBOX_PATHS: readonly string[] = Array.from({ length: 400 }, (_, index) => {
  const start = MONDAY + index * QUARTER_MS;
  return owaPath(1, start, start + WEEK_MS);
});

export function apiPath(mailboxes: number, start: number, end: number): string {
  const users = Array.from({ length: mailboxes }, (_, index) => `&mailbox=${addressOf(index)}`).join('');
  return `/api/v1/freebusy?start=${new Date(start).toISOString()}&end=${new Date(end).toISOString()}${users}`;
}

/** GetFreeBusyRequest of zimbra.md §2.1, SOAP 1.2. */
export function soapRequest(mailboxes: number, start: number, end: number): string {
  const names = Array.from({ length: mailboxes }, (_, index) => addressOf(index)).join(',');
  return (
    '<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope"><soap:Body>' +
    `<GetFreeBusyRequest xmlns="urn:zimbraMail" s="${start}" e="${end}" name="${names}"/></soap:Body></soap:Envelope>`
  );
}
