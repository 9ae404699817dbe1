import { BridgeError } from '../../src/core/errors.ts';
import type { Instant } from '../../src/core/clock.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import { PRESENCE_STATES } from '../../src/presence/presence.ts';
import type { PresenceChange, PresenceState, ShownPresence } from '../../src/presence/presence.ts';
import { OWN_STATES } from '../../src/presence/presence-service.ts';
import type { Actor, FollowedMailbox, OptInState, OwnSource, PresenceEvent, PresenceService, PresenceStatus } from '../../src/presence/presence-service.ts';

export const SINCE = Date.parse('2026-03-02T09:00:00Z');
export const UNTIL = Date.parse('2026-03-02T10:00:00Z');

export function shownAs(state: PresenceState, changes: Partial<ShownPresence> = {}): ShownPresence {
  return { state, until: UNTIL, reason: 'calendar', since: SINCE, next: null, text: state === 'in-a-meeting' ? 'In a meeting' : '', language: 'en', ...changes };
}

/** Presence from memory: the test says what is shown. */
export class FakePresence implements PresenceService {
  readonly shown = new Map<MailboxAddress, ShownPresence>();
  readonly states = new Map<MailboxAddress, OptInState>();
  readonly aliases = new Map<MailboxAddress, MailboxAddress>();
  /** Every call that changes something. */
  readonly calls: (readonly unknown[])[] = [];
  /** Thrown by everything that changes something. */
  refusal: BridgeError | undefined;
  /** Without gateways nobody can be switched on. */
  hasGateway = true;
  readonly process = 'p1';
  events: PresenceEvent[] = [];
  keeps = Infinity;
  readonly #listeners = new Set<(event: PresenceEvent) => void>();
  #number = 0;

  get watchers(): number {
    return this.#listeners.size;
  }

  /** Shows somebody so (opted in) to whoever watches; undefined: withdrawn. */
  show(address: string, shown: ShownPresence | undefined): void {
    const mailbox = address as MailboxAddress;
    if (shown === undefined) this.shown.delete(mailbox);
    else this.shown.set(mailbox, shown);
    this.states.set(mailbox, { mailbox, isOptedIn: shown !== undefined, by: 'test', at: SINCE, language: this.states.get(mailbox)?.language });
    const event = { id: `${this.process}-${++this.#number}`, at: SINCE, mailbox, shown };
    this.events = [...this.events, event].slice(-this.keeps);
    for (const listener of [...this.#listeners]) listener(event);
  }

  async presenceOf(mailbox: MailboxAddress): Promise<ShownPresence | undefined> {
    return this.shown.get(this.#primary(mailbox));
  }

  *snapshot(): Iterable<PresenceChange> {
    for (const [mailbox, shown] of this.shown) yield { mailbox, shown };
  }

  subscribe(listener: (event: PresenceEvent) => void, after?: string): { readonly missed: boolean; stop(): void } {
    const number = after?.startsWith(`${this.process}-`) === true ? Number(after.slice(this.process.length + 1)) : undefined;
    const oldest = this.#number - this.events.length;
    const missed = after !== undefined && (number === undefined || !(number >= oldest && number <= this.#number));
    if (!missed && number !== undefined) for (const event of this.events.slice(number - oldest)) listener(event);
    this.#listeners.add(listener);
    return { missed, stop: () => void this.#listeners.delete(listener) };
  }

  optInOf(mailbox: MailboxAddress): OptInState {
    const primary = this.#primary(mailbox);
    return this.states.get(primary) ?? { mailbox: primary, isOptedIn: false, by: undefined, at: undefined, language: undefined };
  }

  optIns(): readonly OptInState[] {
    return [...this.states.values()];
  }

  async switch(mailbox: MailboxAddress, isOn: boolean, actor: Actor): Promise<boolean> {
    this.#call('switch', mailbox, isOn, actor);
    if (isOn && !this.hasGateway) throw new BridgeError('CONFIGURATION', 'presence has no gateway for this mailbox’s system');
    if (mailbox.startsWith('ghost')) throw new BridgeError('NOT_FOUND', 'nobody knows this mailbox');
    const before = this.optInOf(mailbox);
    if (before.isOptedIn === isOn) return false;
    this.states.set(before.mailbox, { ...before, isOptedIn: isOn, by: actor.by, at: SINCE });
    return true;
  }

  async setLanguage(mailbox: MailboxAddress, language: string | undefined, actor: Actor): Promise<void> {
    this.#call('language', mailbox, language, actor);
    const before = this.optInOf(mailbox);
    this.states.set(before.mailbox, { ...before, language });
  }

  async setOwn(mailbox: MailboxAddress, source: OwnSource, state: PresenceState | undefined, until: Instant | null, actor: Actor): Promise<void> {
    this.#call('own', mailbox, source, state, until, actor);
    if (state !== undefined && !OWN_STATES[source].includes(state)) throw new BridgeError('INVALID_REQUEST', 'the source cannot say that');
    if (!this.optInOf(mailbox).isOptedIn) throw new BridgeError('NOT_FOUND', 'it has not opted in');
  }

  resync(which: readonly MailboxAddress[] | 'all'): number {
    this.#call('resync', which);
    return which === 'all' ? this.shown.size : which.filter((one) => this.shown.has(this.#primary(one))).length;
  }

  status(): PresenceStatus {
    const states = Object.fromEntries(PRESENCE_STATES.map((state) => [state, [...this.shown.values()].filter((one) => one.state === state).length])) as Record<PresenceState, number>;
    return {
      optedIn: [...this.states.values()].filter(({ isOptedIn }) => isOptedIn).length,
      states,
      gateways: [{ description: 'Head office', label: 'Exchange -- EWS Server', mailboxes: this.shown.size, watch: { method: 'streaming', live: this.shown.size, hinted: 0, polled: 0, starting: 0, moving: 0, heardAt: SINCE, trouble: undefined } }],
      publishers: [{ label: 'sip im.corp.example:5060', waiting: 0, failing: 1, publishedAt: undefined, trouble: 'it cannot be reached' }],
      calendarSpread: 50,
      readsWaiting: 0,
      lagMs: { p50: 3, p99: 40, max: 60 },
      appliedAt: SINCE,
      pending: ['the notification port moves: 3 subscriptions are left'],
      idle: undefined,
    };
  }

  *followed(): Iterable<FollowedMailbox> {
    for (const [mailbox, shown] of this.shown) yield { mailbox, shown, through: 'Head office', mode: 'live', readAt: SINCE, trouble: undefined };
  }

  #primary(mailbox: MailboxAddress): MailboxAddress {
    return this.aliases.get(mailbox) ?? mailbox;
  }

  #call(...call: readonly unknown[]): void {
    this.calls.push(call);
    if (this.refusal !== undefined) throw this.refusal;
  }
}
