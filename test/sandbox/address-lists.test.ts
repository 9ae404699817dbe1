import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { attribute, child, childText, descend } from '../../src/platform/xml/element.ts';
import type { XmlElement } from '../../src/platform/xml/element.ts';
import { readXml } from '../../src/platform/xml/read.ts';
import type { ListedPerson } from '../../src/sandbox/address-list.ts';
import { createCalendarStore } from '../../src/sandbox/calendar-store.ts';
import { createExchange2003 } from '../../src/sandbox/exchange-2003.ts';
import { createExchangeEws } from '../../src/sandbox/exchange-ews.ts';
import type { ExchangeEws } from '../../src/sandbox/exchange-ews.ts';
import type { StandIn } from '../../src/sandbox/stand-in.ts';
import { CAN_VALIDATE, EWS_SCHEMA, SHARED } from '../shared.ts';
import { shapeOf } from './xml-shape.ts';

const CLOCK = { now: () => Date.parse('2026-03-01T12:00:00Z') };
const LISTED: readonly ListedPerson[] = [
  { address: 'ben@exch.test', displayName: 'Ben Example', legacyExchangeDn: '/o=X/ou=Y/cn=Recipients/cn=ben' },
  { address: 'all@exch.test', displayName: 'All', mailboxType: 'PublicDL' },
  { address: 'dora@exch.test', displayName: 'Dora Sample', proxies: ['dd@exch.test'], title: 'T', department: 'D', company: 'C', office: 'O', phone: '1' },
];
const PEOPLE = ['alice', 'bob', 'carol'].map((name) => ({ address: `${name}@exch.test`, displayName: `${name[0]!.toUpperCase()}${name.slice(1)} Example` }));
const M = 'xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages" xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"';

