import type { MonthOfMinutes } from './minutes-of-months.ts';
import type { MessageContents } from './written-message.ts';

const SHOWN = 6;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** A message as people read it, one line a type and month, in ASCII; minutes of UTC. */
export function messageInWords(message: MessageContents): readonly string[] {
  const minute = (at: number): string => new Date(at).toISOString().slice(0, 16).replace('T', ' ');
  const lines = (['tentative', 'busy', 'away'] as const).flatMap((name) => message.months[name].map((month) => `${name.padEnd(9)}  ${monthInWords(month)}`));
  return [
    `${message.legacyExchangeDn}`,
    `published  ${minute(message.publishStart)} to ${minute(message.publishEnd)}; outside of it nothing is known`,
    ...(lines.length === 0 ? ['nothing in it: free'] : lines),
  ];
}

function monthInWords({ year, month, pairs }: MonthOfMinutes): string {
  const words = pairs.slice(0, SHOWN).map(([start, end]) => pairInWords(start, end));
  const more = pairs.length - words.length;
  return `${MONTHS[month - 1]} ${year}: ${words.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** `21st` would be prettier; `21.` is shorter and clear. */
function pairInWords(start: number, end: number): string {
  const day = (minutes: number): number => Math.floor(minutes / 1_440) + 1;
  const time = (minutes: number): string => `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
  const from = `${day(start)}. ${time(start % 1_440)}`;
  // An end at midnight is 24:00 of the day before.
  const lastDay = day(end - 1);
  const until = time(end - (lastDay - 1) * 1_440);
  return lastDay === day(start) ? `${from}-${until}` : `${from} to ${lastDay}. ${until}`;
}
