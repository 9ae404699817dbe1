import { describe, expect, it } from 'vitest';
import { noMetrics } from '../../src/core/metrics.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { systemClock } from '../../src/core/clock.ts';
import { BridgeError } from '../../src/core/errors.ts';
import type { SourceEntry } from '../../src/directory/entry-source.ts';
import type { FreeBusyResult } from '../../src/freebusy/source.ts';
import { freeBusyFrom } from '../../src/freebusy/free-busy.ts';
import { Lookup } from '../../src/lookup/lookup.ts';
import { Routing } from '../../src/lookup/routing.ts';
import type { HomeSystem } from '../../src/lookup/routing.ts';
import type { Requester } from '../../src/core/request-context.ts';
import { ASKER, context } from '../freebusy/asking.ts';
import { at } from '../freebusy/oracle.ts';
import { AD, address, contact, entry, gal, put, ZIMBRA } from '../gal/gal-world.ts';
import { system } from './systems.ts';
import type { Answering } from './systems.ts';

const WINDOW = { start: at(0), end: at(4) };

function world(people: { readonly ad?: readonly SourceEntry[]; readonly zimbra?: readonly SourceEntry[] }, answer?: Answering, mailboxes: readonly string[] = []) {
  const changes = answer === undefined ? {} : { answer };
  const exchange = system('exchange', { domains: ['corp.example', 'shared.example'], mailboxes: mailboxes.map(address), ...changes });
  const zimbra = system('zimbra', { domains: ['zimbra.example', 'shared.example'], isZimbra: true, ...changes });
  const book = gal(undefined, [exchange, zimbra]);
  put(book, AD, ...(people.ad ?? []));
  put(book, ZIMBRA, ...(people.zimbra ?? []));
  const systems: readonly HomeSystem[] = [exchange, zimbra];
  const lookup = new Lookup({ routing: new Routing(systems, book), workingElsewhereAs: 'free', clock: systemClock, logger: silentLogger, metrics: noMetrics });
  const ask = async (mailboxes: readonly string[], requester: Partial<Requester> = {}): Promise<readonly FreeBusyResult[]> =>
    lookup.freeBusy({ mailboxes: mailboxes.map(address), window: WINDOW, details: false }, context({ requester: { ...ASKER, ...requester } }));
  const asked = () => ({ exchange: exchange.asked.flatMap(([query]) => query.mailboxes), zimbra: zimbra.asked.flatMap(([query]) => query.mailboxes) });
  return { book, ask, asked };
}

const codes = (results: readonly FreeBusyResult[]): readonly string[] => results.map((one) => ('error' in one ? one.error.code : 'ok'));

describe('who lives where', () => {
  it('in a shared domain every mailbox is asked about at its home, under its primary address, and answered under the one that was asked', async () => {
    const { ask, asked } = world({ ad: [entry('anna@shared.example'), contact('kim.ad@corp.example', { targetAddress: 'kim@shared.example' })], zimbra: [entry('kim@shared.example', { aliases: ['k@shared.example'] })] });
    const names = ['anna@shared.example', 'k@shared.example', 'kim+x@shared.example', 'kim.ad@corp.example', 'kim@shared.example'];
    const results = await ask(names);
    expect(codes(results)).toEqual(names.map(() => 'ok'));
    expect(results.map((one) => one.mailbox)).toEqual(names);
    expect(results.map((one) => 'freeBusy' in one && one.freeBusy.mailbox)).toEqual(names);
    expect(asked()).toEqual({ exchange: ['anna@shared.example'], zimbra: ['kim@shared.example'] });
  });

  it('whom no directory knows in a shared domain is no data; in a domain of one system, that system is asked', async () => {
    const { ask, asked } = world({ ad: [entry('anna@shared.example')] });
    expect(codes(await ask(['ghost@shared.example', 'ghost@corp.example', 'ghost@far.example']))).toEqual(['NO_DATA', 'ok', 'MAILBOX_UNKNOWN']);
    expect(asked()).toEqual({ exchange: ['ghost@corp.example'], zimbra: [] });
  });

  it('two homes of one mailbox are no data, never a guess', async () => {
    const { ask, asked } = world({ ad: [entry('anna@shared.example')], zimbra: [entry('anna@shared.example')] });
    expect([codes(await ask(['anna@shared.example'])), asked()]).toEqual([['NO_DATA'], { exchange: [], zimbra: [] }]);
  });

  it('nor does a domain that only one of them lists decide between two', async () => {
    const { ask, asked } = world({ ad: [entry('anna@corp.example')], zimbra: [entry('anna@corp.example')] });
    expect([codes(await ask(['anna@corp.example'])), asked()]).toEqual([['NO_DATA'], { exchange: [], zimbra: [] }]);
  });

  it('whoever stands under mailboxes is asked about there as he is written, whatever a directory takes him for', async () => {
    const { book, ask, asked } = world({}, undefined, ['boss@zimbra.example']);
    put(book, ZIMBRA, entry('eve@zimbra.example', { aliases: ['boss@zimbra.example'] }));
    put(book, AD, entry('eve@corp.example'));
    await ask(['boss@zimbra.example', 'eve@zimbra.example']);
    expect(asked()).toEqual({ exchange: ['boss@zimbra.example'], zimbra: ['eve@zimbra.example'] });
  });

  it('the loop guard and mayAsk go by where the mailbox is, not by its domain', async () => {
    const { ask, asked } = world({ zimbra: [entry('kim@corp.example')], ad: [entry('anna@zimbra.example')] });
    expect(codes(await ask(['kim@corp.example', 'anna@zimbra.example'], { from: 'exchange', mayAsk: new Set(['zimbra', 'exchange']) }))).toEqual(['ok', 'LOOP']);
    expect(codes(await ask(['kim@corp.example', 'anna@zimbra.example'], { from: 'outside', mayAsk: new Set(['exchange']) }))).toEqual(['MAILBOX_UNKNOWN', 'ok']);
    // For the second one exchange is asked about kim, too, as it is about anybody unknown of its domain; she is at home elsewhere, and what it says is thrown away.
    expect(asked()).toEqual({ zimbra: ['kim@corp.example'], exchange: ['kim@corp.example', 'anna@zimbra.example'] });
  });

  it('a moved mailbox is asked about at its new home with the next question', async () => {
    const { book, ask, asked } = world({ ad: [entry('anna@shared.example')] });
    await ask(['anna@shared.example']);
    put(book, ZIMBRA, entry('anna@shared.example'));
    put(book, AD, contact('anna@shared.example'));
    await ask(['anna@shared.example']);
    expect(asked()).toEqual({ exchange: ['anna@shared.example'], zimbra: ['anna@shared.example'] });
  });
});

