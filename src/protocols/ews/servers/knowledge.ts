import { createHash } from 'node:crypto';
import type { Instant } from '../../../core/clock.ts';
import { doubling } from '../../../core/back-off.ts';
import type { BridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import { RefusalCount } from '../../../core/refusal-count.ts';
import { untilAborted } from '../../../core/until-aborted.ts';
import { accountName } from '../../../platform/http-client/authentication.ts';
import type { Authentication } from '../../../platform/http-client/authentication.ts';
import { KnownServer } from './known-server.ts';

/** What is known of one account, at whatever server: one that is refused is not tried elsewhere, or it is locked the sooner. */
export class KnownAccount {
  readonly name: string;
  /** With which it was last refused. */
  refusal: BridgeError | undefined;
  readonly #count = new RefusalCount();
  /** It was let in since it was last refused. */
  #isLetIn = false;
  #refusals = 0;
  #first: Promise<void> | undefined;

  constructor(name: string) {
    this.name = name;
  }

  isRefused(now: Instant): boolean {
    return this.#count.isResting(now);
  }

  get refusedUntil(): Instant {
    return this.#count.restsUntil;
  }

  /** @returns whether that is news */
  refused(error: BridgeError, now: Instant, startedAt: Instant): boolean {
    this.refusal = error;
    this.#isLetIn = false;
    this.#refusals += 1;
    return this.#count.refused(now, startedAt);
  }

  worked(): void {
    this.#isLetIn = true;
    this.refusal = undefined;
    this.#count.accepted();
  }

  /**
   * Until it was let in, one request goes first, whatever server it is for: a wrong password must not be sent with everything that waits. Who waits does so once.
   *
   * @throws BridgeError with which the first was refused; DEADLINE; what `work` throws
   */
  async oneFirst<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    if (this.#isLetIn) return work();
    if (this.#first === undefined) {
      const first = work();
      const over = (): void => (this.#first = undefined);
      this.#first = first.then(over, over);
      return first;
    }
    const before = this.#refusals;
    await untilAborted(this.#first, signal);
    if (this.#refusals > before && this.refusal !== undefined) throw this.refusal;
    return work();
  }
}

/** One account at one server. */
export class EwsLane {
  readonly server: KnownServer;
  readonly account: KnownAccount;
  inFlight = 0;
  /** Counts up; the lane with the least was used longest ago. */
  usedAt = 0;
  /** When it last signed in. */
  workedAt: Instant = -Infinity;
  /** Requests at the same time that a refusal has taught; undefined: none was refused. */
  concurrency: number | undefined;
  /** A refusal was taken for "slow down"; the next one after this is not. */
  suspectedUntil: Instant | undefined;
  #busyTimes = 0;
  #quietUntil: Instant = 0;
  #firmUntil: Instant = 0;

  constructor(server: KnownServer, account: KnownAccount) {
    this.server = server;
    this.account = account;
  }

  /** The server wants no questions of this account now. */
  isQuiet(now: Instant): boolean {
    return now < this.#quietUntil;
  }

  /** And is asked nothing by it, though nobody else is left: it has said for how long, or says so again and again. */
  isFirmlyQuiet(now: Instant): boolean {
    return now < this.#firmUntil;
  }

  get quietUntil(): Instant {
    return this.#quietUntil;
  }

  /**
   * The server has said "busy".
   *
   * @param forMs for how long, where it said so
   * @param isFirm where it did not: whether our guess counts all the same
   * @returns for how long it is left alone from now on, ms
   */
  toldToWait(forMs: number | undefined, now: Instant, isFirm = forMs !== undefined): number {
    if (forMs !== undefined) this.#quietUntil = Math.max(this.#quietUntil, now + Math.min(forMs, LIMITS.ewsLongestBackOffMs));
    else if (!this.isQuiet(now)) {
      this.#busyTimes += 1;
      this.#quietUntil = now + doubling(this.#busyTimes, LIMITS.ewsBusyPauses);
    }
    if (isFirm || this.#quietUntil - now > LIMITS.ewsGuessedPauseMs) this.#firmUntil = this.#quietUntil;
    return Math.max(0, this.#quietUntil - now);
  }

  worked(now: Instant): void {
    this.workedAt = now;
    this.suspectedUntil = undefined;
    this.#busyTimes = 0;
    // A question that was under way when another was told to wait says nothing about the next.
    if (!this.isQuiet(now)) this.#quietUntil = 0;
    this.account.worked();
  }
}

/**
 * What the bridge has learnt of Exchange servers and of its accounts there. One for the process: whatever asks the same server (lookup, sink, address
 * book, presence, before and after a reload) shares it.
 */
export class EwsKnowledge {
  readonly #servers = new Map<string, KnownServer>();
  readonly #accounts = new Map<string, KnownAccount>();
  readonly #lanes = new Map<KnownServer, Map<KnownAccount, EwsLane>>();
  #uses = 0;

  server(url: URL): KnownServer {
    const found = remembered(this.#servers, url.href, () => new KnownServer(url));
    if (this.#lanes.size > LIMITS.ewsRemembered) for (const server of this.#lanes.keys()) if (this.#servers.get(server.url.href) !== server) this.#lanes.delete(server);
    return found;
  }

  /** @param servers of the Exchange in which it is an account: another one may have one of the same name, and a silent or refusing house must not hold up the other */
  account(authentication: Authentication, servers: readonly URL[]): KnownAccount {
    return remembered(this.#accounts, keyOf(authentication, servers), () => new KnownAccount(accountName(authentication)));
  }

  lane(server: KnownServer, account: KnownAccount): EwsLane {
    const lanes = this.#lanes.get(server) ?? new Map<KnownAccount, EwsLane>();
    this.#lanes.set(server, lanes);
    const lane = lanes.get(account) ?? new EwsLane(server, account);
    lanes.set(account, lane);
    return lane;
  }

  /** Whose turn it was is known by it. */
  nextUse(): number {
    return ++this.#uses;
  }
}

/** Another password is another account: what was refused before a reload says nothing about it. */
function keyOf(authentication: Authentication, servers: readonly URL[]): string {
  const proof = authentication.kind === 'bearer' ? '' : createHash('sha256').update(authentication.password).digest('base64');
  return [authentication.kind, accountName(authentication), proof, ...servers.map(({ href }) => href).sort()].join('\n');
}

function remembered<T>(known: Map<string, T>, key: string, make: () => T): T {
  const found = known.get(key) ?? make();
  known.set(key, found);
  for (const oldest of known.keys()) {
    if (known.size <= LIMITS.ewsRemembered) break;
    known.delete(oldest);
  }
  return found;
}
