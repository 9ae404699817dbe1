import type { ResourceKind } from './resources.ts';

const SEARCH = ['D:principal-property-search', 'D:principal-search-property-set'] as const;
const CALENDAR = ['C:calendar-query', 'C:calendar-multiget', 'C:free-busy-query'] as const;

/** By qualified name under `NAMESPACES`. */
export type ReportName = (typeof SEARCH)[number] | (typeof CALENDAR)[number];

/** Which reports a resource gives (RFC 3253 §3.1.5). */
export const REPORTS_OF: Readonly<Record<ResourceKind, readonly ReportName[]>> = {
  site: SEARCH,
  root: SEARCH,
  principals: SEARCH,
  principal: SEARCH,
  homes: [],
  home: [...CALENDAR, ...SEARCH],
  calendar: [...CALENDAR, ...SEARCH],
  inbox: ['C:calendar-query', 'C:calendar-multiget'],
  outbox: [],
};
