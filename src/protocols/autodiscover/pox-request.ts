import type { XmlElement } from '../../platform/xml/element.ts';
import { MOBILESYNC_REQUEST_NS, OUTLOOK_REQUEST_NS, OUTLOOK_RESPONSE_NS } from './names.ts';
import { PoxError } from './pox-error.ts';

/** Whom a POX request asks about: by address as the client spelled it, or by a legacyExchangeDN. */
export type PoxSubject = { readonly address: string } | { readonly legacyDn: string };

/**
 * Reads `Autodiscover/Request` ([MS-OXDSCLI] §2.2.3.1). Elements count in the request's own namespace only, as with Exchange; what else a client puts
 * there is left alone. Where both are given the address wins.
 *
 * @throws PoxError 600 for what is no request or names nobody, 601 for an answer in a schema that we do not have
 */
export function decodePoxRequest(root: XmlElement): PoxSubject {
  if (root.name !== 'Autodiscover' || (root.ns !== OUTLOOK_REQUEST_NS && root.ns !== MOBILESYNC_REQUEST_NS)) throw new PoxError(600);
  const request = only(root, 'Request');
  if (request === undefined) throw new PoxError(600);
  const [schema, address, legacyDn] = ['AcceptableResponseSchema', 'EMailAddress', 'LegacyDN'].map((name) => only(request, name)?.text.trim() ?? '');
  if (schema === '' || (address === '' && legacyDn === '')) throw new PoxError(600);
  if (schema !== OUTLOOK_RESPONSE_NS) throw new PoxError(601);
  return address === '' ? { legacyDn: legacyDn! } : { address: address! };
}

/** Two of what may stand there once are no request: which of them was meant? */
function only(parent: XmlElement, name: string): XmlElement | undefined {
  const found = parent.children.filter((one) => one.name === name && one.ns === parent.ns);
  if (found.length > 1) throw new PoxError(600);
  return found[0];
}
