import { existsSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { askExchangeAbout } from '../../src/sandbox/zimbra-client.ts';
import { rawAnswer, startRawServer } from './raw-server.ts';
import type { RawServer } from './raw-server.ts';
import { SHARED } from '../shared.ts';

const CAPTURE = `${SHARED}/captures/zimbra/webdav-basic-8.8.15.txt`;
const fixture = (name: string): string => readFileSync(new URL(`../../fixtures/sandbox/zimbra-lookup/${name}/message.txt`, import.meta.url), 'utf8');
const at = (text: string): number => Date.parse(text);
const CHALLENGE = rawAnswer('401 Unauthorized', ['WWW-Authenticate: Basic realm="x"']);
const PEOPLE = ['ines@exch.example', "o'brien+x@exch.example"];
const WINDOW = { start: at('2026-04-14T06:22:40Z'), end: at('2026-04-14T17:20:30Z') };

let server: RawServer;
afterEach(() => server.close());

const freeBusyAnswer = (items: string): string => rawAnswer('200 OK', ['Content-Type: text/xml'], `<a:response xmlns:a="WM"><a:recipients>${items}</a:recipients></a:response>`);
const item = (email: string, digits: string): string => `<a:item><a:displayname>x</a:displayname><a:email type="SMTP">${email}</a:email><a:type>1</a:type><a:fbdata>${digits}</a:fbdata></a:item>`;

/** What is shown of 08:07 to 09:00 after an answer; times as HH:MM. */
async function shownAfter(answer: string, addresses: readonly string[] = ['ines@exch.example']): Promise<readonly (readonly string[])[]> {
  server = await startRawServer([CHALLENGE, answer]);
  const shown = await askExchangeAbout(server.url, addresses, { start: at('2026-04-14T08:07:00Z'), end: at('2026-04-14T09:00:00Z') }, { username: 'svc', password: 'p' });
  const time = (ms: number): string => new Date(ms).toISOString().slice(11, 16);
  return shown.map((one) => one.slots.map((slot) => `${time(slot.start)}-${time(slot.end)} ${slot.status}`));
}

describe('the stock Zimbra that asks', () => {
  it('sends byte for byte what 8.8.15 sends with Basic, both requests on one connection', async () => {
    server = await startRawServer([CHALLENGE, freeBusyAnswer('')]);
    await askExchangeAbout(server.url, PEOPLE, WINDOW, { username: 'svc', password: 'sécret' });
    expect(server.received()).toBe(fixture('basic-8.8.15').replaceAll('HOST', server.host).replaceAll('\n', '\r\n'));
    expect(server.connections()).toBe(1);
  });

  it.skipIf(!existsSync(CAPTURE))('sends the captured bytes when it asks the captured question', async () => {
    server = await startRawServer([CHALLENGE, freeBusyAnswer('')]);
    await askExchangeAbout(
      server.url,
      ['alice@exch.test', 'bob@exch.test', 'carol@exch.test'],
      { start: at('2026-03-02T08:00:00Z'), end: at('2026-03-02T12:00:00Z') },
      { username: 'zimbra', password: 'changeme' },
    );
    // The log adds line ends of its own after each request.
    const captured = [1, 2].map((number) => readFileSync(CAPTURE, 'latin1').split(`#### request ${number} (conn 60524)\n`)[1]!.split(`\n#### end ${number}`)[0]!);
    const bytes = captured.map((one) => one.slice(0, one.indexOf('\r\n\r\n') + 4)).join('');
    expect(bytes.length).toBeGreaterThan(600);
    expect(server.received()).toBe(bytes.replaceAll('127.0.0.1:8181', server.host));
  });

  it('sends byte for byte what 8.8.15 sends with a form: logon before the lookup, cookies as they were set', async () => {
    server = await startRawServer([rawAnswer('302 Found', ['Location: /', 'Set-Cookie: sessionid=abc123,0x409; path=/']), freeBusyAnswer('')]);
    await askExchangeAbout(server.url, PEOPLE, WINDOW, { username: 'dom\\svc+fb', password: 'p&w=d %é', auth: 'form' });
    const expected = fixture('form-8.8.15').replace('HOST_ENCODED', server.host.replace(':', '%3A')).replaceAll('HOST', server.host);
    const body = /^destination=.*$/m.exec(expected)?.[0] ?? '';
    const bytes = expected.replace('LENGTH', String(body.length)).replaceAll('\n', '\r\n').replace(`${body}\r\n`, body);
    expect(server.received()).toBe(bytes);
  });

  it('sends nothing for an address with a blank or a quote, and cuts the query at a #', async () => {
    server = await startRawServer([CHALLENGE, freeBusyAnswer('')]);
    await expect(askExchangeAbout(server.url, ['a b@x.example'], WINDOW, { username: 's', password: 'p' })).rejects.toThrow('nothing is sent');
    expect(server.received()).toBe('');
    await askExchangeAbout(server.url, ['a#b@x.example', 'c@x.example'], WINDOW, { username: 's', password: 'p' });
    expect(server.received()).toContain('&u=SMTP:a HTTP/1.1\r\n');
  });

  it('shows digits from the asked start, the first slot shortened, neighbours merged, what is too long cut off', async () => {
    expect(await shownAfter(freeBusyAnswer(item('Ines@Exch.example', '2213'.padEnd(40, '3'))))).toEqual([['08:07-08:30 busy', '08:30-08:45 tentative', '08:45-09:00 oof']]);
  });

  it('shows a user who is missing, has no digits or unknown ones as free: Zimbra’s own mistake', async () => {
    const free = [['08:07-09:00 free']];
    expect(await shownAfter(freeBusyAnswer(item('other@exch.example', '2222')))).toEqual(free);
    await server.close();
    expect(await shownAfter(freeBusyAnswer(item('ines@exch.example', '')))).toEqual(free);
    await server.close();
    expect(await shownAfter(freeBusyAnswer(item('ines@exch.example', '5x 0')))).toEqual(free);
    await server.close();
    expect(await shownAfter(freeBusyAnswer(item('ines@exch.example', '4')))).toEqual([['08:07-08:15 no-data', '08:15-09:00 free']]);
  });

  it('shows no data for everybody after any status but 200, a challenge without Basic, and what is no XML', async () => {
    const unknown = [['08:07-09:00 no-data'], ['08:07-09:00 no-data']];
    for (const answer of [rawAnswer('207 Multi-Status', [], '<a/>'), rawAnswer('302 Found', ['Location: /x']), rawAnswer('440 Login Timeout', []), rawAnswer('200 OK', [], '<html><br></html>')]) {
      expect(await shownAfter(answer, PEOPLE)).toEqual(unknown);
      await server.close();
    }
    server = await startRawServer([rawAnswer('401 Unauthorized', ['WWW-Authenticate: NTLM'])]);
    const shown = await askExchangeAbout(server.url, PEOPLE, WINDOW, { username: 's', password: 'p' });
    expect(shown.flatMap((one) => one.slots.map((slot) => slot.status))).toEqual(['no-data', 'no-data']);
    expect(server.received()).not.toContain('Authorization');
  });

  it('fails as a whole when the connection is refused', async () => {
    server = await startRawServer([]);
    const { url } = server;
    await server.close();
    await expect(askExchangeAbout(url, PEOPLE, WINDOW, { username: 's', password: 'p' })).rejects.toThrow(/ECONNREFUSED/);
  });
});
