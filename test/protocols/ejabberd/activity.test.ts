import { describe, expect, it } from 'vitest';
import { PRESENCE_STATES } from '../../../src/presence/presence.ts';
import type { PresenceState, ShownPresence } from '../../../src/presence/presence.ts';
import { activityIq, activityKey } from '../../../src/protocols/ejabberd/activity.ts';

const shown = (state: PresenceState, text = '', language = 'en'): ShownPresence => ({ state, until: null, reason: 'calendar', since: 0, next: null, text, language });
/** XEP-0163 §3, example 3, with the payload of XEP-0108. */
const around = (activity: string): string =>
  `<iq type="set" id="freebusy"><pubsub xmlns="http://jabber.org/protocol/pubsub"><publish node="http://jabber.org/protocol/activity"><item id="current">${activity}</item></publish></pubsub></iq>`;
/** XEP-0108 §2.2: an empty element says that the activity has ended. */
const EMPTY = '<activity xmlns="http://jabber.org/protocol/activity"/>';

describe('user activity (XEP-0108)', () => {
  it.each<[PresenceState, string]>([
    ['in-a-meeting', '<working><in_a_meeting/></working>'],
    ['away', '<inactive/>'],
    ['on-the-phone', '<talking><on_the_phone/></talking>'],
    ['do-not-disturb', '<working/>'],
  ])('%s', (state, words) => {
    expect(activityIq(shown(state))).toBe(around(`<activity xmlns="http://jabber.org/protocol/activity">${words}</activity>`));
    expect(activityIq(shown(state, 'So <ist> "es" & bleibt', 'de-AT'))).toBe(around(`<activity xmlns="http://jabber.org/protocol/activity">${words}<text xml:lang="de-AT">So &lt;ist&gt; &quot;es&quot; &amp; bleibt</text></activity>`));
  });

  it.each<PresenceState>(['available', 'unknown', 'offline'])('%s is none, whatever its words', (state) => {
    expect(activityIq(shown(state, 'words'))).toBe(around(EMPTY));
    expect(activityKey(shown(state, 'words'))).toBe('');
  });

  it('withdrawn is none', () => {
    expect(activityIq(undefined)).toBe(around(EMPTY));
    expect(activityKey(undefined)).toBe('');
  });

  it('what is published differs where the key does', () => {
    const all = [...PRESENCE_STATES.map((state) => shown(state)), shown('in-a-meeting', 'a'), shown('in-a-meeting', 'a', 'de'), shown('in-a-meeting', 'b')];
    expect(new Set(all.map(activityKey)).size).toBe(new Set(all.map(activityIq)).size);
  });

  it('characters that XML forbids are dropped, or the whole stanza would be refused', () => {
    expect(activityIq(shown('away', 'a\u0000\u0008b\ud800c'))).toContain('>abc</text>');
  });
});
