import type { Clock, Instant } from '../core/clock.ts';
import { LIMITS } from '../core/limits.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { FreeBusy } from '../freebusy/free-busy.ts';
import { Agenda } from './agenda.ts';
import { composedAt, composedUntil, NO_OWN_STATES } from './compose.ts';
import type { Composed, Known, OwnStates, PrecedenceRule } from './compose.ts';
import type { PresenceMapping } from './mapping.ts';
import { Person } from './person.ts';
import type { PresenceChange, PresenceState, ShownPresence } from './presence.ts';
import { delayOf } from './spread.ts';
import { Timeline } from './timeline.ts';

/** What is known of somebody who comes in. */
export interface Entry {
  readonly own?: OwnStates | undefined;
  readonly language?: string | undefined;
  readonly shownBefore?: PresenceState | undefined;
}

/** How states are made; all of it may change while the engine runs. */
export interface EngineRules {
  readonly mapping: PresenceMapping;
  readonly precedence: readonly PrecedenceRule[];
  /** Seconds; see spreadSeconds. */
  readonly spread: number;
  /** The words for a state, and of which language they are. */
  readonly textFor: (state: ShownPresence['state'], language: string | undefined) => { readonly text: string; readonly language: string };
}

export interface EngineOptions {
  readonly rules: EngineRules;
  readonly clock: Clock;
  /** Is told of every change of what is shown, and (with the same state) of what else a watcher may see: until when, why, in which words. */
  readonly onChange: (change: PresenceChange, lagMs: number | undefined) => void;
}

/**
 * The clockwork: knows everybody's calendar as intervals, and shows each state at its boundary plus that person's own delay. It asks nobody and has no timer: whoever
 * runs it calls `run` when `next` has come, and hands over what was read.
 *
 * What is shown at an instant is what was so `delay` before it; news (an appointment made or removed just now, a person's own word) show at once.
 */
export class PresenceEngine {
  readonly #people = new Map<MailboxAddress, Person>();
  readonly #agenda = new Agenda<Person>();
  readonly #clock: Clock;
  readonly #onChange: EngineOptions['onChange'];
  #rules: EngineRules;

  constructor({ rules, clock, onChange }: EngineOptions) {
    this.#rules = rules;
    this.#clock = clock;
    this.#onChange = onChange;
  }

  get size(): number {
    return this.#people.size;
  }

  /** When something changes next; undefined: nothing that is known. */
  get next(): Instant | undefined {
    return this.#agenda.next;
  }

  has(mailbox: MailboxAddress): boolean {
    return this.#people.has(mailbox);
  }

  mailboxes(): Iterable<MailboxAddress> {
    return this.#people.keys();
  }

