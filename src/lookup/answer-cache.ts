import type { Clock, Instant } from '../core/clock.ts';
import { LIMITS } from '../core/limits.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import { joinPieces } from '../freebusy/free-busy.ts';
import type { FreeBusy } from '../freebusy/free-busy.ts';
import { clip, gaps, overlaps } from '../freebusy/interval.ts';
import type { Interval } from '../freebusy/interval.ts';
import type { FreeBusyResult } from '../freebusy/source.ts';
import { narrowed } from './narrowed.ts';
import { holds, isEnoughFor, placeOf } from './question.ts';
import type { QuestionKind } from './question.ts';

/** What came of one mailbox, where something did. */
export type GoodResult = Extract<FreeBusyResult, { readonly freeBusy: FreeBusy }>;

interface Answer {
  readonly kind: QuestionKind;
  readonly freeBusy: FreeBusy;
  readonly asOf: Instant;
  /** When the question was begun: what changed after that may be missing in it, so its age counts from here. */
  readonly begunAt: Instant;
  readonly unknown: readonly Interval[];
  readonly weight: number;
}

/** All that is kept of one mailbox. */
interface Shelf {
  readonly system: string;
  answers: readonly Answer[];
}

/**
 * What systems answered lately, mailbox by mailbox, below the exit: nobody's rights are in it. It holds good answers only: who is unknown may exist in a second, and a system that fails is its
 * breaker's business. What an answer does not know (`no-data`) it does not have either: it answers any window in which it knows everything, and no other.
 *
 * Bounded by mailboxes and by weight; the mailbox that nobody asked about for the longest time goes first. What is too old to be given is not told apart until somebody asks, or room is needed.
 */
