import { setTimeout as pause } from 'node:timers/promises';
import { checkName } from './exchange-compose.ts';
import type { Walk } from './walk-steps.ts';
import { typeIntoToLine } from './zimbra-compose.ts';

/** Between two looks at an address book that has just begun to read its directories. */
const LOOK_MS = 100;

/**
 * Somebody on each side types the beginning of a name that only the other side's directory has, and sees the whole of it.
 *
 * @returns what is wrong, in words
 */
export async function walkAddressBook({ bridgeUrl, credentials, patienceMs, print }: Walk): Promise<readonly string[]> {
  const sides = [
    { who: 'Zimbra user', typed: 'cla', wanted: 'clara@corp.example', how: 'AutoCompleteRequest', find: () => typeIntoToLine(bridgeUrl, 'cla', credentials.zimbra) },
    { who: 'Zimbra user', typed: 'bohm b', wanted: 'bernd@legacy.example', how: 'AutoCompleteRequest', find: () => typeIntoToLine(bridgeUrl, 'bohm b', credentials.zimbra) },
    { who: 'Exchange user', typed: 'kow', wanted: 'kim@zimbra.example', how: 'ResolveNames', find: () => checkName(bridgeUrl, 'kow', credentials.exchange) },
  ];
  const mistakes: string[] = [];
  for (const { who, typed, wanted, how, find } of sides) {
    let last: Found;
    try {
      last = await lookUntil(find, wanted, performance.now() + patienceMs);
    } catch (error) {
      return [error instanceof Error ? error.message : 'no answer'];
    }
    print(`   ${who} types ${JSON.stringify(typed)}: ${last.people.length === 0 ? 'nobody' : last.people.join(', ')}   (${how}, ${last.tookMs} ms)`);
    if (!isAmong(wanted, last.people)) mistakes.push(`${wanted} should be suggested`);
  }
  print('   read from the directories of the other sides: galfind, EWS, SyncGal; each answer in the asking side\'s own protocol');
  return mistakes;
}

interface Found {
  readonly people: readonly string[];
  readonly tookMs: number;
}

/** Asks again until somebody is among those who are found, or it is too late: the directories have just begun to be read. */
async function lookUntil(find: () => Promise<readonly string[]>, wanted: string, until: number): Promise<Found> {
  for (;;) {
    const began = performance.now();
    const people = await find();
    const now = performance.now();
    if (isAmong(wanted, people) || now > until) return { people, tookMs: Math.round(now - began) };
    await pause(LOOK_MS);
  }
}

function isAmong(wanted: string, people: readonly string[]): boolean {
  return people.some((one) => one.includes(`<${wanted}>`));
}
