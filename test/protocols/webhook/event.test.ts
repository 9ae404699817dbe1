import { describe, expect, it } from 'vitest';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import { PRESENCE_STATES } from '../../../src/presence/presence.ts';
import type { ShownPresence } from '../../../src/presence/presence.ts';
import { encodeEvent } from '../../../src/protocols/webhook/event.ts';

const ANNA = 'anna@corp.example' as MailboxAddress;
const AT = Date.UTC(2026, 10, 21, 10, 0, 1);
const MEETING: ShownPresence = { state: 'in-a-meeting', until: Date.UTC(2026, 10, 21, 11), reason: 'calendar', since: Date.UTC(2026, 10, 21, 10), next: { state: 'away', start: AT, end: null }, text: 'In einer Besprechung', language: 'de' };
const read = (shown: ShownPresence | undefined): Readonly<Record<string, unknown>> => JSON.parse(encodeEvent(ANNA, shown, AT)) as Record<string, unknown>;

describe('an event', () => {
  it('says what is shown, and nothing else', () => {
    expect(read(MEETING)).toEqual({
      event: 'presence',
      address: 'anna@corp.example',
      state: 'in-a-meeting',
      until: '2026-11-21T11:00:00.000Z',
      since: '2026-11-21T10:00:00.000Z',
      reason: 'calendar',
      statusText: 'In einer Besprechung',
      language: 'de',
      text: 'anna@corp.example: In einer Besprechung',
      at: '2026-11-21T10:00:01.000Z',
    });
  });

  it('says that somebody is shown no more', () => {
    expect(read(undefined)).toEqual({ event: 'presence', address: 'anna@corp.example', state: null, until: null, since: null, reason: null, statusText: null, language: null, text: 'anna@corp.example: shown no more', at: '2026-11-21T10:00:01.000Z' });
  });

  it('always has a line for people: Mattermost answers "No text specified" (400) without one', () => {
    for (const state of PRESENCE_STATES) expect(read({ ...MEETING, state, text: '', until: null })).toMatchObject({ state, until: null, statusText: '', text: expect.stringMatching(/^anna@corp\.example: [a-z ]+$/) as string });
  });

  it('has no key that Slack, Mattermost or Rocket.Chat take for an order', () => {
    const orders = ['type', 'channel', 'username', 'icon_url', 'icon_emoji', 'attachments', 'blocks', 'props', 'priority', 'alias', 'avatar', 'emoji', 'roomId', 'tmid', 'msg', 'thread_ts', 'response_type'];
    expect(Object.keys(read(MEETING)).filter((key) => orders.includes(key))).toEqual([]);
  });

  it('whatever the words are, it is JSON', () => {
    const text = 'a"b\\c\u2028</script>\u0000\n{}';
    expect(read({ ...MEETING, text })['statusText']).toBe(text);
  });
});
