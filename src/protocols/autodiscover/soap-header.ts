import { attribute } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import type { SoapEnvelope } from '../soap/envelope.ts';
import { ADDRESSING_NS, AUTODISCOVER_NS } from './names.ts';
import { AutodiscoverFault } from './soap-fault.ts';

/** What a request's header says that matters here. */
export interface RequestHeader {
  /** Whether RequestedServerVersion is one that exists; Exchange answers InvalidRequest where it is not. One that is missing passes here. */
  readonly versionIsKnown: boolean;
  /** wsa:MessageID, which the answer relates to. */
  readonly messageId: string | undefined;
}

/** Of Exchange, and what clients send in the same place since. */
const VERSIONS = /^Exchange(?:2007(?:_SP1)?|2010(?:_SP[123])?|2012|2013(?:_SP1)?|2015|2016|2019)$/;
const UNDERSTOOD: ReadonlySet<string> = new Set([AUTODISCOVER_NS, ADDRESSING_NS]);

/** @throws AutodiscoverFault MustUnderstand for a header that we must understand and do not (SOAP 1.1 §4.2.3) */
export function decodeRequestHeader({ header }: SoapEnvelope): RequestHeader {
  const blocks = header?.children ?? [];
  const foreign = blocks.find((block) => !UNDERSTOOD.has(block.ns) && isMandatory(block, header!.ns));
  if (foreign !== undefined) throw new AutodiscoverFault('MustUnderstand', `The header '${foreign.name.slice(0, 100)}' was not understood.`);
  const version = textOf(blocks, AUTODISCOVER_NS, 'RequestedServerVersion');
  return { versionIsKnown: version === undefined || VERSIONS.test(version), messageId: textOf(blocks, ADDRESSING_NS, 'MessageID') };
}

function isMandatory(block: XmlElement, soapNs: string): boolean {
  const value = block.attributes.find((one) => one.name === 'mustUnderstand' && one.ns === soapNs)?.value;
  // Meant for somebody further on.
  const actor = attribute(block, 'actor') ?? attribute(block, 'role') ?? '';
  return (value === '1' || value === 'true') && (actor === '' || actor.endsWith('/next') || actor.endsWith('/ultimateReceiver'));
}

function textOf(blocks: readonly XmlElement[], ns: string, name: string): string | undefined {
  return blocks.find((one) => one.ns === ns && one.name === name)?.text.trim();
}
