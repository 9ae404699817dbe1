import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, basic } from '../flows/raw-http.ts';
import { PEER, hasPeer, openPeerWorld } from './peer-world.ts';
import type { PeerWorld } from './peer-world.ts';

/** Debian's own interpreter: its packages are not there for another one in the PATH. */
const PYTHON = '/usr/bin/python3';
const SCRIPT = fileURLToPath(new URL('python-caldav-ask.py', import.meta.url));
const hour = (number: number): number => Date.UTC(2026, 10, 18, number);

interface Found {
  readonly principal: string;
  readonly home: string;
  readonly calendars: readonly { readonly path: string; readonly name: string; readonly components: readonly string[] }[];
  readonly events: number;
  readonly addresses: readonly string[];
  readonly inbox: string;
  readonly outbox: string;
  readonly scheduling: boolean;
  readonly status: number;
  readonly answers: readonly { readonly recipient: string; readonly status: string; readonly busy: readonly { readonly type: string; readonly noData: boolean; readonly start: string; readonly end: string }[] | null }[];
}

// Skipped where python3-caldav, python3-vobject or python3-lxml is not installed for Debian's Python; never under REQUIRE_PEERS=1.
describe.skipIf(!hasPeer(PYTHON, '-c', 'import caldav, vobject, lxml'))('python3-caldav (skipped where Debian’s package is not installed)', () => {
  let world: PeerWorld;
  beforeAll(async () => {
    world = await openPeerWorld();
    world.zimbra.add('kim@zimbra.example', { start: hour(9), end: hour(10), type: 'busy', subject: 'Budget secret' });
    world.exchange.add('anna@corp.example', { start: hour(12), end: hour(14), type: 'oof', subject: 'Holiday secret' });
  });
  afterAll(async () => world?.close());

  async function askWith(path: string, attendees: readonly string[], more: readonly string[] = []): Promise<Found> {
    const args = [SCRIPT, `${world.bridge.url}${path}`, PEER.username, PEER.password, '20261118T080000', '20261118T180000', ...attendees, ...more];
    const { stdout } = await promisify(execFile)(PYTHON, args, { timeout: 20_000 });
    expect(stdout).not.toContain('secret');
    return JSON.parse(stdout) as Found;
  }

  const KIM_AT_NINE = { type: 'BUSY', noData: false, start: '2026-11-18T09:00:00+00:00', end: '2026-11-18T10:00:00+00:00' };

  it.each(['/caldav/', '/.well-known/caldav', '/'])('finds its way from %s, and everybody’s time by the outbox', async (path) => {
    const found = await askWith(path, ['kim@zimbra.example', 'mailto:Anna@Corp.Example', 'nobody@corp.example', 'somebody@elsewhere.example', 'nobody@zimbra.example']);
    expect(found).toMatchObject({
      principal: '/caldav/principals/peer/',
      home: '/caldav/calendars/peer/',
      calendars: [{ path: '/caldav/calendars/peer/calendar/', components: ['VEVENT'] }],
      events: 0,
      addresses: ['mailto:peer@corp.example'],
      inbox: '/caldav/calendars/peer/inbox/',
      outbox: '/caldav/calendars/peer/outbox/',
      scheduling: true,
      status: 200,
    });
    expect(found.answers).toEqual([
      { recipient: 'mailto:kim@zimbra.example', status: '2.0;Success', busy: [KIM_AT_NINE] },
      { recipient: 'mailto:Anna@Corp.Example', status: '2.0;Success', busy: [{ type: 'BUSY-UNAVAILABLE', noData: false, start: '2026-11-18T12:00:00+00:00', end: '2026-11-18T14:00:00+00:00' }] },
      { recipient: 'mailto:nobody@corp.example', status: '3.7;Invalid calendar user', busy: null },
      { recipient: 'mailto:somebody@elsewhere.example', status: '3.7;Invalid calendar user', busy: null },
      // A Zimbra says of people it does not know what it says of those it may not show: nothing is known (zimbra.md §3).
      { recipient: 'mailto:nobody@zimbra.example', status: '3.7;Invalid calendar user', busy: null },
    ]);
  });

  it('sees an appointment that was just made with the next question, times without a zone being UTC', async () => {
    world.zimbra.add('lee@zimbra.example', { start: hour(15), end: hour(16), type: 'tentative' });
    const { answers } = await askWith('/caldav/', ['lee@zimbra.example'], ['--naive']);
    expect(answers).toEqual([{ recipient: 'mailto:lee@zimbra.example', status: '2.0;Success', busy: [{ type: 'BUSY-TENTATIVE', noData: false, start: '2026-11-18T15:00:00+00:00', end: '2026-11-18T16:00:00+00:00' }] }]);
  });

  it('is told nothing without the password', async () => {
    const answer = await ask(world.bridge.url, '/.well-known/caldav', { headers: basic(PEER.username, 'wrong') });
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, expect.stringContaining('Basic')]);
  });
});
