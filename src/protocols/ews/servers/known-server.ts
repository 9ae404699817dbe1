import type { Instant } from '../../../core/clock.ts';
import { doubling } from '../../../core/back-off.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { RequestServerVersion } from '../names.ts';
import type { ServerVersion } from '../server-version.ts';

/** How large a GetUserAvailability a server takes. */
export interface SizeLimits {
  readonly mailboxes: number;
  /** Days of the window. */
  readonly days: number;
  /** Minutes of a digit, where ours are refused. */
  readonly intervalMinutes: number | undefined;
}

const UNREFUSED: SizeLimits = { mailboxes: LIMITS.ewsMailboxesPerRequest, days: LIMITS.upstreamWindowDays, intervalMinutes: undefined };

/** What is known of one server: whether it answers, what it is, and what it has refused. */
export class KnownServer {
  readonly url: URL;
  /** As it last said; undefined: it has not said yet. */
  version: ServerVersion | undefined;
  /** The newest RequestServerVersion that it takes; undefined: none was refused. */
  highestVersion: RequestServerVersion | undefined;
  limits: SizeLimits = UNREFUSED;
  answeredAt: Instant = -Infinity;
  #failures = 0;
  #failedAt: Instant = -Infinity;
  #asideUntil: Instant = 0;

  constructor(url: URL) {
    this.url = url;
  }

  /** Failed, and its pause is not over. */
  isAside(now: Instant): boolean {
    return now < this.#asideUntil;
  }

  get asideUntil(): Instant {
    return this.#asideUntil;
  }

  /**
   * Of requests that were under way when it failed only one counts.
   *
   * @param startedAt when the request was sent that failed
   * @returns whether that is news
   */
  failed(startedAt: Instant, now: Instant): boolean {
    if (this.#failures > 0 && startedAt <= this.#failedAt) return false;
    this.#failures += 1;
    this.#failedAt = now;
    this.#asideUntil = now + doubling(this.#failures, LIMITS.ewsServerPauses);
    return this.#failures === 1;
  }

  /** Its pause is over and somebody tries it: the others do not meanwhile. */
  tried(now: Instant): void {
    if (this.#failures > 0 && !this.isAside(now)) this.#asideUntil = now + doubling(this.#failures, LIMITS.ewsServerPauses);
  }

  /** @returns whether it is back */
  answered(now: Instant): boolean {
    const isBack = this.#failures > 0;
    this.#failures = 0;
    this.#asideUntil = 0;
    this.answeredAt = now;
    return isBack;
  }

  /** It refused so many mailboxes in one request. @returns whether fewer may help */
  refusedMailboxes(count: number): boolean {
    // One alone is no smaller question: whatever is wrong, it was not the number.
    const mailboxes = count > 1 ? Math.min(this.limits.mailboxes, Math.floor(count / 2)) : UNREFUSED.mailboxes;
    this.limits = { ...this.limits, mailboxes };
    return count > 1;
  }

  /** It refused a window of so many days. @returns whether a narrower one may help */
  refusedDays(days: number): boolean {
    const narrower = LIMITS.ewsWindowLadder.find((one) => one < days);
    this.limits = { ...this.limits, days: narrower === undefined ? UNREFUSED.days : Math.min(this.limits.days, narrower) };
    return narrower !== undefined;
  }

  /** It refused the length of the digits. @returns whether another may help */
  refusedInterval(minutes: number): boolean {
    const isOurs = minutes !== LIMITS.ewsSafeIntervalMinutes;
    this.limits = { ...this.limits, intervalMinutes: isOurs ? LIMITS.ewsSafeIntervalMinutes : undefined };
    return isOurs;
  }
}
