import { describe, expect, it } from 'vitest';
import type { PresenceState, ShownPresence } from '../../../src/presence/presence.ts';
import type { KeptSession } from '../../../src/protocols/ejabberd/kept-record.ts';
import { planSessions } from '../../../src/protocols/ejabberd/session-plan.ts';
import type { BusyShow } from '../../../src/protocols/ejabberd/session-plan.ts';
import type { Session, Shows } from '../../../src/protocols/ejabberd/sessions.ts';

const shows = (line: string): Shows => {
  const [show = '', ...words] = line.split(' ');
  return { show: show as Shows['show'], status: words.join(' ') };
};
const session = (line: string, startedAt = 1_000): Session => ({ ...shows(line), resource: 'desk', priority: 5, startedAt });
const keeping = (before: string, ours: string, startedAt = 1_000): ReadonlyMap<string, KeptSession> => new Map([['desk', { startedAt, before: shows(before), ours: shows(ours) }]]);
const shown = (state: PresenceState, text: string): ShownPresence => ({ state, until: null, reason: 'calendar', since: 0, next: null, text, language: 'en' });
const MEETING = shown('in-a-meeting', 'In a meeting');
const FREE = shown('available', '');
const NOTHING: ReadonlyMap<string, KeptSession> = new Map();

interface Case {
  readonly live: readonly Session[];
  readonly kept?: ReadonlyMap<string, KeptSession>;
  readonly shown: ShownPresence | undefined;
  readonly isNewState?: boolean;
  readonly busyShow?: BusyShow;
}

/** `sets` and `keeps` as `dnd In a meeting` and `away lunch / dnd In a meeting`. */
function planned({ live, kept = NOTHING, shown, isNewState = true, busyShow = 'dnd' }: Case): { readonly sets: readonly string[]; readonly keeps: readonly string[] } {
  const plan = planSessions({ live, kept, shown, isNewState, busyShow });
  const line = ({ show, status }: Shows): string => `${show} ${status}`.trim();
  return { sets: plan.changes.map(line), keeps: [...plan.kept.values()].map(({ before, ours }) => `${line(before)} / ${line(ours)}`) };
}

