import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import type { PresenceState } from '../../src/presence/presence.ts';
import { XmppPublisher } from '../../src/protocols/xmpp/publisher.ts';
import { ALL_PRIVILEGES, COMPONENT, HOST, SECRET, hasProsody, startProsody } from '../peers/prosody.ts';
import type { Prosody } from '../peers/prosody.ts';
import { median, ratios, spread } from './statistics.ts';
import { goal, table } from './table.ts';

const PEOPLE = 200;
const CHANGES = 600;
const ROUNDS = 5;
const GOAL_RATIO = 0.9;
const GOAL_RATE = 100;

/** Figure: changes a second that the XMPP publisher gets accepted by a Prosody with file storage, beside the same bytes from a bare socket. */
export async function presenceXmpp(): Promise<string> {
  const title = `Presence over XMPP: ${PEOPLE} people, ${CHANGES} changes a round, ${ROUNDS} rounds, Prosody with its default storage (files)`;
  if (!hasProsody) return `${title}\n  not measured: needs Debian's prosody and prosody-modules`;
  // Either has its own connection, one after the other.
  const prosody = await startProsody({ privileges: ALL_PRIVILEGES, accounts: Array.from({ length: PEOPLE }, (_, index) => nameOf(index)), component: ['component_conflict_resolve = "kick_old"'] });
  try {
    // Everybody's node is made, which costs more than a change of it.
    await bareRound(prosody);
    const [bare, ours]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      bare.push(await bareRound(prosody));
      ours.push(await ourRound(prosody));
    }
    const ratio = ratios(ours, bare);
    return [
      title,
      table([['', 'changes/s', 'of the bare socket’s'], ['bare component socket, same bytes', spread(bare, 0), '1.00'], ['XmppPublisher', spread(ours, 0), spread(ratio, 2)]]),
      goal(`changes/s of the publisher over those of a bare socket ≥ ${GOAL_RATIO}`, spread(ratio, 2), median(ratio) >= GOAL_RATIO),
      goal(`changes/s ≥ ${GOAL_RATE}, which is what calendarSpread: auto makes`, spread(ours, 0), median(ours) >= GOAL_RATE),
    ].join('\n');
  } finally {
    await prosody.close();
  }
}

const nameOf = (index: number): string => `p${index}`;
const stateOf = (index: number): PresenceState => (Math.floor(index / PEOPLE) % 2 === 0 ? 'in-a-meeting' : 'available');

async function ourRound({ server }: Prosody): Promise<number> {
  const publisher = new XmppPublisher({ component: COMPONENT, secret: SECRET, server, clock: systemClock, logger: silentLogger });
  publisher.start(() => undefined);
  const { signal } = new AbortController();
  const change = (index: number): Promise<void> => {
    const state = stateOf(index);
    const text = state === 'available' ? '' : 'In a meeting';
    return publisher.publish(`${nameOf(index % PEOPLE)}@${HOST}` as MailboxAddress, { state, text, language: 'en-US', until: null, reason: 'calendar', since: 0, next: null }, signal);
  };
  await change(0);
  let next = 0;
  const began = performance.now();
  const worker = async (): Promise<void> => {
    while (next < CHANGES) await change(next++);
  };
  await Promise.all(Array.from({ length: publisher.pace.concurrency }, worker));
  const rate = CHANGES / ((performance.now() - began) / 1_000);
  await publisher.close();
  return rate;
}

/** As many in flight; answers are counted and not read. */
async function bareRound({ server }: Prosody): Promise<number> {
  const socket = connect(server.port, server.host);
  await once(socket, 'connect');
  socket.setNoDelay(true).setEncoding('utf8');
  const more = async (pattern: RegExp): Promise<RegExpExecArray> => {
    let text = '';
    for (;;) {
      const match = pattern.exec(text);
      if (match !== null) return match;
      const [chunk] = (await once(socket, 'data')) as [string];
      text += chunk;
    }
  };
  socket.write(`<?xml version="1.0"?><stream:stream xmlns="jabber:component:accept" xmlns:stream="http://etherx.jabber.org/streams" to="${COMPONENT}">`);
  const [, id] = await more(/<stream:stream[^>]* id='([^']+)'/);
  socket.write(`<handshake>${createHash('sha1').update(id! + SECRET).digest('hex')}</handshake>`);
  await more(/<\/privilege><\/message>/);
  const began = performance.now();
  await new Promise<void>((resolve, reject) => {
    let [sent, answered, tail] = [0, 0, ''];
    const send = (): void => void (sent < CHANGES && socket.write(changeOf(sent++)));
    socket.on('error', reject).on('close', () => reject(new Error('prosody closed the connection')));
    socket.on('data', (chunk: string) => {
      const text = tail + chunk;
      const ends = text.split('</forwarded></privilege></iq>');
      tail = ends.at(-1)!;
      for (let count = 1; count < ends.length; count++) {
        answered++;
        send();
      }
      if (text.includes("type='error'")) reject(new Error(`prosody refuses: ${text.slice(0, 300)}`));
      else if (answered === CHANGES) resolve();
    });
    for (let count = 0; count < 8; count++) send();
  });
  const rate = CHANGES / ((performance.now() - began) / 1_000);
  socket.removeAllListeners('close').destroy();
  return rate;
}

function changeOf(index: number): string {
  const jid = `${nameOf(index % PEOPLE)}@${HOST}`;
  const activity = stateOf(index) === 'available' ? '<activity xmlns="http://jabber.org/protocol/activity"/>' : '<activity xmlns="http://jabber.org/protocol/activity"><working><in_a_meeting/></working><text xml:lang="en-US">In a meeting</text></activity>';
  return `<iq type="set" id="b${index}" from="${COMPONENT}" to="${jid}"><privileged_iq xmlns="urn:xmpp:privilege:2"><iq xmlns="jabber:client" type="set" id="b${index}" from="${jid}" to="${jid}"><pubsub xmlns="http://jabber.org/protocol/pubsub"><publish node="http://jabber.org/protocol/activity"><item id="freebusy-bridge">${activity}</item></publish></pubsub></iq></privileged_iq></iq>`;
}
