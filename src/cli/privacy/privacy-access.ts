import type { Actor } from '../../core/audit.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { PrivacyState } from '../../freebusy/privacy.ts';
import type { PrivacyOutcome } from '../../protocols/rest-api/admin-privacy.ts';
import type { ExitCode } from '../exit-code.ts';
import type { Terminal } from '../terminal.ts';

/** Privacy as a command got hold of it: of the running bridge, or what is kept on disk where none runs. */
export interface PrivacyAccess {
  /** Everybody whom the configuration or somebody named. */
  all(): Promise<readonly PrivacyState[]>;
  /** In the order named; stored when it resolves. */
  switch(mailboxes: readonly MailboxAddress[], isOptedOut: boolean, actor: Actor): Promise<readonly PrivacyOutcome[]>;
  /** Gives back all that was opened for it. */
  close(): Promise<void>;
}

/** Finds the privacy of a configuration. Where there is none it says why and gives the exit code. */
export type ReachPrivacy = (file: string, terminal: Terminal) => Promise<PrivacyAccess | ExitCode>;
