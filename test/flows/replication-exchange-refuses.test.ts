import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from './bridge-process.ts';
import type { Reply, Rule } from './replication-gate.ts';
import { Place, bothShow, eventually, isShownBusy, localPart, messageOf, openWorld, queueOf, slot, tell } from './replication-world.ts';
import type { QueueJson, World } from './replication-world.ts';

/** Issue 3, "Bad input", of an Exchange: what it refuses, breaks off, or is no longer asked to keep. */

const PEOPLE = Array.from({ length: 30 }, (_, index) => `person${index}@zimbra.example`);
const [KIM, LEE] = [PEOPLE[0]!, PEOPLE[1]!];

let world: World;
let place: Place;
let url: string;
beforeEach(async () => {
  world = await openWorld({ mailboxes: PEOPLE });
  place = await Place.make(world.config(), 'without-redis');
});
afterEach(async () => {
  await place.close();
  await world.close();
});

const start = async (): Promise<void> => {
  url = await place.serve();
  await until(() => (world.exchanges.every(([, exchange]) => exchange.published().length === PEOPLE.length) ? true : undefined), 40_000, () => place.said);
};
const change = (address: string, n: number): void => void world.calendars.add(address, { ...slot(n), type: 'busy' });
const shows = (name: 'webdav' | 'ews', address: string, n: number): boolean => isShownBusy(messageOf(world[name], address), slot(n).start, slot(n).end);
const arrived = (name: 'webdav' | 'ews', address: string, n: number, ms = 40_000): Promise<true> => until(() => (shows(name, address, n) ? true : undefined), ms, () => `${name} has no change ${n} of ${address}: ${place.said}`);
const entryOf = (queue: QueueJson, name: string, address: string): QueueJson['entries'][number] | undefined => queue.entries.find((one) => one.mailbox === address && one.route === `zimbra → ${name}`);
const entry = (name: string, address: string, state: string): Promise<QueueJson['entries'][number]> =>
  eventually(async () => {
    const found = entryOf(await queueOf(place), name, address);
    return found?.state === state ? found : undefined;
  }, 40_000, () => `${address} is not ${state} on its way to ${name}: ${place.said}`);

/** A 207 in the captured style, with one property refused and another taken down by it. */
const ONE_REFUSED: Reply = {
  status: 207,
  headers: { 'content-type': 'text/xml' },
  body: `<?xml version="1.0"?><a:multistatus xmlns:e="http://schemas.microsoft.com/mapi/proptag/" xmlns:a="DAV:"><a:response><a:href>/public/x</a:href><a:propstat><a:status>HTTP/1.1 422 Unprocessable Entity</a:status><a:prop><e:x68541102/></a:prop></a:propstat><a:propstat><a:status>HTTP/1.1 424 Failed Dependency</a:status><a:prop><e:x68531003/></a:prop></a:propstat></a:response></a:multistatus>`,
};

describe('an Exchange by WebDAV', () => {
  it('that answers 207 with one refused property has not been written: it stays visible with the property, and others go on', async () => {
    await start();
    world.gates.webdav.rule = ({ operation, url: where }) => (operation === 'PROPPATCH' && where.toLowerCase().endsWith(`cn=${localPart(KIM)}.eml`) ? ONE_REFUSED : undefined);
    change(KIM, 0);
    change(LEE, 0);
    const failed = await entry('webdav', KIM, 'failed');
    expect(`${failed.code} ${failed.reason}`).toMatch(/6854/i);
    await arrived('webdav', LEE, 0);
    await arrived('ews', KIM, 0);
    world.gates.webdav.rule = undefined;
    expect(shows('webdav', KIM, 0)).toBe(false);
    expect((await place.command('queue', 'retry', KIM)).code).toBe(0);
    await arrived('webdav', KIM, 0);
    await eventually(async () => (entryOf(await queueOf(place), 'webdav', KIM) === undefined ? true : undefined), 20_000);
  }, 120_000);
});

describe.each(['webdav', 'ews'] as const)('%s', (name) => {
  const writes: readonly string[] = name === 'webdav' ? ['PROPPATCH'] : ['UpdateItem', 'CreateItem'];

  it('that is locked, full or busy is written when it is well again, without anybody doing anything', async () => {
    await start();
    for (const [n, mode] of (['locked', 'full', 'busy'] as const).entries()) {
      world[name].setWriting(mode);
      change(KIM, n);
      const retrying = await entry(name, KIM, 'retrying');
      expect(retrying.attempts).toBeGreaterThan(0);
      expect(shows(name, KIM, n)).toBe(false);
      world[name].setWriting('allowed');
      await arrived(name, KIM, n);
    }
  }, 150_000);

  it('whose answers break off in the middle is written again, and has one message a mailbox', async () => {
    let dropped = 0;
    world.gates[name].rule = ({ operation }) => (writes.includes(operation) && dropped++ < 4 ? 'drop' : undefined);
    await start();
    change(KIM, 0);
    await arrived(name, KIM, 0);
    expect(dropped).toBeGreaterThanOrEqual(4);
    const names = world[name].published().map(({ legacyExchangeDn }) => legacyExchangeDn.toLowerCase());
    expect(names.length).toBe(new Set(names).size);
  }, 90_000);

  it('that refuses the password is asked a handful of times about thirty mailboxes; with the right one everything is written', async () => {
    const wrong = world.systems();
    wrong[name]!['password'] = 'another';
    await place.write(world.config({ systems: wrong }));
    for (const address of PEOPLE) change(address, 0);
    url = await place.serve();
    const blocked = await eventually(async () => (await queueOf(place)).counts.find((one) => one.route === `zimbra → ${name}` && one.blocked !== undefined), 40_000, () => place.said);
    expect(blocked.blocked).toMatch(/BACKEND_AUTH/);
    expect((await tell(url, PEOPLE)).status).toBe(202);
    const other = name === 'webdav' ? 'ews' : 'webdav';
    for (const address of PEOPLE) await arrived(other, address, 0);
    expect(world.gates[name].passed.length).toBeLessThanOrEqual(20);
    await place.write(world.config());
    expect((await place.command('reload')).code).toBe(0);
    for (const address of PEOPLE) await arrived(name, address, 0);
  }, 120_000);
});

