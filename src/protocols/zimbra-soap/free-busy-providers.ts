import { BridgeError } from '../../core/errors.ts';
import { attribute, childrenNamed } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { el } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { ZIMBRA_ADMIN_NS } from './names.ts';

/** A free/busy provider of the server's own (zimbra.md §5.4). */
export interface FreeBusyProvider {
  readonly name: string;
  /** It hears of changes; that it pushes them takes a UserOrg as well. */
  readonly propagates: boolean;
}

/** GetAllFreeBusyProvidersRequest (urn:zimbraAdmin); the answer leaves EXCHANGE2010 out (zimbra.md §4.8, 10). */
export function encodeGetAllFreeBusyProvidersRequest(): XmlNode {
  return el('GetAllFreeBusyProvidersRequest', { xmlns: ZIMBRA_ADMIN_NS });
}

/** @throws BridgeError BACKEND_MALFORMED where it is no such answer */
export function decodeGetAllFreeBusyProvidersResponse(response: XmlElement | undefined): readonly FreeBusyProvider[] {
  if (response?.name !== 'GetAllFreeBusyProvidersResponse') throw new BridgeError('BACKEND_MALFORMED', 'the calendar system did not answer with its providers');
  return childrenNamed(response, 'provider').map((one) => {
    const propagate = attribute(one, 'propagate');
    return { name: attribute(one, 'name') ?? '', propagates: propagate === '1' || propagate === 'true' };
  });
}

/** GetConfigRequest (urn:zimbraAdmin): one attribute of the global configuration. */
export function encodeGetConfigRequest(name: string): XmlNode {
  return el('GetConfigRequest', { xmlns: ZIMBRA_ADMIN_NS }, el('a', { n: name }));
}

/** Its values; empty where it is not set. @throws BridgeError BACKEND_MALFORMED where it is no such answer */
export function decodeGetConfigResponse(response: XmlElement | undefined, name: string): readonly string[] {
  if (response?.name !== 'GetConfigResponse') throw new BridgeError('BACKEND_MALFORMED', 'the calendar system did not answer with its configuration');
  return childrenNamed(response, 'a')
    .filter((one) => attribute(one, 'n') === name)
    .map((one) => one.text.trim())
    .filter((value) => value !== '');
}
