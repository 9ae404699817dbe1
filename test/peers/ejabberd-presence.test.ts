import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { BridgeError } from '../../src/core/errors.ts';
import { silentLogger } from '../../src/core/logger.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import type { PresenceState, ShownPresence } from '../../src/presence/presence.ts';
import { memoryTexts } from '../../src/presence/publisher.ts';
import type { KeptTexts } from '../../src/presence/publisher.ts';
import { EjabberdPublisher } from '../../src/protocols/ejabberd/publisher.ts';
import type { EjabberdPublisherOptions } from '../../src/protocols/ejabberd/publisher.ts';
import { Authority } from '../platform/certificates.ts';
import { xmppClient } from './ejabberd-client.ts';
import type { XmppClient } from './ejabberd-client.ts';
import { BRIDGE, hasEjabberd, startEjabberd, XMPP_DOMAIN } from './ejabberd.ts';
import type { Ejabberd } from './ejabberd.ts';

const mailbox = (local: string): MailboxAddress => `${local}@${XMPP_DOMAIN}` as MailboxAddress;
const ALICE = mailbox('alice');
const WATCHED = ['alice', 'carol', 'dave', 'erin', 'frank', "o'neil"];
/** Starting one takes a second, and twenty on a machine that is busy with everything else. */
const STARTING_MS = 60_000;
const nodeOf = (local: string): string => local.replace("'", '\\27');

let minute = 0;
const shown = (state: PresenceState, text = state === 'in-a-meeting' ? 'In a meeting' : ''): ShownPresence => ({ state, until: null, reason: 'calendar', since: ++minute * 60_000, next: null, text, language: 'en' });

