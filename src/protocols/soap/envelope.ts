import { child } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { XmlError } from '../../platform/xml/read.ts';
import { el } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';

/** Envelope namespace of SOAP 1.1 (https://www.w3.org/TR/2000/NOTE-SOAP-20000508/ §4.1): what EWS speaks. */
export const SOAP_11_NS = 'http://schemas.xmlsoap.org/soap/envelope/';
/** Envelope namespace of SOAP 1.2 (https://www.w3.org/TR/soap12-part1/ §5.1): what Zimbra speaks. */
export const SOAP_12_NS = 'http://www.w3.org/2003/05/soap-envelope';

export type SoapVersion = '1.1' | '1.2';

/** The namespace that tells one version from the other. */
export const ENVELOPE_NS: Readonly<Record<SoapVersion, string>> = { '1.1': SOAP_11_NS, '1.2': SOAP_12_NS };

/** The pieces of an envelope that was read. */
export interface SoapEnvelope {
  readonly version: SoapVersion;
  readonly header?: XmlElement;
  /** The Body element itself; its children are the message. */
  readonly body: XmlElement;
  /** The Fault inside the Body, where there is one: `decodeFault` reads it. */
  readonly fault?: XmlElement;
}

/**
 * Takes an envelope apart. Header, Body and Fault count only in the envelope's own namespace: grommunio and Exchange never
 * mix the versions, and a `Body` of another namespace is somebody's payload.
 *
 * @throws XmlError where `root` is no SOAP envelope, or one without exactly one Body
 */
export function decodeEnvelope(root: XmlElement): SoapEnvelope {
  const version = versionOf(root);
  if (version === undefined) throw new XmlError('not a SOAP envelope');
  const bodies = root.children.filter((one) => one.name === 'Body' && one.ns === root.ns);
  const body = bodies[0];
  if (body === undefined || bodies.length > 1) throw new XmlError('a SOAP envelope without exactly one body');
  const header = ownChild(root, 'Header', root.ns);
  const fault = ownChild(body, 'Fault', root.ns);
  return { version, body, ...(header === undefined ? {} : { header }), ...(fault === undefined ? {} : { fault }) };
}

/** An envelope to be written, prefix `soap`; the Header is left out where it is empty or not given. */
export function encodeEnvelope(
  version: SoapVersion,
  parts: { readonly header?: readonly XmlNode[]; readonly body: readonly XmlNode[] },
): XmlNode {
  const header = parts.header ?? [];
  return el(
    'soap:Envelope',
    { 'xmlns:soap': ENVELOPE_NS[version] },
    header.length > 0 && el('soap:Header', undefined, header),
    el('soap:Body', undefined, parts.body),
  );
}

function versionOf(root: XmlElement): SoapVersion | undefined {
  if (root.name !== 'Envelope') return undefined;
  if (root.ns === SOAP_11_NS) return '1.1';
  return root.ns === SOAP_12_NS ? '1.2' : undefined;
}

function ownChild(element: XmlElement, name: string, ns: string): XmlElement | undefined {
  const found = child(element, name);
  return found?.ns === ns ? found : element.children.find((one) => one.name === name && one.ns === ns);
}
