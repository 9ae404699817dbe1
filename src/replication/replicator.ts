import { randomUUID } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import { BridgeError, toBridgeError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import type { RequestContext } from '../core/request-context.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { FreeBusy } from '../freebusy/free-busy.ts';
import type { Resident } from '../freebusy/roster.ts';
import { withoutWorkingElsewhere } from '../freebusy/working-elsewhere.ts';
import { REMOVED, digestOf } from './digest.ts';
import type { KeyedLock } from './keyed-lock.ts';
import { publicationWindow, publishablePart } from './publication-window.ts';
import type { Owner, Published, PublishedStore } from './published-store.ts';
import type { PushOutcome } from './report.ts';
import { whyNot } from './route.ts';
import type { Route } from './route.ts';
import { FailedTurn } from './turn.ts';

/** What was last published on the route: PublishedStore, as far as it is needed here. */
export type PublicationRecord = Pick<PublishedStore, 'read' | 'invalidate' | 'write' | 'forget' | 'claim' | 'release' | 'ownerOf'>;

export interface ReplicatorOptions {
  readonly route: Route;
  readonly published: PublicationRecord;
  /** Shared by all routes, and kept over reloads: an old and a new replicator may be at work for a moment. */
  readonly locks: KeyedLock;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface TurnOptions {
  /** Write even what equals what was written. */
  readonly always: boolean;
  /** Say what would be done; touch neither Exchange nor the record. */
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
}

/** A way to end that is no failure. */
type Ending = PushOutcome extends infer One ? (One extends { outcome: 'failed' } ? never : Omit<One, 'mailbox' | 'route'>) : never;

/**
 * Brings one mailbox's message on one route to what its home system says now. It trusts no notification: it reads again, compares
 * with what it last wrote, and writes only what differs.
 *
 * **Unknown is never free:** a mailbox that is no data (its owner denies viewFreeBusy, it is gone, it is excluded) loses its message;
 * where an answer is unknown in part, the message speaks only about the part that is known.
 *
 * **The record never runs ahead of Exchange:** the digest is forgotten, durably, before a write or a removal and stored after every property
 * was accepted. A process that dies in between writes again; and so does everybody once in LIMITS.trustedForMs, for what nobody foresaw.
 */
export class Replicator {
  readonly #options: ReplicatorOptions;

  constructor(options: ReplicatorOptions) {
    this.#options = options;
  }

  /**
   * One turn of a mailbox at a time: a run that stalled and its repetition must not overtake each other.
   *
   * @throws FailedTurn which system failed, and how
   */
  async run(mailbox: MailboxAddress, options: TurnOptions): Promise<PushOutcome> {
    const { route, locks, metrics } = this.#options;
    const ending = await locks.run([`${route.key}\n${mailbox}`], async () => this.#run(mailbox, options));
    if (!options.dryRun) metrics.replicated(route.name, ending.outcome);
    return { mailbox, route: route.name, ...ending };
  }

  async #run(mailbox: MailboxAddress, options: TurnOptions): Promise<Ending> {
    const { route, clock, metrics } = this.#options;
    const ctx = contextOf(route, clock, options.signal);
    const home = route.homeOf(mailbox);
    // The message now belongs to the mailbox's new home, which keeps it itself: ours to forget, not to take away.
    if (home === route.to) return this.#disown(mailbox, `it lives in ${route.to}`, options);
    if (home !== route.from) return this.#takeAway(mailbox, `it does not live in ${route.from}`, options, ctx);

    const resident = await this.#resident(mailbox, ctx.signal, options.always);
    if (resident === undefined) return this.#gone(mailbox, options, ctx);
    const primary = resident.mailbox;
    if (primary !== mailbox) return { ...(await this.#takeAway(mailbox, `it is an alias of ${primary}`, options, ctx)), primary } as Ending;
    const refusal = whyNot(route, resident);
    if (refusal !== undefined) return this.#takeAway(mailbox, refusal, options, ctx);

    const identity = await this.#identityOf(resident, options, ctx);
    const began = performance.now();
    const read = await this.#read(mailbox, ctx);
    metrics.replicationStage(route.name, 'read', performance.now() - began);
    if (!(read instanceof BridgeError)) return this.#publish(mailbox, identity, read, options, ctx);
    return read.code === 'MAILBOX_UNKNOWN' ? this.#gone(mailbox, options, ctx) : this.#retract(mailbox, identity, read, options, ctx);
  }

  /** @throws FailedTurn NO_DATA where it can have no message, or no more: then an old one is taken away first */
  async #identityOf(resident: Resident, options: TurnOptions, ctx: RequestContext): Promise<string> {
    const { route } = this.#options;
    try {
      return route.sink.identityOf(resident);
    } catch (thrown) {
      const error = toBridgeError(thrown);
      if (error.code === 'NO_DATA') await this.#takeAway(resident.mailbox, error.publicMessage, options, ctx);
      throw new FailedTurn(error, route.to);
    }
  }

  async #resident(mailbox: MailboxAddress, signal: AbortSignal, fresh = false): Promise<Resident | undefined> {
    const { route } = this.#options;
    if (route.roster === undefined) return { mailbox, isSystem: false };
    return this.#at(route.from, async () => route.roster!.find(mailbox, signal, { fresh }));
  }

  /** What can be published, or why it is no data. */
  async #read(mailbox: MailboxAddress, ctx: RequestContext): Promise<FreeBusy | BridgeError> {
    const { route, clock } = this.#options;
    const window = publicationWindow(clock.now(), route.pastMs, route.aheadMs);
    return this.#at(route.from, async () => {
      const [result] = await route.source.freeBusy({ mailboxes: [mailbox], window, details: false }, ctx);
      if (result === undefined) throw new BridgeError('INTERNAL', 'the source gave no result');
      if ('error' in result) {
        if (IS_NO_DATA.has(result.error.code)) return result.error;
        throw result.error;
      }
      const part = publishablePart(withoutWorkingElsewhere(result.freeBusy, route.workingElsewhereAs), clock.now());
      return part ?? new BridgeError('NO_DATA', 'nothing is known about its time');
    });
  }

  async #publish(mailbox: MailboxAddress, identity: string, freeBusy: FreeBusy, options: TurnOptions, ctx: RequestContext): Promise<Ending> {
    const { route, published, clock, metrics, logger } = this.#options;
    if (options.dryRun) {
      const preview = await this.#at(route.to, async () => route.sink.preview(identity, freeBusy));
      return { outcome: 'would-write', window: freeBusy.window, preview };
    }
    const [known, isOurs] = await Promise.all([published.read(mailbox), this.#isOwner(mailbox, identity)]);
    const digest = digestOf(identity, freeBusy);
    if (!options.always && isOurs && this.#stillHolds(known, digest)) return { outcome: 'unchanged' };
    return this.#holding(mailbox, identity, known, ctx, async () => {
      const began = performance.now();
      const window = await this.#at(route.to, async () => route.sink.publish(identity, freeBusy, ctx));
      const durationMs = performance.now() - began;
      metrics.replicationStage(route.name, 'write', durationMs);
      await published.write(mailbox, { digest, identity, window, at: clock.now() });
      logger.info({ requestId: ctx.requestId, route: route.name, system: route.to, mailbox, outcome: 'written', count: freeBusy.busy.length, durationMs: Math.round(durationMs) }, 'free/busy message written');
      return { outcome: 'written', window };
    });
  }

  /** It is no data: nobody may see an old message, nor a free one. */
  async #retract(mailbox: MailboxAddress, identity: string, why: BridgeError, options: TurnOptions, ctx: RequestContext): Promise<Ending> {
    const { route, published, clock } = this.#options;
    const reason = why.publicMessage;
    if (options.dryRun) return { outcome: 'would-remove', where: this.#whereOf(mailbox, identity), reason };
    const [known, isOurs] = await Promise.all([published.read(mailbox), this.#isOwner(mailbox, identity)]);
    if (!options.always && isOurs && known !== undefined && sameIdentity(known.identity, identity) && this.#stillHolds(known, REMOVED)) return { outcome: 'unchanged' };
    return this.#holding(mailbox, identity, known, ctx, async () => {
      await this.#remove(mailbox, identity, reason, ctx);
      const now = clock.now();
      await published.write(mailbox, { digest: REMOVED, identity, window: publicationWindow(now, route.pastMs, route.aheadMs), at: now });
      return { outcome: 'removed', reason };
    });
  }

  /** Whether the message need not be written: it was, the same, and not so long ago that somebody may have lost or changed it. */
  #stillHolds(known: Published | undefined, digest: string): boolean {
    return known?.digest === digest && this.#options.clock.now() - known.at < LIMITS.trustedForMs;
  }

  /** @throws FailedTurn MAILBOX_UNKNOWN where nothing was ever written for it, either */
  async #gone(mailbox: MailboxAddress, options: TurnOptions, ctx: RequestContext): Promise<Ending> {
    const { route } = this.#options;
    const ending = await this.#takeAway(mailbox, 'there is no such mailbox', options, ctx);
    if (ending.outcome !== 'skipped') return ending;
    throw new FailedTurn(new BridgeError('MAILBOX_UNKNOWN', `${route.from} has no such mailbox`), route.from);
  }

  /** It is not (or no longer) ours to publish: what we wrote goes, what we never wrote is nobody's business of ours. */
  async #takeAway(mailbox: MailboxAddress, reason: string, options: TurnOptions, ctx: RequestContext): Promise<Ending> {
    const known = await this.#options.published.read(mailbox);
    if (known === undefined) return { outcome: 'skipped', reason };
    if (options.dryRun) return { outcome: 'would-remove', where: this.#whereOf(mailbox, known.identity), reason };
    await this.#options.locks.run([this.#lockOf(known.identity)], async () => this.#abandon(mailbox, known.identity, reason, ctx));
    return { outcome: 'removed', reason };
  }

  async #disown(mailbox: MailboxAddress, reason: string, options: TurnOptions): Promise<Ending> {
    const { published } = this.#options;
    const known = options.dryRun ? undefined : await published.read(mailbox);
    if (known !== undefined) {
      await published.forget(mailbox);
      await published.release(known.identity, this.#owner(mailbox));
    }
    return { outcome: 'skipped', reason };
  }

  /** Removes a message that is this mailbox's and forgets all about it; somebody else's is left alone. Under the lock of the identity. */
  async #abandon(mailbox: MailboxAddress, identity: string, reason: string, ctx: RequestContext): Promise<void> {
    const { published } = this.#options;
    await published.invalidate(mailbox);
    if (await this.#isOwner(mailbox, identity)) await this.#remove(mailbox, identity, reason, ctx);
    // The record first: an owner without one is found out, a record without its message is believed.
    await published.forget(mailbox);
    await published.release(identity, this.#owner(mailbox));
  }

  /** The digest was forgotten before. */
  async #remove(mailbox: MailboxAddress, identity: string, reason: string, ctx: RequestContext): Promise<void> {
    const { route, logger } = this.#options;
    await this.#at(route.to, async () => route.sink.remove(identity, ctx));
    logger.info({ requestId: ctx.requestId, route: route.name, system: route.to, mailbox, outcome: 'removed', reason }, 'free/busy message removed');
  }

  /**
   * Runs `work`, which writes or removes the message, while it is this mailbox's alone, none is left under its former name, and the digest is forgotten.
   *
   * @throws FailedTurn NO_DATA where another mailbox has the same legacyExchangeDN: each would show the other's time
   */
  async #holding(mailbox: MailboxAddress, identity: string, known: Published | undefined, ctx: RequestContext, work: () => Promise<Ending>): Promise<Ending> {
    const former = known === undefined || sameIdentity(known.identity, identity) ? undefined : known.identity;
    const names = former === undefined ? [identity] : [identity, former];
    return this.#options.locks.run(names.map((one) => this.#lockOf(one)), async () => {
      if (former !== undefined) await this.#abandon(mailbox, former, 'its legacyExchangeDN has changed', ctx);
      // Whatever comes of the claim: a digest too few costs one write.
      await Promise.all([this.#claim(mailbox, identity, ctx), this.#options.published.invalidate(mailbox)]);
      return work();
    });
  }

  async #claim(mailbox: MailboxAddress, identity: string, ctx: RequestContext): Promise<void> {
    const { route, published } = this.#options;
    const isOurs = (one: Owner): boolean => one.from === route.from && one.mailbox === mailbox;
    let owner = await published.claim(identity, mailbox);
    if (!isOurs(owner) && !(await this.#stillHas(owner, identity, ctx.signal))) {
      // A mailbox that was renamed, moved, or gave its principal away: the message goes over to the new one as it is.
      if (owner.from === route.from) await published.forget(owner.mailbox);
      await published.release(identity, owner);
      owner = await published.claim(identity, mailbox);
    }
    if (isOurs(owner)) return;
    const hint = `give one of them another zimbraForeignPrincipal, or exclude it; see the legacyExchangeDn template of ${route.to}`;
    throw new FailedTurn(new BridgeError('NO_DATA', `its legacyExchangeDN is also that of ${owner.mailbox}`, { details: { hint } }), route.to);
  }

  /** The URL, or folder and subject, of a message. */
  #whereOf(mailbox: MailboxAddress, identity: string): string {
    const { route, clock } = this.#options;
    return route.sink.preview(identity, { mailbox, window: publicationWindow(clock.now(), route.pastMs, route.aheadMs), busy: [] }).where;
  }

  async #isOwner(mailbox: MailboxAddress, identity: string): Promise<boolean> {
    const owner = await this.#options.published.ownerOf(identity);
    return owner?.mailbox === mailbox && owner.from === this.#options.route.from;
  }

  #owner(mailbox: MailboxAddress): Owner {
    return { from: this.#options.route.from, mailbox };
  }

  /** Two mailboxes that come to one message at the same time, from whichever home. */
  #lockOf(identity: string): string {
    return `${this.#options.route.to}\n${identity.toLowerCase()}`;
  }

  async #stillHas(other: Owner, identity: string, signal: AbortSignal): Promise<boolean> {
    const { route } = this.#options;
    if (route.homeOf(other.mailbox) !== other.from) return false;
    // Another home's people are not ours to look up.
    if (other.from !== route.from) return true;
    const resident = await this.#resident(other.mailbox, signal, true);
    if (resident?.mailbox !== other.mailbox || whyNot(route, resident) !== undefined) return false;
    return this.#at(route.to, async () => sameIdentity(route.sink.identityOf(resident), identity));
  }

  /** Whatever fails in there is the failure of that system. */
  async #at<T>(system: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (thrown) {
      throw thrown instanceof FailedTurn ? thrown : new FailedTurn(toBridgeError(thrown), system);
    }
  }
}

/** The home system knows nothing to publish; every other failure may be the system's, and says nothing about the mailbox. */
const IS_NO_DATA: ReadonlySet<string> = new Set(['NO_DATA', 'MAILBOX_UNKNOWN', 'MAILBOX_REFUSED']);

function sameIdentity(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** The bridge's own question: on behalf of the system that is written into, so that nothing is ever read back from there. */
function contextOf(route: Route, clock: Clock, signal: AbortSignal): RequestContext {
  const requester = { name: 'replication', from: route.to, mayAsk: 'all', detail: 'busy-type', anonymous: false, presence: 'none' } as const;
  return { requestId: randomUUID(), requester, hops: 0, deadline: clock.now() + LIMITS.replicationTurnMs, signal };
}
