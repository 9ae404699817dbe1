import { BridgeError } from '../../core/errors.ts';
import { attribute, childrenNamed } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { el } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { ZIMBRA_ADMIN_NS } from './names.ts';

/** GetAllServersRequest (urn:zimbraAdmin) for the servers that hold mailboxes. */
export function encodeGetAllServersRequest(): XmlNode {
  return el('GetAllServersRequest', { xmlns: ZIMBRA_ADMIN_NS, service: 'mailbox', applyConfig: '0', attrs: 'zimbraServiceHostname' });
}

/**
 * Host names, lower case, each once, in the order of the answer: zimbraServiceHostname where it is there, else the server's name.
 * They are the server's word: whether anything is sent there is decided elsewhere.
 *
 * @throws BridgeError BACKEND_MALFORMED where it is no such answer
 */
export function decodeGetAllServersResponse(response: XmlElement | undefined): readonly string[] {
  if (response?.name !== 'GetAllServersResponse') throw new BridgeError('BACKEND_MALFORMED', 'the calendar system did not answer with its servers');
  const names = childrenNamed(response, 'server').map((server) => {
    const hostname = childrenNamed(server, 'a').find((one) => attribute(one, 'n') === 'zimbraServiceHostname')?.text.trim();
    return (hostname === undefined || hostname === '' ? attribute(server, 'name') ?? '' : hostname).toLowerCase();
  });
  return [...new Set(names)].filter((name) => name !== '');
}
