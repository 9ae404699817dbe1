import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { WorkingElsewhereAs } from '../freebusy/busy-type.ts';
import type { Resident, Roster } from '../freebusy/roster.ts';
import type { FreeBusySink } from '../freebusy/sink.ts';
import type { FreeBusySource } from '../freebusy/source.ts';

/** Which mailboxes of the home system are replicated. */
export interface MailboxChoice {
  /** `foreign-principal`: those that the other side knows (`ad:…`); `all`: every one that is no system account. */
  readonly only: 'foreign-principal' | 'all';
  /** Whatever `only` says. */
  readonly include: ReadonlySet<MailboxAddress>;
  /** Stronger than everything else. */
  readonly exclude: ReadonlySet<MailboxAddress>;
}

/** One way that free/busy takes: from the system where mailboxes live into one that keeps a replica. */
export interface Route {
  /** `zimbra → exchange`, for people. */
  readonly name: string;
  /** For keys in Redis: `[a-z0-9-]`. */
  readonly key: string;
  /** Name of the home system. */
  readonly from: string;
  /** Name of the system that is written into. */
  readonly to: string;
  readonly source: FreeBusySource;
  /** Absent where nobody can list the system's mailboxes: then every mailbox of its domains that somebody names is one. */
  readonly roster?: Roster | undefined;
  readonly sink: FreeBusySink;
  readonly choice: MailboxChoice;
  /** The window published, from today 00:00 UTC. */
  readonly pastMs: number;
  readonly aheadMs: number;
  readonly concurrency: number;
  readonly workingElsewhereAs: WorkingElsewhereAs;
  /** Name of the system in which a mailbox lives; undefined where none has it, or nobody can tell. */
  readonly homeOf: (mailbox: MailboxAddress) => string | undefined;
  /** Nobody is told anything about this mailbox, wherever it is asked for: it is excluded or has opted out (freebusy/privacy.ts). Absent: nobody is hidden. */
  readonly isHidden?: ((mailbox: MailboxAddress) => boolean) | undefined;
}

/** Why a mailbox of the home system is not replicated; undefined where it is. */
export function whyNot({ choice, isHidden }: Route, resident: Resident): string | undefined {
  if (isHidden?.(resident.mailbox) === true) return 'it is excluded by privacy.exclude, or has opted out';
  if (choice.exclude.has(resident.mailbox)) return 'it is excluded by the configuration';
  if (resident.isSystem) return 'it is a system account';
  if (choice.only === 'all' || choice.include.has(resident.mailbox) || resident.foreignPrincipal !== undefined) return undefined;
  return 'it has no zimbraForeignPrincipal ad:…, and mailboxes.only is foreign-principal';
}
