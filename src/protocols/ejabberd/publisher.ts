import type { Clock } from '../../core/clock.ts';
import { BridgeError, toBridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Logger } from '../../core/logger.ts';
import { pause } from '../../core/pause.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { PresenceState, ShownPresence } from '../../presence/presence.ts';
import type { KeptTexts, PresencePublisher } from '../../presence/publisher.ts';
import { activityIq, activityKey } from './activity.ts';
import { EjabberdApi } from './api-connection.ts';
import type { EjabberdApiOptions } from './api-connection.ts';
import { faultOf } from './faults.ts';
import { accountOf } from '../user-activity/jid.ts';
import { decodeRecord, encodeRecord } from './kept-record.ts';
import type { KeptRecord } from './kept-record.ts';
import { probeEjabberd } from './probe.ts';
import { isShownBySessions, planSessions } from './session-plan.ts';
import type { BusyShow, SessionChange } from './session-plan.ts';
import { isSame, isSameSession } from './sessions.ts';
import type { Session } from './sessions.ts';

export interface EjabberdPublisherOptions extends EjabberdApiOptions {
  /** What live sessions show in a meeting. */
  readonly busyShow: BusyShow;
  /** What people's sessions showed before; its keys begin with the label. */
  readonly memory: KeptTexts;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Publishes through ejabberd's HTTP API (presence.md §D.2): the activity into the person's own PEP node, which contacts who come later are told of too, and
 * the `<show>` of every live session. The account is the one whose JID is the mail address.
 *
 * Sessions that come later are found by a slow pass (LIMITS.ejabberdRefreshMs) over those who are shown as something; whose choice stands is
 * planSessions' to say.
 */
export class EjabberdPublisher implements PresencePublisher {
  readonly label: string;
  readonly pace = { concurrency: LIMITS.ejabberdConcurrency, perSecond: LIMITS.ejabberdPerSecond } as const;
  readonly #options: EjabberdPublisherOptions;
  readonly #api: EjabberdApi;
  /** Whose sessions show, or are to show, something of ours. */
  readonly #shown = new Map<MailboxAddress, ShownPresence>();
  /** The sessions that were there when the activity was last published: ejabberd tells contacts of it through them. */
  readonly #told = new Map<MailboxAddress, readonly Session[]>();
  /** Who is being worked on. */
  readonly #turns = new Map<MailboxAddress, Promise<unknown>>();
  readonly #closing = new AbortController();
  #passes: Promise<void> | undefined;
  #trouble: string | undefined;

  constructor(options: EjabberdPublisherOptions) {
    this.#options = options;
    this.#api = new EjabberdApi(options);
    this.label = `ejabberd ${options.url.host}`;
  }

  start(onLost: () => void): void {
    this.#passes ??= this.#pass(onLost);
  }

  async publish(mailbox: MailboxAddress, shown: ShownPresence, signal: AbortSignal): Promise<void> {
    if (isShownBySessions(shown.state)) this.#shown.set(mailbox, shown);
    else this.#shown.delete(mailbox);
    try {
      await this.#inTurn(mailbox, () => this.#bring(mailbox, shown, signal));
    } catch (error) {
      if (error instanceof BridgeError && error.code === 'MAILBOX_UNKNOWN') this.#shown.delete(mailbox);
      throw error;
    }
  }

  async withdraw(mailbox: MailboxAddress, signal: AbortSignal): Promise<void> {
    this.#shown.delete(mailbox);
    await this.#inTurn(mailbox, () => this.#bring(mailbox, undefined, signal));
  }

  /** The session with the highest priority, as a contact's client takes it; ours is known by its words. Activity cannot be asked for. */
  async observe(mailbox: MailboxAddress, signal: AbortSignal): Promise<PresenceState | undefined> {
    const live = await this.#api.sessionsOf(accountOf(mailbox), signal);
    const kept = this.#recall(mailbox);
    const [best] = [...live].sort((one, other) => other.priority - one.priority);
    if (best === undefined) {
      if ((kept?.activity ?? '') === '') return undefined;
      throw new BridgeError('UNSUPPORTED', 'nobody is signed in as this mailbox, and ejabberd cannot be asked for its activity');
    }
    const known = kept?.sessions.get(best.resource);
    if (known !== undefined && isSameSession(best, known) && isSame(best, known.ours)) return kept?.state;
    return best.show === 'dnd' ? 'do-not-disturb' : best.show === 'away' || best.show === 'xa' ? 'away' : 'available';
  }

