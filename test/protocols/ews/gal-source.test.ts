import { afterEach, describe, expect, it } from 'vitest';
import type { SourceBatch, SourceEntry, SourceRead } from '../../../src/directory/entry-source.ts';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import type { LogFields } from '../../../src/core/logger.ts';
import { ewsEndpoint } from '../../../src/protocols/ews/endpoint.ts';
import { EwsGalSource } from '../../../src/protocols/ews/gal-source.ts';
import type { EwsGalOptions } from '../../../src/protocols/ews/gal-source.ts';
import type { ListedPerson } from '../../../src/sandbox/address-list.ts';
import { createCalendarStore } from '../../../src/sandbox/calendar-store.ts';
import { createExchangeEws } from '../../../src/sandbox/exchange-ews.ts';
import type { ExchangeEws } from '../../../src/sandbox/exchange-ews.ts';
import { entryOf, memoryDirectory } from '../../directory/memory-directory.ts';
import { ASKER, faceUnderTest } from '../face-under-test.ts';
import { ewsStub } from './ews-stub.ts';
import type { Reply, Seen } from './ews-stub.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

const DN = '/o=Corp/ou=First Administrative Group/cn=Recipients/cn=ben';
const LISTED: readonly ListedPerson[] = [
  { address: 'ben@corp.example', displayName: 'Ben Old', legacyExchangeDn: DN, title: 'Smith' },
  { address: 'all@corp.example', displayName: 'All staff', mailboxType: 'PublicDL' },
  { address: 'guest@partner.example', displayName: 'Guest', mailboxType: 'Contact' },
  { address: 'remote@corp.example', displayName: 'Remote', mailboxType: 'Contact' },
  { address: 'moved@zimbra.example', displayName: 'Moved Person' },
  { address: 'single@guests.example', displayName: 'Single' },
  { address: 'dora@corp.example', displayName: 'Dora Diaz', proxies: ['dd@corp.example'], title: 'Director', department: 'Sales', company: 'Corp', office: '3.14', phone: '+1 1' },
];

async function exchangeWith(more: { readonly people?: number; readonly isBrowsable?: boolean } = {}): Promise<ExchangeEws> {
  const people = Array.from({ length: more.people ?? 0 }, (_, index) => ({ address: `person${index}@corp.example`, displayName: `Person Number${index}` }));
  const calendars = createCalendarStore([{ address: 'anna@corp.example', displayName: 'Anna Albrecht' }, { address: 'room-atlas@corp.example', displayName: 'Room Atlas' }, ...people]);
  const server = createExchangeEws({ username: 'bridge', password: 'pw', domain: 'CORP', calendars, clock: systemClock, listed: LISTED, ...more });
  await server.listen();
  open.push(server);
  return server;
}

const logged: (LogFields & { readonly message: string })[] = [];
function sourceAt(url: string | URL, over: Partial<EwsGalOptions> = {}): EwsGalSource {
  logged.length = 0;
  const source = new EwsGalSource({
    label: 'exchange',
    servers: [new URL(url)],
    accounts: [{ kind: 'basic', username: 'CORP\\bridge', password: 'pw' }],
    hosts: [],
    domains: ['corp.example'],
    mailboxes: ['single@guests.example' as MailboxAddress],
    clock: systemClock,
    logger: { ...silentLogger, warn: (fields, message) => logged.push({ ...fields, message }) },
    ...over,
  });
  open.push(source);
  return source;
}

async function readAll(source: EwsGalSource, signal = new AbortController().signal): Promise<{ readonly entries: readonly SourceEntry[]; readonly read: SourceRead; readonly batches: readonly SourceBatch[] }> {
  const batches: SourceBatch[] = [];
  const read = await source.read(undefined, async (batch) => void batches.push(batch), signal);
  return { read, batches, entries: batches.flatMap(({ entries }) => entries ?? []) };
}

const shown = (entries: readonly SourceEntry[]) => Object.fromEntries(entries.map(({ address, kind, isMailbox }) => [address, `${kind}${isMailbox ? ' here' : ''}`]));

const KINDS = {
  'anna@corp.example': 'person here',
  'ben@corp.example': 'person here',
  'all@corp.example': 'group here',
  'guest@partner.example': 'contact',
  'remote@corp.example': 'contact',
  'moved@zimbra.example': 'person',
  'single@guests.example': 'person here',
  'dora@corp.example': 'person here',
};

