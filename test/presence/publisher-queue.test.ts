import { afterEach, expect, it, vi } from 'vitest';
import { LIMITS } from '../../src/core/limits.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import type { PresenceChange } from '../../src/presence/presence.ts';
import { memoryTexts } from '../../src/presence/publisher.ts';
import { PublisherQueue } from '../../src/presence/publisher-queue.ts';
import { MemoryPublisher } from './desk-world.ts';

let now = Date.UTC(2026, 10, 30, 8);
let queue: PublisherQueue;
afterEach(() => queue.close(0));

function queueOf(publisher: MemoryPublisher, people: number): PublisherQueue {
  function* everybody(): Iterable<PresenceChange> {
    for (let index = 0; index < people; index++) yield changeOf(`user${index}@corp.example`);
  }
  queue = new PublisherQueue({ publisher, published: memoryTexts(), everybody, clock: { now: () => now }, logger: silentLogger, metrics: noMetrics });
  return queue;
}

function changeOf(mailbox: string): PresenceChange {
  return { mailbox: mailbox as MailboxAddress, shown: { state: 'away', until: null, reason: 'calendar', since: now, next: null, text: 'Away', language: 'en' } };
}

it('thousands are published again in several turns of the event loop, and all of them', async () => {
  const publisher = new MemoryPublisher();
  const people = LIMITS.presenceShownPerTurn * 8;
  queueOf(publisher, people).republish();
  expect(queue.status().waiting).toBe(LIMITS.presenceShownPerTurn);
  await vi.waitFor(() => expect(publisher.seen.size).toBe(people));
});

it('a clock that is set back an hour holds up nobody', async () => {
  const publisher = new MemoryPublisher();
  queueOf(publisher, 0);
  queue.tell(changeOf('anna@corp.example'));
  await vi.waitFor(() => expect(publisher.seen.size).toBe(1));
  now -= 3_600_000;
  queue.tell(changeOf('ben@corp.example'));
  await vi.waitFor(() => expect(publisher.seen.size).toBe(2));
});
