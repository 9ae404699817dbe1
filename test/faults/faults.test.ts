import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BridgeError } from '../../src/core/errors.ts';
import { OVER } from '../../src/core/over.ts';
import { closeClients, isNotSaid, openClients } from './clients.ts';
import type { Asking, ClientUnderTest } from './clients.ts';
import { FAULTS, HONEST, SOMEBODY_ELSE } from './faults.ts';
import { FaultyServer } from './faulty-server.ts';
import type { Fault } from './faulty-server.ts';

/**
 * The fault programme: every client of ours against every way in which a server or the wire has been wrong. What was not received whole is no data and never free, every
 * question ends by itself at its deadline, and no connection is left. That a deadline is kept is the one thing here that is measured, generously.
 */

const DEADLINE_MS = 1_000;
/** How long connections may take to go on a machine that has other things to do. */
const GRACE_MS = 15_000;
/** The same for the end of the question itself, in ticks that wait for a process that is busy: less than the three seconds for which a connection is tried. */
const GRACE_TICKS = 20;
const TICK_MS = 100;
/** At the same time. */
const IN_FLIGHT = 40;

const CLIENTS = ['exchange-webdav', 'exchange-webdav public-folder', 'exchange-ews', 'exchange-ews public-folder', 'zimbra', 'ifb', 'autodiscover', 'webhook', 'address list of an Exchange over EWS', 'address list of an Exchange 2003', 'address list of a Zimbra', 'form logon of an Exchange 2003', 'administration of a Zimbra'];

let clients: readonly ClientUnderTest[];
const connections = (): number => process.getActiveResourcesInfo().filter((one) => /^(?:TCP(?:Socket)?Wrap|TLSWrap)$/.test(one)).length;
let connectionsBefore: number;
beforeAll(async () => {
  connectionsBefore = connections();
  clients = await openClients();
});

/** What one question came to: what was said, or `no data: CODE`; `hang` where it did not end. */
async function asked(client: Asking): Promise<readonly string[]> {
  const gone = new AbortController();
  const deadline = setTimeout(() => gone.abort(OVER), DEADLINE_MS);
  let patience: NodeJS.Timeout | undefined;
  const hang = new Promise<readonly string[]>((resolve) => {
    let ticks = 0;
    patience = setInterval(() => {
      if (gone.signal.aborted && ++ticks > GRACE_TICKS) resolve(['hang']);
    }, TICK_MS);
  });
  try {
    return await Promise.race([client.ask(gone.signal), hang]);
  } catch (error) {
    return error instanceof BridgeError ? [`no data: ${error.code}`] : [`threw ${String(error)}`];
  } finally {
    clearTimeout(deadline);
    clearInterval(patience);
  }
}

/** What is wrong with how the client has taken the fault; empty where nothing is. */
async function judged(client: ClientUnderTest, fault: Fault, from: number, truth: readonly string[]): Promise<readonly string[]> {
  const server = await FaultyServer.before(client.good, fault, from);
  const asking = await client.open(server.url);
  const wrong: string[] = [];
  const where = `${client.name}, server ${fault.name} (from request ${from}): `;
  const say = (text: string): unknown => wrong.push(where + text);
  try {
    for (let round = 1; round <= (fault.rounds ?? 1); round++) {
      const said = await asked(asking);
      const isTrue = JSON.stringify(said) === JSON.stringify(truth);
      if (!said.every(isNotSaid) && !isTrue) say(`round ${round} says ${JSON.stringify(said).slice(0, 300)}`);
      if (isTrue && fault.mayBeWhole !== true && client.isTelling !== true) say('what was not whole was taken for whole');
      // Nobody waits any more: no answer is on its way over what is left.
      if (said.every(isNotSaid) && fault.connected !== undefined && fault.isAnswer !== true && !(await server.left(client.signsInForAll === true ? 1 : 0, GRACE_MS))) say(`${server.open} connections left after the question`);
    }
    await asking.close();
    if (!(await server.left(0, GRACE_MS))) say(`${server.open} connections left after close`);
  } finally {
    await asking.close();
    await server.close();
  }
  return wrong;
}

/** Runs all of them, so many at the same time. */
async function all(works: readonly (() => Promise<readonly string[]>)[]): Promise<readonly string[]> {
  const waiting = [...works];
  const wrong: string[] = [];
  const runner = async (): Promise<void> => {
    for (let work = waiting.shift(); work !== undefined; work = waiting.shift()) wrong.push(...(await work()));
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, runner));
  return wrong;
}

describe('the fault programme', () => {
  const truths = new Map<string, { readonly truth: readonly string[]; readonly requests: number }>();

  it('knows what every client says of an honest server', async () => {
    expect(clients.map(({ name }) => name)).toEqual(CLIENTS);
    for (const client of clients) {
      const server = await FaultyServer.before(client.good, HONEST);
      const asking = await client.open(server.url);
      const truth = await asking.ask(AbortSignal.timeout(20_000));
      await asking.close();
      await server.close();
      // Somebody is busy, somebody is listed: nothing that an empty answer would say, too.
      expect([client.name, truth.every((one) => !isNotSaid(one) && one !== '[]' && one !== 'nobody')]).toEqual([client.name, true]);
      truths.set(client.name, { truth, requests: server.requests });
    }
  }, 60_000);

  it('ends without a wrong "free", without waiting beyond the deadline, without connections left', async () => {
    const works = clients.flatMap((client) => {
      const { truth, requests } = truths.get(client.name)!;
      const faults = client.knowsWhom ? [...FAULTS, SOMEBODY_ELSE] : FAULTS;
      // Clients of several requests: at the first, and at the last, which has the data.
      return faults.flatMap((fault) => [...new Set(fault.connected === undefined ? [1, requests] : [1])].map((from) => () => judged(client, fault, from, truth)));
    });
    expect(await all(works)).toEqual([]);
  }, 180_000);
});

afterAll(async () => {
  await closeClients();
  // Handles are closed a turn after their sockets.
  await new Promise((resolve) => setImmediate(resolve));
  expect(connections()).toBeLessThanOrEqual(connectionsBefore);
});
