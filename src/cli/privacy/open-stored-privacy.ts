import { join } from 'node:path';
import type { Bridge } from '../../bridge.ts';
import { BridgePrivacy } from '../../bridge-privacy.ts';
import { systemClock } from '../../core/clock.ts';
import type { Logger } from '../../core/logger.ts';
import { AuditLog } from '../../platform/audit-log.ts';
import { createLogger } from '../../platform/log.ts';
import { switchPrivacy } from '../../protocols/rest-api/admin-privacy.ts';
import type { PrivacyAccess } from './privacy-access.ts';

/** Opens what a bridge that does not run keeps of privacy. Its dataDir must be held. @throws BridgeError CONFIGURATION */
export async function openStoredPrivacy(bridge: Bridge, logger: Logger = createLogger('warn')): Promise<PrivacyAccess> {
  const { config } = bridge;
  const book = await bridge.openAddressBook();
  const audit = new AuditLog({ path: join(config.dataDir, 'audit.log'), clock: systemClock, logger, ...config.audit });
  const privacy = new BridgePrivacy({ audit, clock: systemClock, logger });
  await privacy.open(config);
  const exclusions = privacy.exclusionsOf(config, book);
  return {
    all: async () => exclusions.all(),
    switch: (mailboxes, isOptedOut, actor) => switchPrivacy(exclusions, mailboxes, isOptedOut, actor),
    close: async () => {
      await privacy.close();
      await audit.close();
    },
  };
}