describe('what a live session is to show', () => {
  it.each<[what: string, own: string, shown: ShownPresence, busyShow: BusyShow, sets: string | undefined]>([
    ['a meeting', 'available', MEETING, 'dnd', 'dnd In a meeting'],
    ['a meeting, as away', 'available', MEETING, 'away', 'away In a meeting'],
    ['a meeting, as xa', 'chat Talk to me', MEETING, 'xa', 'xa In a meeting'],
    ['a meeting, by its text only', 'chat Talk to me', MEETING, 'none', 'available In a meeting'],
    ['her away, by its text only', 'away lunch', MEETING, 'none', 'away In a meeting'],
    ['a meeting over her away', 'away lunch', MEETING, 'dnd', 'dnd In a meeting'],
    ['never freer than she is', 'xa gone', MEETING, 'away', 'xa In a meeting'],
    ['out of office', 'available', shown('away', 'Away'), 'dnd', 'away Away'],
    ['out of office while xa', 'xa', shown('away', 'Away'), 'dnd', 'xa Away'],
    ['on the phone', 'available', shown('on-the-phone', 'On the phone'), 'dnd', 'dnd On the phone'],
    ['do not disturb, said elsewhere', 'available', shown('do-not-disturb', ''), 'none', 'dnd'],
    ['her own dnd is left alone', 'dnd writing', MEETING, 'dnd', undefined],
    ['also when she is out', 'dnd writing', shown('away', 'Away'), 'dnd', undefined],
    ['available says nothing', 'away lunch', FREE, 'dnd', undefined],
    ['unknown says nothing', 'away lunch', shown('unknown', ''), 'dnd', undefined],
    ['offline signs nobody out', 'available', shown('offline', ''), 'dnd', undefined],
  ])('%s', (_what, own, now, busyShow, sets) => {
    expect(planned({ live: [session(own)], shown: now, busyShow })).toEqual(sets === undefined ? { sets: [], keeps: [] } : { sets: [sets], keeps: [`${own} / ${sets}`] });
  });

  it('keeps resource and priority', () => {
    expect(planSessions({ live: [session('available')], kept: NOTHING, shown: MEETING, isNewState: true, busyShow: 'dnd' }).changes).toEqual([{ resource: 'desk', priority: 5, show: 'dnd', status: 'In a meeting' }]);
  });

  it('puts back what she had, where ours still stands; what she chose stays', () => {
    const kept = keeping('away lunch', 'dnd In a meeting');
    for (const end of [FREE, undefined, shown('unknown', '')]) {
      expect(planned({ live: [session('dnd In a meeting')], kept, shown: end })).toEqual({ sets: ['away lunch'], keeps: [] });
      expect(planned({ live: [session('available back')], kept, shown: end })).toEqual({ sets: [], keeps: [] });
      // What she chose is dnd, in her own words.
      expect(planned({ live: [session('dnd writing')], kept, shown: end })).toEqual({ sets: [], keeps: [] });
      // Another session of the same name has never shown ours.
      expect(planned({ live: [session('dnd In a meeting', 60_000)], kept, shown: end })).toEqual({ sets: [], keeps: [] });
      expect(planned({ live: [], kept, shown: end })).toEqual({ sets: [], keeps: [] });
    }
  });

  it('says nothing twice, and takes a little difference of age for the same session', () => {
    const kept = keeping('away lunch', 'dnd In a meeting');
    expect(planned({ live: [session('dnd In a meeting', 2_900)], kept, shown: MEETING, isNewState: false })).toEqual({ sets: [], keeps: ['away lunch / dnd In a meeting'] });
  });

  it('in the meeting: her choice stays, her client saying what she had does not', () => {
    const kept = keeping('available', 'dnd In a meeting');
    expect(planned({ live: [session('xa gone')], kept, shown: MEETING, isNewState: false })).toEqual({ sets: [], keeps: ['available / dnd In a meeting'] });
    expect(planned({ live: [session('available')], kept, shown: MEETING, isNewState: false })).toEqual({ sets: ['dnd In a meeting'], keeps: ['available / dnd In a meeting'] });
    expect(planned({ live: [session('available ask me')], kept, shown: MEETING, isNewState: false })).toEqual({ sets: [], keeps: ['available / dnd In a meeting'] });
  });

  it('the next state goes over her choice, and remembers it as her own', () => {
    const kept = keeping('available', 'dnd In a meeting');
    expect(planned({ live: [session('xa gone')], kept, shown: MEETING })).toEqual({ sets: ['dnd In a meeting'], keeps: ['xa gone / dnd In a meeting'] });
    expect(planned({ live: [session('dnd In a meeting')], kept, shown: shown('away', 'Away') })).toEqual({ sets: ['away Away'], keeps: ['available / away Away'] });
    expect(planned({ live: [session('dnd In a meeting')], kept, shown: shown('in-a-meeting', 'In einer Besprechung'), isNewState: false })).toEqual({ sets: ['dnd In einer Besprechung'], keeps: ['available / dnd In einer Besprechung'] });
  });

  it('a session that came again with the same name is a new one', () => {
    expect(planned({ live: [session('chat hi', 60_000)], kept: keeping('away lunch', 'dnd In a meeting'), shown: MEETING, isNewState: false })).toEqual({ sets: ['dnd In a meeting'], keeps: ['chat hi / dnd In a meeting'] });
  });

  it('whatever the resource is called', () => {
    const odd = ['__proto__', 'constructor', 'a b/ü'].map((resource) => ({ ...session('available'), resource }));
    const first = planSessions({ live: odd, kept: NOTHING, shown: MEETING, isNewState: true, busyShow: 'dnd' });
    expect(first.changes.map(({ resource }) => resource)).toEqual(['__proto__', 'constructor', 'a b/ü']);
    const back = planSessions({ live: odd.map((one) => ({ ...one, ...shows('dnd In a meeting') })), kept: first.kept, shown: undefined, isNewState: true, busyShow: 'dnd' });
    expect(back.changes).toHaveLength(3);
  });
});
