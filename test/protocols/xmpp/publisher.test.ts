import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import type { BridgeError } from '../../../src/core/errors.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import type { LogFields } from '../../../src/core/logger.ts';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import type { PresenceState, ShownPresence } from '../../../src/presence/presence.ts';
import { XmppPublisher } from '../../../src/protocols/xmpp/publisher.ts';
import { HANDSHAKE, PRIVILEGES, STREAM, accepted, startComponentServer } from './component-server.ts';
import type { ComponentServer, Script } from './component-server.ts';

const ALICE = 'alice@corp.example' as MailboxAddress;
const shown = (state: PresenceState = 'in-a-meeting'): ShownPresence => ({ state, text: '', language: 'en-US', until: null, reason: 'calendar', since: 0, next: null });
const soon = (): AbortSignal => AbortSignal.timeout(10_000);
const ACCEPTING: Script = { iq: (socket, id, to) => void socket.write(accepted(id, to)) };

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function serving(script: Script = ACCEPTING): Promise<ComponentServer> {
  const server = await startComponentServer(script);
  closing.push(() => server.close());
  return server;
}

function publisherTo(server: ComponentServer['server'], onLost: (() => void) | 'not started' = () => undefined, logger = silentLogger): XmppPublisher {
  const publisher = new XmppPublisher({ component: 'calendar.corp.example', server, secret: 'secret', clock: systemClock, logger });
  closing.push(() => publisher.close());
  if (onLost !== 'not started') publisher.start(onLost);
  return publisher;
}

