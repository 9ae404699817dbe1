import type { Instant } from '../core/clock.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { Planned } from './agenda.ts';
import { NO_OWN_STATES } from './compose.ts';
import type { OwnStates } from './compose.ts';
import type { PresenceReason, PresenceState } from './presence.ts';
import { placeOf } from './spread.ts';
import type { Timeline } from './timeline.ts';

/** Somebody who has opted in, as the engine knows them: there are thousands, so this is kept small. */
export class Person implements Planned {
  readonly mailbox: MailboxAddress;
  /** See placeOf. */
  readonly place32: number;
  /** When the next change is to be shown; see Agenda. */
  due: Instant = 0;
  place = -1;
  /** Undefined: never read. */
  timeline: Timeline | undefined;
  own: OwnStates = NO_OWN_STATES;
  /** What is shown; undefined: nothing yet, the calendar has not been read. */
  shown: PresenceState | undefined;
  reason: PresenceReason = 'calendar';
  /** What is shown is what was so at this instant at least: news show at once, without the spread. */
  floor: Instant = -Infinity;
  /** What was shown before the process began: what is so still, or again, is no change. Until the first reading. */
  shownBefore: PresenceState | undefined;
  /** Of status texts; undefined: the configuration's. */
  language: string | undefined;

  constructor(mailbox: MailboxAddress) {
    this.mailbox = mailbox;
    this.place32 = placeOf(mailbox);
  }
}
