import { LOG_LEVELS } from '../config.ts';
import { mailbox } from '../fields/addresses.ts';
import { duration } from '../fields/duration.ts';
import { flag, oneOf } from '../fields/field.ts';
import { DEFAULT_LISTENER, listener } from '../fields/listener.ts';
import { network } from '../fields/network.ts';
import { path } from '../fields/path.ts';
import { chosen, list, section } from '../fields/section.ts';
import { secret } from '../fields/secret-field.ts';
import { publicUrl } from '../fields/url.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Surroundings } from '../surroundings.ts';
import { audit } from './audit.ts';
import { clients } from './clients.ts';
import { gal } from './gal.ts';
import { issuers } from './issuers.ts';
import { presence } from './presence.ts';
import { redis } from './redis.ts';
import { replication } from './replication.ts';
import { systems } from './systems.ts';
import { tlsIdentity } from './tls-identity.ts';

/** The whole of bridge.yaml, key by key. What spans keys is in checks/. */
export function bridge(surroundings: Surroundings) {
  const several = list(listener(), 1);
  const single = listener().transform((one) => [one]);
  return section({
    listen: chosen((value) => (Array.isArray(value) ? several : single)).prefault(DEFAULT_LISTENER),
    tls: tlsIdentity(surroundings).optional(),
    behindProxy: flag().default(false),
    trustedProxies: list(network()).default([]),
    publicUrl: publicUrl().optional(),
    admin: section({ listen: listener() }).optional(),
    redis: redis(surroundings).optional(),
    dataDir: path('a folder', surroundings).prefault('./data'),
    deadline: duration(LIMITS.deadlineMs).prefault('5s'),
    workingElsewhere: oneOf(['free', 'tentative', 'busy']).default('free'),
    log: section({ level: oneOf(LOG_LEVELS).default('info') }).prefault({}),
    systems: systems(surroundings),
    clients: clients(surroundings).prefault([]),
    replication: replication().prefault([]),
    issuers: issuers(surroundings).prefault([]),
    privacy: section({ exclude: list(mailbox()).default([]) }).prefault({}),
    audit: audit(),
    notify: section({ secret: secret(surroundings) }).optional(),
    gal: gal(surroundings),
    presence: presence(surroundings),
  });
}