describe('an address list by the beginnings of names (ResolveNames)', () => {
  it('is read whole: what kind each is, and whose mailbox is here', async () => {
    const server = await exchangeWith();
    const { entries, read } = await readAll(sourceAt(`${server.url}/EWS/Exchange.asmx`));
    expect(read).toEqual({ cursor: undefined, isWhole: true });
    expect(shown(entries)).toEqual({ ...KINDS, 'room-atlas@corp.example': 'person here' });
    expect(entries.find(({ id }) => id === 'dora@corp.example')).toEqual({
      id: 'dora@corp.example', address: 'dora@corp.example', kind: 'person', isMailbox: true, name: 'Dora Diaz', aliases: ['dd@corp.example'],
      givenName: 'Dora', surname: 'Diaz', title: 'Director', department: 'Sales', company: 'Corp', office: '3.14', phone: '+1 1',
    });
  });

  it('has the address of who is shown by a legacyExchangeDN', async () => {
    const server = await exchangeWith();
    const { entries } = await readAll(sourceAt(`${server.url}/EWS/Exchange.asmx`));
    expect(entries.find(({ address }) => address === 'ben@corp.example')).toMatchObject({ legacyExchangeDn: DN, name: 'Ben Old', title: 'Smith' });
  });

  it('is read whole where a beginning has more than a hundred, each handed over once', async () => {
    const server = await exchangeWith({ people: 450 });
    const { entries, read } = await readAll(sourceAt(`${server.url}/EWS/Exchange.asmx`));
    expect(read.isWhole).toBe(true);
    expect(entries).toHaveLength(450 + 9);
    expect(new Set(entries.map(({ id }) => id)).size).toBe(entries.length);
  });

  it('is not whole where the server always says that there are more', async () => {
    const one = '<t:Resolution><t:Mailbox><t:Name>Xxxxxxxxxxxxxxxxxxxxxxxx</t:Name><t:EmailAddress>x@corp.example</t:EmailAddress><t:RoutingType>SMTP</t:RoutingType><t:MailboxType>Mailbox</t:MailboxType></t:Mailbox></t:Resolution>';
    const { url } = await ewsStub(({ body }) => (/<m:UnresolvedEntry>x+</.test(body) ? answer('Success', 'NoError', `<m:ResolutionSet TotalItemsInView="1" IncludesLastItemInRange="false">${one}</m:ResolutionSet>`) : NOBODY));
    const { read, entries } = await readAll(sourceAt(url));
    expect([read.isWhole, entries.length]).toEqual([false, 1]);
    expect(logged).toEqual([expect.objectContaining({ system: 'exchange', count: 1, message: 'address list not read whole: nobody is removed by it', reason: expect.stringContaining('more behind xxxxxxxxxxxxxxxx') as string })]);
  });
});

describe('an address list page by page (FindPeople)', () => {
  it('is read so from a server that is new enough and lets one', async () => {
    const server = await exchangeWith({ people: 1_200, isBrowsable: true });
    server.setGeneration(2013);
    const { entries, read, batches } = await readAll(sourceAt(`${server.url}/EWS/Exchange.asmx`));
    expect([read.isWhole, entries.length, batches.length]).toEqual([true, 1_209, 3]);
    expect(shown(entries)).toMatchObject({ ...KINDS, 'room-atlas@corp.example': 'room here' });
    expect(entries.find(({ id }) => id === 'dora@corp.example')).toMatchObject({ aliases: ['dd@corp.example'], department: 'Sales', office: '3.14', phone: '+1 1' });
    expect(entries.find(({ id }) => id === 'ben@corp.example')).toMatchObject({ legacyExchangeDn: DN });
  });

  it('is read by beginnings where the server does not let one', async () => {
    const server = await exchangeWith({ people: 3 });
    server.setGeneration(2013);
    const { entries, read } = await readAll(sourceAt(`${server.url}/EWS/Exchange.asmx`));
    expect([read.isWhole, entries.length]).toEqual([true, 12]);
  });

  it('is not whole where their number changes between two pages', async () => {
    let total = 2;
    const persona = (address: string): string => `<t:Persona><t:PersonaId Id="A"/><t:DisplayName>X</t:DisplayName><t:EmailAddress><t:EmailAddress>${address}</t:EmailAddress></t:EmailAddress></t:Persona>`;
    const { url, seen } = await ewsStub(({ operation }) => {
      if (operation !== 'FindPeople') return NOBODY;
      total += 1;
      return { body: envelope(`<m:FindPeopleResponse ResponseClass="Success" ${NAMESPACES}><m:ResponseCode>NoError</m:ResponseCode><m:People>${persona(`p${total}@corp.example`)}</m:People><m:TotalNumberOfPeopleInView>${Math.min(total, 5)}</m:TotalNumberOfPeopleInView></m:FindPeopleResponse>`) };
    });
    const { read, entries } = await readAll(sourceAt(url));
    expect(read.isWhole).toBe(false);
    expect(entries).toHaveLength(5);
    expect(seen.find(({ operation }) => operation === 'FindPeople')!.body).toContain('Version="Exchange2013"');
    expect(seen.find(({ operation }) => operation === 'ResolveNames')!.body).toContain('Version="Exchange2007_SP1"');
  });

  it('of a bridge is what its client may sync', async () => {
    const people = Array.from({ length: 1_300 }, (_, index) => entryOf(`p${index}@corp.example`, { name: `Person ${index}`, id: index.toString(16).padStart(32, '0') }));
    const special = [entryOf('room@corp.example', { name: 'Atlas', kind: 'room', office: '1' }), entryOf('list@corp.example', { name: 'List', kind: 'group' }), entryOf('g@partner.example', { name: 'Guest', kind: 'contact' })];
    const face = await faceUnderTest(ewsEndpoint, { directory: memoryDirectory([...people, ...special]), accounts: [{ requester: { ...ASKER, gal: 'sync' }, credentials: { username: 'asker', password: 'pw-of-asker' } }] });
    open.push(face);
    const { read, entries } = await readAll(sourceAt(`${face.url}/EWS/Exchange.asmx`, { accounts: [{ kind: 'basic', username: 'asker', password: 'pw-of-asker' }] }));
    expect([read.isWhole, entries.length]).toEqual([true, 1_303]);
    expect(shown(entries)).toMatchObject({ 'room@corp.example': 'room here', 'list@corp.example': 'group here', 'g@partner.example': 'contact', 'p7@corp.example': 'person here' });
    expect(entries.find(({ id }) => id === 'room@corp.example')).toMatchObject({ office: '1' });
  });
});