export class AnswerCache {
  readonly #clock: Clock;
  /** By `placeOf`, the least lately used first. */
  readonly #shelves = new Map<string, Shelf>();
  #weight = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How much it holds: mailboxes, and stretches and events. */
  get size(): { readonly mailboxes: number; readonly weight: number } {
    return { mailboxes: this.#shelves.size, weight: this.#weight };
  }

  /** The newest answer that says all about this window and is younger than `maxAgeMs`. */
  fresh(system: string, mailbox: MailboxAddress, window: Interval, kind: QuestionKind, maxAgeMs: number): GoodResult | undefined {
    const key = placeOf(system, mailbox);
    const shelf = this.#shelves.get(key);
    const answer = newestOf(shelf?.answers.filter((one) => this.#isYounger(one, maxAgeMs) && isEnoughFor(kind, one.kind) && holds(one.freeBusy.window, window) && !one.unknown.some((stretch) => overlaps(stretch, window))) ?? []);
    if (answer === undefined) return undefined;
    this.#used(key, shelf!);
    return { mailbox, freeBusy: narrowed(answer.freeBusy, window), asOf: answer.asOf };
  }

  /**
   * What was known last, where the system does not answer: of each stretch what the newest answer says that knows it, no data for the rest. Details may be missing. Undefined where nothing is known of the window.
   *
   * @param maxAgeMs older answers do not count
   */
  stale(system: string, mailbox: MailboxAddress, window: Interval, kind: QuestionKind, maxAgeMs: number): GoodResult | undefined {
    const key = placeOf(system, mailbox);
    const shelf = this.#shelves.get(key);
    const answers = (shelf?.answers ?? []).filter((one) => one.kind.hops === kind.hops && this.#isYounger(one, maxAgeMs)).sort((a, b) => b.begunAt - a.begunAt);
    const pieces: { readonly window: Interval; readonly answer: Answer }[] = [];
    for (const answer of answers) {
      const known = gaps(answer.freeBusy.window, answer.unknown).flatMap((one) => clip(one, window) ?? []);
      for (const stretch of known) for (const open of gaps(stretch, pieces.map((piece) => piece.window))) pieces.push({ window: open, answer });
    }
    if (pieces.length === 0) return undefined;
    this.#used(key, shelf!);
    const used = new Set(pieces.map(({ answer }) => answer));
    const asOf = Math.min(...[...used].map((one) => one.asOf));
    const [only] = used;
    if (used.size === 1) return { mailbox, freeBusy: narrowed(only!.freeBusy, window), asOf, stale: true };
    // Events of several answers contradict each other at the seams: their busy times do not.
    const busyOnly = pieces.map((piece) => ({ window: piece.window, freeBusy: { ...piece.answer.freeBusy, events: undefined } }));
    return { mailbox, freeBusy: joinPieces(mailbox, window, busyOnly), asOf, stale: true };
  }

  /** @param begunAt when the question was begun that brought this */
  keep(system: string, kind: QuestionKind, begunAt: Instant, { mailbox, freeBusy, asOf, stale }: GoodResult): void {
    if (stale === true) return;
    const unknown = freeBusy.busy.filter(({ busyType }) => busyType === 'no-data');
    const isEmpty = gaps(freeBusy.window, unknown).length === 0;
    const weight = OVERHEAD + freeBusy.busy.length + EVENT_WEIGHT * (freeBusy.events?.length ?? 0);
    if (isEmpty || weight > LIMITS.cachedWeightPerAnswer) return;
    const { details, workingHours, hops } = kind;
    const answer: Answer = { kind: { details, workingHours, hops }, freeBusy, asOf, begunAt, unknown, weight };
    const key = placeOf(system, mailbox);
    const shelf = this.#shelves.get(key) ?? { system, answers: [] };
    // What says less, and earlier, is of no use any more, nor is what a clock that was set back has put into the future; an answer with a hole in it replaces none without.
    const now = this.#clock.now();
    const others = shelf.answers.filter((one) => one.begunAt <= now).filter((one) => unknown.length > 0 || one.begunAt > begunAt || !isEnoughFor(one.kind, kind) || !holds(freeBusy.window, one.freeBusy.window));
    this.#weight -= weightOf(shelf.answers);
    shelf.answers = [answer, ...others].sort((a, b) => b.begunAt - a.begunAt).slice(0, LIMITS.cachedAnswersPerMailbox);
    this.#weight += weightOf(shelf.answers);
    this.#used(key, shelf);
    this.#makeRoom();
  }

  /** Forgets these mailboxes of a system, or all of it, or everything. */
  forget(system?: string, mailboxes?: readonly MailboxAddress[]): void {
    if (system === undefined) {
      this.#shelves.clear();
      this.#weight = 0;
    } else if (mailboxes === undefined) {
      for (const [key, shelf] of this.#shelves) if (shelf.system === system) this.#drop(key, shelf);
    } else {
      for (const key of mailboxes.map((mailbox) => placeOf(system, mailbox))) {
        const shelf = this.#shelves.get(key);
        if (shelf !== undefined) this.#drop(key, shelf);
      }
    }
  }

  #isYounger({ begunAt }: Answer, maxAgeMs: number): boolean {
    const ageMs = this.#clock.now() - begunAt;
    // A clock that was set back makes no answer young.
    return ageMs >= 0 && ageMs < maxAgeMs;
  }

  #used(key: string, shelf: Shelf): void {
    this.#shelves.delete(key);
    this.#shelves.set(key, shelf);
  }

  #makeRoom(): void {
    for (const [key, shelf] of this.#shelves) {
      const isOver = this.#shelves.size > LIMITS.cachedMailboxes || this.#weight > LIMITS.cachedWeight;
      if (!isOver && shelf.answers.some((one) => this.#isYounger(one, LIMITS.longestStaleMs))) return;
      this.#drop(key, shelf);
    }
  }

  #drop(key: string, shelf: Shelf): void {
    this.#shelves.delete(key);
    this.#weight -= weightOf(shelf.answers);
  }
}

/** An answer without any stretch still takes room. */
const OVERHEAD = 4;
/** An event has an id and texts. */
const EVENT_WEIGHT = 3;

function weightOf(answers: readonly Answer[]): number {
  return answers.reduce((sum, { weight }) => sum + weight, 0);
}

function newestOf(answers: readonly Answer[]): Answer | undefined {
  return answers.reduce<Answer | undefined>((newest, one) => (newest === undefined || one.begunAt > newest.begunAt ? one : newest), undefined);
}
