import { afterEach, describe, expect, it } from 'vitest';
import type { PresenceToCheck } from '../../../src/presence/troubleshooter.ts';
import { BridgeError } from '../../../src/core/errors.ts';
import type { ProbeFinding } from '../../../src/core/probe-finding.ts';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import type { CalendarGateway } from '../../../src/presence/gateway.ts';
import type { PresencePublisher } from '../../../src/presence/publisher.ts';
import { memoryPublisher } from '../../presence/memory-publisher.ts';
import { presenceBed } from './running-presence.ts';
import type { PresenceBed, Ran } from './running-presence.ts';

const OK: ProbeFinding = { step: 'sign-in', outcome: 'ok', text: 'accepted' };
const FAILED: ProbeFinding = { step: 'account', outcome: 'fail', text: 'refused', advice: 'give it the right' };
let bed: PresenceBed | undefined;
afterEach(async () => bed?.close());

let underWay = 0;
let most = 0;
function gateway(description: string, probe: () => Promise<readonly ProbeFinding[]> = async () => [OK]): PresenceToCheck['gateways'][number] {
  const counted = async (): Promise<readonly ProbeFinding[]> => {
    most = Math.max(most, ++underWay);
    await new Promise((resolve) => setImmediate(resolve));
    try {
      return await probe();
    } finally {
      underWay -= 1;
    }
  };
  return { gateway: { description, type: 'ews', probe: counted } as unknown as CalendarGateway, url: new URL(`https://${description.replace(/\W/g, '')}.corp.example`), sample: undefined };
}

async function check(parts: Partial<PresenceToCheck>, ...args: readonly string[]): Promise<Ran> {
  const toCheck: PresenceToCheck = {
    gateways: [],
    publishers: [],
    probeCertificate: async () => [{ step: 'certificate', outcome: 'ok', text: 'Verified' }],
    canary: 'canary@corp.example' as MailboxAddress,
    textFor: () => 'In a meeting',
    language: 'en',
    close: async () => undefined,
    ...parts,
  };
  bed = await presenceBed('systems: {}\n', undefined, toCheck);
  return bed.run('check', ...args);
}

describe('presence check', () => {
  it('tries all gateways, not the first ten, a few at a time, one line each that begins with its description (A07, A79)', async () => {
    most = 0;
    const names = Array.from({ length: 25 }, (_, n) => `Server ${n + 1}`);
    const { exit, printed } = await check({ gateways: names.map((name) => gateway(name)), publishers: [memoryPublisher('sip im')] });
    expect(exit).toBe(0);
    expect(printed).toHaveLength(26);
    for (const [n, name] of names.entries()) expect(printed[n]).toBe(`${name}: ok  certificate: Verified; sign-in: accepted`);
    expect(printed[25]).toMatch(/^sip im: ok/);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(8);
  });

  it('is 1 where one fails; what is wrong comes first, with what to do, and the others are tried', async () => {
    const { exit, printed } = await check({ gateways: [gateway('A', async () => [OK, FAILED]), gateway('B', () => Promise.reject(new TypeError('secret'))), gateway('C')] });
    expect(exit).toBe(1);
    expect(printed).toEqual(['A: fail  account: refused → give it the right; certificate: Verified; sign-in: accepted', expect.stringMatching(/^B: fail {2}check: internal error/), expect.stringMatching(/^C: ok/)]);
  });

  it('asks nobody in front of whom the certificate is wrong', async () => {
    const { printed } = await check({ gateways: [gateway('A')], probeCertificate: async () => [{ step: 'certificate', outcome: 'fail', text: 'cn-mismatch', advice: 'x' }] });
    expect(printed).toEqual(['A: fail  certificate: cn-mismatch → x']);
  });

  it('prints steps, or JSON', async () => {
    expect((await check({ gateways: [gateway('A')] }, '--verbose')).printed).toEqual(['A: ok  certificate: Verified; sign-in: accepted', '        ok    certificate: Verified', '        ok    sign-in: accepted']);
    await bed!.close();
    expect(JSON.parse((await check({ gateways: [gateway('A')] }, '--json')).printed.join('\n'))).toMatchObject([{ kind: 'gateway', name: 'A', findings: [{ outcome: 'ok' }, { outcome: 'ok' }] }]);
  });

  it('says that there is no gateway, and no publisher', async () => {
    expect(await check({})).toMatchObject({ exit: 0, complained: [expect.stringContaining('no gateway'), expect.stringContaining('no publisher')] });
  });

  it('--canary shows somebody through every publisher and takes it away; without the option nobody', async () => {
    const publishers = [memoryPublisher('sip im'), memoryPublisher('xmpp im')];
    await check({ publishers });
    expect(publishers.flatMap(({ calls }) => calls)).toEqual([]);
    await bed!.close();
    const { exit, printed } = await check({ publishers }, '--canary');
    expect(exit).toBe(0);
    for (const line of printed) expect(line).toMatch(/canary in-a-meeting: a watcher sees it after \d+ ms; canary available: a watcher sees it after \d+ ms; canary taken away: nothing of it is left$/);
    for (const { calls } of publishers) expect(calls).toEqual(['publish in-a-meeting', 'publish available', 'withdraw', 'close']);
  });

  it('--canary needs one in the configuration', async () => {
    expect(await check({ canary: undefined, publishers: [memoryPublisher('sip im')] }, '--canary')).toMatchObject({ exit: 2, complained: [expect.stringContaining('presence.canary is missing')] });
  });

  it('--canary is not tried where the publisher itself fails', async () => {
    const publisher: PresencePublisher & { readonly calls: readonly string[] } = { ...memoryPublisher('sip im'), probe: async () => [FAILED] };
    expect((await check({ publishers: [publisher] }, '--canary')).exit).toBe(1);
    expect(publisher.calls).toEqual([]);
    void BridgeError;
  });
});