describe('a mailbox', () => {
  it('that moves into an Exchange keeps its message there, loses it elsewhere, and is written again when it moves back', async () => {
    change(KIM, 0);
    await start();
    await until(() => (bothShow(world, KIM, slot(0)) ? true : undefined), 20_000, () => place.said);
    const moved = world.systems();
    moved['webdav']!['mailboxes'] = [KIM];
    await place.write(world.config({ systems: moved }));
    expect((await place.command('reload')).code).toBe(0);
    await until(() => (messageOf(world.ews, KIM) === undefined ? true : undefined), 40_000, () => place.said);
    expect(shows('webdav', KIM, 0)).toBe(true);
    expect((await tell(url, [KIM])).status).toBe(403);
    await place.write(world.config());
    expect((await place.command('reload')).code).toBe(0);
    change(KIM, 1);
    await until(() => (bothShow(world, KIM, slot(0)) && bothShow(world, KIM, slot(1)) ? true : undefined), 40_000, () => place.said);
  }, 120_000);

  it('whose owner begins to deny viewFreeBusy loses its message and is never shown free', async () => {
    change(KIM, 0);
    await start();
    await until(() => (bothShow(world, KIM, slot(0)) ? true : undefined), 20_000, () => place.said);
    const wrong: string[] = [];
    let isGone = false;
    for (const [name, exchange] of world.exchanges) {
      exchange.onPublished(({ legacyExchangeDn, message }) => {
        if (!legacyExchangeDn.endsWith(`=${localPart(KIM)}`) || message === undefined) return;
        // What was read before may still be written once.
        if (isGone || !isShownBusy(message, slot(0).start, slot(0).end)) wrong.push(`${name}: ${JSON.stringify(message.intervals)}`);
      });
    }
    world.gates.zimbra.rule = denies(KIM);
    expect((await tell(url, [KIM])).status).toBe(202);
    await until(() => (world.exchanges.every(([, exchange]) => messageOf(exchange, KIM) === undefined) ? true : undefined), 30_000, () => place.said);
    isGone = true;
    change(KIM, 1);
    expect((await tell(url, [KIM, LEE])).status).toBe(202);
    change(LEE, 0);
    await until(() => (bothShow(world, LEE, slot(0)) ? true : undefined), 20_000, () => place.said);
    expect(wrong).toEqual([]);
    isGone = false;
    world.gates.zimbra.rule = undefined;
    expect((await tell(url, [KIM])).status).toBe(202);
    await until(() => (bothShow(world, KIM, slot(1)) ? true : undefined), 20_000, () => place.said);
  }, 90_000);
});

/** `n` over the whole range for this mailbox, as Zimbra answers who may not view it (zimbra.md §2.2). */
function denies(address: string): Rule {
  return async ({ operation, body }, forward) => {
    if (operation !== 'GetFreeBusyRequest' || !body.includes(address)) return undefined;
    const [start, end] = [/ s="(\d+)"/.exec(body)?.[1], / e="(\d+)"/.exec(body)?.[1]];
    const honest = await forward();
    return { ...honest, body: honest.body!.replace(new RegExp(`<usr id="${address}">.*?</usr>`, 's'), `<usr id="${address}"><n s="${start}" e="${end}"/></usr>`) };
  };
}

describe('an Exchange 2013 or later', () => {
  it('is written nothing, and check and queue say why', async () => {
    world.ews.setGeneration(2013);
    url = await place.serve();
    change(KIM, 0);
    await arrived('webdav', KIM, 0);
    const why = await eventually(async () => {
      const queue = await queueOf(place);
      const ofRoute = queue.counts.find((one) => one.route === 'zimbra → ews');
      return ofRoute?.blocked ?? entryOf(queue, 'ews', KIM)?.reason;
    }, 40_000, () => place.said);
    expect(why).toMatch(/2013|15/);
    const check = await place.command('check');
    expect(check.code).toBe(1);
    expect(check.stdout.split('\n').filter((line) => /zimbra → ews/.test(line)).join('\n')).toMatch(/2013|15\.0/);
    expect(world.gates.ews.of('CreateItem', 'UpdateItem')).toEqual([]);
    expect(world.ews.published()).toEqual([]);
  }, 90_000);
});
