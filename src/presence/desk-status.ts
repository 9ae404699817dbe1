import type { Instant } from '../core/clock.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { CalendarReader } from './calendar-reader.ts';
import type { DeskSetup } from './desk.ts';
import type { PresenceEngine } from './engine.ts';
import type { Followers } from './followers.ts';
import type { FollowedMailbox, PresenceStatus } from './presence-service.ts';
import { PRESENCE_STATES } from './presence.ts';
import type { PresenceState, ShownPresence } from './presence.ts';
import type { PublisherQueue } from './publisher-queue.ts';

/** How it stands with presence as a whole. @param parts `lags` in ms, of the latest changes, in any order */
export function statusOf({ engine, followers, queues, setup, spread, lags, appliedAt }: {
  readonly engine: PresenceEngine;
  readonly followers: Followers;
  readonly queues: readonly PublisherQueue[];
  readonly setup: DeskSetup;
  readonly spread: number;
  readonly lags: readonly number[];
  readonly appliedAt: Instant;
}): PresenceStatus {
  const states = Object.fromEntries(PRESENCE_STATES.map((state) => [state, 0])) as Record<PresenceState, number>;
  for (const mailbox of engine.mailboxes()) states[engine.stateOf(mailbox) ?? 'unknown'] += 1;
  const readers = [...followers.readers()];
  return {
    optedIn: engine.size,
    states,
    // A gateway that serves nobody, or does not answer, is worth seeing too.
    gateways: [...new Set([...setup.gateways, ...readers.map(({ channel }) => channel)])].map((channel) => {
      const mailboxes = readers.find((one) => one.channel === channel)?.size ?? 0;
      return {
        description: channel.name,
        label: setup.labelOf(channel),
        mailboxes,
        watch: channel.watch?.status() ?? { method: 'poll', live: 0, hinted: 0, polled: mailboxes, starting: 0, moving: 0, heardAt: undefined, trouble: undefined },
      };
    }),
    publishers: queues.map((queue) => queue.status()),
    calendarSpread: spread,
    readsWaiting: readers.reduce((sum, reader) => sum + reader.waiting(), 0),
    lagMs: lagsOf(lags),
    appliedAt,
    pending: setup.pending(),
    idle: setup.idle,
  };
}

/** How it stands with one of those who are shown. */
export function followedMailbox(mailbox: MailboxAddress, shown: ShownPresence, reader: CalendarReader | undefined, queues: readonly PublisherQueue[]): FollowedMailbox {
  const state = reader?.stateOf(mailbox);
  const refused = queues.map((queue) => queue.troubleOf(mailbox)).find((reason) => reason !== undefined);
  return {
    mailbox,
    shown,
    through: reader?.channel.name,
    mode: reader?.channel.watch?.modeOf(mailbox) ?? 'polled',
    readAt: state?.readAt,
    trouble: reader === undefined ? 'no system has this mailbox' : (state?.trouble ?? refused),
  };
}

function lagsOf(lags: readonly number[]): PresenceStatus['lagMs'] {
  if (lags.length === 0) return undefined;
  const sorted = [...lags].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
  return { p50: at(0.5), p99: at(0.99), max: sorted.at(-1)! };
}
