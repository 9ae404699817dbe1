import type { Audit } from '../core/audit.ts';
import type { Clock } from '../core/clock.ts';
import { BridgeError } from '../core/errors.ts';
import type { ErrorCode } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import type { RequestContext, Requester } from '../core/request-context.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import { unknownMailbox } from '../freebusy/ask-mailboxes.ts';
import type { WorkingElsewhereAs } from '../freebusy/busy-type.ts';
import { NOBODY_HIDDEN } from '../freebusy/privacy.ts';
import type { Privacy } from '../freebusy/privacy.ts';
import type { FreeBusyQuery, FreeBusyResult, FreeBusySource } from '../freebusy/source.ts';
import { Answers } from './answers.ts';
import { asShown, asUnknown, errorAsShown, isOwn, levelOf } from './exit.ts';
import type { ShownLevel } from './exit.ts';
import { groupFreeBusy } from './group-free-busy.ts';
import { auditLookup } from './lookup-audit.ts';
import type { Outcome } from './lookup-audit.ts';
import type { SystemQuestion } from './question.ts';
import type { HomeSystem, Routing } from './routing.ts';
import { Seldom } from './seldom.ts';

export interface LookupOptions {
  readonly routing: Routing;
  /** For clients that see only whether time is taken. */
  readonly workingElsewhereAs: WorkingElsewhereAs;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Who is hidden; absent: nobody. */
  readonly privacy?: Privacy;
  /** Takes down who asked about whom; absent: nobody does. */
  readonly audit?: Audit | undefined;
  /** Whether changes of this mailbox are heard of as they happen (`calendarsChanged`), so that its answers live longer; when in doubt not. Absent: nobody's are. */
  readonly isFollowed?: ((system: string, mailbox: MailboxAddress) => boolean) | undefined;
}

/**
 * The whole bridge as one FreeBusySource, and the single exit that decides what a client may see.
 *
 * Every mailbox goes to its home system, one question a system, all at once, under one deadline; a system that fails or stays
 * silent costs its own mailboxes and nothing else. Never back to the system that asks. Never throws.
 */
export class Lookup implements FreeBusySource {
  readonly #options: LookupOptions;
  readonly #answers: Answers;
  readonly #warnings: Seldom;

  constructor(options: LookupOptions) {
    this.#options = options;
    const { clock, metrics, isFollowed } = options;
    this.#answers = new Answers({ clock, metrics, isFollowed });
    this.#warnings = new Seldom(clock);
  }

