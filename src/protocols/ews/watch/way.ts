import type { BridgeError } from '../../../core/errors.ts';
import type { Instant } from '../../../core/clock.ts';
import type { MailboxAddress } from '../../../directory/smtp-address.ts';
import type { EwsLane } from '../servers/knowledge.ts';

/** How Exchange may tell of changes, best first. */
export const WAYS = ['push', 'streaming', 'pull'] as const;
export type WayName = (typeof WAYS)[number];

/** One mailbox's subscription, as long as it lasts. Its way fills it in; the watch reads it. */
export interface Subscription {
  readonly mailbox: MailboxAddress;
  readonly way: WayName;
  /** Exchange's own. */
  readonly id: string;
  /** The server and account that it was made with, where it lives; undefined: push, which nobody asks for again. */
  readonly at?: EwsLane | undefined;
  /** Up to which events are known; streaming has none. */
  watermark: string | undefined;
  /** What Exchange said through it is known to arrive here. */
  isProved: boolean;
  /** What may have been told meanwhile is lost: a stream that is being opened again. */
  isInterrupted: boolean;
  /** When Exchange last said anything about it. */
  heardAt: Instant;
  /** Of the call-back port it was made with; 0 without one. */
  readonly generation: number;
  /** StatusFrequency it was made with, minutes; 0 without one. */
  readonly frequency: number;
  /** It has been left: whatever comes is nothing to it. */
  isOver: boolean;
}

/** What a way tells of its subscriptions. Never called for one that is over. */
export interface WayEvents {
  /** Exchange said something through it: proof, and no more. */
  heard(subscription: Subscription): void;
  /** The calendar may have changed. `missed`: and something before was lost, which the subscription survived. */
  changed(subscription: Subscription, reason: 'notified' | 'missed'): void;
  /** It is no good any more. */
  failed(subscription: Subscription, error: BridgeError): void;
}

/** How a subscription is asked for. */
export interface SubscribeWish {
  readonly mailbox: MailboxAddress;
  readonly watermark: string | undefined;
  /** It must not stand with others. */
  readonly isAlone: boolean;
  readonly signal: AbortSignal;
}

/** One way of hearing of changes. */
export interface Way {
  readonly name: WayName;
  /** @throws BridgeError */
  subscribe(wish: SubscribeWish): Promise<Subscription>;
  /** It is left. `tell`: Exchange is told so, as far as it can be. Never throws. */
  leave(subscription: Subscription, tell: boolean): Promise<void>;
  /** Now and then: what is due by the clock. */
  tick(): void;
  close(): Promise<void>;
}
