import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSandbox } from '../../src/sandbox/sandbox.ts';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { guidedWalk } from '../../src/sandbox/walk.ts';

const clock = { now: () => Date.parse('2026-11-21T10:00:00Z') };
/** Half hours from 07:00 to 19:00 UTC by hand, from what people.ts says about their day. */
const DIGITS: Readonly<Record<string, string>> = {
  'anna@legacy.example': '000022222110000020000000',
  'bernd@legacy.example': '000000000000220000000000',
  'clara@corp.example': '000220112100000000203330',
  'kim@zimbra.example': '000022210000110000333300',
};
const UNKNOWN = '4'.repeat(24);

let sandbox: Sandbox;
let bridge: Server | undefined;
let lines: string[];
beforeEach(async () => {
  sandbox = await createSandbox({ clock, pointerDirectory: false });
  lines = [];
});
afterEach(async () => {
  bridge?.closeAllConnections();
  bridge?.close();
  bridge = undefined;
  await sandbox.close();
});

/** The OWA face of a bridge made of a table, with the mistake that the test is about. */
async function walkWith(digitsOf: (address: string) => string | undefined): Promise<boolean> {
  bridge = createServer((request, response) => {
    if (request.headers.authorization === undefined) return void response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="b"' }).end();
    const url = new URL(request.url ?? '', 'http://x');
    const repeat = 30 / Number(url.searchParams.get('interval'));
    const items = url.searchParams.getAll('u').map((one) => one.replace('SMTP:', '')).map((address) => {
      const digits = digitsOf(address);
      return digits === undefined ? '' : `<item><email>${address}</email><fbdata>${[...digits].map((digit) => digit.repeat(repeat)).join('')}</fbdata></item>`;
    });
    response.end(`<response><recipients>${items.join('')}</recipients></response>`);
  });
  await new Promise<void>((resolve) => bridge!.listen(0, '127.0.0.1', resolve));
  return guidedWalk(sandbox, `http://127.0.0.1:${(bridge.address() as AddressInfo).port}`, sandbox.clients, (line) => lines.push(line), 'ascii');
}

const honest = (address: string): string => (address === 'clara@corp.example' && sandbox.exchangeEws.mode === 'silent' ? UNKNOWN : (DIGITS[address] ?? UNKNOWN));

describe('the guided walk', () => {
  it('is content with a bridge that tells the truth, and shows it', async () => {
    const isGood = await walkWith(honest);
    expect(lines.filter((line) => line.includes('NOT AS'))).toEqual([]);
    expect(isGood).toBe(true);
    const text = lines.join('\n');
    expect(text).toContain('anna@legacy.example   ....#####--.....#.......');
    expect(text).toContain('nobody@corp.example  ????????????????????????');
    expect(text).toContain('GET /public/?cmd=freebusy&start=2026-11-21T07:00:00+00:00&end=2026-11-21T19:00:00+00:00&interval=15&u=SMTP:clara@corp.example');
    expect(text).toMatch(/curl -s -u curl:\S+ '\S+\/api\/v1\/freebusy\?/);
    expect(text).toMatch(/sandbox add anna@legacy\.example/);
    expect(text).toMatch(/invitations.*travel by mail/);
    expect(lines.every((line) => /^[\x20-\x7e]*$/.test(line))).toBe(true);
  });

  it.each([
    ['an unknown user as free', (address: string) => (address === 'nobody@corp.example' ? '0'.repeat(24) : honest(address))],
    ['nobody at all in the answer', () => undefined],
    ['one slot wrong', (address: string) => (address === 'kim@zimbra.example' ? honest(address).replace('333', '222') : honest(address))],
    ['old data while the back end is off', (address: string) => DIGITS[address] ?? UNKNOWN],
  ])('is not content with %s', async (_, digitsOf) => {
    expect(await walkWith(digitsOf)).toBe(false);
    expect(lines.join('\n')).toContain('NOT AS IT MUST BE');
    expect(sandbox.exchangeEws.mode).toBe('up');
  });

  it('is not content with a bridge that is not there, and leaves the stand-ins switched on', async () => {
    expect(await guidedWalk(sandbox, 'http://127.0.0.1:9', sandbox.clients, (line) => lines.push(line), 'ascii')).toBe(false);
    expect(sandbox.exchangeEws.mode).toBe('up');
  });
});
