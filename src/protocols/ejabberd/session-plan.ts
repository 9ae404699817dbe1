import type { PresenceState, ShownPresence } from '../../presence/presence.ts';
import type { KeptSession } from './kept-record.ts';
import { isSame, isSameSession } from './sessions.ts';
import type { Session, Shows } from './sessions.ts';
import type { Show } from './names.ts';

/** What live sessions show in a meeting; `none`: what they show already, with the text. */
export type BusyShow = 'dnd' | 'away' | 'xa' | 'none';

/** What set_presence is to be called with. */
export interface SessionChange extends Shows {
  readonly resource: string;
  readonly priority: number;
}

export interface SessionPlan {
  readonly changes: readonly SessionChange[];
  /** To be remembered before the changes are made. */
  readonly kept: ReadonlyMap<string, KeptSession>;
}

interface PlanOptions {
  readonly live: readonly Session[];
  readonly kept: ReadonlyMap<string, KeptSession>;
  readonly shown: ShownPresence | undefined;
  /** Another state than the one in `kept`, or one that began anew: then what she chose during the last one is only her own again. */
  readonly isNewState: boolean;
  readonly busyShow: BusyShow;
}

/**
 * Decides for every live session what it is to show (presence.md §C.5).
 *
 * What she had before is remembered, and put back when nothing is to be shown any more, but only where ours still stands. A presence that differs from
 * ours and from what she had is a choice of hers during the meeting, and stays until the state changes. One that equals what she had is her client saying
 * it again (a new avatar, the end of idling): ours goes over it once more, or the meeting would show as available. Her own dnd is never touched, and
 * nothing that we show is freer than what she shows.
 */
export function planSessions({ live, kept, shown, isNewState, busyShow }: PlanOptions): SessionPlan {
  const isShowing = shown !== undefined && isShownBySessions(shown.state);
  const changes: SessionChange[] = [];
  const next = new Map<string, KeptSession>();
  const set = ({ resource, priority }: Session, { show, status }: Shows): void => void changes.push({ resource, priority, show, status });
  for (const session of live) {
    const found = kept.get(session.resource);
    const known = found !== undefined && isSameSession(session, found) ? found : undefined;
    const isOurs = known !== undefined && isSame(session, known.ours);
    const isHerChoice = known !== undefined && !isOurs && !isSame(session, known.before);
    if (known !== undefined && isHerChoice && !isNewState && isShowing) {
      next.set(session.resource, known);
      continue;
    }
    const own: Shows = isOurs ? known.before : session;
    const ours = shown === undefined ? undefined : over(own, shown, busyShow);
    if (ours === undefined) {
      if (isOurs) set(session, own);
      continue;
    }
    if (!isSame(session, ours)) set(session, ours);
    next.set(session.resource, { startedAt: known?.startedAt ?? session.startedAt, before: { show: own.show, status: own.status }, ours });
  }
  return { changes, kept: next };
}

/** What goes over her own; undefined: nothing does. */
function over(own: Shows, shown: ShownPresence, busyShow: BusyShow): Shows | undefined {
  const show = showFor(shown.state, busyShow);
  if (show === undefined || own.show === 'dnd') return undefined;
  return { show: CLOSENESS[show] > CLOSENESS[own.show] ? show : own.show, status: shown.text };
}

/** Whether live sessions show something of ours in this state. */
export function isShownBySessions(state: PresenceState): boolean {
  return showFor(state, 'dnd') !== undefined;
}

function showFor(state: PresenceState, busyShow: BusyShow): Show | undefined {
  switch (state) {
    case 'in-a-meeting':
    case 'on-the-phone':
      return busyShow === 'none' ? 'available' : busyShow;
    case 'away':
      return 'away';
    case 'do-not-disturb':
      return 'dnd';
    // Unknown is nothing to say, and offline is for her client to be: nobody is signed out by us.
    case 'available':
    case 'unknown':
    case 'offline':
      return undefined;
  }
}

/** How little somebody wants to be talked to. */
const CLOSENESS: Readonly<Record<Show, number>> = { chat: 0, available: 1, away: 2, xa: 3, dnd: 4 };
