import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { Interval } from '../freebusy/interval.ts';

/** What tells two questions about one mailbox and one window apart. */
export interface QuestionKind {
  readonly details: boolean;
  readonly workingHours: boolean;
  /** What a Zimbra or another bridge answers may hang on it, so what was asked with one number answers no question with another. */
  readonly hops: number;
}

/** One question to one system. */
export interface SystemQuestion extends QuestionKind {
  /** Distinct. */
  readonly mailboxes: readonly MailboxAddress[];
  readonly window: Interval;
  /** Those of whom whoever asks learns nothing: nothing that is kept of them is given, because a mailbox that does not exist is never kept, and it must take as long. */
  readonly withheld?: ReadonlySet<MailboxAddress>;
}

/** Whether what answers `given` says all that `wanted` wants: more does, because the exit takes away what nobody asked for. */
export function isEnoughFor(wanted: QuestionKind, given: QuestionKind): boolean {
  return given.hops === wanted.hops && (given.details || !wanted.details) && (given.workingHours || !wanted.workingHours);
}

export function holds(outer: Interval, inner: Interval): boolean {
  return outer.start <= inner.start && inner.end <= outer.end;
}

/** One mailbox of one system; no address has a line break. */
export function placeOf(system: string, mailbox: MailboxAddress): string {
  return `${system}\n${mailbox}`;
}
