import type { Instant } from '../../../core/clock.ts';
import { BridgeError } from '../../../core/errors.ts';
import type { EwsKnowledge, EwsLane, KnownAccount } from './knowledge.ts';
import type { KnownServer } from './known-server.ts';

/** What one question has tried so far. */
export class Tries {
  readonly lanes = new Set<EwsLane>();
  /** Failed within this question. */
  readonly servers = new Set<KnownServer>();
  /** Refused within this question. */
  readonly accounts = new Set<KnownAccount>();
}

export interface Candidate {
  readonly lane: EwsLane;
  /** Servers that are worth asking, this one with them: between them the time is divided. */
  readonly serversLeft: number;
}

/** Servers that may be asked now, best first. Those that were put aside are asked only where there is no other: a single server is never given up. */
export function serversToAsk(servers: readonly KnownServer[], out: ReadonlySet<KnownServer>, now: Instant): readonly KnownServer[] {
  const left = servers.filter((one) => !out.has(one));
  const up = left.filter((one) => !one.isAside(now));
  return up.length > 0 ? up : [...left].sort((a, b) => a.asideUntil - b.asideUntil);
}

/** Whom to ask next: at the first server an account that may be used, the one with the least under way, then in turn. */
export function nextLane(knowledge: EwsKnowledge, servers: readonly KnownServer[], accounts: readonly KnownAccount[], tries: Tries, now: Instant): Candidate | undefined {
  const left = serversToAsk(servers, tries.servers, now);
  return firstLane(knowledge, left, accounts, tries, now, (lane) => !lane.isQuiet(now)) ?? firstLane(knowledge, left, accounts, tries, now, (lane) => !lane.isFirmlyQuiet(now));
}

function firstLane(knowledge: EwsKnowledge, left: readonly KnownServer[], accounts: readonly KnownAccount[], tries: Tries, now: Instant, mayBeAsked: (lane: EwsLane) => boolean): Candidate | undefined {
  for (const [index, server] of left.entries()) {
    const lanes = accounts
      .filter((one) => !tries.accounts.has(one) && !one.isRefused(now))
      .map((one) => knowledge.lane(server, one))
      .filter((one) => !tries.lanes.has(one) && mayBeAsked(one));
    const [lane] = lanes.sort((a, b) => a.inFlight - b.inFlight || a.usedAt - b.usedAt);
    if (lane !== undefined) return { lane, serversLeft: left.length - index };
  }
  return undefined;
}

/** Why nobody can be asked, though nothing was tried: all accounts are refused, or are to wait. */
export function nobodyLeft(knowledge: EwsKnowledge, servers: readonly KnownServer[], accounts: readonly KnownAccount[], now: Instant): BridgeError {
  const usable = accounts.filter((one) => !one.isRefused(now));
  if (usable.length === 0 && accounts.length > 0) {
    const [soonest] = [...accounts].sort((a, b) => a.refusedUntil - b.refusedUntil);
    return soonest!.refusal ?? new BridgeError('BACKEND_AUTH', 'the calendar system refuses the sign-in of the bridge');
  }
  const quiet = servers.flatMap((server) => usable.map((one) => knowledge.lane(server, one).quietUntil)).filter((until) => until > now);
  return new BridgeError('BACKEND_BUSY', 'the calendar system is too busy', { temporary: true, ...(quiet.length === 0 ? {} : { retryAfterMs: Math.min(...quiet) - now }), details: { reason: 'told to wait' } });
}