  async probe(signal: AbortSignal): Promise<readonly ProbeFinding[]> {
    return probeEjabberd(this.#api, this.#options, signal);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#api.close();
    await this.#passes;
  }

  /** Brings one person's sessions and activity to `shown`; undefined: to what they were without us. */
  async #bring(mailbox: MailboxAddress, shown: ShownPresence | undefined, signal: AbortSignal): Promise<void> {
    const account = accountOf(mailbox);
    const kept = this.#recall(mailbox);
    const live = await this.#api.sessionsOf(account, signal);
    if (kept === undefined && live.length === 0 && !(await this.#api.hasAccount(account, signal))) {
      if (shown === undefined) return;
      throw new BridgeError('MAILBOX_UNKNOWN', 'ejabberd has no account whose JID is this address');
    }
    const record = await this.#bringSessions(mailbox, live, shown, kept, signal);
    const activity = activityKey(shown);
    // An empty one is not said twice: what she says of herself meanwhile stays.
    if (activity !== '' || kept?.activity !== '') await this.#publishActivity(mailbox, shown, live, signal);
    if (shown === undefined) this.#options.memory.delete(this.#keyOf(mailbox));
    else this.#remember(mailbox, { ...record, activity });
  }

  async #bringSessions(mailbox: MailboxAddress, live: readonly Session[], shown: ShownPresence | undefined, kept: KeptRecord | undefined, signal: AbortSignal): Promise<KeptRecord> {
    const { state, since = 0 } = shown ?? {};
    const isNewState = kept?.state !== state || kept?.since !== since;
    const plan = planSessions({ live, kept: kept?.sessions ?? new Map(), shown, isNewState, busyShow: this.#options.busyShow });
    const record: KeptRecord = { state, since, activity: kept?.activity, sessions: plan.kept };
    // What is to be put back stays remembered until it was: a try that breaks off is made again.
    this.#remember(mailbox, { ...record, sessions: new Map([...(kept?.sessions ?? []), ...plan.kept]) });
    // What a kill -9 takes from it would be taken for her own choice afterwards, and put back at the end. A disk that does not take it is logged, and holds nobody up.
    if (plan.changes.length > 0) await this.#options.memory.flush?.().catch(() => undefined);
    await this.#setAll(mailbox, plan.changes, live, signal);
    this.#remember(mailbox, record);
    return record;
  }

  async #setAll(mailbox: MailboxAddress, changes: readonly SessionChange[], live: readonly Session[], signal: AbortSignal): Promise<void> {
    const account = accountOf(mailbox);
    const refused: string[] = [];
    for (const change of changes) if (!(await this.#api.setPresence(account, change, signal))) refused.push(change.resource);
    if (refused.length === 0) return;
    const left = await this.#api.sessionsOf(account, signal);
    const isLeft = (session: Session): boolean => refused.includes(session.resource) && live.some((one) => one.resource === session.resource && isSameSession(one, session));
    if (left.some(isLeft)) throw faultOf('set_presence', 500);
  }

  /** Looks for new sessions, again and again, until closed. */
  async #pass(onLost: () => void): Promise<void> {
    const { signal } = this.#closing;
    for (;;) {
      await pause(LIMITS.ejabberdRefreshMs, signal);
      if (signal.aborted) return;
      const wasAway = this.#trouble !== undefined;
      if ((await this.refresh()) && wasAway) onLost();
    }
  }

  /** One pass over everybody who is shown as something: sessions that have come since are found. @returns false where the server as a whole did not answer */
  async refresh(): Promise<boolean> {
    const { signal } = this.#closing;
    // With nobody to ask about, it is not known whether the server is back.
    if (this.#shown.size === 0) return this.#trouble === undefined;
    for (const mailbox of [...this.#shown.keys()]) {
      const failure = await this.#inTurn(mailbox, () => this.#refreshOne(mailbox)).then(() => undefined, toBridgeError);
      if (signal.aborted) return false;
      if (failure !== undefined && OF_THE_SERVER.has(failure.code)) {
        if (this.#trouble !== failure.code) this.#options.logger.warn({ protocol: 'ejabberd', code: failure.code, reason: failure.publicMessage }, 'sessions cannot be looked after');
        this.#trouble = failure.code;
        return false;
      }
      await pause(LIMITS.ejabberdRefreshPauseMs, signal);
    }
    if (this.#trouble !== undefined) this.#options.logger.info({ protocol: 'ejabberd' }, 'sessions are looked after again');
    this.#trouble = undefined;
    return true;
  }

  async #refreshOne(mailbox: MailboxAddress): Promise<void> {
    const shown = this.#shown.get(mailbox);
    if (shown === undefined) return;
    const { signal } = this.#closing;
    const live = await this.#api.sessionsOf(accountOf(mailbox), signal);
    await this.#bringSessions(mailbox, live, shown, this.#recall(mailbox), signal);
    const told = this.#told.get(mailbox) ?? [];
    const isNew = (session: Session): boolean => !told.some((one) => one.resource === session.resource && isSameSession(one, session));
    // What was published while she was signed out, nobody has heard.
    if (live.some(isNew) && activityKey(shown) !== '') await this.#publishActivity(mailbox, shown, live, signal);
  }

  async #publishActivity(mailbox: MailboxAddress, shown: ShownPresence | undefined, live: readonly Session[], signal: AbortSignal): Promise<void> {
    const account = accountOf(mailbox);
    await this.#api.sendStanza(account, account, activityIq(shown), signal);
    if (activityKey(shown) === '') this.#told.delete(mailbox);
    else this.#told.set(mailbox, live);
  }

  /** One after the other for each mailbox: a pass and a change would both remember what the sessions showed. */
  async #inTurn<T>(mailbox: MailboxAddress, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(mailbox);
    const turn = (before ?? Promise.resolve()).then(work, work);
    this.#turns.set(mailbox, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(mailbox) === turn) this.#turns.delete(mailbox);
    }
  }

  #keyOf(mailbox: MailboxAddress): string {
    return `${this.label} ${mailbox}`;
  }

  #recall(mailbox: MailboxAddress): KeptRecord | undefined {
    return decodeRecord(this.#options.memory.get(this.#keyOf(mailbox)));
  }

  #remember(mailbox: MailboxAddress, record: KeptRecord): void {
    const text = encodeRecord(record);
    if (text !== this.#options.memory.get(this.#keyOf(mailbox))) this.#options.memory.set(this.#keyOf(mailbox), text);
  }
}

/** Failures after which asking about the next person is no use. */
const OF_THE_SERVER: ReadonlySet<string> = new Set(['BACKEND_UNREACHABLE', 'BACKEND_TLS', 'BACKEND_AUTH', 'BACKEND_BUSY', 'CONFIGURATION', 'DEADLINE']);
