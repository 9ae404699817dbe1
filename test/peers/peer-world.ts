import { spawnSync } from 'node:child_process';
import { createCalendarStore } from '../../src/sandbox/calendar-store.ts';
import type { CalendarStore } from '../../src/sandbox/calendar-store.ts';
import { createExchangeEws } from '../../src/sandbox/exchange-ews.ts';
import { createZimbra } from '../../src/sandbox/zimbra.ts';
import { systemClock } from '../../src/core/clock.ts';
import { startBridge } from '../flows/bridge-process.ts';
import type { BridgeOptions, RunningBridge } from '../flows/bridge-process.ts';

/**
 * Whether a real peer can be run. With REQUIRE_PEERS a missing one is a failure, not a test less.
 *
 * @param probe a command that succeeds where the peer is there, like `['davmail', '-version']`
 */
export function hasPeer(...[command, ...args]: readonly [string, ...string[]]): boolean {
  return process.env['REQUIRE_PEERS'] === '1' || spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

/** A running bridge (the built command) between a Zimbra and an Exchange of the sandbox, for clients that we did not write. */
export interface PeerWorld {
  readonly bridge: RunningBridge;
  /** kim@zimbra.example and lee@zimbra.example; an appointment added here is seen with the next question. */
  readonly zimbra: CalendarStore;
  /** anna@corp.example and bernd@corp.example */
  readonly exchange: CalendarStore;
  close(): Promise<void>;
}

/** The client that peers sign in as; it may ask both sides. */
export const PEER = { username: 'peer@corp.example', password: 'pw-of-peer' } as const;

/** @param more keys of bridge.yaml beside or in place of those made here */
export async function openPeerWorld(more: Record<string, unknown> = {}, options: BridgeOptions = {}): Promise<PeerWorld> {
  const clock = systemClock;
  const zimbra = createCalendarStore(['bridge', 'kim', 'lee'].map((name) => ({ address: `${name}@zimbra.example`, displayName: name })));
  const exchange = createCalendarStore(['anna', 'bernd'].map((name) => ({ address: `${name}@corp.example`, displayName: name })));
  const standIns = [
    createZimbra({ username: 'bridge@zimbra.example', password: 'pw-zimbra', calendars: zimbra, clock }),
    createExchangeEws({ username: 'bridge', password: 'pw-ews', domain: 'CORP', clock, calendars: exchange, organisation: '/o=Corp/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)' }),
  ] as const;
  await Promise.all(standIns.map((one) => one.listen()));
  const [zimbraServer, ewsServer] = standIns;
  const bridge = await startBridge(
    {
      systems: {
        zimbra: { type: 'zimbra', url: zimbraServer.url, username: 'bridge@zimbra.example', password: 'pw-zimbra', domains: ['zimbra.example'], cacheFor: '0s' },
        exchange: { type: 'exchange-ews', url: `${ewsServer.url}/EWS/Exchange.asmx`, username: 'CORP\\bridge', password: 'pw-ews', domains: ['corp.example'], cacheFor: '0s' },
      },
      clients: [{ name: 'peer', ...PEER, from: 'outside', mayAsk: ['zimbra', 'exchange'], detail: 'details' }],
      ...more,
    },
    options,
  );
  return {
    bridge,
    zimbra,
    exchange,
    close: async () => {
      await bridge.stop();
      await Promise.all(standIns.map((one) => one.close()));
    },
  };
}
