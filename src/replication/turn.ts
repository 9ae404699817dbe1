import type { Instant } from '../core/clock.ts';
import { BridgeError } from '../core/errors.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';

/** One try to bring one mailbox's replica up to date. */
export interface Turn {
  readonly mailbox: MailboxAddress;
  /** When the oldest change that it covers was stored. */
  readonly storedAt: Instant;
  /** From 1; a route held back by its brake does not count. */
  readonly attempt: number;
  /** Fires when the turn took too long, when the queue closes, and when another process may have taken the mailbox over. */
  readonly signal: AbortSignal;
}

/** What is done in a turn: gives the names of the systems that did in it what they were asked to, and throws BridgeError or FailedTurn. */
export type TurnWork = (turn: Turn) => Promise<readonly string[]>;

/** What a turn throws: which system failed, and how. */
export class FailedTurn extends Error {
  override readonly name = 'FailedTurn';
  readonly error: BridgeError;
  /** Name of the system that failed, for the metrics. */
  readonly system: string;

  constructor(error: BridgeError, system: string) {
    super(error.message, { cause: error });
    this.error = error;
    this.system = system;
  }

  /** The error as somebody is told who does not know which system it is about. */
  get told(): BridgeError {
    const { code, publicMessage, temporary, retryAfterMs, details } = this.error;
    return new BridgeError(code, `${this.system}: ${publicMessage}`, { temporary, retryAfterMs, details, cause: this.error });
  }
}

/** What an administrator needs of a failure, on one line: which system, what it said, about what, and what to do. */
export function inWords({ publicMessage, details }: BridgeError, system: string | undefined): string {
  const about = ['property', 'responseCode', 'fault', 'status'].flatMap((name) => (details[name] === undefined ? [] : [`${name} ${details[name]}`]));
  const said = `${publicMessage}${about.length === 0 ? '' : ` (${about.join(', ')})`}${details['hint'] === undefined ? '' : ` → ${details['hint']}`}`;
  return system === undefined ? said : `${system}: ${said}`;
}
