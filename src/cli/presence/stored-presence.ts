import { BridgeError } from '../../core/errors.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { Actor, OptInState } from '../../presence/presence-service.ts';
import type { OptIns } from '../../presence/opt-ins.ts';
import { switchEach } from '../../protocols/rest-api/admin-presence.ts';
import type { SwitchOutcome } from '../../protocols/rest-api/admin-presence.ts';
import type { ListEveryone, PresenceAccess } from './presence-access.ts';

export interface StoredPresenceOptions {
  readonly optIns: OptIns;
  /** The primary address. @throws BridgeError NOT_FOUND where the mailbox lives nowhere */
  readonly resolve: (mailbox: MailboxAddress) => MailboxAddress;
  /** @throws BridgeError CONFIGURATION where presence has no gateway for the mailbox's system */
  readonly mayBeOn: (mailbox: MailboxAddress) => void;
  readonly everyone: ListEveryone;
  readonly close: () => Promise<void>;
}

/** What is kept of presence, for as long as a command holds the place of the bridge: opt-ins and languages. Nothing is shown meanwhile; the next bridge shows it. */
export class StoredPresence implements PresenceAccess {
  readonly #options: StoredPresenceOptions;
  readonly everyone: ListEveryone;

  constructor(options: StoredPresenceOptions) {
    this.#options = options;
    this.everyone = options.everyone;
  }

  async status(): Promise<undefined> {
    return undefined;
  }

  async followed(): Promise<undefined> {
    return undefined;
  }

  async optIns(): Promise<readonly OptInState[]> {
    return this.#options.optIns.all();
  }

  async switch(mailboxes: readonly MailboxAddress[], isOn: boolean, actor: Actor): Promise<readonly SwitchOutcome[]> {
    const { optIns, resolve, mayBeOn } = this.#options;
    const switched = async (mailbox: MailboxAddress): Promise<boolean> => {
      // Whoever has left all systems may still be switched off.
      const primary = !isOn && optIns.has(mailbox) ? mailbox : resolve(mailbox);
      if (isOn) mayBeOn(primary);
      return optIns.switch(primary, isOn, actor);
    };
    return switchEach({ switch: switched }, mailboxes, isOn, actor);
  }

  async setLanguage(mailbox: MailboxAddress, language: string | undefined, actor: Actor): Promise<void> {
    await this.#options.optIns.setLanguage(this.#options.resolve(mailbox), language, actor);
  }

  async setOwn(): Promise<never> {
    throw nothingRuns();
  }

  async resync(): Promise<never> {
    throw nothingRuns();
  }

  async close(): Promise<void> {
    await this.#options.close();
  }
}

function nothingRuns(): BridgeError {
  return new BridgeError('UNSUPPORTED', 'no bridge runs with this configuration: this is about what a running one shows');
}
