import { afterEach, describe, expect, it } from 'vitest';
import { HOUR_MS } from '../../../src/core/clock.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { parseMailboxAddress } from '../../../src/directory/smtp-address.ts';
import { freeBusyFrom } from '../../../src/freebusy/free-busy.ts';
import { memoryTexts } from '../../../src/presence/publisher.ts';
import { OwaConnections } from '../../../src/protocols/owa-webdav/client-connections.ts';
import { WebdavPresenceGateway } from '../../../src/protocols/owa-webdav/presence-gateway.ts';
import { OwaWebdavSink } from '../../../src/protocols/owa-webdav/sink.ts';
import { createCalendarStore } from '../../../src/sandbox/calendar-store.ts';
import { createExchange2003, EXCHANGE_2003_ORGANISATION } from '../../../src/sandbox/exchange-2003.ts';
import type { Exchange2003Options } from '../../../src/sandbox/exchange-2003.ts';
import { NOW, context, systemFor } from './stand-in.ts';

const anna = parseMailboxAddress('anna@exch.example')!;
const kim = parseMailboxAddress('kim@zimbra.example')!;
const PASSWORD = 'p&ss +%ü';
const DN = `${EXCHANGE_2003_ORGANISATION}/cn=Recipients/cn={localPart}`;

const closing: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of closing.splice(0).reverse()) await one.close();
});

async function exchange(over: Partial<Exchange2003Options> = {}) {
  const calendars = createCalendarStore([{ address: anna, displayName: 'Anna' }]);
  calendars.add(anna, { start: NOW + HOUR_MS, end: NOW + 2 * HOUR_MS, type: 'busy' });
  const contacts = (address: string): string | undefined => (address === kim ? `${EXCHANGE_2003_ORGANISATION}/cn=Recipients/cn=kim` : undefined);
  const server = createExchange2003({ username: 'bridge', password: PASSWORD, domain: 'CORP', calendars, clock: { now: () => NOW }, auth: 'form', contacts, ...over });
  await server.listen();
  closing.push(server);
  return server;
}

/** The lookup, the sink and a gateway of one system, which share what the account has. */
function systemOf(servers: readonly { readonly url: string }[], password = PASSWORD, auth: 'basic' | 'form' = 'form') {
  const common = { servers: servers.map(({ url }) => new URL(url)), auth, username: 'CORP\\bridge', password, hosts: [], clock: { now: () => NOW }, logger: silentLogger, connections: new OwaConnections() } as const;
  const system = systemFor(common.servers[0]!, common);
  const sink = new OwaWebdavSink({ ...common, name: 'exchange', legacyExchangeDn: DN });
  const gateway = new WebdavPresenceGateway({ ...common, description: 'old', callBack: undefined, memory: memoryTexts(), listener: { changed: () => undefined, trouble: () => undefined } });
  closing.push(system, sink, gateway);
  return { system, sink, gateway };
}

const window = { start: NOW, end: NOW + 3 * HOUR_MS };
const BUSY = [{ start: NOW + HOUR_MS, end: NOW + 2 * HOUR_MS, busyType: 'busy' }];

describe.each(['2003', '2007'] as const)('a form of %s', (generation) => {
  it('lets lookup, publication and presence in with one logon, and again once it has expired', async () => {
    const server = await exchange({ form: { generation }, calendarNames: { [anna]: 'Kalender für Anna' } });
    const { system, sink, gateway } = systemOf([server]);
    const posts = () => server.requests.filter(({ method }) => method === 'POST').length;
    for (const round of [1, 2]) {
      expect(await system.freeBusy({ mailboxes: [anna], window, details: false }, context())).toMatchObject([{ freeBusy: { busy: BUSY } }]);
      const identity = sink.identityOf({ mailbox: kim });
      await sink.publish(identity, freeBusyFrom(kim, window, {}), context());
      expect(server.published()).toHaveLength(1);
      await sink.remove(identity, context());
      expect(await gateway.source.freeBusy({ mailboxes: [anna], window, details: false }, context())).toMatchObject([{ freeBusy: { events: [{ start: BUSY[0]!.start, end: BUSY[0]!.end }] } }]);
      expect(posts()).toBe(round);
      server.expireSessions();
      // The owner calls her calendar something else: found anew.
      server.renameCalendar(anna, 'Calendrier');
    }
  });

  it.each(['logon-page', 'worthless-cookies'] as const)('sees a wrong password once (%s)', async (wrongPassword) => {
    const server = await exchange({ form: { generation, wrongPassword } });
    const { system, sink } = systemOf([server], 'wrong');
    for (let times = 0; times < 5; times++) {
      expect(await system.freeBusy({ mailboxes: [anna], window, details: false }, context())).toMatchObject([{ error: { code: 'BACKEND_AUTH' } }]);
      await expect(sink.remove(sink.identityOf({ mailbox: kim }), context())).rejects.toMatchObject({ code: 'BACKEND_AUTH' });
    }
    expect(server.requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
    expect((await system.probe(context()))[0]).toMatchObject({ step: 'sign-in', outcome: 'fail', advice: expect.stringMatching(/username and password/) as unknown });
  });
});

describe('a server without a replica', () => {
  it('has its reader and its writer go to the other', async () => {
    const [without, holder] = [await exchange(), await exchange()];
    without.setWriting('no-folder');
    const { sink } = systemOf([without, holder]);
    await sink.publish(sink.identityOf({ mailbox: kim }), freeBusyFrom(kim, window, {}), context());
    expect([without.published().length, holder.published().length]).toEqual([0, 1]);
    const reader = systemFor(new URL(without.url), { servers: [without, holder].map(({ url }) => new URL(url)), auth: 'form', username: 'bridge', password: PASSWORD, lookup: 'public-folder', legacyExchangeDn: DN });
    closing.push(reader);
    expect(await reader.freeBusy({ mailboxes: [kim], window, details: false }, context())).toMatchObject([{ freeBusy: { busy: [] } }]);
  });

  it('and no other server: said so by the lookup, the sink and check', async () => {
    const server = await exchange({ auth: 'basic' });
    server.setWriting('no-folder');
    const { sink } = systemOf([server], PASSWORD, 'basic');
    await expect(sink.publish(sink.identityOf({ mailbox: kim }), freeBusyFrom(kim, window, {}), context())).rejects.toMatchObject({ code: 'BACKEND_FAULT', details: { hint: expect.stringContaining('with a replica on this server') as unknown } });
    const reader = systemFor(new URL(server.url), { password: PASSWORD, lookup: 'public-folder', legacyExchangeDn: DN });
    closing.push(reader);
    expect(await reader.freeBusy({ mailboxes: [kim], window, details: false }, context())).toMatchObject([{ error: { code: 'NO_DATA', details: { folder: `EX:${EXCHANGE_2003_ORGANISATION}` } } }]);
    expect(await sink.probe(context())).toMatchObject([{ step: 'folder', outcome: 'fail', text: `EX:${EXCHANGE_2003_ORGANISATION} is not there` }]);
  });
});
