import type { ProbeFinding } from '../../src/core/probe-finding.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import type { PresenceState, ShownPresence } from '../../src/presence/presence.ts';
import type { PresencePublisher } from '../../src/presence/publisher.ts';

export interface MemoryPublisher extends PresencePublisher {
  readonly calls: string[];
  readonly shown: Map<MailboxAddress, ShownPresence>;
  /** Replaced by a test that wants another. */
  observe(mailbox: MailboxAddress, signal: AbortSignal): Promise<PresenceState | undefined>;
}

/** A server that shows what it is told. */
export function memoryPublisher(label: string, changes: Partial<PresencePublisher> = {}): MemoryPublisher {
  const calls: string[] = [];
  const shown = new Map<MailboxAddress, ShownPresence>();
  const found: readonly ProbeFinding[] = [{ step: 'sign-in', outcome: 'ok', text: 'accepted' }];
  return {
    label,
    calls,
    shown,
    pace: { concurrency: 1, perSecond: 100 },
    start: () => undefined,
    publish: async (mailbox, presence) => {
      calls.push(`publish ${presence.state}`);
      shown.set(mailbox, presence);
    },
    withdraw: async (mailbox) => {
      calls.push('withdraw');
      shown.delete(mailbox);
    },
    observe: async (mailbox) => shown.get(mailbox)?.state,
    probe: async () => found,
    close: async () => void calls.push('close'),
    ...changes,
  };
}
