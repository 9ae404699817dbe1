import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/core/limits.ts';
import { PRESENCE_STATES } from '../../../src/presence/presence.ts';
import type { PresenceState } from '../../../src/presence/presence.ts';
import { child } from '../../../src/platform/xml/element.ts';
import { readXml } from '../../../src/platform/xml/read.ts';
import { decodeActivity, encodeActivity } from '../../../src/protocols/user-activity/activity.ts';

const FIXTURES = join('fixtures', 'xmpp', 'activities');
const encoded = (state: PresenceState, text = '', language = 'en-US'): string => encodeActivity({ state, text, language }).text;

describe('user activity', () => {
  it.each(readdirSync(FIXTURES))('%s is read as it is meant', async (name) => {
    const expected = JSON.parse(readFileSync(join(FIXTURES, name, 'expected.json'), 'utf8')) as unknown;
    expect(decodeActivity(await readXml(readFileSync(join(FIXTURES, name, 'message.xml'))))).toBe(expected);
  });

  it.each([
    ['available', '<activity xmlns="http://jabber.org/protocol/activity"/>'],
    ['unknown', '<activity xmlns="http://jabber.org/protocol/activity"/>'],
    ['offline', '<activity xmlns="http://jabber.org/protocol/activity"/>'],
    ['in-a-meeting', '<activity xmlns="http://jabber.org/protocol/activity"><working><in_a_meeting/></working></activity>'],
    ['away', '<activity xmlns="http://jabber.org/protocol/activity"><inactive/></activity>'],
    ['on-the-phone', '<activity xmlns="http://jabber.org/protocol/activity"><talking><on_the_phone/></talking></activity>'],
    ['do-not-disturb', '<activity xmlns="http://jabber.org/protocol/activity"><working/></activity>'],
  ] as const)('%s is written as presence.md §C.1 and XEP-0108 have it', (state, xml) => {
    expect(encoded(state)).toBe(xml);
  });

  it('words stand beside it in their language, escaped, bounded, and nowhere else', async () => {
    const activity = await readXml(encoded('in-a-meeting', 'In einer "Besprechung" <&>\u0001', 'de"'));
    expect(child(activity, 'text')).toMatchObject({ ns: 'http://jabber.org/protocol/activity', text: 'In einer "Besprechung" <&>', attributes: [{ name: 'lang', ns: 'http://www.w3.org/XML/1998/namespace', value: 'de"' }] });
    expect(encoded('available', 'words')).not.toContain('words');
    expect(child(await readXml(encoded('away', '😀'.repeat(10_000))), 'text')?.text).toBe('😀'.repeat(LIMITS.presenceXmppTextCharacters));
  });

  it('nothing but what can be told apart comes back as it went, and nothing ever as free that was not', async () => {
    for (const state of PRESENCE_STATES) {
      const back = decodeActivity(await readXml(encoded(state, 'words')));
      // What is unknown or offline leaves no item behind that could be read.
      expect(back).toBe(state === 'unknown' || state === 'offline' ? 'available' : state);
    }
  });
});
