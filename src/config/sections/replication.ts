import type * as z from 'zod';
import { REPLICATED_MAILBOXES } from '../config.ts';
import type { ReplicationConfig, SystemConfig } from '../config.ts';
import { mailbox } from '../fields/addresses.ts';
import { duration } from '../fields/duration.ts';
import { oneOf } from '../fields/field.ts';
import { integer } from '../fields/integer.ts';
import { line } from '../fields/names.ts';
import { list, section } from '../fields/section.ts';
import { LIMITS } from '../../core/limits.ts';

/** `replication:`. Which systems there are and what they need for it: checks/replication.ts. */
export function replication() {
  return list(
    section({
      from: line('the name of the system whose mailboxes are replicated'),
      to: line('the name of the Exchange they are written into'),
      past: duration(LIMITS.publishPastMs).prefault('7d'),
      ahead: duration(LIMITS.publishAheadMs).prefault('60d'),
      mailboxes: section({
        only: oneOf(REPLICATED_MAILBOXES).optional(),
        include: list(mailbox()).default([]),
        exclude: list(mailbox()).default([]),
      }).prefault({}),
      concurrency: integer({ min: 1, max: LIMITS.replicationConcurrency }).default(8),
    }),
  );
}

/** With the default of `only`, which depends on what the home system can tell. */
export function settledReplication(output: z.output<ReturnType<typeof replication>>, systems: readonly SystemConfig[]): readonly ReplicationConfig[] {
  return output.map(({ from, to, past, ahead, mailboxes: { only, include, exclude }, concurrency }) => ({
    from,
    to,
    pastMs: past,
    aheadMs: ahead,
    only: only ?? (systems.some((system) => system.name === from && tellsForeignPrincipals(system)) ? 'foreign-principal' : 'all'),
    include: [...new Set(include)],
    exclude: [...new Set(exclude)],
    concurrency,
  }));
}

/** Only Zimbra's admin service does. */
function tellsForeignPrincipals(system: SystemConfig): boolean {
  return system.type === 'zimbra' && system.admin !== undefined;
}