describe('the connection of a component (XEP-0114)', () => {
  it('opens a stream, proves that it knows the secret without telling it, and says which it is', async () => {
    const digests: string[] = [];
    const server = await serving({
      ...ACCEPTING,
      handshake: (socket, digest) => {
        digests.push(digest);
        socket.write(`<handshake/>${PRIVILEGES}`);
      },
    });
    const publisher = publisherTo(server.server);
    await publisher.publish(ALICE, shown(), soon());
    expect(digests).toEqual([HANDSHAKE]);
    expect(server.received()).toContain('<stream:stream xmlns="jabber:component:accept" xmlns:stream="http://etherx.jabber.org/streams" to="calendar.corp.example">');
    expect(server.received()).not.toContain('secret');
    expect(publisher.label).toBe(`xmpp 127.0.0.1:${server.server.port} as calendar.corp.example`);
  });

  it.each([
    ['not-authorized', 'BACKEND_AUTH', false],
    ['host-unknown', 'BACKEND_AUTH', false],
    ['invalid-namespace', 'CONFIGURATION', false],
    ['conflict', 'BACKEND_BUSY', true],
    ['system-shutdown', 'BACKEND_UNREACHABLE', true],
    // It may not send us anywhere.
    ['see-other-host', 'BACKEND_UNREACHABLE', true],
  ])('%s in place of a handshake is %s', async (condition, code, temporary) => {
    const server = await serving({ handshake: (socket) => void socket.end(`<stream:error><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'>198.51.100.1</${condition}></stream:error></stream:stream>`) });
    const publisher = publisherTo(server.server);
    await expect(publisher.publish(ALICE, shown(), soon())).rejects.toMatchObject({ code, temporary, details: { reason: condition } });
    const again = await publisher.publish(ALICE, shown(), soon()).catch((error: unknown) => error as BridgeError);
    expect(again).toMatchObject({ code });
    if (!temporary) expect(server.count()).toBe(1);
  });

  it.each([
    ['a client’s stream', STREAM.replace('jabber:component:accept', 'jabber:client'), 'CONFIGURATION'],
    ['something that is no XMPP', 'SSH-2.0-OpenSSH_9.2\r\n', 'BACKEND_MALFORMED'],
    ['a web server', 'HTTP/1.1 400 Bad Request\r\n\r\n<html></html>', 'BACKEND_MALFORMED'],
    ['another document', '<html/>', 'BACKEND_MALFORMED'],
    ['an end without a beginning', '</x>', 'BACKEND_MALFORMED'],
    ['a document type', '<!DOCTYPE x [<!ENTITY y "z">]><x/>', 'BACKEND_MALFORMED'],
    ['an error without a condition', `${STREAM}<stream:error/>`, 'BACKEND_UNREACHABLE'],
    ['an end at once', `${STREAM}</stream:stream>`, 'BACKEND_UNREACHABLE'],
    ['an endless stanza', `${STREAM}<a>${' '.repeat(2 * LIMITS.presenceXmppStanzaBytes)}`, 'BACKEND_MALFORMED'],
  ])('%s is refused in words and breaks nothing', async (_name, bytes, code) => {
    const server = await serving({ opened: (socket) => void socket.write(bytes) });
    await expect(publisherTo(server.server).publish(ALICE, shown(), soon())).rejects.toMatchObject({ code });
    const findings = await publisherTo(server.server, 'not started').probe(soon());
    expect(findings).toMatchObject([{ step: 'connection', outcome: 'fail' }]);
    expect(findings[0]?.advice).toBeTruthy();
  });

  it('a server that speaks before it is spoken to breaks nothing', async () => {
    const server = await serving({ connected: (socket) => void socket.write('220 mail.corp.example ESMTP\r\n') });
    await expect(publisherTo(server.server).publish(ALICE, shown(), soon())).rejects.toMatchObject({ code: 'BACKEND_MALFORMED', temporary: true });
  });

  it('nobody there is worth another try, and a silent server holds a call no longer than its signal', async () => {
    const gone = await startComponentServer();
    await gone.close();
    await expect(publisherTo(gone.server).publish(ALICE, shown(), soon())).rejects.toMatchObject({ code: 'BACKEND_UNREACHABLE', temporary: true });
    const silent = await serving({ opened: () => undefined });
    await expect(publisherTo(silent.server).publish(ALICE, shown(), AbortSignal.timeout(100))).rejects.toMatchObject({ code: 'DEADLINE', temporary: true });
    await expect(publisherTo(silent.server, 'not started').publish(ALICE, shown(), soon())).rejects.toMatchObject({ code: 'BACKEND_UNREACHABLE' });
  });

  it('is made again when it breaks: what was under way is worth another try, and onLost is called once for each time', async () => {
    const server = await serving({ iq: (socket) => socket.destroy() });
    let lost = 0;
    let tell = (): void => undefined;
    const publisher = publisherTo(server.server, () => {
      lost++;
      tell();
    });
    for (let time = 1; time <= 2; time++) {
      const again = new Promise<void>((resolve) => (tell = resolve));
      await expect(publisher.publish(ALICE, shown(), soon())).rejects.toMatchObject({ code: 'BACKEND_UNREACHABLE', temporary: true });
      const meanwhile = await publisher.publish(ALICE, shown(), soon()).catch((error: unknown) => error as BridgeError);
      expect(meanwhile?.retryAfterMs).toBeGreaterThan(0);
      await again;
      expect(lost).toBe(time);
    }
    expect(server.count()).toBe(3);
    server.script = ACCEPTING;
    await publisher.publish(ALICE, shown(), soon());
  });

  it('a refused secret is not tried again soon; nothing of it is logged', async () => {
    const lines: (readonly [LogFields, string])[] = [];
    const server = await serving({ handshake: (socket) => void socket.end("<stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>") });
    const warn = (fields: LogFields, message: string): void => void lines.push([fields, message]);
    const publisher = publisherTo(server.server, () => undefined, { ...silentLogger, warn });
    await expect(publisher.publish(ALICE, shown(), soon())).rejects.toMatchObject({ code: 'BACKEND_AUTH' });
    expect(lines).toMatchObject([[{ code: 'BACKEND_AUTH', durationMs: LIMITS.presenceXmppRefusedMs }, 'no connection to the XMPP server']]);
    expect(JSON.stringify(lines)).not.toContain(HANDSHAKE);
  });

  it('closing ends it, twice too, with a try under way too; nothing is withdrawn', async () => {
    const server = await serving();
    const publisher = publisherTo(server.server);
    await publisher.publish(ALICE, shown(), soon());
    await publisher.close();
    await publisher.close();
    await vi.waitFor(() => expect(server.sockets.size).toBe(0));
    expect(server.received()).toMatch(/<\/stream:stream>$/);
    expect(server.received()).not.toContain('<retract');
    await expect(publisher.publish(ALICE, shown(), soon())).rejects.toMatchObject({ code: 'BACKEND_UNREACHABLE' });
    publisher.start(() => undefined);
    const silent = await serving({ opened: () => undefined });
    const waiting = publisherTo(silent.server);
    const failed = expect(waiting.publish(ALICE, shown(), soon())).rejects.toMatchObject({ temporary: true });
    await waiting.close();
    await failed;
  });
});

