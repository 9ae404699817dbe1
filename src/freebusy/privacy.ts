import type { Actor } from '../core/audit.ts';
import type { Instant } from '../core/clock.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';

/** How it stands with somebody's privacy. */
export interface PrivacyState {
  /** As it was asked about, or as it was named. */
  readonly mailbox: MailboxAddress;
  /** Nobody is told anything about it. */
  readonly isHidden: boolean;
  /** `privacy.exclude` names it, or a group it is in. */
  readonly isExcluded: boolean;
  /** It has opted out, or a group it is in has. */
  readonly isOptedOut: boolean;
  /** Who said so, and when; undefined: nobody opted out under this address. */
  readonly by: string | undefined;
  readonly at: Instant | undefined;
}

/**
 * PORT. About whom nobody is told anything: whoever `privacy.exclude` names, and whoever has opted out. A group stands for its members, as they are now. Answers from memory.
 *
 * It hides free/busy. Presence is an opt-in of its own, and stays as its person chose there; the address book hides by its own words (msExchHideFromAddressLists).
 */
export interface Privacy {
  /** Why a mailbox is hidden, for the administrator; undefined where it is not. @param mailbox its primary address, or the one it was asked about under */
  reasonToHide(mailbox: MailboxAddress): string | undefined;
}

/** What commands and the admin API do with it. Addresses may be aliases and groups. */
export interface PrivacyService extends Privacy {
  of(mailbox: MailboxAddress): PrivacyState;
  /** Everything that the configuration or somebody named; groups as groups. */
  all(): readonly PrivacyState[];
  /**
   * Opts out, or in again. Stored before it resolves; `true` where it was the other way before. Whoever `privacy.exclude` names stays hidden.
   *
   * @throws BridgeError STORE_UNAVAILABLE: then nothing has changed
   */
  switch(mailbox: MailboxAddress, isOptedOut: boolean, actor: Actor): Promise<boolean>;
}

/** Where nobody is hidden. */
export const NOBODY_HIDDEN: Privacy = { reasonToHide: () => undefined };
