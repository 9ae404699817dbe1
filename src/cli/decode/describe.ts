import type { Instant } from '../../core/clock.ts';
import type { Interval } from '../../freebusy/interval.ts';
import type { PairType } from '../../protocols/schedule-plus/properties.ts';
import { shown } from '../terminal.ts';
import { dayPictures, LEGEND } from './day-pictures.ts';
import type { Interpreted, InterpretedPair, PairState } from './interpret.ts';
import { propertyInWords } from './property-words.ts';
import { intervalInWords, minuteInWords, monthInWords } from './utc-words.ts';

const ORDER: readonly PairType[] = ['away', 'busy', 'tentative', 'merged'];

/** A message as people read it, line by line. All times are UTC. */
export function describe(interpreted: Interpreted): readonly string[] {
  const { kind, message, published, pairs, takenAway, oddities } = interpreted;
  const window = published === undefined ? undefined : `${minuteInWords(published.start)} to ${minuteInWords(published.end)} UTC`;
  const when = message.rangeTimestamp === undefined ? '' : `, written ${minuteInWords(message.rangeTimestamp)} UTC`;
  const picture = published === undefined ? [] : dayPictures(message, published);
  return [
    `subject           ${shown(message.subject ?? '(none)')}`,
    `legacyExchangeDN  ${shown(message.legacyExchangeDn ?? '(none)')}`,
    `published         ${window ?? '(no window)'}${when}`,
    `read from         ${kind}`,
    ...ORDER.flatMap((type) => describePair(type, pairs[type])),
    ...(takenAway.length === 0 ? [] : ['takes away', ...takenAway.map((id) => `  ${propertyInWords(id)}`)]),
    ...oddities.map((one) => `oddity: ${shown(one)}`),
    ...(picture.length === 0 ? [] : ['days', ...picture.map((line) => `  ${line}`), `  ${LEGEND}`]),
  ];
}

const IN_WORDS: Readonly<Record<Exclude<PairState, 'there'>, string>> = {
  absent: 'nothing',
  'taken-away': 'nothing: what was there is taken away',
  left: 'not named: left as it is',
  broken: 'cannot be read',
};

function describePair(type: PairType, pair: InterpretedPair): readonly string[] {
  if (pair.state !== 'there') return [`${type.padEnd(9)} ${IN_WORDS[pair.state]}`];
  const months = byMonth(pair);
  if (months.size === 0) return [`${type.padEnd(9)} nothing`];
  return [type, ...[...months].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([month, lines]) => (lines.length === 0 ? [`  ${month}  nothing`] : [`  ${month}`, ...lines.map((line) => `    ${line}`)]))];
}

/** Every month that is listed, with its intervals. */
function byMonth({ months, intervals, unreadable }: InterpretedPair): ReadonlyMap<string, readonly string[]> {
  const lines = new Map<string, string[]>(months.map((month: Instant) => [monthInWords(month), []]));
  const add = (interval: Interval, text: string): void => {
    const month = monthInWords(interval.start);
    const there = lines.get(month);
    if (there === undefined) lines.set(month, [text]);
    else there.push(text);
  };
  for (const interval of intervals) add(interval, intervalInWords(interval));
  for (const interval of unreadable) add(interval, `${intervalInWords(interval)} cannot be read`);
  return lines;
}
