import { DAY_MS, MINUTE_MS } from '../core/clock.ts';
import type { Clock } from '../core/clock.ts';
import { LIMITS } from '../core/limits.ts';
import type { RequestContext, Requester } from '../core/request-context.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import { floorTo } from '../freebusy/interval.ts';
import type { FreeBusySource } from '../freebusy/source.ts';
import { presenceAt } from './from-free-busy.ts';
import type { PresenceMapping } from './from-free-busy.ts';
import type { Presence } from './presence.ts';

export interface CalendarPresenceOptions {
  readonly source: FreeBusySource;
  readonly optIn: ReadonlySet<MailboxAddress>;
  readonly mapping: PresenceMapping;
  readonly clock: Clock;
}

/**
 * The bridge asks for itself: the right to see presence is a client's own (`presence: read`), the calendar behind it is
 * nobody's but the owner's, who opted in.
 */
const THE_BRIDGE: Requester = { name: 'presence', from: 'outside', mayAsk: 'all', detail: 'busy-type', anonymous: false, presence: 'read' };

/** Computes presence from the lookup, for mailboxes that opted in. */
export class CalendarPresence {
  readonly #options: CalendarPresenceOptions;

  constructor(options: CalendarPresenceOptions) {
    this.#options = options;
  }

  /** Undefined for a mailbox that has not opted in, without asking anybody; one that cannot be read is `unknown`. */
  async presenceOf(mailbox: MailboxAddress, ctx: RequestContext): Promise<Presence | undefined> {
    const { source, optIn, mapping, clock } = this.#options;
    if (!optIn.has(mailbox)) return undefined;
    const start = floorTo(clock.now(), MINUTE_MS);
    const window = { start, end: start + LIMITS.upstreamWindowDays * DAY_MS };
    const [result] = await source.freeBusy({ mailboxes: [mailbox], window, details: false }, { ...ctx, requester: THE_BRIDGE });
    if (result === undefined || 'error' in result) return { state: 'unknown', until: null };
    return presenceAt(result.freeBusy, clock.now(), mapping);
  }
}
