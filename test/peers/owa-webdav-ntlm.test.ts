import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HOUR_MS, systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { parseMailboxAddress } from '../../src/directory/smtp-address.ts';
import { freeBusyFrom } from '../../src/freebusy/free-busy.ts';
import { memoryTexts } from '../../src/presence/publisher.ts';
import { OwaWebdavSystem } from '../../src/protocols/owa-webdav/client.ts';
import { OwaGalSource } from '../../src/protocols/owa-webdav/gal-source.ts';
import { WebdavPresenceGateway } from '../../src/protocols/owa-webdav/presence-gateway.ts';
import { OwaWebdavSink } from '../../src/protocols/owa-webdav/sink.ts';
import { createCalendarStore } from '../../src/sandbox/calendar-store.ts';
import { createExchange2003, EXCHANGE_2003_ORGANISATION } from '../../src/sandbox/exchange-2003.ts';
import type { Exchange2003 } from '../../src/sandbox/exchange-2003.ts';
import { context } from '../protocols/owa-webdav/stand-in.ts';
import { hasApache, startApache } from './apache.ts';
import type { Apache } from './apache.ts';

const anna = parseMailboxAddress('anna@exch.example')!;
const kim = parseMailboxAddress('kim@zimbra.example')!;
const ACCOUNT = { username: 'bridge', password: 'upstream' };
const PASSWORD = 'p&ss +%ü';
const start = Math.floor(Date.now() / HOUR_MS) * HOUR_MS + HOUR_MS;
const window = { start: start - HOUR_MS, end: start + 2 * HOUR_MS };

/** mod_auth_gssapi with gss-ntlmssp asks for NTLM as IIS does: a connection signs in, and 401 comes before anything is read. */
describe.skipIf(!hasApache)('NTLM, as Apache asks for it, to an Exchange 2003', () => {
  let exchange: Exchange2003;
  let apache: Apache;
  beforeAll(async () => {
    const calendars = createCalendarStore([{ address: anna, displayName: 'Anna' }]);
    calendars.add(anna, { start, end: start + HOUR_MS, type: 'busy' });
    const contacts = (address: string): string | undefined => (address === kim ? `${EXCHANGE_2003_ORGANISATION}/cn=Recipients/cn=kim` : undefined);
    exchange = createExchange2003({ ...ACCOUNT, domain: 'CORP', calendars, clock: systemClock, auth: 'basic', contacts, calendarNames: { [anna]: 'Kalender' } });
    await exchange.listen();
    apache = await startApache({ upstream: exchange.url, upstreamAccount: ACCOUNT, users: [{ domain: 'CORP', name: 'bridge', password: PASSWORD }], directives: ['ProxyPreserveHost On'] });
  }, 30_000);
  afterAll(async () => {
    await apache?.close();
    await exchange?.close();
  });

  const common = (password: string) => ({ name: 'exchange', servers: [new URL(apache.url)], auth: 'ntlm', username: 'CORP\\bridge', password, hosts: [], clock: systemClock, logger: silentLogger }) as const;

  it('the lookup, the sink, the address book and presence are let in', async () => {
    const system = new OwaWebdavSystem({ ...common(PASSWORD), lookup: 'query', probeMailbox: anna });
    const sink = new OwaWebdavSink({ ...common(PASSWORD), legacyExchangeDn: `${EXCHANGE_2003_ORGANISATION}/cn=Recipients/cn={localPart}` });
    const gal = new OwaGalSource({ ...common(PASSWORD), label: 'exchange', domains: [], mailboxes: [] });
    const gateway = new WebdavPresenceGateway({ ...common(PASSWORD), description: 'old', callBack: undefined, memory: memoryTexts(), listener: { changed: () => undefined, trouble: () => undefined } });
    try {
      expect(await system.freeBusy({ mailboxes: [anna], window, details: false }, context())).toMatchObject([{ freeBusy: { busy: [{ start, end: start + HOUR_MS, busyType: 'busy' }] } }]);
      const findings = await system.probe(context());
      expect(findings.filter(({ outcome }) => outcome !== 'ok')).toEqual([]);
      expect(findings[0]!.text).toBe('signed in (ntlm)');
      await sink.publish(sink.identityOf({ mailbox: kim }), freeBusyFrom(kim, window, {}), context());
      expect(exchange.published()).toHaveLength(1);
      await sink.remove(sink.identityOf({ mailbox: kim }), context());
      expect(exchange.published()).toHaveLength(0);
      expect((await gal.probe(context().signal)).map(({ outcome }) => outcome)).toEqual(['ok', 'ok']);
      expect(await gateway.source.freeBusy({ mailboxes: [anna], window, details: false }, context())).toMatchObject([{ freeBusy: { events: [{ start, end: start + HOUR_MS }] } }]);
      expect(new Set(apache.log().filter(({ status }) => status < 400).map(({ user }) => user))).toEqual(new Set([String.raw`CORP\\bridge`]));
    } finally {
      await Promise.all([system.close(), sink.close(), gal.close(), gateway.close()]);
    }
  });

  it('a wrong password is tried by one request, however many ask', async () => {
    const system = new OwaWebdavSystem({ ...common('wrong'), lookup: 'query' });
    const before = apache.log().length;
    try {
      const asked = await Promise.all(Array.from({ length: 10 }, () => system.freeBusy({ mailboxes: [anna], window, details: false }, context())));
      for (const results of asked) expect(results).toMatchObject([{ error: { code: 'BACKEND_AUTH' } }]);
      await system.freeBusy({ mailboxes: [anna], window, details: false }, context());
    } finally {
      await system.close();
    }
    // The handshake of one connection, perhaps once more over another.
    expect(apache.log().length - before).toBeLessThanOrEqual(4);
  });

  it('Basic where there is NTLM only is explained', async () => {
    const system = new OwaWebdavSystem({ ...common(PASSWORD), auth: 'basic', lookup: 'query' });
    try {
      expect(await system.probe(context())).toMatchObject([{ step: 'sign-in', outcome: 'fail', advice: expect.stringContaining('set auth: ntlm') as unknown }]);
    } finally {
      await system.close();
    }
  });

  it('NTLM where there is Basic only is explained', async () => {
    const system = new OwaWebdavSystem({ ...common(PASSWORD), servers: [new URL(exchange.url)], lookup: 'query' });
    try {
      expect(await system.probe(context())).toMatchObject([{ step: 'sign-in', outcome: 'fail', advice: expect.stringContaining('the server does not offer NTLM') as unknown }]);
    } finally {
      await system.close();
    }
  });
});
