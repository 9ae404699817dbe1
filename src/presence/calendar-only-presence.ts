import { BridgeError } from '../core/errors.ts';
import type { RequestContext } from '../core/request-context.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { CalendarPresence } from './calendar-presence.ts';
import type { ShownPresence } from './presence.ts';
import type { FollowedMailbox, OptInState, PresenceService, PresenceStatus } from './presence-service.ts';

/** Presence where nobody hears of changes: who the file lists is asked about whenever somebody wants to know; nothing can be switched or watched. */
export class CalendarOnlyPresence implements PresenceService {
  readonly #calendar: CalendarPresence;
  readonly #optIn: ReadonlySet<MailboxAddress>;

  constructor(calendar: CalendarPresence, optIn: ReadonlySet<MailboxAddress>) {
    this.#calendar = calendar;
    this.#optIn = optIn;
  }

  async presenceOf(mailbox: MailboxAddress, ctx: RequestContext): Promise<ShownPresence | undefined> {
    const presence = await this.#calendar.presenceOf(mailbox, ctx);
    return presence === undefined ? undefined : { ...presence, reason: 'calendar', since: Date.now(), next: null, text: '', language: 'en' };
  }

  snapshot(): Iterable<never> {
    return [];
  }

  subscribe(): { readonly missed: boolean; stop(): void } {
    return { missed: true, stop: () => undefined };
  }

  optInOf(mailbox: MailboxAddress): OptInState {
    const isOptedIn = this.#optIn.has(mailbox);
    return { mailbox, isOptedIn, by: isOptedIn ? 'file' : undefined, at: undefined, language: undefined };
  }

  optIns(): readonly OptInState[] {
    return [...this.#optIn].map((mailbox) => this.optInOf(mailbox));
  }

  async switch(): Promise<never> {
    throw new BridgeError('CONFIGURATION', 'presence has no gateway for this mailbox');
  }

  async setLanguage(): Promise<never> {
    throw new BridgeError('STORE_UNAVAILABLE', 'nothing is kept of presence');
  }

  async setOwn(): Promise<never> {
    throw new BridgeError('STORE_UNAVAILABLE', 'nothing is kept of presence');
  }

  resync(): number {
    return 0;
  }

  status(): PresenceStatus {
    throw new BridgeError('CONFIGURATION', 'presence has no gateway');
  }

  followed(): Iterable<FollowedMailbox> {
    return [];
  }
}

/** Stands where protocols/pidf's encoder will. */
export function noPidf(): never {
  throw new BridgeError('UNSUPPORTED', 'PIDF is not given yet');
}