  /** Shows somebody from now on: nothing until the calendar is read. @param shownBefore what was shown before a restart; undefined: nothing, the first state shows without the spread */
  add(mailbox: MailboxAddress, { own = NO_OWN_STATES, language, shownBefore }: Entry = {}): void {
    if (this.#people.has(mailbox)) return;
    const person = new Person(mailbox);
    person.own = own;
    person.language = language;
    person.shownBefore = shownBefore;
    this.#people.set(mailbox, person);
  }

  /** Shows somebody no more, and says so. */
  remove(mailbox: MailboxAddress): void {
    const person = this.#people.get(mailbox);
    if (person === undefined) return;
    this.#agenda.cancel(person);
    this.#people.delete(mailbox);
    this.#onChange({ mailbox, shown: undefined }, undefined);
  }

  /** The calendar as read just now. */
  read(mailbox: MailboxAddress, freeBusy: FreeBusy): void {
    const now = this.#clock.now();
    this.#learn(mailbox, () => Timeline.of(freeBusy, this.#rules.mapping, now - LIMITS.calendarSpread.max * 1000));
  }

  /** The calendar cannot be read, and what was read is not to be believed any more. */
  lose(mailbox: MailboxAddress): void {
    this.#learn(mailbox, () => Timeline.unknown(this.#clock.now()));
  }

  /** What the other sources say now. */
  setOwn(mailbox: MailboxAddress, own: OwnStates): void {
    const person = this.#people.get(mailbox);
    if (person === undefined) return;
    person.own = Object.keys(own).length === 0 ? NO_OWN_STATES : own;
    const now = this.#clock.now();
    person.floor = now;
    if (person.timeline !== undefined) this.#show(person, now, undefined, true);
  }

  setLanguage(mailbox: MailboxAddress, language: string | undefined): void {
    const person = this.#people.get(mailbox);
    if (person === undefined || person.language === language) return;
    person.language = language;
    if (person.shown !== undefined) this.#tell(person, undefined);
  }

  ownOf(mailbox: MailboxAddress): OwnStates {
    return this.#people.get(mailbox)?.own ?? NO_OWN_STATES;
  }

  /** Other rules: what is planned is planned anew; states follow with the next reading, which the caller sees to. */
  setRules(rules: EngineRules): void {
    const isSame = JSON.stringify(rules) === JSON.stringify(this.#rules);
    this.#rules = rules;
    if (isSame) return;
    const now = this.#clock.now();
    for (const person of this.#people.values()) if (person.timeline !== undefined) this.#show(person, now, undefined, false);
  }

  /** Just the state that is shown. */
  stateOf(mailbox: MailboxAddress): PresenceState | undefined {
    return this.#people.get(mailbox)?.shown;
  }

  /** What is shown of somebody: undefined for who is not here or whose calendar was never read. @param isExact what is so now, without the spread */
  shownOf(mailbox: MailboxAddress, isExact = false): ShownPresence | undefined {
    const person = this.#people.get(mailbox);
    if (person?.timeline === undefined || person.shown === undefined) return undefined;
    const now = this.#clock.now();
    const at = isExact ? now : this.#shownAt(person, now);
    return this.#describe(person, person.timeline, at, isExact ? composedAt(known(person, person.timeline), at, this.#rules.precedence) : { state: person.shown, reason: person.reason });
  }

  /** Shows what is due, at most so many. True: there is more. */
  run(most: number): boolean {
    const now = this.#clock.now();
    for (let count = 0; count < most; count++) {
      const person = this.#agenda.take(now);
      if (person === undefined) return false;
      this.#show(person, now, person.due, false);
    }
    return (this.#agenda.next ?? Infinity) <= now;
  }

  #learn(mailbox: MailboxAddress, timelineOf: () => Timeline): void {
    const person = this.#people.get(mailbox);
    if (person === undefined) return;
    const now = this.#clock.now();
    const { timeline: old } = person;
    const before = old === undefined ? undefined : composedAt(known(person, old), now, this.#rules.precedence);
    const untilBefore = old === undefined ? undefined : composedUntil(known(person, old), this.#shownAt(person, now), this.#rules.precedence);
    const timeline = timelineOf();
    person.timeline = timeline;
    const after = composedAt(known(person, timeline), now, this.#rules.precedence);
    // News about now are shown now; a boundary that is waiting for its delay goes on waiting, over a restart too.
    const waits = before === undefined ? person.shownBefore === composedAt(known(person, timeline), this.#shownAt(person, now), this.#rules.precedence).state : before.state === after.state;
    if (!waits) person.floor = now;
    person.shownBefore = undefined;
    // Of who is free or unknown nobody is told when that ends.
    const isOther = old !== undefined && after.state !== 'available' && after.state !== 'unknown' && composedUntil(known(person, timeline), this.#shownAt(person, now), this.#rules.precedence) !== untilBefore;
    this.#show(person, now, undefined, isOther);
  }

  /** The instant whose state is shown at `now`. */
  #shownAt(person: Person, now: Instant): Instant {
    // The floor lies ahead where the clock was set back: what will be so then is not so now.
    return Math.max(now - delayOf(person.place32, this.#rules.spread), Math.min(person.floor, now));
  }

  /** Shows what is to be shown now, and plans the next change. @param due when it was planned @param isOther something else than the state has changed */
  #show(person: Person, now: Instant, due: Instant | undefined, isOther: boolean): void {
    const timeline = person.timeline!;
    const at = this.#shownAt(person, now);
    const { state, reason } = composedAt(known(person, timeline), at, this.#rules.precedence);
    const isChange = state !== person.shown;
    person.reason = reason;
    if (isChange) person.shown = state;
    if (isChange || isOther) this.#tell(person, due === undefined ? undefined : now - due);
    const next = composedUntil(known(person, timeline), at, this.#rules.precedence);
    if (next === undefined) this.#agenda.cancel(person);
    else this.#agenda.plan(person, Math.max(next + delayOf(person.place32, this.#rules.spread), now));
  }

  #tell(person: Person, lagMs: number | undefined): void {
    const shown = this.#describe(person, person.timeline!, this.#shownAt(person, this.#clock.now()), { state: person.shown!, reason: person.reason });
    this.#onChange({ mailbox: person.mailbox, shown }, lagMs);
  }

  #describe(person: Person, timeline: Timeline, at: Instant, { state, reason }: Composed): ShownPresence {
    const words = this.#rules.textFor(state, person.language);
    const said = reason === 'calendar' ? undefined : person.own[reason];
    return {
      state,
      reason,
      since: said === undefined ? timeline.since(at) : said.at,
      until: composedUntil(known(person, timeline), at, this.#rules.precedence) ?? null,
      next: nextStretch(timeline, at),
      text: words.text,
      language: words.language,
    };
  }
}

function known(person: Person, timeline: Timeline): Known {
  return { timeline, own: person.own };
}

/** The next stretch that is neither free nor unknown and says something else than now. */
function nextStretch(timeline: Timeline, at: Instant): ShownPresence['next'] {
  for (let start = timeline.changeAfter(at); start !== undefined; start = timeline.changeAfter(start)) {
    const state = timeline.stateAt(start);
    if (state === 'in-a-meeting' || state === 'away') return { state, start, end: timeline.changeAfter(start) ?? null };
  }
  return null;
}
