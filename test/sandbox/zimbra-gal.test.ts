import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { attribute, child, childText, childrenNamed, descend } from '../../src/platform/xml/element.ts';
import type { XmlElement } from '../../src/platform/xml/element.ts';
import { readXml } from '../../src/platform/xml/read.ts';
import { createCalendarStore } from '../../src/sandbox/calendar-store.ts';
import type { CalendarStore } from '../../src/sandbox/calendar-store.ts';
import { createZimbra } from '../../src/sandbox/zimbra.ts';
import type { Zimbra } from '../../src/sandbox/zimbra.ts';

let server: Zimbra;
let calendars: CalendarStore;
let token: string;
beforeEach(async () => {
  calendars = createCalendarStore([{ address: 'kim@zimbra.example', displayName: 'Kim Kowalski' }, { address: 'room@zimbra.example', displayName: 'Room One' }, { address: 'galsync@zimbra.example', displayName: 'GAL' }]);
  const detailsOf = (address: string): object => (address.startsWith('room') ? { resource: 'Location' } : address.startsWith('galsync') ? { isSystem: true } : {});
  server = createZimbra({ username: 'svc@zimbra.example', password: 's3', calendars, clock: { now: () => Date.UTC(2026, 10, 29, 12) }, detailsOf });
  await server.listen();
  token = childText(await soap('<AuthRequest xmlns="urn:zimbraAccount"><account by="name">svc@zimbra.example</account><password>s3</password></AuthRequest>', ''), 'authToken')!;
});
afterEach(() => server.close());

async function soap(operation: string, withToken = token): Promise<XmlElement> {
  const header = withToken === '' ? '' : `<soap:Header><context xmlns="urn:zimbra"><authToken>${withToken}</authToken></context></soap:Header>`;
  const answer = await fetch(`${server.url}/service/soap/`, { method: 'POST', body: `<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope">${header}<soap:Body>${operation}</soap:Body></soap:Envelope>` });
  return child(await readXml(await answer.text()), 'Body')!.children[0]!;
}

const sync = (keys = ''): Promise<XmlElement> => soap(`<SyncGalRequest xmlns="urn:zimbraAccount" ${keys}/>`);
const search = (name: string, keys = ''): Promise<XmlElement> => soap(`<SearchGalRequest xmlns="urn:zimbraAccount" ${keys}><name>${name}</name></SearchGalRequest>`);
const values = (cn: XmlElement | undefined, name: string): readonly string[] => childrenNamed(cn, 'a').filter((one) => attribute(one, 'n') === name).map((one) => one.text);
const names = (answer: XmlElement): readonly string[] => childrenNamed(answer, 'cn').map((cn) => values(cn, 'fullName')[0]!);
const code = (answer: XmlElement): string | undefined => childText(descend(answer, 'Detail', 'Error'), 'Code');

