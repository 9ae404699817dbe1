import { expect, it } from 'vitest';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import { FeedWatch } from '../../src/presence/feed-watch.ts';

const ANNA = 'anna@zimbra.example' as MailboxAddress;
const BEN = 'ben@zimbra.example' as MailboxAddress;

it('a feed that never said anything may not be let in: calendars are polled until it does', () => {
  const told: (readonly MailboxAddress[])[] = [];
  const watch = new FeedWatch({ feed: undefined, listener: { changed: (mailboxes) => void told.push(mailboxes), trouble: () => undefined }, clock: { now: () => 1 } });
  watch.follow(new Set([ANNA]));
  expect(watch.modeOf(ANNA)).toBe('starting');
  expect(watch.status()).toMatchObject({ hinted: 0, starting: 1 });
  watch.heard({ kind: 'changed', mailboxes: [BEN] });
  expect(watch.modeOf(ANNA)).toBe('hinted');
  expect(watch.modeOf(BEN)).toBe('starting');
  expect(watch.status()).toMatchObject({ hinted: 1, starting: 0 });
  expect(told).toEqual([]);
  watch.heard({ kind: 'resync', reason: 'the first start' });
  expect(told).toEqual([[ANNA]]);
});
