import { DAY_MS } from '../../../core/clock.ts';
import { BridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import { attribute, child, childrenNamed } from '../../../platform/xml/element.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import type { RecurrenceRule } from '../../icalendar/recurrence.ts';
import { decodeCalendarTime, decodeDuration, instantOf } from './calendar-time.ts';
import type { CalendarTime, TimeReader } from './calendar-time.ts';
import { UTC, zonesOf } from './calendar-zone.ts';
import { decodeRule } from './recurrence-rule.ts';

/** One moment of a series, with an end of its own where it has one. */
export interface SeriesDate {
  readonly start: CalendarTime;
  readonly durationMs?: number;
}

/** How a series goes on (`add`), or what of it does not happen (`exclude`). */
export interface SeriesPart {
  readonly rules: readonly RecurrenceRule[];
  readonly dates: readonly SeriesDate[];
}

/** An appointment: single where it has no parts. Its duration is time that passes, whatever the clock does; of all-day ones, days of the calendar. */
export interface SeriesDocument {
  readonly start: CalendarTime;
  readonly durationMs: number;
  readonly add: readonly SeriesPart[];
  readonly exclude: readonly SeriesPart[];
  /** Of an instance that was changed: which one. */
  readonly replaces?: CalendarTime;
}

/** What `comp`, `except` and `cancel` of a request say (ExpandRecur.java, soap-calendar.txt). */
export interface RecurrenceDocument {
  readonly series: readonly SeriesDocument[];
  /** Instances that do not happen. */
  readonly cancelled: readonly CalendarTime[];
}

/**
 * Reads the appointments of a CheckRecurConflictsRequest. What names no zone is in that of the first `<tz>`, else of the first time that
 * names one, else UTC: Zimbra takes the account's, and there is no account here.
 *
 * @throws BridgeError INVALID_REQUEST
 */
export function decodeRecurrence(request: XmlElement): RecurrenceDocument {
  const elements = request.children.filter(({ name }) => name === 'comp' || name === 'except' || name === 'cancel');
  if (countTimes(elements) > LIMITS.recurrenceInstances) throw new BridgeError('INVALID_REQUEST', `more than ${LIMITS.recurrenceInstances} times in one request`);
  const zone = zonesOf(request);
  const named = attribute(child(request, 'tz'), 'id') ?? elements.map((one) => attribute(child(one, 's'), 'tz')).find((id) => id !== undefined && id !== '');
  const reader: TimeReader = { zone, fallback: named === undefined ? UTC : zone(named) };
  const series: SeriesDocument[] = [];
  const cancelled: CalendarTime[] = [];
  for (const element of elements) {
    const id = child(element, 'exceptId');
    const replaces = id === undefined ? undefined : decodeCalendarTime(id, reader);
    if (element.name !== 'cancel') series.push(decodeSeries(element, replaces, reader));
    else if (replaces !== undefined) cancelled.push(replaces);
  }
  return { series, cancelled };
}

/** Each costs a look at its zone, and each rule a walk. */
function countTimes(elements: readonly XmlElement[]): number {
  const parts = elements.flatMap((one) => child(one, 'recur')?.children ?? []).flatMap(({ children }) => children);
  return elements.length + parts.length + parts.reduce((sum, { children }) => sum + children.length, 0);
}

function decodeSeries(element: XmlElement, replaces: CalendarTime | undefined, reader: TimeReader): SeriesDocument {
  const s = child(element, 's');
  if (s === undefined) throw new BridgeError('INVALID_REQUEST', 'missing required element: s');
  const start = decodeCalendarTime(s, reader);
  const recur = child(element, 'recur');
  const parts = (name: string): readonly SeriesPart[] => childrenNamed(recur, name).map((part) => decodePart(part, start, reader));
  return {
    start,
    durationMs: durationOf(element, start, reader),
    add: parts('add'),
    exclude: parts('exclude'),
    ...(replaces === undefined ? {} : { replaces }),
  };
}

function decodePart(part: XmlElement, start: CalendarTime, reader: TimeReader): SeriesPart {
  const dates = childrenNamed(part, 'dates').flatMap((list) => {
    const zone = attribute(list, 'tz');
    return childrenNamed(list, 'dtval').flatMap((value): readonly SeriesDate[] => {
      const s = child(value, 's');
      if (s === undefined) return [];
      const at = decodeCalendarTime(s, reader, zone);
      const hasEnd = child(value, 'e') !== undefined || child(value, 'dur') !== undefined;
      return [{ start: at, ...(hasEnd ? { durationMs: durationOf(value, at, reader, zone) } : {}) }];
    });
  });
  return { rules: childrenNamed(part, 'rule').map((rule) => decodeRule(rule, start, reader)), dates };
}

/**
 * By `dur`, else by `e`. The end of all-day ones is not included, as ExpandRecur.java reads it; where it is the day of the start that is
 * one day: the web client sends the last day there, and a day without a length would have no conflicts.
 */
function durationOf(element: XmlElement, start: CalendarTime, reader: TimeReader, zone?: string): number {
  const durationMs = lengthOf(element, start, reader, zone);
  if (durationMs > LIMITS.windowDays * DAY_MS) throw new BridgeError('INVALID_REQUEST', `an appointment of more than ${LIMITS.windowDays} days`);
  return durationMs === 0 && start.isDate ? DAY_MS : durationMs;
}

function lengthOf(element: XmlElement, start: CalendarTime, reader: TimeReader, zone: string | undefined): number {
  const dur = child(element, 'dur');
  if (dur !== undefined) return decodeDuration(dur);
  const e = child(element, 'e');
  if (e === undefined) throw new BridgeError('INVALID_REQUEST', `Must specify either e or dur in ${element.name}`);
  const end = decodeCalendarTime(e, reader, zone);
  const durationMs = start.isDate && end.isDate ? end.local - start.local : instantOf(end) - instantOf(start);
  if (durationMs < 0) throw new BridgeError('INVALID_REQUEST', 'End time must be after Start time');
  return durationMs;
}
