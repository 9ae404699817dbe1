import { domain, mailbox } from '../fields/addresses.ts';
import { duration } from '../fields/duration.ts';
import { oneOf } from '../fields/field.ts';
import { integer } from '../fields/integer.ts';
import { hostPattern } from '../fields/network.ts';
import { list } from '../fields/section.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Surroundings } from '../surroundings.ts';
import { serverTls } from './server-tls.ts';

/** The keys of every system. */
export function baseShape(surroundings: Surroundings) {
  return {
    domains: list(domain()).default([]),
    mailboxes: list(mailbox()).default([]),
    hosts: list(hostPattern()).default([]),
    tls: serverTls(surroundings).optional(),
    detail: oneOf(['free-busy', 'busy-type', 'details']).default('details'),
    cacheFor: duration({ min: 0, max: LIMITS.longestFreshMs }).optional(),
    staleFor: duration({ min: 0, max: LIMITS.longestStaleMs }).prefault('0s'),
    concurrency: integer({ min: 1, max: LIMITS.mostRequestsPerBackEnd }).optional(),
  };
}
