/** Namespaces of what is asked and answered here. */
export const DAV_NS = 'DAV:';
export const CALDAV_NS = 'urn:ietf:params:xml:ns:caldav';
/** Of Apple's CalendarServer; Thunderbird and Apple Calendar ask for getctag in it. */
export const CALENDARSERVER_NS = 'http://calendarserver.org/ns/';

/** Declared on every root element. Clients find elements by namespace; Thunderbird only by local name. */
export const NAMESPACES = { 'xmlns:D': DAV_NS, 'xmlns:C': CALDAV_NS, 'xmlns:CS': CALENDARSERVER_NS } as const;

const PREFIX_OF: ReadonlyMap<string, string> = new Map([
  [DAV_NS, 'D'],
  [CALDAV_NS, 'C'],
  [CALENDARSERVER_NS, 'CS'],
]);

/** The qualified name under `NAMESPACES`; undefined for a namespace that is not among them. */
export function qualified({ ns, name }: PropertyName): string | undefined {
  const prefix = PREFIX_OF.get(ns);
  return prefix === undefined ? undefined : `${prefix}:${name}`;
}

/** A property's name, resolved. */
export interface PropertyName {
  readonly ns: string;
  readonly name: string;
}

/**
 * The DAV header. Thunderbird wants `calendar-schedule` or `calendar-auto-schedule` before it asks about anybody, and drops the first token unread;
 * python-caldav looks for `calendar-auto-schedule`, the name of RFC 6638 itself (§2). Nothing can be stored here, so there is nothing to schedule automatically.
 */
export const DAV_FEATURES = '1, 3, access-control, calendar-access, calendar-schedule, calendar-auto-schedule';

export const DAV_XML = 'application/xml; charset=utf-8';
