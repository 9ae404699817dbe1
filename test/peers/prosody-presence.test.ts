import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import type { PresenceState, ShownPresence } from '../../src/presence/presence.ts';
import { XmppPublisher } from '../../src/protocols/xmpp/publisher.ts';
import { ALL_PRIVILEGES, COMPONENT, HOST, SECRET, hasProsody, startProsody } from './prosody.ts';
import type { Prosody } from './prosody.ts';
import { startRecordingProxy } from './recording-proxy.ts';
import { startWatcher } from './xmpp-watcher.ts';
import type { Watcher } from './xmpp-watcher.ts';

const ALICE = `alice@${HOST}` as MailboxAddress;
const BOB = `bob@${HOST}` as MailboxAddress;
const shown = (state: PresenceState, text = '', language = 'en-US'): ShownPresence => ({ state, text, language, until: null, reason: 'calendar', since: 0, next: null });
const soon = (): AbortSignal => AbortSignal.timeout(15_000);

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function publisherTo(server: Prosody['server'], options: { readonly secret?: string; readonly component?: string } = {}): XmppPublisher {
  const publisher = new XmppPublisher({ component: COMPONENT, secret: SECRET, server, clock: systemClock, logger: silentLogger, ...options });
  closing.push(() => publisher.close());
  return publisher;
}

function started(server: Prosody['server'], onLost = (): void => undefined): XmppPublisher {
  const publisher = publisherTo(server);
  publisher.start(onLost);
  return publisher;
}

async function watching(prosody: Prosody, username = 'bob'): Promise<Watcher> {
  const watcher = await startWatcher({ port: prosody.clientPort, domain: HOST, username, password: prosody.password });
  closing.push(() => watcher.close());
  return watcher;
}

