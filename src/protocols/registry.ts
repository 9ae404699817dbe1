import type { Clock } from '../core/clock.ts';
import { BridgeError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { SystemConfig, ZimbraConfig } from '../config/config.ts';
import type { CalendarSystem } from '../freebusy/calendar-system.ts';
import { ExchangeEwsSystem } from './ews/client.ts';
import { IfbSystem } from './ifb/client.ts';
import { OwaWebdavSystem } from './owa-webdav/client.ts';
import { ZimbraSystem } from './zimbra-soap/client.ts';

export interface SystemServices {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Makes the client of a configured system: one line for every type. */
export function createSystem(config: SystemConfig, services: SystemServices): CalendarSystem {
  const common = { name: config.name, ca: config.ca, hosts: config.hosts, probeMailbox: config.mailboxes[0], ...services };
  switch (config.type) {
    case 'exchange-ews':
      return new ExchangeEwsSystem({ ...common, ...exchangeOptions(config), probeDomain: config.domains[0] });
    case 'exchange-webdav':
      return new OwaWebdavSystem({ ...common, ...exchangeOptions(config), auth: config.auth });
    case 'zimbra':
      return config.username === undefined || config.password === undefined
        ? unreadable(config)
        : new ZimbraSystem({ ...common, url: config.url, username: config.username, password: config.password.reveal() });
    case 'ifb':
      return new IfbSystem({ ...common, url: config.urlTemplate.reveal(), username: config.username, password: config.password?.reveal() });
  }
}

function exchangeOptions(config: Extract<SystemConfig, { type: 'exchange-ews' | 'exchange-webdav' }>) {
  const { url, username, password, lookup, legacyExchangeDn } = config;
  return { url, username, password: password.reveal(), lookup, legacyExchangeDn };
}

/** A Zimbra that is only pushed from has no account to read with: its mailboxes are no data, with that reason. */
function unreadable(config: ZimbraConfig): CalendarSystem {
  const error = new BridgeError('NO_DATA', 'no account is configured to read this system', { details: { system: config.name } });
  return {
    freeBusy: async ({ mailboxes }) => mailboxes.map((mailbox) => ({ mailbox, error })),
    probe: async () => [{ step: 'sign-in', outcome: 'warn', text: 'no username and password: nobody can ask about its mailboxes', advice: 'fine where it is only replicated from' }],
    close: async () => undefined,
  };
}