describe('the address book of the stand-in Zimbra', () => {
  it('tells everybody but system accounts, then what changed, then who is gone (zimbra.md §6.1)', async () => {
    const first = await sync();
    expect([names(first), attribute(first, 'more'), childrenNamed(first, 'deleted').length]).toEqual([['Kim Kowalski', 'Room One'], '0', 0]);
    const [kim, room] = first.children;
    expect([values(kim, 'firstName'), values(kim, 'lastName'), values(kim, 'email'), values(room, 'zimbraCalResType'), values(room, 'firstName')]).toEqual([['Kim'], ['Kowalski'], ['kim@zimbra.example'], ['Location'], []]);
    expect(attribute(first, 'token')).toMatch(/^20261129120000Z:[0-9a-f-]{36}:\d+$/);
    server.gal.rename('kim@zimbra.example', 'Kim Kaiser');
    server.gal.remove('room@zimbra.example');
    server.gal.put('new@zimbra.example', 'New One', { zimbraId: 'x' });
    const second = await sync(`token="${attribute(first, 'token')}"`);
    expect(names(second)).toEqual(['Kim Kaiser', 'New One']);
    expect(attribute(second.children[0], 'id')).toBe(attribute(kim, 'id'));
    expect(childrenNamed(second, 'deleted').map((one) => attribute(one, 'id'))).toEqual([attribute(room, 'id')]);
    const third = await sync(`token="${attribute(second, 'token')}"`);
    expect([third.children.length, attribute(third, 'token')]).toEqual([0, attribute(second, 'token')]);
  });

  it('finds an account that was opened since, once', async () => {
    const first = await sync();
    calendars.addMailbox({ address: 'late@zimbra.example', displayName: 'Late Comer' });
    expect(names(await sync(`token="${attribute(first, 'token')}"`))).toEqual(['Late Comer']);
    server.gal.remove('late@zimbra.example');
    expect(names(await sync())).toEqual(['Kim Kowalski', 'Room One']);
  });

  it('pages, the full page with another behind it; ids only where asked', async () => {
    const first = await sync('limit="1" idOnly="1"');
    expect([attribute(first, 'more'), first.children.length, first.children[0]!.children.length]).toEqual(['1', 1, 0]);
    const second = await sync(`limit="1" token="${attribute(first, 'token')}"`);
    expect([attribute(second, 'more'), names(second)]).toEqual(['1', ['Room One']]);
    const third = await sync(`limit="1" token="${attribute(second, 'token')}"`);
    expect([attribute(third, 'more'), third.children.length]).toEqual(['0', 0]);
  });

  it('takes a token of another synchronisation account for none', async () => {
    const first = await sync();
    server.gal.startOver();
    const second = await sync(`token="${attribute(first, 'token')}"`);
    expect(names(second)).toEqual(['Kim Kowalski', 'Room One']);
    expect(attribute(second.children[0], 'id')).not.toBe(attribute(first.children[0], 'id'));
  });

  it('throttles, recommends and refuses as a test has it', async () => {
    server.gal.throttledAnswers = 1;
    const throttled = await sync('token="t"');
    expect([attribute(throttled, 'throttled'), attribute(throttled, 'token'), throttled.children.length]).toEqual(['1', 't', 0]);
    server.gal.recommendsFullSync = true;
    expect(attribute(await sync(), 'fullSyncRecommended')).toBe('1');
    server.gal.maySync = false;
    expect(code(await sync())).toBe('service.PERM_DENIED');
    expect(code(await soap('<SyncGalRequest xmlns="urn:zimbraAccount"/>', ''))).toBe('service.AUTH_REQUIRED');
  });

  it('searches anywhere in names and addresses, and completes from their beginnings', async () => {
    expect(names(await search('owal'))).toEqual(['Kim Kowalski']);
    for (const everybody of ['*', '.', '']) expect(names(await search(everybody))).toHaveLength(2);
    server.gal.maxResults = 1;
    const cut = await search('*', 'limit="10"');
    expect([attribute(cut, 'more'), names(cut).length]).toEqual(['1', 1]);
    expect(names(await soap('<AutoCompleteGalRequest xmlns="urn:zimbraAccount" name="kow"/>'))).toEqual(['Kim Kowalski']);
    expect(names(await soap('<AutoCompleteGalRequest xmlns="urn:zimbraAccount" name="owal"/>'))).toEqual([]);
    expect(names(await soap('<AutoCompleteGalRequest xmlns="urn:zimbraAccount" name="r"/>'))).toEqual([]);
    expect(names(await soap('<AutoCompleteGalRequest xmlns="urn:zimbraAccount" name="r" type="resource"/>'))).toEqual(['Room One']);
    expect(code(await soap('<SearchGalRequest xmlns="urn:zimbraAccount"/>'))).toBe('service.INVALID_REQUEST');
    expect(code(await soap('<AutoCompleteGalRequest xmlns="urn:zimbraAccount"/>'))).toBe('service.INVALID_REQUEST');
    server.gal.maySearch = false;
    expect(code(await search('*'))).toBe('service.PERM_DENIED');
  });
});
