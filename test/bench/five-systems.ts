import { AUTHORIZATION, BridgeProcess, untilAnswers } from './bridge-process.ts';
import { expectedDigits } from './calendar.ts';
import { freePort, Helper } from './child-process.ts';
import { MONDAY, WEEK_MS } from './questions.ts';
import { ratios, spread } from './statistics.ts';
import { goal, table } from './table.ts';

const ROUNDS = 5;
const DEADLINE_MS = 2_000;
const PEOPLE = 20;
const END = MONDAY + WEEK_MS;
/** In the order of the mailboxes, one after the other: dead and silent ones stand between those that answer. */
const SYSTEMS = ['one', 'dead', 'two', 'silent', 'three'] as const;
const ANSWERING: readonly string[] = ['one', 'two', 'three'];

interface Asked {
  readonly wallMs: number;
  /** By address. */
  readonly digits: ReadonlyMap<string, string>;
}

/** Issue 7: 100 mailboxes over five systems, one dead and one slow. */
export async function fiveSystems(): Promise<string> {
  const good = Helper.start('ews-back-end.js');
  const silent = Helper.start('ews-back-end.js');
  let bridge: BridgeProcess | undefined;
  try {
    const ports = { good: (await good.ask<{ port: number }>({})).port, silent: (await silent.ask<{ port: number }>({ delayMs: 600_000 })).port, dead: await freePort() };
    const portOf = (name: string): number => (name === 'dead' ? ports.dead : name === 'silent' ? ports.silent : ports.good);
    bridge = await BridgeProcess.spawnWith({
      deadline: `${DEADLINE_MS}ms`,
      systems: Object.fromEntries(SYSTEMS.map((name) => [name, { type: 'exchange-ews', url: `http://127.0.0.1:${portOf(name)}/EWS/Exchange.asmx`, auth: 'basic', username: 'CORP\\bench', password: 'bench-upstream', domains: [`${name}.example`], cacheFor: '0s' }])),
      clients: [{ name: 'Zimbra', username: 'zimbra', password: 'bench-face', from: 'outside', mayAsk: SYSTEMS, detail: 'busy-type' }],
    });
    const { origin } = bridge;
    await untilAnswers(`${origin}/healthz`);
    const all = Array.from({ length: SYSTEMS.length * PEOPLE }, (_, index) => ({ system: SYSTEMS[index % SYSTEMS.length]!, number: Math.floor(index / SYSTEMS.length) }));
    const alone = all.filter(({ system }) => ANSWERING.includes(system));

    await ask(origin, alone);
    const walls: number[] = [];
    const reference: number[] = [];
    let right = 0;
    let unknown = 0;
    for (let round = 0; round < ROUNDS; round++) {
      reference.push((await ask(origin, alone)).wallMs);
      const { wallMs, digits } = await ask(origin, all);
      walls.push(wallMs);
      for (const one of all) {
        const said = digits.get(addressOf(one));
        if (ANSWERING.includes(one.system)) right += said === expectedDigits(one.number, MONDAY, END) ? 1 : 0;
        else unknown += said !== undefined && /^4+$/.test(said) ? 1 : 0;
      }
    }
    const expected = { right: ROUNDS * alone.length, unknown: ROUNDS * (all.length - alone.length) };
    return [
      `Five systems, one dead, one silent: ${all.length} mailboxes, a week; deadline ${DEADLINE_MS} ms; ${ROUNDS} rounds`,
      table([
        ['', 'wall ms', 'times the reference'],
        [`${alone.length} mailboxes of the three that answer, alone`, spread(reference, 0), '1'],
        [`${all.length} mailboxes of all five`, spread(walls, 0), spread(ratios(walls, reference), 1)],
      ]),
      goal('answered within the deadline, every round', `${Math.max(...walls).toFixed(0)} ms at most`, walls.every((wall) => wall <= DEADLINE_MS)),
      goal('mailboxes of the systems that answer: right', `${right} of ${expected.right}`, right === expected.right),
      goal('mailboxes of the dead and the silent one: no data', `${unknown} of ${expected.unknown}`, unknown === expected.unknown),
    ].join('\n');
  } finally {
    await Promise.all([bridge?.stop(), good.stop(), silent.stop()]);
  }
}

interface Person {
  readonly system: string;
  readonly number: number;
}

function addressOf({ system, number }: Person): string {
  return `person${String(number).padStart(3, '0')}@${system}.example`;
}

async function ask(origin: string, people: readonly Person[]): Promise<Asked> {
  const time = (instant: number): string => `${new Date(instant).toISOString().slice(0, 19)}+00:00`;
  const users = people.map((one) => `&u=SMTP:${addressOf(one)}`).join('');
  const started = performance.now();
  const answer = await fetch(`${origin}/public/?cmd=freebusy&start=${time(MONDAY)}&end=${time(END)}&interval=15${users}`, { headers: { authorization: AUTHORIZATION } });
  const text = await answer.text();
  const wallMs = performance.now() - started;
  if (answer.status !== 200) throw new Error(`${answer.status} ${text.slice(0, 300)}`);
  const digits = [...text.matchAll(/<a:email[^>]*>(?:SMTP:)?([^<]+)<\/a:email>[\s\S]*?<a:fbdata>(\d+)<\/a:fbdata>/gi)].map(([, address, said]) => [address!.toLowerCase(), said!] as const);
  return { wallMs, digits: new Map(digits) };
}
