import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runCommand, until } from './bridge-process.ts';
import { basic, ask } from './raw-http.ts';
import { UNAVAILABLE } from './replication-gate.ts';
import { Place, WAIT_SETS, bothShow, eventually, isShownBusy, localPart, messageOf, openWorld, queueOf, slot, tell } from './replication-world.ts';
import type { World } from './replication-world.ts';

/** configuration.md, "The command line": push, queue and decode, with a running bridge and without. */

const PEOPLE = ['kim', 'lee', 'mia', 'ned'].map((name) => `${name}@zimbra.example`);
const [KIM, LEE] = PEOPLE as [string, string, ...string[]];

let world: World;
let place: Place;
let used = 0;
beforeAll(async () => {
  world = await openWorld({ mailboxes: PEOPLE });
  // Nothing but the commands tells of changes.
  world.gates.zimbra.rule = ({ operation }) => ((WAIT_SETS as readonly string[]).includes(operation) ? UNAVAILABLE : undefined);
  place = await Place.make(world.config(), 'without-redis');
});
afterAll(async () => {
  await place.close();
  await world.close();
});
beforeEach(() => {
  for (const [, exchange] of world.exchanges) exchange.setWriting('allowed');
});

/** A new appointment in somebody's calendar. */
function change(address: string): ReturnType<typeof slot> {
  const added = slot(used++);
  world.calendars.add(address, { ...added, type: 'busy' });
  return added;
}
const writes = (): number => world.gates.webdav.of('PROPPATCH', 'DELETE').length + world.gates.ews.of('CreateItem', 'UpdateItem', 'DeleteItem').length;

describe.each(['without a running bridge', 'with a running bridge'] as const)('%s', (how) => {
  let url: string | undefined;
  beforeAll(async () => {
    if (how === 'without a running bridge') return;
    url = await place.serve();
    // The pass at start is over, and nothing else writes by itself.
    await until(() => (place.said.includes('every mailbox was handed to the queue') ? true : undefined), 20_000, () => place.said);
    await eventually(async () => ((await queueOf(place)).entries.length === 0 ? true : undefined), 20_000);
  });

  it('push writes now, whatever the digest says', async () => {
    const added = change(KIM);
    const pushed = await place.command('push', KIM);
    expect([pushed.code, pushed.stderr]).toEqual([0, '']);
    expect(bothShow(world, KIM, added)).toBe(true);
    const before = writes();
    expect((await place.command('push', KIM)).code).toBe(0);
    expect(writes() - before).toBeGreaterThanOrEqual(2);
  });

  it('push --dry-run says what would be written, and where, and writes nothing', async () => {
    const added = change(LEE);
    const before = writes();
    const dry = await place.command('push', LEE, '--dry-run');
    expect(dry.code).toBe(0);
    expect(dry.stdout).toContain('would be written');
    expect(dry.stdout).toMatch(/SCHEDULE\+|EX:/);
    expect(dry.stdout).toContain(new Date(added.start).toISOString().slice(11, 16));
    expect(writes()).toBe(before);
    expect(bothShow(world, LEE, added)).toBe(false);
  });

  it('push --all writes everybody', async () => {
    const added = PEOPLE.map(change);
    const all = await place.command('push', '--all');
    expect([all.code, all.stderr]).toEqual([0, expect.not.stringMatching(/failed: /)]);
    expect(PEOPLE.map((address, index) => bothShow(world, address, added[index]!))).toEqual(PEOPLE.map(() => true));
  }, 30_000);

  it('push of who is not there, or lives nowhere, ends with 1; of nobody, or of no address, with 2', async () => {
    for (const stranger of ['nobody@zimbra.example', 'anna@nowhere.example']) {
      const pushed = await place.command('push', stranger);
      expect([pushed.code, pushed.durationMs < 15_000]).toEqual([1, true]);
      expect(pushed.stdout + pushed.stderr).toContain(stranger);
    }
    expect((await place.command('push')).code).toBe(2);
    expect((await place.command('push', 'kim')).code).toBe(2);
    expect((await place.command('push', '--all', KIM)).code).toBe(2);
    expect((await place.command('queue', 'retry')).code).toBe(2);
  }, 30_000);

  it('push ends with 1 where a property is refused or writing is forbidden, in less than 30 s, and names the property', async () => {
    world.webdav.setWriting('refuse:0x6854');
    change(KIM);
    const refused = await place.command('push', KIM, '--json');
    expect([refused.code, refused.durationMs < 30_000]).toEqual([1, true]);
    const [webdav, ews] = (JSON.parse(refused.stdout) as { route: string; outcome: string }[]).sort((one, other) => (one.route < other.route ? 1 : -1));
    expect([webdav, ews]).toMatchObject([{ route: 'zimbra → webdav', outcome: 'failed' }, { route: 'zimbra → ews', outcome: 'written' }]);
    expect(JSON.stringify(webdav)).toMatch(/6854/i);
    for (const [, exchange] of world.exchanges) exchange.setWriting('denied');
    const denied = await place.command('push', KIM);
    expect([denied.code, denied.durationMs < 30_000]).toEqual([1, true]);
    for (const [, exchange] of world.exchanges) exchange.setWriting('allowed');
    expect((await place.command('push', KIM)).code).toBe(0);
  }, 60_000);

  it('queue shows what failed; retry writes it, drop forgets it', async () => {
    if (url === undefined) {
      const shown = await place.command('queue');
      expect([shown.code, shown.stdout.trim()]).toEqual([0, 'nothing waits']);
      expect((await place.command('queue', 'retry', KIM)).code).toBe(1);
      expect((await place.command('queue', 'drop', '--all')).code).toBe(0);
      return;
    }
    world.webdav.setWriting('refuse:0x6854');
    const added = change(KIM);
    expect((await tell(url, [KIM])).status).toBe(202);
    const failed = async (): Promise<true | undefined> => ((await queueOf(place)).entries.some((one) => one.mailbox === KIM && one.state === 'failed') ? true : undefined);
    await eventually(failed, 30_000, () => place.said);
    expect((await place.command('queue')).stdout).toMatch(new RegExp(`failed +${KIM}.*6854`, 'i'));
    world.webdav.setWriting('allowed');
    expect((await place.command('queue', 'retry', KIM)).code).toBe(0);
    await until(() => (bothShow(world, KIM, added) ? true : undefined), 20_000, () => place.said);
    await eventually(async () => ((await failed()) === undefined ? true : undefined), 20_000);

    world.webdav.setWriting('refuse:0x6854');
    const dropped = change(KIM);
    expect((await tell(url, [KIM])).status).toBe(202);
    await eventually(failed, 30_000, () => place.said);
    expect((await place.command('queue', 'drop', KIM)).code).toBe(0);
    expect((await queueOf(place)).entries).toEqual([]);
    expect((await place.command('queue', 'drop', KIM)).code).toBe(1);
    expect(isShownBusy(messageOf(world.webdav, KIM), dropped.start, dropped.end)).toBe(false);
  }, 60_000);
});

