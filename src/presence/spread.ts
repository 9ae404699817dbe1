import { hash } from 'node:crypto';
import { SECOND_MS } from '../core/clock.ts';
import { LIMITS } from '../core/limits.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';

/** Seconds over which changes are spread: as configured, or (`auto`) one for every hundred users (presence.md A66). */
export function spreadSeconds(configured: number | 'auto', users: number): number {
  return configured === 'auto' ? Math.min(Math.ceil(users / LIMITS.usersPerSpreadSecond), LIMITS.calendarSpread.max) : configured;
}

/** A number that is always the same for a mailbox and evenly distributed over mailboxes, 32 bits. */
export function placeOf(mailbox: MailboxAddress): number {
  return Number.parseInt(hash('sha1', mailbox, 'hex').slice(0, 8), 16);
}

/** How long a mailbox's changes are held back, in ms: always the same, so that start and end of a meeting are shifted alike and never cross (A67). */
export function delayOf(place: number, seconds: number): number {
  return (place % (seconds + 1)) * SECOND_MS;
}
