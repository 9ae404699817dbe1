import { join } from 'node:path';
import type { Bridge } from '../../bridge.ts';
import { presenceObstacle } from '../../bridge-presence-ways.ts';
import { systemClock } from '../../core/clock.ts';
import { BridgeError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { Homes } from '../../directory/homes.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { AuditLog } from '../../platform/audit-log.ts';
import { createLogger } from '../../platform/log.ts';
import { KeptValues } from '../../presence/kept-values.ts';
import { OptIns } from '../../presence/opt-ins.ts';
import type { ListEveryone, PresenceAccess } from './presence-access.ts';
import { StoredPresence } from './stored-presence.ts';

/** Where a running bridge has them (presence/store.ts, bridge-presence.ts). */
const OPT_INS_FILE = join('presence', 'opt-ins');
const AUDIT_FILE = 'audit.log';

/** Opens what a bridge that does not run keeps of presence. Its dataDir must be held. @throws BridgeError CONFIGURATION */
export async function openStoredPresence(bridge: Bridge, logger: Logger = createLogger('warn')): Promise<PresenceAccess> {
  const { config } = bridge;
  const book = await bridge.openAddressBook();
  const kept = await KeptValues.open(join(config.dataDir, OPT_INS_FILE), { logger });
  const audit = new AuditLog({ path: join(config.dataDir, AUDIT_FILE), clock: systemClock, logger, ...config.audit });
  const optIns = new OptIns({ kept, audit, clock: systemClock, logger });
  optIns.load(config.presence.optIn);
  const homes = new Homes(config.systems);
  const homeOf = (mailbox: MailboxAddress): ReturnType<Homes['of']> => homes.of(mailbox, book.whereabouts.find(mailbox));
  return new StoredPresence({
    optIns,
    resolve: (mailbox) => {
      const found = homeOf(mailbox);
      // A gateway with a server of its own reads whoever has no system.
      if (found.home === undefined && config.presence.gateways.some(({ system }) => system === undefined)) return mailbox;
      if (found.home === undefined) throw new BridgeError('NOT_FOUND', 'it lives in no system of the configuration');
      return found.address;
    },
    mayBeOn: (mailbox) => {
      const obstacle = presenceObstacle(config, homeOf(mailbox).home);
      if (obstacle !== undefined) throw obstacle;
    },
    everyone: everyoneOf(bridge),
    close: async () => {
      await kept.close();
      await audit.close();
    },
  });
}

/** Everybody of the address book who is a person of a system; parts of a thousand. */
export function everyoneOf(bridge: Bridge): ListEveryone {
  return async function* (systems, signal) {
    const known = bridge.config.systems.map(({ name }) => name);
    const unknown = systems.find((name) => !known.includes(name));
    if (unknown !== undefined) throw new BridgeError('INVALID_REQUEST', `there is no system ${unknown}`);
    let part: MailboxAddress[] = [];
    for (const { entry, isHidden } of bridge.addressBook.rows()) {
      if (signal.aborted) return;
      if (isHidden || entry.kind !== 'person' || entry.home === undefined || (systems.length > 0 && !systems.includes(entry.home))) continue;
      part.push(entry.address);
      if (part.length === PART) {
        yield part;
        part = [];
      }
    }
    yield part;
  };
}

const PART = 1_000;