describe.skipIf(!hasEjabberd)('presence through ejabberd, seen by an ordinary client', () => {
  const { signal } = new AbortController();
  const authority = hasEjabberd ? new Authority('Test authority') : undefined;
  const opened: { close(): Promise<void> }[] = [];
  let ejabberd: Ejabberd;
  let memory: KeptTexts;
  let publisher: EjabberdPublisher;
  let bob: XmppClient;

  const publisherWith = (options: Partial<EjabberdPublisherOptions> = {}): EjabberdPublisher => {
    const made = new EjabberdPublisher({ url: ejabberd.url, ...BRIDGE, busyShow: 'dnd', memory, clock: systemClock, logger: silentLogger, ...options });
    opened.push(made);
    return made;
  };
  const signIn = async (user: string, resource: string): Promise<XmppClient> => {
    const made = await xmppClient(ejabberd.xmppPort, user, resource);
    opened.push(made);
    return made;
  };
  const sessionOf = async (user: string, resource: string): Promise<string | undefined> => {
    const all = (await ejabberd.command('user_sessions_info', { user, host: XMPP_DOMAIN })) as readonly Readonly<Record<string, unknown>>[];
    const one = all.find((session) => session['resource'] === resource);
    return one === undefined ? undefined : `${String(one['status'])} ${JSON.stringify(one['statustext'])} ${String(one['priority'])}`;
  };
  const failure = async (work: Promise<unknown>): Promise<BridgeError> => {
    const thrown = await work.then(() => undefined, (error: unknown) => error);
    if (!(thrown instanceof BridgeError)) throw new Error(`no BridgeError: ${String(thrown)}`);
    return thrown;
  };

  beforeAll(async () => {
    ejabberd = await startEjabberd({ accounts: ['bob', ...WATCHED.map(nodeOf)], tls: authority!.issue('/CN=127.0.0.1', 'IP:127.0.0.1', 30) });
    for (const local of WATCHED) {
      const users = ['bob', nodeOf(local)];
      for (const [localuser, user] of [users, [...users].reverse()]) await ejabberd.command('add_rosteritem', { localuser, localhost: XMPP_DOMAIN, user, host: XMPP_DOMAIN, nick: '', group: '', subs: 'both' });
    }
    memory = memoryTexts();
    publisher = publisherWith();
    bob = await signIn('bob', 'watch');
    await bob.show('available');
    await bob.seen('bob/watch available');
  }, STARTING_MS);

  afterAll(async () => {
    await Promise.all(opened.map((one) => one.close()));
    await ejabberd?.close();
    authority?.remove();
  });

  it('shows a meeting on her session and as activity, and at its end what she had herself', async () => {
    const desk = await signIn('alice', 'desk');
    await desk.show('away', 'Lunch & <tea>', 5);
    await bob.seen('alice/desk away "Lunch & <tea>" 5');
    await publisher.publish(ALICE, shown('in-a-meeting'), signal);
    await bob.seen('alice/desk dnd "In a meeting" 5');
    await bob.seen('alice does working/in_a_meeting "In a meeting"');
    await desk.seen('alice/desk dnd "In a meeting" 5');
    expect(await publisher.observe(ALICE, signal)).toBe('in-a-meeting');

    await publisher.publish(ALICE, shown('available'), signal);
    await bob.seen('alice/desk away "Lunch & <tea>" 5');
    await bob.seen('alice does nothing');
    expect(await publisher.observe(ALICE, signal)).toBe('away');
    await desk.close();
    await bob.seen('alice/desk gone');
  });

  it('out of office: away, and on the phone: talking', async () => {
    const desk = await signIn('carol', 'desk');
    await desk.show('available', undefined, 1);
    await bob.seen('carol/desk available "" 1');
    await publisher.publish(mailbox('carol'), shown('away', 'Away'), signal);
    await bob.seen('carol/desk away "Away" 1');
    await bob.seen('carol does inactive "Away"');
    await publisher.publish(mailbox('carol'), shown('on-the-phone', 'Am Telefon'), signal);
    await bob.seen('carol/desk dnd "Am Telefon" 1');
    await bob.seen('carol does talking/on_the_phone "Am Telefon"');
    await publisher.publish(mailbox('carol'), shown('unknown'), signal);
    await bob.seen('carol/desk available "" 1');
    await bob.seen('carol does nothing');
  });

  it('somebody who is signed out is seen as soon as she comes, also by those who come later; opting out takes it back', async () => {
    await publisher.publish(mailbox('dave'), shown('in-a-meeting'), signal);
    expect((await failure(publisher.observe(mailbox('dave'), signal))).code).toBe('UNSUPPORTED');
    const desk = await signIn('dave', 'desk');
    await desk.show('available');
    await bob.seen('dave/desk available');
    await publisher.refresh();
    await bob.seen('dave/desk dnd "In a meeting" 0');
    await bob.seen('dave does working/in_a_meeting "In a meeting"');
    const late = await signIn('bob', 'late');
    await late.show('available');
    await late.seen('dave does working/in_a_meeting "In a meeting"');

    await publisher.withdraw(mailbox('dave'), signal);
    await late.seen('dave does nothing');
    expect(await publisher.observe(mailbox('dave'), signal)).toBe('available');
    await publisher.withdraw(mailbox('dave'), signal);
    await Promise.all([late.close(), desk.close()]);
    await bob.seen('dave/desk gone');
    await publisher.withdraw(mailbox('dave'), signal);
    expect(await publisher.observe(mailbox('dave'), signal)).toBeUndefined();
  });

  it('what she chooses in the meeting stays; what her client says again does not', async () => {
    const desk = await signIn('erin', 'desk');
    await desk.show('available', 'Hello', 2);
    await bob.seen('erin/desk available "Hello" 2');
    const meeting = shown('in-a-meeting');
    await publisher.publish(mailbox('erin'), meeting, signal);
    await bob.seen('erin/desk dnd "In a meeting" 2');

    await desk.show('available', 'Hello', 2);
    await bob.seen('erin/desk available "Hello" 2');
    await publisher.refresh();
    await bob.seen('erin/desk dnd "In a meeting" 2');

    await desk.show('xa', 'Ask Frank', 2);
    await bob.seen('erin/desk xa "Ask Frank" 2');
    await publisher.refresh();
    await publisher.publish(mailbox('erin'), meeting, signal);
    expect(await sessionOf('erin', 'desk')).toBe('xa "Ask Frank" 2');
    await publisher.publish(mailbox('erin'), shown('available'), signal);
    expect(await sessionOf('erin', 'desk')).toBe('xa "Ask Frank" 2');

    // Her own dnd is never touched, and the next meeting goes over what she chose in the last one.
    await publisher.publish(mailbox('erin'), shown('in-a-meeting'), signal);
    await bob.seen('erin/desk dnd "In a meeting" 2');
    await publisher.withdraw(mailbox('erin'), signal);
    await bob.seen('erin/desk xa "Ask Frank" 2');
    await desk.show('dnd', 'Do not', 2);
    await bob.seen('erin/desk dnd "Do not" 2');
    await publisher.publish(mailbox('erin'), shown('in-a-meeting'), signal);
    expect(await sessionOf('erin', 'desk')).toBe('dnd "Do not" 2');
  });

  it('a session that comes in the middle of a meeting is found; one that has sent no presence is left alone', async () => {
    const desk = await signIn('frank', 'desk');
    await desk.show('available');
    await bob.seen('frank/desk available');
    await publisher.publish(mailbox('frank'), shown('in-a-meeting'), signal);
    await bob.seen('frank/desk dnd');
    const phone = await signIn('frank', 'phone');
    const quiet = await signIn('frank', 'quiet');
    await phone.show('away', 'On my way', -1);
    await bob.seen('frank/phone away "On my way" -1');
    await publisher.refresh();
    await bob.seen('frank/phone dnd "In a meeting" -1');
    expect(await sessionOf('frank', 'quiet')).toBe('unavailable "" -1');
    await phone.close();
    await publisher.publish(mailbox('frank'), shown('available'), signal);
    await bob.seen('frank/desk available "" 0');
    await Promise.all([desk.close(), quiet.close()]);
  });

  it("finds the account of an address that a JID spells otherwise (XEP-0106), and says who has none", async () => {
    const desk = await signIn(nodeOf("o'neil"), 'desk');
    await desk.show('available');
    await bob.seen('o\\27neil/desk available');
    await publisher.publish(mailbox("o'neil"), shown('in-a-meeting', 'Bei <Tisch> & "so"'), signal);
    await bob.seen('o\\27neil/desk dnd');
    await bob.seen('o\\27neil does working/in_a_meeting "Bei <Tisch> & \\"so\\""');
    const unknown = await failure(publisher.publish(mailbox('nobody'), shown('in-a-meeting'), signal));
    expect([unknown.code, unknown.temporary]).toEqual(['MAILBOX_UNKNOWN', false]);
    expect((await failure(publisher.publish('alice@elsewhere.example' as MailboxAddress, shown('in-a-meeting'), signal))).code).toBe('MAILBOX_UNKNOWN');
    await publisher.withdraw(mailbox('nobody'), signal);
  });

  it('a restart of ejabberd, and one of the bridge, in the middle of a meeting', async () => {
    const desk = await signIn('alice', 'desk');
    await desk.show('chat', 'Talk to me', 3);
    await bob.seen('alice/desk chat');
    const meeting = shown('in-a-meeting');
    await publisher.publish(ALICE, meeting, signal);
    await bob.seen('alice/desk dnd');
    const afterRestart = publisherWith();
    await afterRestart.publish(ALICE, meeting, signal);
    expect(await sessionOf('alice', 'desk')).toBe('dnd "In a meeting" 3');

    await ejabberd.stop();
    const away = await failure(afterRestart.publish(ALICE, meeting, signal));
    expect([away.code, away.temporary]).toEqual(['BACKEND_UNREACHABLE', true]);
    expect(await afterRestart.refresh()).toBe(false);
    await ejabberd.start();

    const again = await signIn('alice', 'desk');
    await again.show('chat', 'Talk to me', 3);
    const bobAgain = await signIn('bob', 'watch');
    await bobAgain.show('available');
    await bobAgain.seen('alice does working/in_a_meeting "In a meeting"');
    expect(await afterRestart.refresh()).toBe(true);
    await again.seen('alice/desk dnd "In a meeting" 3');
    await afterRestart.withdraw(ALICE, signal);
    await again.seen('alice/desk chat "Talk to me" 3');
    await again.seen('alice does nothing');
    expect([...memory.keys()].some((key) => key.includes(ALICE))).toBe(false);
  }, STARTING_MS);

  it('says what is wrong with the account, its rights, the path and the certificate', async () => {
    const tls = publisherWith({ url: ejabberd.secureUrl, ca: [authority!.certificate] });
    expect((await tls.probe(signal)).map(({ step, outcome }) => `${step} ${outcome}`)).toEqual(['DNS ok', 'TCP ok', 'TLS ok', 'rights ok', 'activity ok']);
    await tls.publish(ALICE, shown('available'), signal);
    expect((await failure(publisherWith({ url: ejabberd.secureUrl }).publish(ALICE, shown('away'), signal))).code).toBe('BACKEND_TLS');

    const wrong = publisherWith({ password: 'wrong' });
    expect((await failure(wrong.publish(ALICE, shown('away'), signal))).code).toBe('BACKEND_AUTH');
    expect((await wrong.probe(signal)).at(-1)).toMatchObject({ step: 'sign-in', outcome: 'fail' });

    const powerless = publisherWith({ username: `alice@${XMPP_DOMAIN}`, password: 'pw-alice' });
    const refused = await failure(powerless.publish(ALICE, shown('away'), signal));
    expect([refused.code, refused.publicMessage]).toEqual(['BACKEND_AUTH', expect.stringContaining('api_permissions')]);
    expect((await powerless.probe(signal)).at(-1)).toMatchObject({ step: 'rights', outcome: 'fail', text: expect.stringContaining('set_presence') as string });

    const elsewhere = publisherWith({ url: new URL('/elsewhere', ejabberd.url) });
    expect((await failure(elsewhere.publish(ALICE, shown('away'), signal))).code).toBe('CONFIGURATION');
    expect((await elsewhere.probe(signal)).at(-1)).toMatchObject({ step: 'API', outcome: 'fail' });
  });

  it('names the one right that is missing', async () => {
    const other = await startEjabberd({ accounts: ['alice'], edit: (lines) => lines.replace(', send_stanza', '') });
    try {
      const poor = publisherWith({ url: other.url });
      expect((await poor.probe(signal)).at(-1)).toMatchObject({ step: 'rights', outcome: 'fail', text: expect.stringMatching(/may not call send_stanza$/) as string });
      expect((await failure(poor.publish(ALICE, shown('away'), signal))).publicMessage).toContain('send_stanza');
    } finally {
      await other.close();
    }
  }, STARTING_MS);
});