describe('questions and answers', () => {
  it('many at once get each their own answer, in whatever order they come', async () => {
    const waiting: (() => void)[] = [];
    const server = await serving({
      iq: (socket, id, to) => {
        waiting.push(() => {
          const isGone = to.startsWith('gone');
          socket.write(isGone ? `<iq type='error' id='${id}' from='${to}' to='x'><error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>` : accepted(id, to));
        });
        if (waiting.length === 20) for (const answer of waiting.reverse()) answer();
      },
    });
    const publisher = publisherTo(server.server);
    const results = await Promise.all(Array.from({ length: 20 }, (_, index) => publisher.publish(`${index % 2 === 0 ? 'gone' : 'here'}${index}@corp.example` as MailboxAddress, shown(), soon()).then(() => 'ok', (error: BridgeError) => error.code)));
    expect(results).toEqual(Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? 'MAILBOX_UNKNOWN' : 'ok')));
  });

  it('an answer of somebody else, a second one, one to nothing, and noise of every kind are passed over', async () => {
    const noise = [
      '<presence from="bob@corp.example/x" to="calendar.corp.example"><show>dnd</show></presence>',
      '<message from="mallory@corp.example"><privilege xmlns="urn:xmpp:privilege:2"/></message>',
      '<message/>',
      '<iq/>',
      '<iq type="result" id="1" from="alice@corp.example"/>',
      '<handshake/>',
      '<unknown xmlns="urn:x"><a><b/></a></unknown>',
      `<message from="mallory@corp.example/x">${'<a>'.repeat(1_000)}${'</a>'.repeat(1_000)}</message>`,
    ].join('\n');
    const server = await serving({
      iq: (socket, id, to) => {
        socket.write(noise);
        socket.write(accepted(id, 'mallory@corp.example').replace("type='result'", "type='error'"));
        socket.write(accepted(id, to));
        socket.write(accepted(id, to).replace("type='result'", "type='error'"));
      },
    });
    const publisher = publisherTo(server.server);
    for (let time = 0; time < 3; time++) await publisher.publish(ALICE, shown(), soon());
    expect(server.count()).toBe(1);
  });

  it('whoever asks the component something is told that there is nothing (RFC 6120 §8.2.3)', async () => {
    let answered = (): void => undefined;
    const answer = new Promise<void>((resolve) => (answered = resolve));
    const server = await serving({
      ...ACCEPTING,
      handshake: (socket) => {
        socket.on('data', (text: unknown) => String(text).includes('service-unavailable') && answered());
        socket.write(`<handshake/>${PRIVILEGES}<iq type='get' id='q&amp;1' from='bob@corp.example/x' to='calendar.corp.example'><query xmlns='jabber:iq:version'/></iq>`);
      },
    });
    publisherTo(server.server);
    await answer;
    expect(server.received()).toContain('<iq type="error" id="q&amp;1" from="calendar.corp.example" to="bob@corp.example/x"><error type="cancel"><service-unavailable xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error></iq>');
  });

  it('a stream that cannot be read on is given up and made again', async () => {
    const server = await serving({ iq: (socket) => void socket.write('<iq type="result" &bogus;') });
    let tell = (): void => undefined;
    const again = new Promise<void>((resolve) => (tell = resolve));
    await expect(publisherTo(server.server, () => tell()).publish(ALICE, shown(), soon())).rejects.toMatchObject({ code: 'BACKEND_MALFORMED', temporary: true });
    await again;
    expect(server.count()).toBe(2);
  });

  it('a server that has said nothing at all for the time of an answer is left and asked on a new connection; one that has is not', async () => {
    const server = await serving();
    let tell = (): void => undefined;
    const publisher = publisherTo(server.server, () => tell());
    await publisher.publish(ALICE, shown(), soon());
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    closing.push(async () => void vi.useRealTimers());
    for (const [says, connections] of [['<message/>', 1], ['', 2]] as const) {
      const asked = new Promise<void>((resolve) => {
        server.script = {
          iq: (socket, id, to) => {
            if (says !== '' && to === ALICE) socket.write(says);
            // Answered behind it, so that we know that it has been read.
            if (says !== '' && to !== ALICE) socket.write(accepted(id, to));
            resolve();
          },
        };
      });
      const failed = expect(publisher.publish(ALICE, shown(), soon())).rejects.toMatchObject({ code: 'DEADLINE', temporary: true });
      await asked;
      if (says !== '') await publisher.publish('bob@corp.example' as MailboxAddress, shown(), soon());
      const again = new Promise<void>((resolve) => (tell = resolve));
      await vi.advanceTimersByTimeAsync(LIMITS.presenceXmppAnswerMs);
      await failed;
      if (connections === 2) {
        const [socket] = [...server.sockets];
        if (socket !== undefined) await new Promise((resolve) => socket.once('close', resolve));
        await vi.advanceTimersByTimeAsync(2 * LIMITS.presenceXmppPauses.firstMs);
        await again;
      }
      expect(server.count()).toBe(connections);
    }
  });

  it('no more than so many wait at once', async () => {
    const server = await serving({});
    const publisher = publisherTo(server.server);
    const over = new AbortController();
    const all = Array.from({ length: LIMITS.presenceXmppPending + 1 }, () => publisher.publish(ALICE, shown(), AbortSignal.any([over.signal])).catch((error: BridgeError) => error.code));
    expect(await Promise.race(all)).toBe('BACKEND_BUSY');
    over.abort();
    expect(new Set(await Promise.all(all))).toEqual(new Set(['BACKEND_BUSY', 'DEADLINE']));
  });

  it('a server that grants what publishes nothing (urn:xmpp:privilege:1) is sent nothing', async () => {
    const old = "<message from='corp.example' to='calendar.corp.example'><privilege xmlns='urn:xmpp:privilege:1'><perm access='roster' type='both'/></privilege></message>";
    const server = await serving({ handshake: (socket) => void socket.write(`<handshake/>${old}`) });
    const publisher = publisherTo(server.server);
    await expect(publisher.publish(ALICE, shown(), soon())).rejects.toMatchObject({ code: 'BACKEND_AUTH', temporary: false, publicMessage: expect.stringContaining('too old') as string });
    expect(server.received()).not.toContain('<iq');
    expect((await publisher.probe(soon())).at(-1)).toMatchObject({ step: 'right to publish', outcome: 'fail', advice: expect.stringContaining('24.12') as string });
  });

  it('where nothing is granted it looks again from time to time, on a new connection, because servers tell at the handshake only', async () => {
    const clock = { at: 0, now: () => clock.at };
    const server = await serving({ ...ACCEPTING, handshake: (socket) => void socket.write('<handshake/>') });
    const publisher = new XmppPublisher({ component: 'calendar.corp.example', server: server.server, secret: 'secret', clock, logger: silentLogger });
    closing.push(() => publisher.close());
    const again = new Promise<void>((resolve) => publisher.start(resolve));
    for (let time = 0; time < 2; time++) await expect(publisher.publish(ALICE, shown(), soon())).rejects.toMatchObject({ code: 'BACKEND_AUTH' });
    expect(server.count()).toBe(1);
    server.script = ACCEPTING;
    clock.at += LIMITS.presenceXmppRefusedMs;
    await expect(publisher.publish(ALICE, shown(), soon())).rejects.toMatchObject({ code: 'BACKEND_AUTH' });
    await again;
    await publisher.publish(ALICE, shown(), soon());
    expect(server.count()).toBe(2);
  });

  it('privileges that come later count, and so does their end', async () => {
    const server = await serving({ ...ACCEPTING, handshake: (socket) => void socket.write('<handshake/>') });
    const publisher = publisherTo(server.server);
    const publishing = publisher.publish(ALICE, shown(), soon());
    await vi.waitFor(() => expect(server.received()).toContain('<handshake>'));
    const [socket] = [...server.sockets];
    socket!.write(PRIVILEGES);
    await publishing;
    socket!.write(PRIVILEGES.replace("type='both'", "type='none'"));
    await vi.waitFor(async () => expect(await publisher.publish(ALICE, shown(), soon()).catch((error: BridgeError) => error.code)).toBe('BACKEND_AUTH'));
  });
});

