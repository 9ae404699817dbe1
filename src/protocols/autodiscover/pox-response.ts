import { el, writeXml } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { PACKED_VERSION } from './claimed-version.ts';
import type { Handout } from './handout.ts';
import { OUTLOOK_RESPONSE_NS, RESPONSE_NS } from './names.ts';
import type { Person } from './served-person.ts';

/**
 * Settings for Outlook's schema ([MS-OXDSCLI] §2.2.4.1, exchange.md §4.2): two default namespaces; EXCH is for inside, EXPR for outside, WEB for a browser,
 * all with the same URLs. No EXHTTP: only newer Outlooks know the type, and they read these three as well.
 */
export function encodePoxResponse(person: Person, handout: Handout): string {
  const user = el(
    'User',
    undefined,
    el('DisplayName', undefined, person.address),
    el('LegacyDN', undefined, person.legacyDn),
    el('AutoDiscoverSMTPAddress', undefined, person.address),
    el('DeploymentId', undefined, handout.deploymentId),
  );
  const account = el(
    'Account',
    undefined,
    el('AccountType', undefined, 'email'),
    el('Action', undefined, 'settings'),
    protocol('EXCH', el('Server', undefined, handout.host), el('ServerVersion', undefined, PACKED_VERSION), ...urls(handout)),
    protocol('EXPR', el('Server', undefined, handout.host), el('SSL', undefined, handout.secure ? 'On' : 'Off'), el('AuthPackage', undefined, 'Basic'), ...urls(handout)),
    protocol('WEB', el('External', undefined, protocol('EXPR', el('ASUrl', undefined, handout.ewsUrl)))),
  );
  return writeXml(el('Autodiscover', { xmlns: RESPONSE_NS }, el('Response', { xmlns: OUTLOOK_RESPONSE_NS }, user, account)));
}

function protocol(type: string, ...content: readonly XmlNode[]): XmlNode {
  return el('Protocol', undefined, el('Type', undefined, type), content);
}

function urls({ ewsUrl }: Handout): readonly XmlNode[] {
  return ['ASUrl', 'EwsUrl', 'OOFUrl'].map((name) => el(name, undefined, ewsUrl));
}
