import type { Instant } from '../../../core/clock.ts';
import type { MailboxAddress } from '../../../directory/smtp-address.ts';
import type { WatchMode, WatchStatus } from '../../../presence/gateway.ts';
import type { Subscription, WayName } from './way.ts';

/** One mailbox that is followed. */
export interface Watched {
  readonly mailbox: MailboxAddress;
  subscription: Subscription | undefined;
  /** When its present subscription was made. */
  madeAt: Instant;
  /** It is being subscribed. */
  isBusy: boolean;
  /** When it is subscribed (again); undefined: it has what it needs. */
  dueAt: Instant | undefined;
  /** In a row. */
  failures: number;
  /** Exchange would not grant it a subscription. */
  isHeldBack: boolean;
  /** Must not stand with others. */
  isAlone: boolean;
  /** Said to the listener. */
  trouble: string | undefined;
}

export function newlyWatched(mailbox: MailboxAddress, now: Instant): Watched {
  return { mailbox, subscription: undefined, madeAt: now, isBusy: false, dueAt: now, failures: 0, isHeldBack: false, isAlone: false, trouble: undefined };
}

/** `hasWay`: something else than polling is tried at all. */
export function modeOf({ subscription, isHeldBack, trouble, failures }: Watched, hasWay: boolean): WatchMode {
  if (!hasWay) return 'polled';
  if (subscription === undefined) return isHeldBack || trouble !== undefined || failures > 0 ? 'polled' : 'starting';
  if (subscription.isProved) return subscription.isInterrupted ? 'hinted' : 'live';
  return subscription.way === 'push' ? 'hinted' : 'starting';
}

/** @param generation of the call-back port now */
export function countModes(all: Iterable<Watched>, hasWay: boolean, generation: number | undefined): Pick<WatchStatus, WatchMode | 'moving'> {
  const counts = { live: 0, hinted: 0, polled: 0, starting: 0, moving: 0 };
  for (const watched of all) {
    counts[modeOf(watched, hasWay)] += 1;
    if (watched.subscription?.way === 'push' && watched.subscription.generation !== generation) counts.moving += 1;
  }
  return counts;
}

/** Whether it was made otherwise than it would be made now. `frequency` undefined: any will do. */
export function isOutdated(subscription: Subscription | undefined, wanted: { readonly way: WayName | undefined; readonly generation: number | undefined; readonly frequency: number | undefined }): boolean {
  if (subscription === undefined || wanted.way === undefined) return false;
  if (subscription.way !== wanted.way) return true;
  return wanted.way === 'push' && (subscription.generation !== wanted.generation || (wanted.frequency !== undefined && subscription.frequency !== wanted.frequency));
}
