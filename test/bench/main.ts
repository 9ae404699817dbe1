import { changeToWritten } from './changes.ts';
import { ewsFace } from './ews-face.ts';
import { addressBookFaces } from './gal-faces.ts';
import { fiveSystems } from './five-systems.ts';
import { galSearch } from './gal-search.ts';
import { describeMachine } from './machine.ts';
import { manyMailboxes } from './many-mailboxes.ts';
import { oneMailbox } from './one-mailbox.ts';
import { oneUpstream } from './one-upstream.ts';
import { overload } from './overload.ts';
import { presenceEjabberd } from './presence-ejabberd.ts';
import { presenceMinute } from './presence-minute.ts';
import { presenceSip } from './presence-sip.ts';
import { presenceXmpp } from './presence-xmpp.ts';
import { queueRate } from './queue-rate.ts';
import { startToFirstAnswer } from './start.ts';

/** Name of each figure and how it is measured; names on the command line choose some of them. */
const FIGURES: Readonly<Record<string, () => Promise<string>>> = { one: oneMailbox, many: manyMailboxes, 'five-systems': fiveSystems, 'one-upstream': oneUpstream, overload, start: startToFirstAnswer, queue: queueRate, changes: changeToWritten, 'ews-face': ewsFace, 'gal-search': galSearch, 'gal-faces': addressBookFaces, presence: presenceMinute, 'presence-sip': presenceSip, 'presence-xmpp': presenceXmpp, 'presence-ejabberd': presenceEjabberd };

const started = performance.now();
const chosen = process.argv.slice(2);
const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

say(describeMachine());
say('Median (least–most) of interleaved rounds: reference, bridge, reference, bridge, … Every server in a process of its own, on loopback.\n');
for (const [name, measure] of Object.entries(FIGURES)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  try {
    say(`${await measure()}\n`);
  } catch (error) {
    // One figure that cannot be measured takes no other with it.
    say(`${name}: not measured: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  }
}
say(`Took ${((performance.now() - started) / 1000).toFixed(0)} s. Only ratios of one run are worth comparing.`);
