import { MINUTE_MS } from '../core/clock.ts';
import type { Instant } from '../core/clock.ts';
import { MonthsMistake, readMonths, spansOf, unionOf } from './minutes-of-months.ts';
import type { MonthOfMinutes, Span } from './minutes-of-months.ts';
import { ID, KIND_OF_ID, mistakeInValues, NEVER_WRITTEN, PAIR_NAMES, PAIRS } from './written-property.ts';
import type { PairName, WrittenProperty } from './written-property.ts';

/** The properties of a message by id. */
export type Properties = ReadonlyMap<number, WrittenProperty>;

/** A property that is refused, and with it the whole message. */
export interface Refusal {
  readonly id: number;
  readonly reason: string;
}

/** What a free/busy message says, decoded by the stand-in's own code. */
export interface MessageContents {
  readonly legacyExchangeDn: string;
  readonly subject: string;
  readonly publishStart: Instant;
  readonly publishEnd: Instant;
  /** The range timestamp (0x6868). */
  readonly publishedAt: Instant;
  readonly months: Readonly<Record<PairName, readonly MonthOfMinutes[]>>;
  /** The months' minutes as instants, joined over the ends of months. */
  readonly intervals: Readonly<Record<PairName, readonly Span[]>>;
}

/** 134,774 days (exchange.md §1.4). */
const MINUTES_1601_TO_1970 = 134_774 * 1_440;

/** What a message that is there must have (exchange.md §1.2, the rows with M). */
const REQUIRED: readonly (readonly [number, string])[] = [
  [ID.subject, 'there is no subject'],
  [ID.address, 'there is no legacyExchangeDN'],
  [ID.start, 'there is no start of the publish range'],
  [ID.end, 'there is no end of the publish range'],
  [ID.timestamp, 'there is no range timestamp'],
];

/**
 * Judges a whole message, as it would be after the write, and decodes it. Stricter than any Exchange was seen to be: whatever
 * exchange.md §1.2 to §1.4 asks of a writer is asked here.
 *
 * @param organisation of the folder: what stands before the first `/cn` of every legacyExchangeDN in it
 * @returns what it says, or what is refused, at least one of them
 */
export function judgeMessage(properties: Properties, organisation: string): MessageContents | readonly Refusal[] {
  const refusals: Refusal[] = [...properties.values()].flatMap(refusalOfProperty);
  for (const [id, reason] of REQUIRED) if (!properties.has(id)) refusals.push({ id, reason });
  if (refusals.length > 0) return refusals;

  const text = (id: number): string => properties.get(id)?.values[0] ?? '';
  const [legacyExchangeDn, subject] = [text(ID.address), text(ID.subject)];
  const expected = `${organisation}/cn`.toLowerCase();
  const rest = legacyExchangeDn.toLowerCase().startsWith(expected) ? legacyExchangeDn.slice(organisation.length) : undefined;
  if (rest === undefined) refusals.push({ id: ID.address, reason: 'the legacyExchangeDN belongs to another folder' });
  else if (subject.toLowerCase() !== `user-${rest.toLowerCase()}`) refusals.push({ id: ID.subject, reason: 'subject and legacyExchangeDN name different people' });
  const normalized = properties.get(ID.normalizedSubject)?.values[0];
  if (normalized !== undefined && normalized !== subject) refusals.push({ id: ID.normalizedSubject, reason: 'the normalized subject is another one' });

  const [publishStart, publishEnd] = [ID.start, ID.end].map((id) => (Number(text(id)) - MINUTES_1601_TO_1970) * MINUTE_MS) as [Instant, Instant];
  if (publishEnd <= publishStart) refusals.push({ id: ID.end, reason: 'the publish range does not end after it starts' });

  const months = {} as Record<PairName, readonly MonthOfMinutes[]>;
  for (const name of PAIR_NAMES) {
    const read = readPair(properties, name);
    if ('reason' in read) refusals.push(read);
    else months[name] = read;
  }
  if (refusals.length > 0) return refusals;

  const intervals = Object.fromEntries(PAIR_NAMES.map((name) => [name, spansOf(months[name])])) as Record<PairName, readonly Span[]>;
  for (const name of PAIR_NAMES) {
    const isOutside = intervals[name].some((one) => one.start < publishStart || one.end > publishEnd);
    if (isOutside) refusals.push({ id: PAIRS[name].blocks, reason: 'something lies outside of the publish range' });
  }
  if (JSON.stringify(intervals.merged) !== JSON.stringify(unionOf(intervals.busy, intervals.away))) {
    refusals.push({ id: PAIRS.merged.blocks, reason: 'merged is not busy and away together' });
  }
  if (refusals.length > 0) return refusals;
  return { legacyExchangeDn, subject, publishStart, publishEnd, publishedAt: Date.parse(text(ID.timestamp)), months, intervals };
}

export function isRefused(judgement: MessageContents | readonly Refusal[]): judgement is readonly Refusal[] {
  return Array.isArray(judgement);
}

function refusalOfProperty(property: WrittenProperty): readonly Refusal[] {
  const { id, kind, values } = property;
  if (NEVER_WRITTEN.has(id)) return [{ id, reason: 'this property belongs to the item of the delegates' }];
  const wanted = KIND_OF_ID.get(id);
  if (wanted !== undefined && wanted !== kind) return [{ id, reason: `of type ${kind}, not ${wanted}` }];
  const mistake = mistakeInValues(kind, values);
  return mistake === undefined ? [] : [{ id, reason: mistake }];
}

function readPair(properties: Properties, name: PairName): readonly MonthOfMinutes[] | Refusal {
  const ids = PAIRS[name];
  const [months, blocks] = [properties.get(ids.months), properties.get(ids.blocks)];
  if (months === undefined && blocks === undefined) return [];
  if (months === undefined) return { id: ids.blocks, reason: 'blocks without months' };
  if (blocks === undefined) return { id: ids.months, reason: 'months without blocks' };
  try {
    return readMonths(months.values, blocks.values);
  } catch (error) {
    if (error instanceof MonthsMistake) return { id: ids[error.property], reason: error.message };
    throw error;
  }
}
