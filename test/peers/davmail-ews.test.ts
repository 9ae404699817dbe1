import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hasDavmail, startDavmail } from './davmail.ts';
import type { Davmail } from './davmail.ts';
import { ldapSearch } from './ldap-search.ts';
import { openPeerWorld, PEER } from './peer-world.ts';
import type { PeerWorld } from './peer-world.ts';

const HOUR = 3_600_000;
/** A whole hour a day ahead: DavMail asks in slots of its own, which begin there. */
const START = Math.ceil(Date.now() / HOUR) * HOUR + 24 * HOUR;
/** Somebody who signs in with a name that is no address: DavMail has to find its address out. */
const WINDOWS_USER = { username: 'CORP\\anna', password: 'pw-of-anna' } as const;
const PERMISSIONS = { from: 'outside', mayAsk: ['zimbra', 'exchange'], detail: 'details' } as const;

const basic = ({ username, password }: { readonly username: string; readonly password: string }): string => `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
const stamp = (instant: number): string => new Date(instant).toISOString().replace(/[-:]|\.\d{3}/g, '');

/** DavMail (Debian's package, 6.0.1) in EWS mode: a gateway from CalDAV and LDAP to an Exchange, which is the bridge. Skipped where it is not installed. */
describe.skipIf(!hasDavmail)('DavMail in EWS mode', () => {
  let world: PeerWorld;
  let davmail: Davmail;
  beforeAll(async () => {
    world = await openPeerWorld({ clients: [{ name: 'peer', ...PEER, ...PERMISSIONS }, { name: 'anna@corp.example', ...WINDOWS_USER, ...PERMISSIONS }] });
    davmail = await startDavmail({ mode: 'EWS', url: `${world.bridge.url}/EWS/Exchange.asmx` });
  }, 120_000);
  afterAll(async () => {
    await davmail?.stop();
    await world?.close();
  });
  beforeEach(() => {
    for (const address of ['kim@zimbra.example', 'lee@zimbra.example']) world.zimbra.clear(address);
    world.exchange.clear('anna@corp.example');
  });

  async function dav(method: string, path: string, body: string, headers: Readonly<Record<string, string>> = {}): Promise<{ readonly status: number; readonly body: string }> {
    const answer = await fetch(`http://127.0.0.1:${davmail.caldavPort}${path}`, { method, headers: { authorization: basic(PEER), 'content-type': 'text/xml; charset=utf-8', ...headers }, body });
    return { status: answer.status, body: await answer.text() };
  }

  /** What a calendar program gets for a VFREEBUSY request to the outbox (RFC 6638 §5): attendee → its FREEBUSY lines; who has no answer is missing. */
  async function freeBusy(...attendees: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    const lines = [
      'BEGIN:VCALENDAR',
      'VERSION:2.0',
      'PRODID:-//test//EN',
      'METHOD:REQUEST',
      'BEGIN:VFREEBUSY',
      'UID:4FD3AD926350',
      `DTSTAMP:${stamp(START)}`,
      `DTSTART:${stamp(START)}`,
      `DTEND:${stamp(START + 4 * HOUR)}`,
      `ORGANIZER:mailto:${PEER.username}`,
      ...attendees.map((one) => `ATTENDEE:mailto:${one}`),
      'END:VFREEBUSY',
      'END:VCALENDAR',
      '',
    ];
    const { status, body } = await dav('POST', `/users/${PEER.username}/outbox/`, lines.join('\r\n'), { 'content-type': 'text/calendar; charset=utf-8' });
    expect(status, davmail.log()).toBe(200);
    const responses = [...body.matchAll(/<C:response>([\s\S]*?)<\/C:response>/g)].map(([, response]) => response!);
    return new Map(responses.map((one) => [/mailto:([^<]*)</.exec(one)![1]!, [...one.matchAll(/^FREEBUSY.*$/gm)].map(([line]) => line.trim())]));
  }

  const period = (type: string, from: number, to: number): string => `FREEBUSY;FBTYPE=${type}:${stamp(START + from * HOUR)}/${stamp(START + to * HOUR)}`;
  const entry = (from: number, to: number) => ({ start: START + from * HOUR, end: START + to * HOUR });

  it('sees an appointment that was made a moment ago, and sees it go', async () => {
    expect(await freeBusy('kim@zimbra.example')).toEqual(new Map([['kim@zimbra.example', []]]));
    const { id } = world.zimbra.add('kim@zimbra.example', { ...entry(1, 2.5), type: 'busy', subject: 'Review' });
    expect((await freeBusy('kim@zimbra.example')).get('kim@zimbra.example')).toEqual([period('BUSY', 1, 2.5)]);
    world.zimbra.remove('kim@zimbra.example', id);
    expect((await freeBusy('kim@zimbra.example')).get('kim@zimbra.example')).toEqual([]);
  });

  it('sees each kind of busyness, of both sides', async () => {
    world.zimbra.add('kim@zimbra.example', { ...entry(0, 1), type: 'tentative' });
    world.zimbra.add('kim@zimbra.example', { ...entry(3, 4), type: 'oof' });
    world.exchange.add('anna@corp.example', { ...entry(2, 3), type: 'busy' });
    const found = await freeBusy('anna@corp.example', 'kim@zimbra.example');
    expect(new Set(found.get('kim@zimbra.example'))).toEqual(new Set([period('BUSY-TENTATIVE', 0, 1), period('BUSY-UNAVAILABLE', 3, 4)]));
    expect(found.get('anna@corp.example')).toEqual([period('BUSY', 2, 3)]);
  });

  it('gets no answer for whom nobody knows, and nobody else\'s time moves', async () => {
    world.zimbra.add('kim@zimbra.example', { ...entry(0, 1), type: 'busy' });
    world.zimbra.add('lee@zimbra.example', { ...entry(2, 3), type: 'busy' });
    const found = await freeBusy('kim@zimbra.example', 'nobody@zimbra.example', 'somebody@nowhere.example', 'lee@zimbra.example');
    expect(found).toEqual(
      new Map([
        ['kim@zimbra.example', [period('BUSY', 0, 1)]],
        ['lee@zimbra.example', [period('BUSY', 2, 3)]],
      ]),
    );
  });

  it('leads a calendar program to the outbox, past a calendar that is one and empty', async () => {
    const wanted = '<propfind xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:S="http://calendarserver.org/ns/"><prop><resourcetype/><C:schedule-outbox-URL/><S:getctag/></prop></propfind>';
    const principal = await dav('PROPFIND', `/principals/users/${PEER.username}/`, wanted, { depth: '0' });
    expect(principal.body).toContain(`<C:schedule-outbox-URL><D:href>/users/${PEER.username}/outbox/</D:href>`);
    const calendar = await dav('PROPFIND', `/users/${PEER.username}/calendar/`, wanted, { depth: '1' });
    expect([principal.status, calendar.status]).toEqual([207, 207]);
    expect(calendar.body).toMatch(/<D:resourcetype><D:collection\/><C:calendar\/>/);
    expect(calendar.body.match(/<D:response>/g)).toHaveLength(1);
    const everything = '<C:calendar-query xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns="DAV:"><prop><getetag/></prop><C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"/></C:comp-filter></C:filter></C:calendar-query>';
    const events = await dav('REPORT', `/users/${PEER.username}/calendar/`, everything, { depth: '1' });
    expect(events.status).toBe(207);
    expect(events.body).not.toContain('<D:response>');
  });

  it('finds out the address of a user who signs in with a Windows name', async () => {
    const wanted = '<propfind xmlns="DAV:"><prop><current-user-principal/></prop></propfind>';
    const { status, body } = await dav('PROPFIND', '/', wanted, { depth: '0', authorization: basic(WINDOWS_USER) });
    expect(status).toBe(207);
    expect(body).toContain('<D:href>/principals/users/anna@corp.example</D:href>');
  });

  it('is told that an appointment cannot be stored here', async () => {
    const event = ['BEGIN:VCALENDAR', 'VERSION:2.0', 'BEGIN:VEVENT', 'UID:1', `DTSTART:${stamp(START)}`, `DTEND:${stamp(START + HOUR)}`, 'SUMMARY:x', 'END:VEVENT', 'END:VCALENDAR', ''].join('\r\n');
    expect((await dav('PUT', `/users/${PEER.username}/calendar/x.ics`, event, { 'content-type': 'text/calendar' })).status).toBeGreaterThanOrEqual(400);
  });

  it('is refused with a wrong password', async () => {
    const { status } = await dav('PROPFIND', '/', '', { authorization: basic({ ...PEER, password: 'wrong' }) });
    expect(status).toBe(401);
  });

  // DavMail drops what it finds for (mail=…): it looks into its own map under the name of LDAP's attribute, and only uid and cn are called alike there.
  const search = (attribute: string, value: string) => ldapSearch(davmail.ldapPort, { ...PEER, filter: [attribute, value] });

  it.each([
    ['cn', 'kim@zimbra.example'],
    ['uid', 'Kim@Zimbra.example'],
    ['cn', 'anna@corp.example'],
  ])('finds the entry of an exact address by LDAP, by its %s', async (attribute, address) => {
    const entries = await search(attribute, address);
    expect(entries.map(({ mail }) => mail)).toEqual([[address.toLowerCase()]]);
  });

  it.each(['kim', 'kim@zimbra', 'somebody@nowhere.example', '*'])('finds nobody for %s', async (value) => {
    expect(await search('cn', value)).toEqual([]);
  });
});
