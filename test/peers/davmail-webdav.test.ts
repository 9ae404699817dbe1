import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasDavmail, startDavmail } from './davmail.ts';
import type { Davmail } from './davmail.ts';
import { ldapSearch } from './ldap-search.ts';
import { PEER, openPeerWorld } from './peer-world.ts';
import type { PeerWorld } from './peer-world.ts';

const DAY = Date.UTC(2027, 2, 10);
const at = (hour: number, minute = 0): number => DAY + (hour * 60 + minute) * 60_000;
const AUTHORIZATION = `Basic ${Buffer.from(`${PEER.username}:${PEER.password}`).toString('base64')}`;

/** Where its users begin: the address with Basic, and the one with the form. */
describe.skipIf(!hasDavmail).each(['exchange/', 'owa'])('DavMail in WebDav mode at /%s (skipped without the Debian package davmail)', (start) => {
  let world: PeerWorld;
  let davmail: Davmail;
  beforeAll(async () => {
    world = await openPeerWorld();
    davmail = await startDavmail({ mode: 'WebDav', url: `${world.bridge.url}/${start}` });
  }, 90_000);
  afterAll(async () => {
    await davmail?.stop();
    await world?.close();
  }, 30_000);

  async function dav(method: string, path: string, body: string, headers: Readonly<Record<string, string>> = {}): Promise<{ readonly status: number; readonly body: string }> {
    const response = await fetch(`http://127.0.0.1:${davmail.caldavPort}${path}`, {
      method,
      body,
      headers: { authorization: AUTHORIZATION, 'content-type': 'text/xml', ...headers },
      signal: AbortSignal.timeout(20_000),
    });
    return { status: response.status, body: await response.text() };
  }

  /** A question to the outbox as CalDAV clients ask it (RFC 6638 §5): FREEBUSY lines by recipient. DavMail leaves out whom nobody knows. */
  async function freeBusy(...attendees: readonly string[]): Promise<Readonly<Record<string, readonly string[]>>> {
    const lines = ['BEGIN:VCALENDAR', 'PRODID:-//peer//EN', 'VERSION:2.0', 'METHOD:REQUEST', 'BEGIN:VFREEBUSY', 'UID:one', 'DTSTAMP:20270301T000000Z', 'DTSTART:20270310T000000Z', 'DTEND:20270311T000000Z'];
    lines.push(`ORGANIZER:mailto:${PEER.username}`, ...attendees.map((one) => `ATTENDEE:mailto:${one}`), 'END:VFREEBUSY', 'END:VCALENDAR', '');
    const answer = await dav('POST', `/users/${PEER.username}/outbox/`, lines.join('\r\n'), { 'content-type': 'text/calendar; charset=utf-8' });
    expect(answer.status, answer.body + davmail.log()).toBe(200);
    const responses = answer.body.split('<C:response>').slice(1);
    return Object.fromEntries(
      responses.map((one) => [/<D:href>mailto:([^<]*)<\/D:href>/.exec(one)![1]!, [...one.matchAll(/^FREEBUSY;([^\r\n]*)/gm)].map((found) => found[1]!)]),
    );
  }

  it('shows an appointment made in Zimbra, and one made in Exchange, with the next question', async () => {
    const both = ['kim@zimbra.example', 'anna@corp.example'];
    expect(await freeBusy(...both)).toEqual({ 'kim@zimbra.example': [], 'anna@corp.example': [] });
    world.zimbra.add('kim@zimbra.example', { start: at(9), end: at(10, 30), type: 'busy' });
    world.exchange.add('anna@corp.example', { start: at(14), end: at(15), type: 'tentative' });
    world.exchange.add('anna@corp.example', { start: at(16), end: at(17), type: 'oof' });
    const known = await freeBusy(...both);
    expect(known['kim@zimbra.example']).toEqual(['FBTYPE=BUSY:20270310T090000Z/20270310T103000Z']);
    expect([...known['anna@corp.example']!].sort()).toEqual(['FBTYPE=BUSY-TENTATIVE:20270310T140000Z/20270310T150000Z', 'FBTYPE=BUSY-UNAVAILABLE:20270310T160000Z/20270310T170000Z']);
  }, 60_000);

  it('learns that somebody is unknown, and nothing about anybody else by it', async () => {
    const before = await freeBusy('kim@zimbra.example');
    expect(await freeBusy('ghost@zimbra.example', 'kim@zimbra.example', 'kim@elsewhere.example')).toEqual(before);
  }, 60_000);

  it('finds whom its LDAP search names whole, and nobody else', async () => {
    const search = (attribute: string, value: string) => ldapSearch(davmail.ldapPort, { ...PEER, filter: [attribute, value] });
    for (const attribute of ['cn', 'uid']) expect((await search(attribute, 'kim@zimbra.example')).map((one) => one['mail']), davmail.log()).toEqual([['kim@zimbra.example']]);
    for (const text of ['kim', 'kim@', 'zimbra.example', 'kim@elsewhere.example', '%@zimbra.example']) expect(await search('cn', text), text).toEqual([]);
  }, 60_000);

  it('finds an empty calendar of its own user, and none of anybody else, existing or not', async () => {
    const propfind = '<D:propfind xmlns:D="DAV:"><D:prop><D:resourcetype/><D:getetag/></D:prop></D:propfind>';
    const home = await dav('PROPFIND', `/users/${PEER.username}/`, propfind, { depth: '1' });
    expect(home.status, davmail.log()).toBe(207);
    const own = await dav('PROPFIND', `/users/${PEER.username}/calendar/`, propfind, { depth: '1' });
    expect([own.status, own.body.match(/<D:response>/g)?.length]).toEqual([207, 1]);
    const others = await Promise.all(['kim@zimbra.example', 'ghost@zimbra.example'].map((one) => dav('PROPFIND', `/users/${one}/calendar/`, propfind, { depth: '0' })));
    expect(others[0]!.status).toBeGreaterThanOrEqual(400);
    expect(others[1]).toEqual(others[0]);
  }, 60_000);

  it('is refused with a wrong password', async () => {
    const wrong = `Basic ${Buffer.from(`${PEER.username}:wrong`).toString('base64')}`;
    const refused = await dav('PROPFIND', '/', '<D:propfind xmlns:D="DAV:"><D:prop><D:displayname/></D:prop></D:propfind>', { depth: '0', authorization: wrong });
    // Where it began with Basic, DavMail makes a 503 of the bridge's 401, and names it.
    expect(`${refused.status} ${refused.body}`).toMatch(/\b401\b/);
    expect(world.bridge.process.stdout + world.bridge.process.stderr).toContain('AUTH_FAILED');
  }, 60_000);
});