describe('the address list of the EWS stand-in', () => {
  let server: ExchangeEws;
  beforeEach(async () => {
    server = createExchangeEws({ username: 'svc', password: 'pass', domain: 'EXCH', calendars: createCalendarStore(PEOPLE), clock: CLOCK, listed: LISTED, isBrowsable: true, contacts: (address) => (address === 'kim@zimbra.test' ? '/o=X/ou=Y/cn=Recipients/cn=kim' : undefined) });
    await server.listen();
  });
  afterEach(() => server.close());

  async function post(body: string): Promise<XmlElement> {
    const answer = await fetch(`${server.url}/EWS/Exchange.asmx`, { method: 'POST', body: `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>${body}</s:Body></s:Envelope>`, headers: { authorization: `Basic ${Buffer.from('EXCH\\svc:pass').toString('base64')}` } });
    const text = await answer.text();
    const inside = /<s:Body>(.*)<\/s:Body>/s.exec(text)![1]!;
    if (CAN_VALIDATE && !inside.includes('Fault')) expect(spawnSync('xmllint', ['--noout', '--nonet', '--schema', EWS_SCHEMA, '-'], { input: inside, encoding: 'utf8' }).stderr.trim()).toBe('- validates');
    return child(await readXml(text), 'Body')!.children[0]!;
  }
  const resolve = async (entry: string, full = true) => descend(await post(`<m:ResolveNames ${M} ReturnFullContactData="${full}" SearchScope="ActiveDirectory"><m:UnresolvedEntry>${entry}</m:UnresolvedEntry></m:ResolveNames>`), 'ResponseMessages', 'ResolveNamesResponseMessage')!;
  const found = (message: XmlElement) => child(message, 'ResolutionSet')?.children.map((one) => childText(child(one, 'Mailbox'), 'EmailAddress')) ?? [];

  it.each([
    ['alice', 'Success', ['alice@exch.test']],
    ['example', 'Warning', ['alice@exch.test', 'bob@exch.test', 'carol@exch.test', '/o=X/ou=Y/cn=Recipients/cn=ben']],
    ['smtp:dd@exch.test', 'Success', ['dora@exch.test']],
    ['smtp:dd@', 'Error', []],
    ['=dora', 'Success', ['dora@exch.test']],
    ['=dor', 'Error', []],
    ['sample dora', 'Success', ['dora@exch.test']],
    ['/O=X/OU=Y/CN=Recipients/CN=ben', 'Success', ['ben@exch.test']],
    ['nosuch', 'Error', []],
  ])('resolves %s: %s', async (entry, responseClass, wanted) => {
    const message = await resolve(entry);
    expect([attribute(message, 'ResponseClass'), found(message)]).toEqual([responseClass, wanted]);
  });

  it('knows a contact by its address, and then by its DN', async () => {
    expect(found(await resolve('/o=X/ou=Y/cn=Recipients/cn=kim'))).toEqual([]);
    expect(found(await resolve('kim@zimbra.test'))).toEqual(['kim@zimbra.test']);
    expect(found(await resolve('/o=x/ou=y/cn=recipients/cn=kim'))).toEqual(['kim@zimbra.test']);
  });

  it.runIf(existsSync(SHARED)).each([
    ['resolve-one', 'alice'],
    ['resolve3', 'example'],
    ['resolve0', 'nosuch'],
  ])('answers in the shape that was captured (%s)', async (capture, entry) => {
    const captured = descend(await readXml(readFileSync(`${SHARED}/captures/ews-server/${capture}.xml`)), 'Body', 'ResolveNamesResponse', 'ResponseMessages', 'ResolveNamesResponseMessage')!;
    const made = await resolve(entry, false);
    const names = (one: XmlElement): readonly string[] => one.children.map(({ name }) => name);
    expect(names(made)).toEqual(names(captured));
    const [ours, theirs] = [made, captured].map((one) => descend(one, 'ResolutionSet', 'Resolution', 'Mailbox'));
    expect(ours && shapeOf(ours)).toEqual(theirs && shapeOf(theirs));
  });

  it('has FindPeople as a 2013 only, page by page and by a query', async () => {
    const find = (offset: number, query = '') => post(`<m:FindPeople ${M}><m:IndexedPageItemView BasePoint="Beginning" Offset="${offset}" MaxEntriesReturned="4"/><m:ParentFolderId><t:DistinguishedFolderId Id="directory"/></m:ParentFolderId>${query === '' ? '' : `<m:QueryString>${query}</m:QueryString>`}</m:FindPeople>`);
    expect((await find(0)).name).toBe('Fault');
    server.setGeneration(2013);
    const [first, second, queried] = [await find(0), await find(4), await find(0, 'dora')];
    expect([first, second, queried].map((one) => [child(one, 'People')?.children.length, childText(one, 'TotalNumberOfPeopleInView')])).toEqual([[4, '6'], [2, '6'], [1, '1']]);
    expect((await find(-1)).name).toBe('Fault');
  });
});

describe('galfind of the stand-in Exchange 2003', () => {
  let server: StandIn;
  beforeEach(async () => {
    const crowd = Array.from({ length: 101 }, (_, index) => ({ address: `x${index}@exch.test`, displayName: `X ${index}` }));
    server = createExchange2003({ username: 'svc', password: 'pass', domain: 'EXCH', calendars: createCalendarStore([...PEOPLE, ...crowd]), clock: CLOCK, auth: 'basic', listed: LISTED });
    await server.listen();
  });
  afterEach(() => server.close());

  const find = async (query: string) => {
    const answer = await fetch(`${server.url}/public/?Cmd=galfind&${query}`, { headers: { authorization: `Basic ${Buffer.from('svc:pass').toString('base64')}` } });
    return child(await readXml(await answer.text()), 'galfind')!.children.map((one) => (one.name === 'item' ? childText(one, 'EM') : one.name));
  };

  it.each([
    ['AN=ali', ['alice@exch.test']],
    ['DN=dora', ['dora@exch.test']],
    ['FN=bob&LN=ex', ['bob@exch.test']],
    ['FN=bob&LN=x', []],
    ['TL=t&CP=c&OF=o&DP=d', ['dora@exch.test']],
    ['AN=x', ['error']],
    ['', []],
  ])('finds by %s', async (query, wanted) => {
    expect(await find(query)).toEqual(wanted);
  });
});
