import { Agent } from 'undici';
import { systemClock } from '../../src/core/clock.ts';
import { LIMITS } from '../../src/core/limits.ts';
import { silentLogger } from '../../src/core/logger.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import type { ShownPresence } from '../../src/presence/presence.ts';
import { memoryTexts } from '../../src/presence/publisher.ts';
import { EjabberdPublisher } from '../../src/protocols/ejabberd/publisher.ts';
import { xmppClient } from '../peers/ejabberd-client.ts';
import type { XmppClient } from '../peers/ejabberd-client.ts';
import { BRIDGE, hasEjabberd, startEjabberd, XMPP_DOMAIN } from '../peers/ejabberd.ts';
import type { Ejabberd } from '../peers/ejabberd.ts';
import { median, ratios, spread } from './statistics.ts';
import { goal, table } from './table.ts';

const PEOPLE = 40;
/** Everybody goes into a meeting and comes out of it so many times a round. */
const MEETINGS = 5;
const ROUNDS = 5;
const GOAL_RATIO = 0.7;
/** The pace that `calendarSpread: auto` plans for (presence.md, A66). */
const GOAL_RATE = 100;

const NAMES = Array.from({ length: PEOPLE }, (_, index) => `p${index}`);

/** Figure: changes a second through EjabberdPublisher, people signed in with one session each, against the same three calls from bare undici. */
export async function presenceEjabberd(): Promise<string> {
  const title = `Presence: ejabberd, ${PEOPLE} people with a session each, ${LIMITS.ejabberdConcurrency} at a time, ${ROUNDS} rounds`;
  if (!hasEjabberd) return `${title}\n  not measured: ejabberd is not installed`;
  const ejabberd = await startEjabberd({ accounts: NAMES });
  const clients: XmppClient[] = [];
  const publisher = new EjabberdPublisher({ url: ejabberd.url, ...BRIDGE, busyShow: 'dnd', memory: memoryTexts(), clock: systemClock, logger: silentLogger });
  const agent = new Agent();
  try {
    for (const name of NAMES) {
      const client = await xmppClient(ejabberd.xmppPort, name, 'desk');
      clients.push(client);
      await client.show('available');
      await client.seen(`${name}/desk available`);
    }
    const bare: number[] = [];
    const ours: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      bare.push(await rateOf((name, isBusy) => bareChange(agent, ejabberd, name, isBusy)));
      ours.push(await rateOf((name, isBusy, since) => publisher.publish(`${name}@${XMPP_DOMAIN}` as MailboxAddress, shown(isBusy, since), new AbortController().signal)));
    }
    const ratio = ratios(ours, bare);
    return [
      title,
      table([['', 'changes/s', 'of bare calls'], ['user_sessions_info, set_presence, send_stanza by bare undici', spread(bare, 0), spread(ratios(bare, bare), 2)], ['our publisher', spread(ours, 0), spread(ratio, 2)]]),
      goal(`changes/s over the same calls from bare undici ≥ ${GOAL_RATIO}`, spread(ratio, 2), median(ratio) >= GOAL_RATIO),
      goal(`changes/s ≥ ${GOAL_RATE}, what the spread plans for`, spread(ours, 0), median(ours) >= GOAL_RATE),
    ].join('\n');
  } finally {
    await publisher.close();
    await agent.close();
    await Promise.all(clients.map((client) => client.close()));
    await ejabberd.close();
  }
}

/** Changes a second, everybody in and out again. */
async function rateOf(change: (name: string, isBusy: boolean, since: number) => Promise<void>): Promise<number> {
  const began = performance.now();
  for (let step = 0; step < 2 * MEETINGS; step++) {
    const waiting = [...NAMES];
    const work = async (): Promise<void> => {
      for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) await change(name, step % 2 === 0, step);
    };
    await Promise.all(Array.from({ length: LIMITS.ejabberdConcurrency }, work));
  }
  return (2 * MEETINGS * PEOPLE) / ((performance.now() - began) / 1_000);
}

function shown(isBusy: boolean, since: number): ShownPresence {
  return { state: isBusy ? 'in-a-meeting' : 'available', until: null, reason: 'calendar', since, next: null, text: isBusy ? 'In a meeting' : '', language: 'en' };
}

async function bareChange(agent: Agent, { url }: Ejabberd, user: string, isBusy: boolean): Promise<void> {
  const headers = { authorization: `Basic ${Buffer.from(`${BRIDGE.username}:${BRIDGE.password}`).toString('base64')}`, 'content-type': 'application/json' };
  const call = async (command: string, args: Readonly<Record<string, string>>): Promise<void> => {
    const { statusCode, body } = await agent.request({ origin: url.origin, path: `/api/${command}`, method: 'POST', headers, body: JSON.stringify(args) });
    await body.json();
    if (statusCode !== 200) throw new Error(`${command}: ${statusCode}`);
  };
  const jid = `${user}@${XMPP_DOMAIN}`;
  const activity = isBusy ? '<working><in_a_meeting/></working><text xml:lang="en">In a meeting</text>' : '';
  const publish = `<publish node="http://jabber.org/protocol/activity"><item id="current"><activity xmlns="http://jabber.org/protocol/activity">${activity}</activity></item></publish>`;
  await call('user_sessions_info', { user, host: XMPP_DOMAIN });
  await call('set_presence', { user, host: XMPP_DOMAIN, resource: 'desk', type: 'available', show: isBusy ? 'dnd' : 'undefined', status: isBusy ? 'In a meeting' : '', priority: '0' });
  await call('send_stanza', { from: jid, to: jid, stanza: `<iq type="set" id="bench"><pubsub xmlns="http://jabber.org/protocol/pubsub">${publish}</pubsub></iq>` });
}
