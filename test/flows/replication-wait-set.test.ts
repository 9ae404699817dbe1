import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from './bridge-process.ts';
import { HTML_PAGE } from './replication-gate.ts';
import { DAY_MS, Place, READER, TELLER, WAIT_SETS, WEBDAV_ORGANISATION, bothShow, isShownBusy, messageOf, openWorld, slot, today, withoutPasses } from './replication-world.ts';
import type { World } from './replication-world.ts';
import { ask, askJson } from './raw-http.ts';

/** Changes as a Zimbra tells of them: by its WaitSet, well and ill, and by its own push to "Exchange". */

const KIM = 'kim@zimbra.example';
const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

let world: World;
let place: Place;
let url: string;
beforeEach(async () => {
  world = await openWorld({ mailboxes: [KIM, 'lee@zimbra.example'] });
  place = await Place.make(world.config(), 'without-redis');
});
afterEach(async () => {
  await place.close();
  await world.close();
});

const polls = (): number => world.gates.zimbra.of('AdminWaitSetRequest').length;
const listening = async (): Promise<void> => {
  url = await place.serve();
  await until(() => (polls() > 0 ? true : undefined), 20_000, () => place.said);
};
const change = (n: number): void => void world.calendars.add(KIM, { ...slot(n), type: 'busy' });
const arrived = (n: number, ms = 30_000): Promise<true> => until(() => (bothShow(world, KIM, slot(n)) ? true : undefined), ms, () => place.said);

describe('a WaitSet', () => {
  it('brings every change into both Exchanges', async () => {
    world.gates.zimbra.rule = withoutPasses();
    await listening();
    const delays: number[] = [];
    for (let n = 0; n < 10; n++) {
      const began = performance.now();
      change(n);
      await arrived(n);
      delays.push(Math.round(performance.now() - began));
    }
    process.stdout.write(`  calendar → both Exchanges, ms: ${delays.join(' ')}\n`);
  }, 60_000);

  it('that the server has forgotten is made anew, and what changed meanwhile arrives', async () => {
    await listening();
    change(0);
    await arrived(0);
    const sets = world.gates.zimbra.of('AdminCreateWaitSetRequest').length;
    await world.zimbra.stop();
    change(1);
    await world.zimbra.restart({ isLogRotated: true });
    await until(() => (world.gates.zimbra.of('AdminCreateWaitSetRequest').length > sets ? true : undefined), 60_000, () => place.said);
    await arrived(1, 60_000);
    // The new set is listened to.
    await until(() => (world.gates.zimbra.of('AdminCreateWaitSetRequest', 'AdminWaitSetRequest').at(-1)?.operation === 'AdminWaitSetRequest' ? true : undefined), 30_000);
    world.gates.zimbra.rule = withoutPasses();
    change(2);
    await arrived(2);
  }, 120_000);

  it('that answers HTML for a while is asked at long intervals, and what changed meanwhile arrives', async () => {
    await listening();
    const before = polls();
    world.gates.zimbra.rule = ({ operation }) => (operation === 'AdminWaitSetRequest' ? HTML_PAGE : undefined);
    await world.zimbra.restart();
    change(0);
    await until(() => (polls() >= before + 3 ? true : undefined), 30_000, () => place.said);
    const asked = world.gates.zimbra.of('AdminWaitSetRequest').slice(-3).map(({ at }) => at);
    expect(asked[2]! - asked[0]!).toBeGreaterThan(1_000);
    world.gates.zimbra.rule = undefined;
    await arrived(0, 60_000);
    change(1);
    await arrived(1, 60_000);
  }, 150_000);

  it('that floods is asked no faster than four times a second, and lookups and other changes go on', async () => {
    await listening();
    let flood = 0;
    const ids = Array.from({ length: 500 }, (_, index) => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`);
    world.gates.zimbra.rule = ({ operation, body }) => {
      if (operation !== 'AdminWaitSetRequest') return undefined;
      const waitSet = / waitSet="([^"]*)"/.exec(body)?.[1];
      const accounts = [world.zimbra.accounts.byAddress(KIM)!.id, ...ids].map((id) => `<a id="${id}" changeid="${++flood}"/>`).join('');
      const answer = `<AdminWaitSetResponse xmlns="urn:zimbraAdmin" waitSet="${waitSet}" seq="${1_000_000 + flood}-1-1.1">${accounts}</AdminWaitSetResponse>`;
      return { status: 200, headers: { 'content-type': 'text/xml; charset=utf-8' }, body: `<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope"><soap:Header><context xmlns="urn:zimbra"/></soap:Header><soap:Body>${answer}</soap:Body></soap:Envelope>` };
    };
    await world.zimbra.restart();
    const [began, before] = [Date.now(), polls()];
    for (let n = 0; n < 3; n++) {
      change(n);
      await arrived(n, 60_000);
      expect((await askJson(url, READER, [KIM], slot(n))).results[0]?.busy).toHaveLength(1);
    }
    await until(() => (polls() >= before + 8 ? true : undefined), 60_000, () => place.said);
    expect(polls() - before).toBeLessThanOrEqual((Date.now() - began) / 250 + 3);
  }, 150_000);
});

describe("a stock Zimbra 8's own push", () => {
  it.each(['PROPPATCH', 'POST'])('by %s leads to a re-read, and nothing of what it says is believed', async (method) => {
    world.gates.zimbra.rule = withoutPasses(...WAIT_SETS);
    url = await place.serve();
    change(0);
    // The layout of captures/zimbra/webdav-basic-8.8.15.txt; its months are long over.
    const body = readFileSync(join(ROOT, 'fixtures/owa-webdav/proppatch-message/zimbra-8/message.xml'), 'utf8').replaceAll('/o=First Organization/ou=First Administrative Group', WEBDAV_ORGANISATION);
    const target = '/public/NON_IPM_SUBTREE/SCHEDULE+%20FREE%20BUSY/EX:_xF8FF_o=Sandbox_xF8FF_ou=First%20Administrative%20Group/USER-_xF8FF_cn=RECIPIENTS_xF8FF_cn=kim.EML';
    const answer = await ask(url, target, { method, headers: { ...TELLER, translate: 'f', 'content-type': 'text/xml' }, body });
    expect(answer.status).toBe(207);
    await arrived(0);
    for (const [, exchange] of world.exchanges) {
      const message = messageOf(exchange, KIM)!;
      expect(message.intervals.busy).toEqual([slot(0)]);
      expect(isShownBusy(message, today(), today() + DAY_MS)).toBe(false);
    }
  }, 60_000);
});