describe.skipIf(!hasProsody)('Prosody shows it to whoever watches', () => {
  let prosody: Prosody;
  beforeAll(async () => {
    prosody = await startProsody({ privileges: `${ALL_PRIVILEGES}, presence = "managed_entity"`, accounts: ['alice', 'bob', 'o\\27hara', 'strasse'] });
  });
  afterAll(() => prosody.close());

  it('a contact sees the meeting, the absence, the call and the end of it, with the words in their language, while its owner is offline', async () => {
    const publisher = started(prosody.server);
    const bob = await watching(prosody);
    await publisher.publish(ALICE, shown('in-a-meeting', 'In einer Besprechung <&>', 'de'), soon());
    expect(await bob.until(({ activity }) => activity === 'working/in_a_meeting')).toEqual({ of: ALICE, activity: 'working/in_a_meeting', text: 'In einer Besprechung <&>', language: 'de' });
    await publisher.publish(ALICE, shown('away', 'Away'), soon());
    expect(await bob.until(({ activity }) => activity === 'inactive')).toEqual({ of: ALICE, activity: 'inactive', text: 'Away', language: 'en-US' });
    await publisher.publish(ALICE, shown('on-the-phone'), soon());
    await bob.until(({ activity }) => activity === 'talking/on_the_phone');
    await publisher.publish(ALICE, shown('do-not-disturb', 'Do not disturb'), soon());
    await bob.until(({ activity, text }) => activity === 'working' && text === 'Do not disturb');
    const before = bob.seen.length;
    await publisher.publish(ALICE, shown('available'), soon());
    expect(await bob.until(() => true, before)).toEqual({ of: ALICE, activity: '', text: undefined, language: undefined });
  });

  it('the owner’s own client sees it too, and so does who signs in later, again after the publisher has gone', async () => {
    const publisher = started(prosody.server);
    await publisher.publish(ALICE, shown('in-a-meeting'), soon());
    await publisher.close();
    for (const username of ['alice', 'bob']) {
      const watcher = await watching(prosody, username);
      expect(watcher.seen.filter(({ of }) => of === ALICE).map(({ activity }) => activity)).toContain('working/in_a_meeting');
    }
  });

  it.each([
    ['withdrawn', (publisher: XmppPublisher) => publisher.withdraw(ALICE, soon())],
    ['unknown', (publisher: XmppPublisher) => publisher.publish(ALICE, shown('unknown'), soon())],
    ['offline', (publisher: XmppPublisher) => publisher.publish(ALICE, shown('offline'), soon())],
  ] as const)('what is %s is empty at once, and nothing for who comes later; twice is no failure', async (_name, withdraw) => {
    const publisher = started(prosody.server);
    const bob = await watching(prosody);
    await publisher.publish(ALICE, shown('in-a-meeting'), soon());
    await bob.until(({ of, activity }) => of === ALICE && activity === 'working/in_a_meeting');
    expect(await bob.itemsOf(ALICE)).toHaveLength(1);
    const before = bob.seen.length;
    await withdraw(publisher);
    expect((await bob.until(({ of }) => of === ALICE, before)).activity).toBe('');
    expect(await bob.itemsOf(ALICE)).toEqual([]);
    const later = await watching(prosody);
    expect(later.seen.filter(({ of }) => of === ALICE)).toEqual([]);
    await withdraw(publisher);
    expect(await publisher.observe(ALICE, soon())).toBeUndefined();
  });

  it('what is on the node is observed, and nothing where there is no node', async () => {
    const publisher = started(prosody.server);
    expect(await publisher.observe(`strasse@${HOST}` as MailboxAddress, soon())).toBeUndefined();
    for (const state of ['available', 'in-a-meeting', 'away', 'on-the-phone', 'do-not-disturb'] as const) {
      await publisher.publish(BOB, shown(state, 'words'), soon());
      expect(await publisher.observe(BOB, soon())).toBe(state);
    }
  });

  it('an apostrophe is escaped as the account is (XEP-0106); an address that would be somebody else’s JID is refused', async () => {
    const publisher = started(prosody.server);
    const ohara = `o'hara@${HOST}` as MailboxAddress;
    await publisher.publish(ohara, shown('in-a-meeting'), soon());
    expect(await publisher.observe(ohara, soon())).toBe('in-a-meeting');
    // Prosody's nodeprep takes it for strasse@.
    await expect(publisher.publish(`straße@${HOST}` as MailboxAddress, shown('in-a-meeting'), soon())).rejects.toMatchObject({ code: 'MAILBOX_REFUSED', temporary: false });
    expect(await publisher.observe(`strasse@${HOST}` as MailboxAddress, soon())).toBeUndefined();
  });

  it('somebody whom the server does not know, or whose host it does not have, is his own trouble and nobody else’s', async () => {
    const publisher = started(prosody.server);
    await expect(publisher.publish(`nobody@${HOST}` as MailboxAddress, shown('away'), soon())).rejects.toMatchObject({ code: 'MAILBOX_UNKNOWN', temporary: false });
    await expect(publisher.publish('kim@other.example' as MailboxAddress, shown('away'), soon())).rejects.toMatchObject({ code: 'MAILBOX_REFUSED', publicMessage: expect.stringContaining('VirtualHost "other.example"') as string });
    await publisher.withdraw(`nobody@${HOST}` as MailboxAddress, soon());
    await publisher.publish(BOB, shown('away'), soon());
  });

  it('nothing but state and fixed words goes over the wire, and never the secret; comings and goings of others are passed over', async () => {
    const proxy = await startRecordingProxy(prosody.server);
    closing.push(() => proxy.close());
    const publisher = started(proxy.server);
    const leaky = { ...shown('in-a-meeting', 'In a meeting'), subject: 'Merger', location: 'Room 7', attendees: ['ceo@corp.example'] } as ShownPresence;
    await publisher.publish(ALICE, leaky, soon());
    await watching(prosody);
    await publisher.observe(ALICE, soon());
    await publisher.withdraw(ALICE, soon());
    const wire = proxy.sent() + proxy.received();
    expect(proxy.sent()).toContain('in_a_meeting');
    expect(proxy.received()).toContain('<presence');
    for (const secret of ['Merger', 'Room 7', 'ceo@', SECRET]) expect(wire).not.toContain(secret);
  });

  it('a check of the running publisher’s own connection, and of one that finds the component taken', async () => {
    const publisher = started(prosody.server);
    await publisher.publish(ALICE, shown('available'), soon());
    expect((await publisher.probe(soon())).map(({ step, outcome }) => [step, outcome])).toEqual([['connection', 'ok'], ['sign-in', 'ok'], ['right to publish', 'ok'], ['unknown user', 'ok']]);
    expect((await publisherTo(prosody.server).probe(soon())).map(({ step, outcome }) => [step, outcome])).toEqual([['connection', 'ok'], ['sign-in', 'warn']]);
    await publisher.publish(ALICE, shown('away'), soon());
  });

  it('a wrong secret and a component that the server does not know are refused in words, at once, and not tried again soon', async () => {
    for (const [options, text] of [[{ secret: 'wrong' }, 'secret'], [{ component: 'other.corp.example' }, 'component']] as const) {
      const publisher = publisherTo(prosody.server, options);
      expect(await publisher.probe(soon())).toMatchObject([{ step: 'connection', outcome: 'ok' }, { step: 'sign-in', outcome: 'fail', text: expect.stringContaining(text) as string }]);
      publisher.start(() => undefined);
      for (let time = 0; time < 2; time++) await expect(publisher.publish(ALICE, shown('away'), soon())).rejects.toMatchObject({ code: 'BACKEND_AUTH', temporary: false, publicMessage: expect.stringContaining(text) as string });
    }
    const refusals = prosody.log().match(/Component authentication failed/g) ?? [];
    expect(refusals).toHaveLength(2);
  });

  it('a port for clients is not taken for one for components', async () => {
    const findings = await publisherTo({ host: '127.0.0.1', port: prosody.clientPort }).probe(soon());
    expect(findings).toMatchObject([{ step: 'connection', outcome: 'fail', text: expect.stringContaining('not for components') as string }]);
  });
});