  async freeBusy(query: FreeBusyQuery, ctx: RequestContext): Promise<readonly FreeBusyResult[]> {
    const expanded = { left: LIMITS.mailboxesPerQuestion };
    const decisions = new Map(query.mailboxes.map((mailbox) => [mailbox, this.#decide(mailbox, ctx, expanded)]));
    const bySystem = new Map<HomeSystem, Set<MailboxAddress>>();
    const withheld = new Set<MailboxAddress>();
    for (const decision of decisions.values()) {
      for (const one of 'members' in decision ? decision.members : [decision]) {
        if (!('home' in one)) continue;
        const addresses = bySystem.get(one.home) ?? new Set();
        bySystem.set(one.home, addresses.add(one.address));
        if (one.hidden !== undefined) withheld.add(one.address);
      }
    }
    const results = new Map([...bySystem.keys()].map((home) => [home, new Map<MailboxAddress, FreeBusyResult>()]));
    await Promise.all(
      [...bySystem].map(async ([home, addresses]) => {
        const level = levelOf(ctx.requester, home, query.details);
        const question = { mailboxes: [...addresses], window: query.window, details: level === 'details', workingHours: hoursAreToBeAsked(home, query, level), hops: ctx.hops, withheld };
        for (const result of await this.#ask(home, question, ctx)) results.get(home)!.set(result.mailbox, result);
      }),
    );
    const outcomes = query.mailboxes.map((mailbox): Outcome => {
      const decision = decisions.get(mailbox)!;
      if (!('members' in decision)) return this.#outcome(decision, mailbox, results, query, ctx);
      const members = decision.members.map((one) => this.#outcome(one, one.address ?? mailbox, results, query, ctx));
      return { result: groupFreeBusy(mailbox, query.window, members.map(({ result }) => result)), members };
    });
    if (this.#options.audit !== undefined) auditLookup(this.#options.audit, query, ctx, outcomes);
    return outcomes.map(({ result }) => result);
  }

  /**
   * Calendars have changed: what was asked before that answers nobody who asks from now on, and what is kept of them is forgotten.
   *
   * @param system where; absent: anywhere
   * @param mailboxes whose, as their system knows them; absent: any of that system
   */
  calendarsChanged(system?: string, mailboxes?: readonly MailboxAddress[]): void {
    this.#answers.changed(system, mailboxes);
  }

  /** What is to be asked about a mailbox or a group, or why nothing is; said to whoever wants to know. @param expanded how many members this question may still ask about */
  #decide(mailbox: MailboxAddress, ctx: RequestContext, expanded: { left: number }): Decision {
    const decision = this.#decideOne(mailbox, ctx);
    if ('refused' in decision) return this.#refuse(mailbox, decision, ctx);
    if (decision.hidden !== undefined) {
      ctx.explain?.({ system: decision.home.name, kind: 'route', text: `${mailbox}: asked about like an unknown one, and its answer thrown away (${decision.hidden.why})` });
      return decision;
    }
    const alias = decision.address === mailbox ? '' : ` as ${decision.address}`;
    const group = this.#options.routing.expand(decision.address, LIMITS.expandedMembers);
    if (group === undefined) {
      ctx.explain?.({ system: decision.home.name, kind: 'route', text: `${mailbox} lives in ${decision.home.name}${alias}` });
      return decision;
    }
    if (group.isTooLarge || group.members.length > expanded.left) return this.#refuse(mailbox, refusal(new BridgeError('NO_DATA', 'the group has too many members')), ctx);
    if (group.members.length === 0) return this.#refuse(mailbox, refusal(new BridgeError('NO_DATA', 'the group has no members that are known')), ctx);
    expanded.left -= group.members.length;
    ctx.explain?.({ system: decision.home.name, kind: 'route', text: `${mailbox} is a group of ${group.members.length + group.unknown}${group.unknown > 0 ? `, ${group.unknown} of them unknown` : ''}` });
    const members = group.members.map((member) => {
      const one = this.#decideOne(member, ctx);
      return 'refused' in one ? { ...this.#refuse(member, one, ctx), address: member } : one;
    });
    return { members: group.unknown > 0 ? [...members, { refused: unknownMailbox(), why: 'no directory has it' }] : members };
  }

  #refuse(mailbox: MailboxAddress, refused: Refusal, ctx: RequestContext): Refusal {
    ctx.explain?.({ system: 'none', kind: 'route', text: `${mailbox}: nobody is asked (${refused.why})` });
    this.#options.logger.debug({ requestId: ctx.requestId, mailbox, code: refused.refused.code, reason: refused.why }, 'nobody is asked');
    this.#options.metrics.lookup('none', refused.refused.code);
    return refused;
  }

  /** The system to ask about a mailbox, or why nobody is asked. What a client may not ask about looks like what is unknown. */
  #decideOne(mailbox: MailboxAddress, ctx: RequestContext): Destination | Refusal {
    const { requester } = ctx;
    const { routing, privacy = NOBODY_HIDDEN } = this.#options;
    const route = routing.route(mailbox);
    const hidden = requester.seesHidden === true ? undefined : (privacy.reasonToHide(route.home === undefined ? mailbox : route.address) ?? privacy.reasonToHide(mailbox));
    if (hidden !== undefined && isOwn(requester)) return refusal(new BridgeError('MAILBOX_REFUSED', hidden));
    if (hidden !== undefined) return this.#hide(mailbox, { why: hidden, code: 'HIDDEN' }, ctx);
    if (route.home === undefined) {
      const claims = route.claimedBy.join(' and ');
      if (claims === '') return { refused: unknownMailbox(), why: 'no system lists its domain, nor the address under mailboxes' };
      const several = new BridgeError('NO_DATA', 'several systems claim this mailbox or its domain', { details: { systems: claims } });
      return isOwn(requester) ? refusal(several) : this.#hide(mailbox, { why: reasonOf(several), code: several.code }, ctx);
    }
    const { home } = route;
    if (!mayAsk(requester, home.name)) return this.#hide(mailbox, { why: `it lives in ${home.name}, which ${requester.name} may not ask`, code: 'ACCESS_DENIED' }, ctx);
    const loop = loopOf(home, ctx);
    return loop === undefined ? route : refusal(loop);
  }

  /**
   * Somebody about whom this client learns nothing goes the way of an unknown mailbox of the same domain, so that neither the answer nor the time it takes tells that there is somebody: where such
   * a one is asked about, he is too, as he was written, and the answer is thrown away.
   */
  #hide(mailbox: MailboxAddress, hidden: Hidden, ctx: RequestContext): Destination | Refusal {
    const home = this.#options.routing.homeOfUnknown(mailbox);
    if (home === undefined || !mayAsk(ctx.requester, home.name)) return { refused: unknownMailbox(), ...hidden };
    const loop = loopOf(home, ctx);
    return loop === undefined ? { home, address: mailbox, hidden } : { refused: loop, ...hidden };
  }

  /** The exit: nothing reaches a face that did not pass here. */
  #outcome(decision: Destination | Refusal, mailbox: MailboxAddress, results: Results, query: FreeBusyQuery, { requester }: RequestContext): Outcome {
    const result = resultOf(decision, mailbox, results);
    if ('refused' in decision) {
      const error = requester.anonymous ? errorAsShown(decision.refused, requester) : decision.refused;
      return { result: { mailbox, error }, code: decision.code ?? decision.refused.code };
    }
    const level = levelOf(requester, decision.home, query.details);
    const shown = asShown(decision.hidden === undefined ? result : asUnknown(result), level, requester, this.#options.workingElsewhereAs);
    if (!('error' in shown)) return { result: shown, level };
    return { result: shown, code: decision.hidden?.code ?? ('error' in result ? result.error.code : shown.error.code) };
  }

  async #ask(home: HomeSystem, question: SystemQuestion, ctx: RequestContext): Promise<readonly FreeBusyResult[]> {
    const { clock, logger, metrics } = this.#options;
    const started = performance.now();
    const { results, stale, asked } = await this.#answers.ask(home, question, ctx.deadline - answerTimeMs(ctx.deadline - clock.now()), ctx);
    const durationMs = Math.round(performance.now() - started);
    const failures = new Map<ErrorCode, BridgeError>();
    for (const result of results.values()) {
      const kept = stale.get(result.mailbox);
      metrics.lookup(home.name, kept !== undefined ? 'stale' : 'error' in result ? result.error.code : 'ok');
      if (!('error' in result)) continue;
      // Whoever joins a question under way does not report what came of it.
      if (asked.has(result.mailbox)) failures.set(result.error.code, result.error);
      logger.debug({ requestId: ctx.requestId, system: home.name, mailbox: result.mailbox, code: result.error.code, reason: reasonOf(result.error) }, kept === undefined ? 'no data about a mailbox' : 'an older answer about a mailbox');
      ctx.explain?.({ system: home.name, kind: 'no-data', text: `${result.mailbox}: ${result.error.code}: ${result.error.publicMessage}${detailsOf(result.error)}${kept === undefined ? '' : `; given instead: what was known at ${new Date(kept.asOf).toISOString()}`}` });
    }
    for (const error of failures.values()) {
      const leftOut = QUIET.has(error.code) ? undefined : this.#warnings.mayBeSaid(`${home.name} ${error.code} ${String(error.details['target'] ?? error.details['status'] ?? '')}`);
      if (leftOut === undefined) continue;
      logger.warn({ requestId: ctx.requestId, system: home.name, code: error.code, reason: reasonOf(error), mailboxes: question.mailboxes.length, durationMs, ...(leftOut === 0 ? {} : { count: leftOut + 1 }) }, 'no data from a calendar system');
    }
    return question.mailboxes.map((mailbox) => stale.get(mailbox) ?? results.get(mailbox)!);
  }
}

/** Whom to ask about a mailbox, under which address. */
interface Destination {
  readonly home: HomeSystem;
  readonly address: MailboxAddress;
  /**
   * Asked only because an unknown one would be, and thrown away. A good answer of an unknown mailbox is never kept, so this one must not be either: it is neither taken from what is kept nor
   * kept, or it would be answered faster than an unknown one.
   */
  readonly hidden?: Hidden;
}

/** Why a client learns nothing: in words, and for the audit log. */
interface Hidden {
  readonly why: string;
  readonly code: string;
}

type Results = ReadonlyMap<HomeSystem, ReadonlyMap<MailboxAddress, FreeBusyResult>>;

type Decision = Destination | Refusal | { readonly members: readonly (Destination | Refusal)[] };

/** What came of a decision, under the address that was asked about. */
function resultOf(decision: Destination | Refusal, mailbox: MailboxAddress, results: Results): FreeBusyResult {
  if ('refused' in decision) return { mailbox, error: decision.refused };
  const result = results.get(decision.home)?.get(decision.address) ?? { mailbox, error: missing() };
  if (decision.address === mailbox) return result;
  return 'error' in result ? { mailbox, error: result.error } : { ...result, mailbox, freeBusy: { ...result.freeBusy, mailbox } };
}

/** `refused` is what the client is told, `why` what the administrator is, `code` what the audit log is, where it is not that of `refused`. */
interface Refusal {
  readonly refused: BridgeError;
  readonly why: string;
  readonly code?: string;
  /** Of a group's member. */
  readonly address?: MailboxAddress;
}

function refusal(error: BridgeError): Refusal {
  return { refused: error, why: reasonOf(error) };
}

/** A mailbox that is unknown or refused is daily business, not a fault of the system. */
const QUIET: ReadonlySet<ErrorCode> = new Set(['MAILBOX_UNKNOWN', 'MAILBOX_REFUSED', 'NO_DATA']);

function mayAsk(requester: Requester, system: string): boolean {
  return requester.detail !== 'none' && (requester.mayAsk === 'all' || requester.mayAsk.has(system));
}

/**
 * Only a Zimbra has to be asked for working hours in words of their own. To the others the question stays the one without them, so that a client
 * that asks both at once (Zimbra's web client) costs one. Who sees only whether time is taken gets none (freebusy/detail.ts).
 */
function hoursAreToBeAsked(home: HomeSystem, query: FreeBusyQuery, level: ShownLevel): boolean {
  return query.workingHours === true && home.isZimbra && level !== 'free-busy';
}

/** Why a home must not be asked on behalf of whoever asks. */
function loopOf(home: HomeSystem, { requester, viaZimbra, hops }: RequestContext): BridgeError | undefined {
  if (requester.from === home.name) return new BridgeError('LOOP', 'the asking system is the home of this mailbox');
  if (viaZimbra === true && home.isZimbra) return new BridgeError('LOOP', 'a Zimbra asks, so no Zimbra is asked');
  return hops > LIMITS.hops ? new BridgeError('LOOP', 'the question has been passed on too often') : undefined;
}

/** Kept back from the deadline so that the answer is written by then: a twentieth, at most 100 ms. */
function answerTimeMs(remainingMs: number): number {
  return Math.min(100, Math.max(0, remainingMs) / 20);
}

function missing(): BridgeError {
  return new BridgeError('NO_DATA', 'no answer for this mailbox');
}

function reasonOf(error: BridgeError): string {
  return error.publicMessage + detailsOf(error);
}

function detailsOf(error: BridgeError): string {
  const details = Object.entries(error.details).map(([name, value]) => `${name}: ${String(value)}`);
  return details.length === 0 ? '' : ` (${details.join(', ')})`;
}
