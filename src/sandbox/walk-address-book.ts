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
    const until = performance.now() + patienceMs;
    let found: readonly string[] = [];
    let tookMs = 0;
    do {
      if (tookMs > 0) await pause(LOOK_MS);
      const began = performance.now();
      try {
        found = await find();
      } catch (error) {
        return [error instanceof Error ? error.message : 'no answer'];
      }
      tookMs = Math.max(1, Math.round(performance.now() - began));
    } while (!found.some((one) => one.includes(`<${wanted}>`)) && performance.now() < until);
    print(`   ${who} types ${JSON.stringify(typed)}: ${found.length === 0 ? 'nobody' : found.join(', ')}   (${how}, ${tookMs} ms)`);
    if (!found.some((one) => one.includes(`<${wanted}>`))) mistakes.push(`${wanted} should be suggested`);
  }
  print('   read from the directories of the other sides: galfind, EWS, SyncGal; each answer in the asking side\'s own protocol');
  return mistakes;
}
