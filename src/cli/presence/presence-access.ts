import type { Instant } from '../../core/clock.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { PresenceState } from '../../presence/presence.ts';
import type { Actor, FollowedMailbox, OptInState, OwnSource, PresenceStatus } from '../../presence/presence-service.ts';
import type { PresenceToCheck } from '../../presence/troubleshooter.ts';
import type { SwitchOutcome } from '../../protocols/rest-api/admin-presence.ts';
import type { ExitCode } from '../exit-code.ts';
import type { Terminal } from '../terminal.ts';

/** Who could be shown, for `opt-in --all`: everybody of the named systems, or of all that presence is for; in parts. An unknown system is a BridgeError INVALID_REQUEST. */
export type ListEveryone = (systems: readonly string[], signal: AbortSignal) => AsyncIterable<readonly MailboxAddress[]>;

/** Presence as a command got hold of it: of the running bridge, or what is kept on disk where none runs. */
export interface PresenceAccess {
  /** Undefined where no bridge runs. */
  status(): Promise<PresenceStatus | undefined>;
  /** Everybody who is shown; undefined where no bridge runs. */
  followed(): Promise<readonly FollowedMailbox[] | undefined>;
  /** Everybody about whom something was said. */
  optIns(): Promise<readonly OptInState[]>;
  /** In the order named; stored when it resolves. */
  switch(mailboxes: readonly MailboxAddress[], isOn: boolean, actor: Actor): Promise<readonly SwitchOutcome[]>;
  /** @throws BridgeError as PresenceService */
  setLanguage(mailbox: MailboxAddress, language: string | undefined, actor: Actor): Promise<void>;
  /** @throws BridgeError as PresenceService; UNSUPPORTED where no bridge runs */
  setOwn(mailbox: MailboxAddress, source: OwnSource, state: PresenceState | undefined, until: Instant | null, actor: Actor): Promise<void>;
  /** How many. @throws BridgeError UNSUPPORTED where no bridge runs */
  resync(which: readonly MailboxAddress[] | 'all'): Promise<number>;
  everyone: ListEveryone;
  /** Gives back all that was opened for it. */
  close(): Promise<void>;
}

/** Finds the presence of a configuration. Where there is none it says why and gives the exit code. */
export type ReachPresence = (file: string, terminal: Terminal) => Promise<PresenceAccess | ExitCode>;

/** Wires what `presence check` tries. Where the configuration is wrong it says so and gives the exit code. */
export type ReachPresenceCheck = (file: string, terminal: Terminal) => Promise<PresenceToCheck | ExitCode>;