describe.skipIf(!hasProsody)('Prosody comes and goes', () => {
  let prosody: Prosody;
  beforeAll(async () => {
    prosody = await startProsody({ privileges: ALL_PRIVILEGES });
  });
  afterAll(() => prosody.close());

  it('a restart: what cannot be published meanwhile is worth another try, onLost is called once, and the last state has outlived it', async () => {
    let lost = (): void => undefined;
    const again = new Promise<void>((resolve) => (lost = resolve));
    let count = 0;
    const publisher = started(prosody.server, () => {
      count++;
      lost();
    });
    await publisher.publish(ALICE, shown('in-a-meeting'), soon());
    await prosody.stop();
    await expect(publisher.publish(ALICE, shown('away'), soon())).rejects.toMatchObject({ code: 'BACKEND_UNREACHABLE', temporary: true });
    await prosody.start();
    await again;
    const bob = await watching(prosody);
    // Prosody may tell it twice at login.
    expect(new Set(bob.seen.map(({ of, activity }) => `${of} ${activity}`))).toEqual(new Set([`${ALICE} working/in_a_meeting`]));
    await publisher.publish(ALICE, shown('available'), soon());
    await bob.until(({ activity }) => activity === '');
    expect(count).toBe(1);
  });

  it('a server that hangs holds a call no longer than its signal', async () => {
    const publisher = started(prosody.server);
    await publisher.publish(ALICE, shown('available'), soon());
    prosody.signal('SIGSTOP');
    await expect(publisher.publish(ALICE, shown('away'), AbortSignal.timeout(200))).rejects.toMatchObject({ code: 'DEADLINE', temporary: true });
    prosody.signal('SIGCONT');
    await publisher.publish(ALICE, shown('available'), soon());
  });

  it.each([
    ['no privilege at all', undefined, 'no privilege told'],
    ['only rosters', 'roster = "get"', 'no set privilege'],
    ['only reading', 'iq = { ["http://jabber.org/protocol/pubsub"] = "get" }', 'no set privilege'],
    ['another namespace', 'iq = { ["jabber:iq:private"] = "both", ["urn:xmpp:mam:2"] = "get" }', 'no set privilege'],
  ])('with %s nothing is sent, and the words name the line that is missing', async (_name, privileges, reason) => {
    await prosody.stop();
    await prosody.start({ privileges });
    const proxy = await startRecordingProxy(prosody.server);
    closing.push(() => proxy.close());
    const publisher = started(proxy.server);
    await expect(publisher.publish(ALICE, shown('away'), soon())).rejects.toMatchObject({ code: 'BACKEND_AUTH', temporary: false, details: { reason }, publicMessage: expect.stringContaining('["http://jabber.org/protocol/pubsub"] = "both"') as string });
    expect(proxy.sent()).not.toContain('privileged_iq');
    expect((await publisher.probe(soon())).at(-1)).toMatchObject({ step: 'right to publish', outcome: 'fail', advice: expect.stringContaining('privileged_entities') as string });
  });

  it('with two namespaces, which Prosody nests, and without the right to read, it is published all the same and cannot be observed', async () => {
    await prosody.stop();
    await prosody.start({ privileges: 'iq = { ["http://jabber.org/protocol/pubsub"] = "set", ["jabber:iq:private"] = "both", ["urn:xmpp:mam:2"] = "get" }' });
    const publisher = started(prosody.server);
    await publisher.publish(ALICE, shown('away'), soon());
    await expect(publisher.observe(ALICE, soon())).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    expect((await publisher.probe(soon())).map(({ step, outcome }) => [step, outcome])).toEqual([['connection', 'ok'], ['sign-in', 'ok'], ['right to publish', 'ok'], ['right to read', 'warn'], ['unknown user', 'ok']]);
  });
});