describe('withdrawing', () => {
  const item = (id: string): string => `<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='http://jabber.org/protocol/activity'><item id='${id}'><activity xmlns='http://jabber.org/protocol/activity'><relaxing/></activity></item></items></pubsub>`;
  const operations = (server: ComponentServer): readonly string[] => [...server.received().matchAll(/<(items|publish|retract) node/g)].map(([, name]) => name!);

  it.each([
    ['ours is emptied, then taken away', 'freebusy-bridge', ['items', 'publish', 'retract']],
    ['a person’s own, published since, is left alone', 'mood-of-the-day', ['items', 'retract']],
  ])('%s', async (_name, id, expected) => {
    const server = await serving({ iq: (socket, iqId, to, iq) => void socket.write(accepted(iqId, to, iq.includes('<items') ? item(id) : '')) });
    await publisherTo(server.server).withdraw(ALICE, soon());
    expect(operations(server)).toEqual(expected);
  });

  it('where nothing may be read, it is emptied and taken away', async () => {
    const server = await serving({ ...ACCEPTING, handshake: (socket) => void socket.write(`<handshake/>${PRIVILEGES.replace("type='both'", "type='set'")}`) });
    await publisherTo(server.server).withdraw(ALICE, soon());
    expect(operations(server)).toEqual(['publish', 'retract']);
  });

  it('somebody who can have no JID has nothing to take away; a privilege that is missing is a failure', async () => {
    const server = await serving({ handshake: (socket) => void socket.write('<handshake/>') });
    const publisher = publisherTo(server.server);
    await publisher.withdraw('straße@corp.example' as MailboxAddress, soon());
    await expect(publisher.withdraw(ALICE, soon())).rejects.toMatchObject({ code: 'BACKEND_AUTH' });
  });
});

