import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PEER, hasPeer, openPeerWorld } from './peer-world.ts';
import type { PeerWorld } from './peer-world.ts';

/** exchangelib (Debian's python3-exchangelib): another client of EWS that we did not write. It asks for the server's time zones before it asks for anything else. */

const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL('ask-exchangelib.py', import.meta.url));
// Debian's own Python: a newer one before it on PATH does not see Debian's packages.
const PYTHON = '/usr/bin/python3';

interface Answer {
  readonly version: string;
  /** Event times as they were answered: without a zone, in that of the question. */
  readonly views: readonly { readonly type: string; readonly merged: string; readonly events: readonly { start: string; end: string; type: string; subject: string | null }[] }[];
  readonly unknown: string | null;
  readonly resolved: readonly string[];
  readonly unresolved: readonly string[];
  readonly zones: number;
}

describe.skipIf(!hasPeer(PYTHON, '-c', 'import exchangelib'))('exchangelib (skipped without Debian’s python3-exchangelib)', () => {
  let world: PeerWorld;
  beforeAll(async () => {
    world = await openPeerWorld({ clients: [{ name: 'peer', ...PEER, from: 'outside', mayAsk: ['zimbra', 'exchange'], detail: 'details', auth: ['basic', 'ntlm'] }] });
  });
  afterAll(() => world.close());

  const day = Date.UTC(2026, 11, 14);
  const at = (hours: number): number => day + hours * 3_600_000;
  const ask = async (scheme: 'basic' | 'ntlm', zone: string, ...addresses: readonly string[]): Promise<Answer> => {
    const { stdout } = await run(PYTHON, [SCRIPT, `${world.bridge.url}/EWS/Exchange.asmx`, PEER.username, PEER.password, scheme, new Date(at(8)).toISOString().replace('Z', '+00:00'), new Date(at(12)).toISOString().replace('Z', '+00:00'), zone, ...addresses], { timeout: 60_000 });
    return JSON.parse(stdout) as Answer;
  };

  it.each(['basic', 'ntlm'] as const)('sees an appointment made a moment ago, in its place among the others and in its own zone, signed in by %s', async (scheme) => {
    world.zimbra.clear('kim@zimbra.example');
    world.zimbra.add('kim@zimbra.example', { start: at(9), end: at(10.5), type: 'busy', subject: 'Audit' });
    world.exchange.clear('anna@corp.example');
    world.exchange.add('anna@corp.example', { start: at(8), end: at(9), type: 'oof', subject: 'Away' });
    const { views, unknown, resolved, unresolved, zones } = await ask(scheme, 'Europe/Berlin', 'anna@corp.example', 'kim@zimbra.example');
    expect(views).toHaveLength(2);
    expect(views[0]).toMatchObject({ merged: '33000000' });
    expect(views[1]).toMatchObject({ merged: '00222000', events: [{ start: '2026-12-14 10:00:00', end: '2026-12-14 11:30:00', type: 'Busy' }] });
    expect(unknown).toBe('ErrorMailRecipientNotFound');
    expect(resolved).toEqual(['kim@zimbra.example']);
    expect(unresolved).toEqual([]);
    expect(zones).toBeGreaterThan(100);
    world.zimbra.add('kim@zimbra.example', { start: at(11), end: at(12), type: 'tentative' });
    expect((await ask(scheme, 'Asia/Kathmandu', 'kim@zimbra.example')).views[0]).toMatchObject({ merged: '00222011' });
  }, 120_000);

  it('is refused with a wrong password', async () => {
    await expect(run(PYTHON, [SCRIPT, `${world.bridge.url}/EWS/Exchange.asmx`, PEER.username, 'wrong', 'basic', '2026-12-14T08:00:00+00:00', '2026-12-14T12:00:00+00:00', 'UTC', 'kim@zimbra.example'], { timeout: 60_000 })).rejects.toThrow(/UnauthorizedError|Invalid credentials|401/);
  }, 60_000);
});