const NAMESPACES = 'xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages" xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"';
const envelope = (inside: string): string =>
  `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header><t:ServerVersionInfo xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types" MajorVersion="15" MinorVersion="1" MajorBuildNumber="1" MinorBuildNumber="1"/></s:Header><s:Body>${inside}</s:Body></s:Envelope>`;
const answer = (responseClass: string, code: string, inside = ''): Reply => ({ body: envelope(`<m:ResolveNamesResponse ${NAMESPACES}><m:ResponseMessages><m:ResolveNamesResponseMessage ResponseClass="${responseClass}"><m:ResponseCode>${code}</m:ResponseCode>${inside}</m:ResolveNamesResponseMessage></m:ResponseMessages></m:ResolveNamesResponse>`) });
const NOBODY = answer('Error', 'ErrorNameResolutionNoResults');
const BUSY: Reply = { status: 500, body: envelope('<s:Fault><faultcode>s:Server</faultcode><faultstring>busy</faultstring><detail><e:ResponseCode xmlns:e="http://schemas.microsoft.com/exchange/services/2006/errors">ErrorServerBusy</e:ResponseCode><t:MessageXml xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"><t:Value Name="BackOffMilliseconds">700</t:Value></t:MessageXml></detail></s:Fault>') };

describe('a server with troubles', () => {
  it('that is busy is asked again after the time that it names, and nobody is missing', async () => {
    let wasBusy = 0;
    const one = '<m:ResolutionSet TotalItemsInView="1" IncludesLastItemInRange="true"><t:Resolution><t:Mailbox><t:Name>M</t:Name><t:EmailAddress>m@corp.example</t:EmailAddress><t:RoutingType>SMTP</t:RoutingType><t:MailboxType>Mailbox</t:MailboxType></t:Mailbox></t:Resolution></m:ResolutionSet>';
    const times: number[] = [];
    const { url } = await ewsStub(({ body, operation }: Seen) => {
      if (operation === 'FindPeople') return { status: 500, body: envelope('<s:Fault><faultcode>s:Client</faultcode><faultstring>Unknown request</faultstring></s:Fault>') };
      if (!body.includes('>m<')) return NOBODY;
      times.push(Date.now());
      return wasBusy++ === 0 ? BUSY : answer('Success', 'NoError', one);
    });
    const { read, entries } = await readAll(sourceAt(url));
    expect([read.isWhole, entries.length]).toEqual([true, 1]);
    expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(690);
  });

  it('that breaks off fails the reading: what came before stands, nothing looks like the end', async () => {
    const { url } = await ewsStub(({ body }) => (body.includes('>f<') ? { status: 403, body: 'no' } : NOBODY));
    await expect(readAll(sourceAt(url))).rejects.toMatchObject({ code: 'BACKEND_AUTH' });
  });

  it('is left at once when the reading is ended', async () => {
    const ended = new AbortController();
    const { url } = await ewsStub(() => {
      ended.abort();
      return NOBODY;
    });
    await expect(readAll(sourceAt(url), ended.signal)).rejects.toMatchObject({ code: 'DEADLINE' });
  });

  it('is told of by the probe, with advice', async () => {
    const server = await exchangeWith();
    const url = `${server.url}/EWS/Exchange.asmx`;
    const signal = new AbortController().signal;
    expect((await sourceAt(url).probe(signal)).map(({ step, outcome }) => [step, outcome])).toEqual([['sign-in', 'ok'], ['address list', 'ok'], ['version', 'ok'], ['clock', 'ok']]);
    expect(await sourceAt(url, { accounts: [{ kind: 'basic', username: 'CORP\\bridge', password: 'wrong' }] }).probe(signal)).toEqual([expect.objectContaining({ step: 'sign-in', outcome: 'fail', advice: expect.any(String) as string })]);
    expect(await sourceAt('http://127.0.0.1:1/EWS/Exchange.asmx').probe(signal)).toEqual([expect.objectContaining({ outcome: 'fail', advice: expect.any(String) as string })]);
    const { url: mailboxless } = await ewsStub(() => answer('Error', 'ErrorNameResolutionNoMailbox'));
    expect(await sourceAt(mailboxless).probe(signal)).toEqual([expect.objectContaining({ outcome: 'fail' })]);
    const { url: empty } = await ewsStub(() => NOBODY);
    expect((await sourceAt(empty).probe(signal)).find(({ step }) => step === 'address list')).toMatchObject({ outcome: 'warn' });
  });
});