describe('a check', () => {
  it('beyond loopback it warns that XEP-0114 is not encrypted', async () => {
    const { probeComponent } = await import('../../../src/protocols/xmpp/probe.ts');
    const server = await serving({ iq: (socket, id, to) => void socket.write(`<iq type='error' id='${id}' from='${to}' to='x'><error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`) });
    const account = { component: 'calendar.corp.example', secret: 'secret', clock: systemClock };
    // Every address of 127.0.0.0/8 is this machine, and so is this one, which does not look like it.
    const findings = await probeComponent({ ...account, server: { host: '0.0.0.0', port: server.server.port } }, undefined, soon());
    expect(findings.map(({ step, outcome }) => [step, outcome])).toEqual([['connection', 'warn'], ['sign-in', 'ok'], ['right to publish', 'ok'], ['unknown user', 'ok']]);
  });

  it('a server that fails over somebody made up fails the check', async () => {
    const server = await serving({ iq: (socket, id, to) => void socket.write(`<iq type='error' id='${id}' from='${to}' to='x'><error type='cancel'><internal-server-error xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`) });
    expect((await publisherTo(server.server, 'not started').probe(soon())).at(-1)).toMatchObject({ step: 'unknown user', outcome: 'fail' });
  });

  it('a server that takes activities of nobody is worth a warning', async () => {
    const server = await serving();
    expect((await publisherTo(server.server, 'not started').probe(soon())).at(-1)).toMatchObject({ step: 'unknown user', outcome: 'warn' });
    expect(server.received()).not.toContain('<publish');
  });
});
