import { DAY_MS } from '../core/clock.ts';
import { BridgeError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import type { RequestContext } from '../core/request-context.ts';
import { parseMailboxAddress } from '../directory/smtp-address.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { Interval } from './interval.ts';
import { slotCount } from './slots.ts';
import type { FreeBusyResult, FreeBusySource } from './source.ts';

/** What came of one address as a client spelled it. */
export interface Asked {
  /** The caller's own spelling, untouched: clients match by it. */
  readonly text: string;
  /** Undefined where the text can name no mailbox; `result` is then MAILBOX_UNKNOWN. */
  readonly mailbox: MailboxAddress | undefined;
  readonly result: FreeBusyResult | { readonly error: BridgeError };
}

/**
 * Asks on behalf of a face: one entry for each of `texts`, in their order. An address that can name no mailbox is answered
 * like an unknown one and nobody is asked about it; the same mailbox spelled twice is asked once.
 *
 * @throws BridgeError TOO_MANY_MAILBOXES, INVALID_WINDOW or WINDOW_TOO_LARGE: the question is refused as a whole.
 */
export async function askMailboxes(
  source: FreeBusySource,
  texts: readonly string[],
  window: Interval,
  details: boolean,
  ctx: RequestContext,
): Promise<readonly Asked[]> {
  checkQuestion(texts.length, window);
  const parsed = texts.map((text) => ({ text, mailbox: parseMailboxAddress(text) }));
  for (const { text, mailbox } of parsed) if (mailbox === undefined) ctx.explain?.({ system: 'none', kind: 'route', text: `${text}: nobody is asked (it is no mail address)` });
  const mailboxes = [...new Set(parsed.flatMap((one) => one.mailbox ?? []))];
  const results = mailboxes.length === 0 ? [] : await source.freeBusy({ mailboxes, window, details }, ctx);
  const byMailbox = new Map(mailboxes.map((mailbox, index) => [mailbox, results[index]]));
  return parsed.map(({ text, mailbox }) => ({
    text,
    mailbox,
    result: (mailbox === undefined ? undefined : byMailbox.get(mailbox)) ?? { error: unknownMailbox() },
  }));
}

/** The same source for a face that shows working hours: every question to it says that they are wanted. */
export function withWorkingHours(source: FreeBusySource): FreeBusySource {
  return { freeBusy: (query, ctx) => source.freeBusy({ ...query, workingHours: true }, ctx) };
}

/** The one answer for mailboxes that are unknown, hidden or refused. */
export function unknownMailbox(): BridgeError {
  return new BridgeError('MAILBOX_UNKNOWN', 'no such mailbox');
}

/**
 * Refuses a question that is too large or makes no sense.
 *
 * @param slotMinutes where the face cuts the answer into slots
 * @throws BridgeError TOO_MANY_MAILBOXES, INVALID_WINDOW or WINDOW_TOO_LARGE
 */
export function checkQuestion(mailboxes: number, window: Interval, slotMinutes?: number): void {
  if (mailboxes > LIMITS.mailboxesPerQuestion) {
    throw new BridgeError('TOO_MANY_MAILBOXES', `more than ${LIMITS.mailboxesPerQuestion} mailboxes in one question`);
  }
  if (!Number.isSafeInteger(window.start) || !Number.isSafeInteger(window.end)) {
    throw new BridgeError('INVALID_WINDOW', 'the window has no readable start or end');
  }
  if (window.start >= window.end) throw new BridgeError('INVALID_WINDOW', 'the window ends before it begins');
  if (window.end - window.start > LIMITS.windowDays * DAY_MS) {
    throw new BridgeError('WINDOW_TOO_LARGE', `the window is longer than ${LIMITS.windowDays} days`);
  }
  if (slotMinutes === undefined) return;
  if (!Number.isSafeInteger(slotMinutes) || slotMinutes < 1) throw new BridgeError('INVALID_REQUEST', 'a slot is a whole number of minutes');
  const slots = slotCount(window, slotMinutes);
  if (slots > LIMITS.slotsPerMailbox) {
    throw new BridgeError('WINDOW_TOO_LARGE', `more than ${LIMITS.slotsPerMailbox} slots a mailbox`);
  }
  if (slots * mailboxes > LIMITS.slotsPerAnswer) {
    throw new BridgeError('WINDOW_TOO_LARGE', `more than ${LIMITS.slotsPerAnswer} slots in one answer`);
  }
}