describe('groups', () => {
  const busyAs: Answering = async ({ mailboxes, window }) =>
    mailboxes.map((mailbox): FreeBusyResult => {
      if (mailbox.startsWith('unknown')) return { mailbox, error: new BridgeError('MAILBOX_UNKNOWN', 'no such mailbox') };
      const busy = mailbox.startsWith('anna') ? [{ start: at(0), end: at(2), busyType: 'busy' as const }] : [{ start: at(1), end: at(3), busyType: 'oof' as const }];
      return { mailbox, freeBusy: freeBusyFrom(mailbox, window, { busy }), asOf: at(0) };
    });
  const team = (members: readonly string[]) => entry('team@corp.example', { kind: 'group', members });

  it('are taken where some member is, by the strongest type, over both systems', async () => {
    const { ask, asked } = world({ ad: [team(['anna@corp.example', 'kim@zimbra.example']), entry('anna@corp.example')], zimbra: [entry('kim@zimbra.example')] }, busyAs);
    const [result] = await ask(['team@corp.example']);
    expect(result).toMatchObject({ mailbox: 'team@corp.example', freeBusy: { busy: [{ start: at(0), end: at(1), busyType: 'busy' }, { start: at(1), end: at(3), busyType: 'oof' }] } });
    expect(asked()).toEqual({ exchange: ['anna@corp.example'], zimbra: ['kim@zimbra.example'] });
  });

  it.each([
    ['a member whom its system does not know', ['anna@corp.example', 'unknown@corp.example']],
    ['a member whom no directory resolves', ['anna@corp.example', 'cn=gone']],
    ['a member whom the client may not ask about', ['anna@corp.example', 'kim@zimbra.example']],
  ])('are never free where somebody is unknown: %s', async (_what, members) => {
    const { ask } = world({ ad: [team(members), entry('anna@corp.example')] }, busyAs);
    const [result] = await ask(['team@corp.example'], { mayAsk: new Set(['exchange']) });
    expect(result).toMatchObject({ freeBusy: { busy: [{ start: at(0), end: at(2), busyType: 'busy' }, { start: at(2), end: at(4), busyType: 'no-data' }] } });
  });

  it('of more than a hundred members are no data, and nobody is asked; as many in one question as mailboxes may be', async () => {
    const many = Array.from({ length: 101 }, (_, i) => `p${i}@corp.example`);
    const big = world({ ad: [team(many)] });
    expect([codes(await big.ask(['team@corp.example'])), big.asked().exchange]).toEqual([['NO_DATA'], []]);
    const groups = Array.from({ length: 6 }, (_, i) => entry(`g${i}@corp.example`, { kind: 'group', members: many.slice(0, 100).map((one) => `${i}${one}`) }));
    const several = world({ ad: groups });
    expect(codes(await several.ask(groups.map((one) => one.address)))).toEqual(['ok', 'ok', 'ok', 'ok', 'ok', 'NO_DATA']);
  });

  it('without members are no data', async () => {
    const { ask } = world({ ad: [team([])] });
    expect(codes(await ask(['team@corp.example']))).toEqual(['NO_DATA']);
  });
});
