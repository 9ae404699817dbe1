import { existsSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { child, childrenNamed, childText, descend } from '../../src/platform/xml/element.ts';
import { readXml } from '../../src/platform/xml/read.ts';
import { createCalendarStore } from '../../src/sandbox/calendar-store.ts';
import { createExchange2003 } from '../../src/sandbox/exchange-2003.ts';
import type { Exchange2003 } from '../../src/sandbox/exchange-2003.ts';
import type { PublishedMessage, Publication } from '../../src/sandbox/message-folder.ts';
import { SHARED } from '../shared.ts';

const EXAMPLE = new URL('../../fixtures/sandbox/proppatch/worked-example/', import.meta.url);
const BODY = readFileSync(new URL('message.xml', EXAMPLE), 'utf8');
const EXPECTED = JSON.parse(readFileSync(new URL('expected.json', EXAMPLE), 'utf8')) as unknown;
const FOLDER = '/public/NON_IPM_SUBTREE/SCHEDULE%2B%20FREE%20BUSY/EX:_xF8FF_o=Contoso_xF8FF_ou=First%20Administrative%20Group';
const URL_OF_JDOE = `${FOLDER}/USER-_xF8FF_CN=RECIPIENTS_xF8FF_CN=JDOE.EML`;
const DN = '/o=Contoso/ou=First Administrative Group/cn=Recipients/cn=jdoe';
const HEADERS = { 'User-Agent': 'Mozilla/4.0 (compatible; MSIE 6.0)', Authorization: `Basic ${Buffer.from('svc:pass').toString('base64')}`, 'Content-Type': 'text/xml; charset="utf-8"' };
const at = (text: string): number => Date.parse(text);

let server: Exchange2003;
afterEach(() => server.close());

async function start(auth: 'basic' | 'form' = 'basic'): Promise<void> {
  const calendars = createCalendarStore([{ address: 'anna@exch.example', displayName: 'Anna' }]);
  server = createExchange2003({
    username: 'svc', password: 'pass', domain: 'EXCH', calendars, clock: { now: () => at('2026-03-01T12:00:00Z') }, auth,
    organisation: '/o=Contoso/ou=First Administrative Group',
    contacts: (address) => (address === 'jdoe@zimbra.example' ? DN : undefined),
  });
  await server.listen();
}

const ask = (method: string, target: string, body?: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(server.url + target, { method, ...(body === undefined ? {} : { body }), headers: { ...HEADERS, ...headers }, redirect: 'manual' });
const write = (body = BODY, target = URL_OF_JDOE): Promise<Response> => ask('PROPPATCH', target, body);

/** Status line to local names, for each propstat. */
async function propstats(answer: Response): Promise<Readonly<Record<string, readonly string[]>>> {
  const response = child(await readXml(await answer.text()), 'response');
  return Object.fromEntries(childrenNamed(response, 'propstat').map((one) => [childText(one, 'status') ?? '', child(one, 'prop')!.children.map((property) => property.name)] as const));
}

function decoded(message: PublishedMessage | undefined): unknown {
  const iso = (instant: number): string => new Date(instant).toISOString();
  const { legacyExchangeDn, subject, publishStart, publishEnd, intervals } = message!;
  return {
    legacyExchangeDn, subject, publishStart: iso(publishStart), publishEnd: iso(publishEnd),
    intervals: Object.fromEntries(Object.entries(intervals).map(([name, spans]) => [name, spans.map((one) => [iso(one.start), iso(one.end)])])),
  };
}

describe('PROPPATCH at the stand-in Exchange 2003', () => {
  it('takes the request of exchange.md §2.2 and decodes the events that it was made from', async () => {
    await start();
    const answer = await write();
    expect(answer.status).toBe(207);
    const text = await answer.text();
    // The status stands before the properties, as in the captures.
    expect(text.indexOf('HTTP/1.1 200 OK')).toBeLessThan(text.indexOf('<a:prop>'));
    expect(childText(child(await readXml(text), 'response'), 'status')).toBe('HTTP/1.1 201 Created');
    expect(descend(await readXml(text), 'response', 'propstat', 'prop')?.children).toHaveLength(17);
    expect(server.published().map(decoded)).toEqual([EXPECTED]);
    expect(server.published()[0]).toMatchObject({ writes: 1, operation: 'PROPPATCH', writtenAt: at('2026-03-01T12:00:00Z'), publishedAt: at('2026-02-27T12:34:56Z') });
  });

  it('gives back by PROPFIND what was written, and takes it away with DELETE', async () => {
    await start();
    await write();
    const found = await readXml(await (await ask('PROPFIND', URL_OF_JDOE.toLowerCase())).text());
    const properties = descend(found, 'response', 'propstat', 'prop');
    expect(child(properties, 'x68541102')?.children.map((one) => one.text)).toEqual(['vDQWNeitYK4=', 'AAB4AA==']);
    expect(childText(properties, 'x68470003')).toBe('223613280');
    expect(childText(properties, 'subject')).toBe('USER-/CN=RECIPIENTS/CN=JDOE');
    expect((await ask('DELETE', URL_OF_JDOE)).status).toBe(204);
    expect((await ask('DELETE', URL_OF_JDOE)).status).toBe(404);
    expect((await ask('PROPFIND', URL_OF_JDOE)).status).toBe(404);
    expect(server.published()).toEqual([]);
  });

  it('finds messages by SEARCH, and refuses SQL that breaks the rules', async () => {
    await start();
    await write();
    const search = async (sql: string): Promise<Response> => ask('SEARCH', `${FOLDER}/`, `<D:searchrequest xmlns:D="DAV:"><D:sql>${sql}</D:sql></D:searchrequest>`);
    const select = 'SELECT "http://schemas.microsoft.com/mapi/proptag/x68531003", "DAV:href" FROM Scope(\'SHALLOW TRAVERSAL OF ""\')';
    const one = await readXml(await (await search(`${select} WHERE "http://schemas.microsoft.com/mapi/subject" = 'user-/cn=recipients/CN=jdoe'`)).text());
    expect(one.children).toHaveLength(1);
    expect(descend(one, 'response', 'propstat', 'prop', 'x68531003')?.children.map((value) => value.text)).toEqual(['32419', '32420']);
    // The stand-in's own Anna and the written one.
    expect((await readXml(await (await search(select)).text())).children).toHaveLength(2);
    expect((await readXml(await (await search(`${select} WHERE "http://schemas.microsoft.com/mapi/subject" = 'it''s nobody'`)).text())).children).toHaveLength(0);
    expect((await search(`${select} WHERE "http://schemas.microsoft.com/mapi/subject" = "USER-"`)).status).toBe(400);
    expect((await search('SELECT  FROM x')).status).toBe(400);
    expect((await ask('SEARCH', FOLDER.replace('Contoso', 'Other'), '<a/>')).status).toBe(404);
  });

  it('replaces, removes and keeps: properties that an update does not name stay', async () => {
    await start();
    await write();
    const events: Publication[] = [];
    const stop = server.onPublished((publication) => events.push(publication));
    const update = `<D:propertyupdate xmlns:D="DAV:" xmlns:p="http://schemas.microsoft.com/mapi/proptag/" xmlns:t="urn:uuid:c2f41010-65b3-11d1-a29f-00aa00c14882/" xmlns:x="xml:"><D:set><D:prop>
      <p:x68501102 t:dt="mv.bin.base64"><x:v>vDQWNeitYK4=</x:v><x:v>AAB4AA==</x:v></p:x68501102></D:prop></D:set>
      <D:remove><D:prop><p:x68551003/><p:x68561102/><p:x686e000b/></D:prop></D:remove></D:propertyupdate>`;
    const answer = await write(update);
    expect(await answer.clone().text()).not.toContain('201 Created');
    expect(await propstats(answer)).toEqual({ 'HTTP/1.1 200 OK': ['x68501102', 'x68551003', 'x68561102', 'x686e000b'] });
    const [message] = server.published();
    expect(message!.intervals.away).toEqual([]);
    expect(message!.intervals.tentative).toHaveLength(1);
    expect(message!.writes).toBe(2);
    expect(events).toEqual([{ operation: 'PROPPATCH', legacyExchangeDn: DN, message }]);
    stop();
    await ask('DELETE', URL_OF_JDOE);
    expect(events).toHaveLength(1);
  });

  const without = (name: string): string => BODY.replace(new RegExp(`<[pm]:${name}.*?</[pm]:${name}>`), '');
  const withBusy = (months: string, blocks: string): string => {
    const lists = (texts: string): string => texts.split(' ').map((one) => `<x:v>${one === '-' ? '' : one}</x:v>`).join('');
    return BODY.replace(/(<p:x68531003[^>]*>).*?(<\/p)/, `$1${lists(months)}$2`).replace(/(<p:x68541102[^>]*>).*?(<\/p)/, `$1${lists(blocks)}$2`);
  };
  it.each([
    ['integers as text', BODY.replaceAll('t:dt="int"', ''), ['x68470003', 'x68480003', 'x68410003', 'x3ff10003']],
    ['a dt of another type', BODY.replace('t:dt="dateTime.tz"', 't:dt="string"'), ['x68680040']],
    ['a dt of another namespace', BODY.replace('t:dt="boolean"', 'D:dt="boolean"'), ['x10f2000b']],
    ['hexadecimal minutes, as Zimbra writes them', BODY.replace('>223613280', '>0x0d541160'), ['x68470003']],
    ['a boolean in words', BODY.replace('boolean">1', 'boolean">true'), ['x10f2000b']],
    ['a time without a zone', BODY.replace('56.000Z', '56.000'), ['x68680040']],
    ['values of another namespace', BODY.replace('<x:v>u2LoYg==</x:v>', '<D:v>u2LoYg==</D:v>'), ['x68521102']],
    ['a property of another type under its id', BODY.replaceAll('x68511003', 'x68510003').replace('t:dt="mv.int"><x:v>32419</x:v></p:x68510003>', 't:dt="int">32419</p:x68510003>'), ['x68510003']],
    ['a property twice', BODY.replace('</D:prop>', '<p:x68480003 t:dt="int">223745760</p:x68480003></D:prop>'), ['x68480003', 'x68480003']],
    ['a property of the delegates', BODY.replace('</D:prop>', '<p:x6844101F t:dt="mv.string"><x:v>a</x:v></p:x6844101F></D:prop>'), ['x6844101f']],
    ['no property of a message', BODY.replace('</D:prop>', '<D:getetag>1</D:getetag></D:prop>'), ['getetag']],
    ['no subject', without('subject'), ['subject']],
    ['no legacyExchangeDN', without('x6849001F'), ['x6849001f']],
    ['no publish range', without('x68480003'), ['x68480003']],
    ['no range timestamp', without('x68680040'), ['x68680040']],
    ['a reversed publish range', BODY.replace('223745760', '223613280'), ['x68480003']],
    ['the legacyExchangeDN of somebody else', BODY.replace('cn=jdoe<', 'cn=other<'), ['subject']],
    ['the legacyExchangeDN of another folder', BODY.replace('o=Contoso', 'o=Other'), ['x6849001f']],
    ['months and blocks that do not match', withBusy('32419 32420', 'vDQWNeitYK4='), ['x68541102']],
    ['months that do not ascend', withBusy('32420 32419', 'AAB4AA== vDQWNeitYK4='), ['x68531003']],
    ['the same month twice', withBusy('32419 32419', 'vDQWNQ== 6K1grg=='), ['x68531003']],
    ['Zimbra’s month 13', withBusy('32419 32429', 'vDQWNeitYK4= AAB4AA=='), ['x68531003']],
    ['month 0', withBusy('32416 32420', 'vDQWNeitYK4= AAB4AA=='), ['x68531003']],
    // B0 04 00 00: 1200 to 0; BC 34 16: three bytes; E8 AD 64 AE: 44520 to 44644.
    ['a pair that ends before it starts', withBusy('32419 32420', 'sAQAAA== AAB4AA=='), ['x68541102']],
    ['bytes that are no pairs', withBusy('32419 32420', 'vDQW AAB4AA=='), ['x68541102']],
    ['base64 of a wrong length', withBusy('32419 32420', 'vDQWNeitYK4 AAB4AA=='), ['x68541102']],
    ['base64 that is none', withBusy('32419 32420', 'vDQ*NeitYK4= AAB4AA=='), ['x68541102']],
    ['a pair over the end of its month', withBusy('32419 32420', '6K1krg== AAB4AA=='), ['x68541102']],
    // 10–20 and 15–30; then 10–20 and 20–30.
    ['pairs that overlap', withBusy('32419 32420', 'CgAUAA8AHgA= AAB4AA=='), ['x68541102']],
    ['pairs that touch and are not one', withBusy('32419 32420', 'CgAUABQAHgA= AAB4AA=='), ['x68541102']],
    ['a type with nothing in it', withBusy('32419 32420', '- -'), ['x68541102']],
    ['months without blocks', without('x68541102'), ['x68531003']],
    ['something outside of the publish range', BODY.replace('223613280', '223628160'), ['x68501102', 'x68541102']],
    ['merged with the tentative, as Zimbra has it', BODY.replace(/(<p:x68501102[^>]*><x:v>)vDQWNeitYK4=/, '$1vDQWNbti6GLorWCu'), ['x68501102']],
    ['merged without the away', BODY.replace('<x:v>AAB4ACAcQDg=</x:v>', '<x:v>AAB4AA==</x:v>'), ['x68501102']],
  ])('refuses %s with 422 and the rest with 424, and stores nothing', async (_, body, refused) => {
    await start();
    const answer = await write(body);
    expect(answer.status).toBe(207);
    const found = await propstats(answer);
    expect(found['HTTP/1.1 422 Unprocessable Entity']).toEqual(refused);
    expect(found['HTTP/1.1 424 Failed Dependency']!.length).toBeGreaterThan(10);
    expect(found['HTTP/1.1 200 OK']).toBeUndefined();
    expect(server.published()).toEqual([]);
  });

  it('keeps what was there when an update is refused', async () => {
    await start();
    await write();
    await write(BODY.replace('223745760', '1'));
    expect(server.published().map(decoded)).toEqual([EXPECTED]);
    expect(server.published()[0]!.writes).toBe(1);
  });

  it.skipIf(!existsSync(`${SHARED}/captures/zimbra`))('refuses what a stock Zimbra pushes: it copies none of the mistakes that real servers tolerate', async () => {
    await start();
    const capture = readFileSync(`${SHARED}/captures/zimbra/webdav-basic-8.8.15.txt`, 'utf8');
    const body = /<D:propertyupdate.*?<\/D:propertyupdate>/s.exec(capture)![0];
    const found = await propstats(await write(body, URL_OF_JDOE.replace('JDOE', 'james')));
    expect(found['HTTP/1.1 422 Unprocessable Entity']).toEqual(expect.arrayContaining(['x68470003', 'x68480003', 'x68410003']));
    expect(found['HTTP/1.1 200 OK']).toBeUndefined();
  });

  it('is 409 without the folder, 403 without the right, and fails in the other ways it is told to', async () => {
    await start();
    expect((await write(BODY, URL_OF_JDOE.replace('Contoso', 'Other'))).status).toBe(409);
    for (const [mode, status] of [['no-folder', 409], ['denied', 403], ['locked', 423], ['full', 507], ['busy', 503]] as const) {
      server.setWriting(mode);
      const answer = await write();
      expect([mode, answer.status, server.published()]).toEqual([mode, status, []]);
      if (mode === 'busy') expect(answer.headers.get('retry-after')).toBe('1');
    }
    expect((await ask('DELETE', URL_OF_JDOE)).status).toBe(503);
    server.setWriting('refuse:0x6854');
    expect((await propstats(await write()))['HTTP/1.1 422 Unprocessable Entity']).toEqual(['x68541102']);
    server.setWriting('allowed');
    expect((await write()).status).toBe(207);
  });

  it('keeps preconditions, and lets nobody write about people of its own or signed in wrongly', async () => {
    await start();
    expect((await ask('PROPPATCH', URL_OF_JDOE, BODY, { 'If-Match': '*' })).status).toBe(412);
    expect((await ask('PROPPATCH', URL_OF_JDOE, BODY, { 'If-None-Match': '*' })).status).toBe(207);
    expect((await ask('PROPPATCH', URL_OF_JDOE, BODY, { 'If-None-Match': '*' })).status).toBe(412);
    expect((await write(BODY, URL_OF_JDOE.replace('JDOE', 'ANNA'))).status).toBe(403);
    expect((await ask('DELETE', URL_OF_JDOE.replace('JDOE', 'ANNA'))).status).toBe(403);
    expect((await ask('PROPPATCH', URL_OF_JDOE, BODY, { Authorization: 'Basic bm86bm8=' })).status).toBe(401);
    await server.close();
    await start('form');
    const answer = await write();
    expect(answer.status).toBe(440);
  });

  it.each([
    ['no XML', '<broken'],
    ['another document', '<D:propfind xmlns:D="DAV:"/>'],
    ['a DOCTYPE', '<!DOCTYPE x [<!ENTITY a "b">]><D:propertyupdate xmlns:D="DAV:"/>'],
    ['nothing to change', '<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop/></D:set></D:propertyupdate>'],
    ['nothing at all', ''],
    ['instructions of another namespace', '<D:propertyupdate xmlns:D="DAV:"><set><prop/></set></D:propertyupdate>'],
  ])('answers 400 to %s', async (_, body) => {
    await start();
    expect((await write(body)).status).toBe(400);
  });

  it('answers 415 to a body that does not say it is XML, 404 outside of a message, and bears names from anywhere', async () => {
    await start();
    expect((await ask('PROPPATCH', URL_OF_JDOE, BODY, { 'Content-Type': 'text/plain' })).status).toBe(415);
    expect((await write(BODY, `${FOLDER}/`)).status).toBe(404);
    expect((await write(BODY, '/public/NON_IPM_SUBTREE/%FF%zz')).status).toBe(404);
    const odd = await write(BODY.replace('</D:prop>', '<Ω xmlns="u:&lt;&quot;"/></D:prop>'));
    expect((await propstats(odd))['HTTP/1.1 422 Unprocessable Entity']).toEqual(['Ω']);
  });
});

describe('looking at somebody whose message was written', () => {
  it('shows the message’s digits, 4 outside of its range, and 4 for who has none', async () => {
    await start();
    const look = async (start: string, end: string): Promise<string | undefined> => {
      const answer = await ask('GET', `/public/?cmd=freebusy&start=${start}&end=${end}&interval=60&u=SMTP:jdoe@zimbra.example`);
      return childText(childrenNamed(child(await readXml(await answer.text()), 'recipients'), 'item')[1], 'fbdata');
    };
    expect(await look('2026-03-10T08:00:00Z', '2026-03-10T12:00:00Z')).toBe('4444');
    await write();
    expect(await look('2026-03-10T08:00:00Z', '2026-03-10T12:00:00Z')).toBe('0220');
    expect(await look('2026-03-31T21:00:00Z', '2026-04-01T03:00:00Z')).toBe('022220');
    expect(await look('2026-03-18T13:00:00Z', '2026-03-18T15:00:00Z')).toBe('10');
    expect(await look('2026-04-05T23:00:00Z', '2026-04-06T01:00:00Z')).toBe('03');
    expect(await look('2026-02-28T22:00:00Z', '2026-03-01T01:00:00Z')).toBe('440');
    expect(await look('2026-05-31T23:00:00Z', '2026-06-01T01:00:00Z')).toBe('04');
  });
});

describe('waiting for a message', () => {
  it('ends with the next one that is wanted, and fails when none comes', async () => {
    await start();
    const second = server.nextPublished(DN.toUpperCase(), 5_000, (message) => message.writes === 2);
    await write();
    await write();
    expect((await second).writes).toBe(2);
    await expect(server.nextPublished(DN, 20)).rejects.toThrow(/no message about .* within 20 ms/);
  });
});
