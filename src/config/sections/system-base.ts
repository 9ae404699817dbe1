import { domain, mailbox } from '../fields/addresses.ts';
import { hostPattern } from '../fields/network.ts';
import { certificateFile } from '../fields/pem.ts';
import { list, section } from '../fields/section.ts';
import type { Surroundings } from '../surroundings.ts';

/** The keys of every system. */
export function baseShape(surroundings: Surroundings) {
  return {
    domains: list(domain()).default([]),
    mailboxes: list(mailbox()).default([]),
    hosts: list(hostPattern()).default([]),
    tls: section({ ca: certificateFile(surroundings) }).optional(),
  };
}
