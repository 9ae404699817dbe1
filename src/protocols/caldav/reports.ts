import { DAY_MS } from '../../core/clock.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Interval } from '../../freebusy/interval.ts';
import { attribute } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { el, writeXml } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { utcDateTime } from '../icalendar/date-time.ts';
import { CALDAV_NS, DAV_NS, NAMESPACES } from './names.ts';
import type { ResourceAnswer } from './multi-status.ts';
import { brokenPrecondition } from './precondition.ts';
import type { Property } from './properties.ts';
import { namesIn } from './property-question.ts';

/** The answer to `C:calendar-multiget` (RFC 4791 §7.9) where no object exists. @throws BridgeError with a precondition where it names too many */
export function multigetAnswers(report: XmlElement): readonly ResourceAnswer[] {
  const hrefs = report.children.filter((one) => one.ns === DAV_NS && one.name === 'href');
  if (hrefs.length > LIMITS.caldavHrefs) throw brokenPrecondition('number-of-matches-within-limits', `more than ${LIMITS.caldavHrefs} objects`);
  if (hrefs.reduce((sum, one) => sum + one.text.length, 0) > LIMITS.caldavHrefCharacters) throw brokenPrecondition('number-of-matches-within-limits', 'the names of the objects are too long');
  return hrefs.map((one) => ({ href: one.text.trim(), status: 404 }));
}

/** Whole values: a part of an address would be found in somebody else's, and Evolution asks this principal's calendar then for the other one's time. */
const WHOLE: ReadonlySet<string> = new Set(['calendar-user-address-set', 'email-address-set']);

/**
 * Whether a principal is what `D:principal-property-search` looks for (RFC 3744 §9.4; `test="anyof"` is CalendarServer's). It finds nobody where it looks for nothing.
 *
 * @throws BridgeError with a precondition where there are too many conditions
 */
export function isSearchedFor(principal: readonly Property[], report: XmlElement): boolean {
  const searches = report.children.filter((one) => one.ns === DAV_NS && one.name === 'property-search');
  if (searches.length > LIMITS.caldavSearches) throw brokenPrecondition('number-of-matches-within-limits', `more than ${LIMITS.caldavSearches} conditions`);
  const holds = searches.map((search) => {
    const wanted = search.children.find((one) => one.name === 'match')?.text.trim().toLowerCase() ?? '';
    const names = namesIn(search.children.find((one) => one.name === 'prop'));
    return names.length > 0 && names.every(({ ns, name }) => principal.some((one) => one.ns === ns && one.name === name && matches(one, wanted)));
  });
  return attribute(report, 'test') === 'anyof' ? holds.some(Boolean) : holds.length > 0 && holds.every(Boolean);
}

function matches(property: Property, wanted: string): boolean {
  const texts = textsIn(property.element).map((text) => text.toLowerCase());
  const isWhole = WHOLE.has(property.name);
  return wanted !== '' && texts.some((text) => (isWhole ? text.replace(/^mailto:/, '') === wanted.replace(/^mailto:/, '') : text.includes(wanted)));
}

function textsIn(node: XmlNode): readonly string[] {
  return node.children.flatMap((one) => (typeof one === 'string' ? [one] : textsIn(one)));
}

/** What can be searched for (RFC 3744 §9.5). */
export function encodeSearchProperties(): string {
  const described = Object.entries(SEARCHABLE).map(([name, description]) =>
    el('D:principal-search-property', {}, el('D:prop', {}, el(name)), el('D:description', { 'xml:lang': 'en' }, description)),
  );
  return writeXml(el('D:principal-search-property-set', NAMESPACES, described));
}

const SEARCHABLE = { 'D:displayname': 'Name', 'C:calendar-user-address-set': 'Calendar user address, as a whole', 'C:calendar-home-set': 'Calendar home' } as const;

/** The window of `C:free-busy-query` (RFC 4791 §7.10). @throws BridgeError with a precondition where it has none with two ends, or too long a one */
export function decodeTimeRange(report: XmlElement): Interval {
  const range = report.children.find((one) => one.ns === CALDAV_NS && one.name === 'time-range');
  const [start, end] = ['start', 'end'].map((name) => utcDateTime(attribute(range, name) ?? ''));
  if (start === undefined || end === undefined || start >= end) throw brokenPrecondition('valid-filter', 'a time range with start and end in UTC is needed', 'INVALID_WINDOW');
  if (end - start > LIMITS.ifbDays * DAY_MS) throw brokenPrecondition('number-of-matches-within-limits', `the window is longer than ${LIMITS.ifbDays} days`, 'WINDOW_TOO_LARGE');
  return { start, end };
}