describe('decode', () => {
  const decode = async (text: string): ReturnType<typeof runCommand> => {
    const file = join(place.folder, 'message.xml');
    await writeFile(file, text);
    return runCommand(['decode', file]);
  };

  it('reads what was written by WebDAV, what the folder gives back, and what was written over EWS', async () => {
    world.calendars.clear(KIM);
    const added = change(KIM);
    expect((await place.command('push', KIM)).code).toBe(0);
    const proppatch = world.gates.webdav.of('PROPPATCH').at(-1)!;
    const item = world.gates.ews.of('CreateItem', 'UpdateItem').at(-1)!;
    const found = await ask(world.webdav.url, proppatch.url, { method: 'PROPFIND', headers: { ...basic('LEGACY\\bridge', 'pw-webdav'), depth: '0', 'content-type': 'text/xml' }, body: PROPFIND });
    expect(found.status).toBe(207);
    const clock = (at: number): string => new Date(at).toISOString().slice(11, 16);
    for (const document of [proppatch.body, found.body, item.body]) {
      const { code, stdout } = await decode(document);
      expect([code, stdout.includes(clock(added.start)), stdout.includes(clock(added.end))]).toEqual([0, true, true]);
      expect(stdout.toLowerCase()).toContain(`cn=${localPart(KIM)}`);
    }
  });

  it('of what is no message ends with 1', async () => {
    for (const text of ['', 'nothing', '<a/>', '<a']) expect((await decode(text)).code).toBe(1);
  });
});

const PROPFIND = `<?xml version="1.0"?><a:propfind xmlns:a="DAV:" xmlns:e="http://schemas.microsoft.com/mapi/proptag/"><a:prop>${['x0037001f', 'x6849001f', 'x68470003', 'x68480003', 'x684f1003', 'x68501102', 'x68511003', 'x68521102', 'x68531003', 'x68541102', 'x68551003', 'x68561102', 'x68680040'].map((tag) => `<e:${tag}/>`).join('')}</a:prop></a:propfind>`;
