import { el, writeXml, xmlFragment } from '../platform/xml/write.ts';
import type { XmlNode } from '../platform/xml/write.ts';
import { ERRORS_NS, SOAP_NS, TYPES_NS } from './ews-names.ts';
import type { StandInAnswer } from './stand-in.ts';

/** What an EWS operation of the stand-in gives back: one response element, and where it is written from. */
export interface EwsAnswer {
  readonly body: XmlNode;
  readonly source: string;
  readonly mailboxes?: number;
}

/** The whole request fails: HTTP 500 with a SOAP fault (exchange.md §3.7). */
export class EwsFault extends Error {
  override readonly name = 'EwsFault';
  readonly code: string;
  /** BackOffMilliseconds, where the server says how long it is busy. */
  readonly backOffMs: number | undefined;
  constructor(code: string, message: string, backOffMs?: number) {
    super(message);
    this.code = code;
    this.backOffMs = backOffMs;
  }
}

const HEADERS = { 'Content-Type': 'text/xml; charset=utf-8', Server: 'Microsoft-IIS/7.5', 'X-AspNet-Version': '2.0.50727' };

/** Exchange 2010 SP3 and 2013 (major.minor of exchange.md, head; the build of 2013 from captures/ews-server). */
const SERVER_VERSIONS = {
  2010: { MajorVersion: '14', MinorVersion: '3', MajorBuildNumber: '123', MinorBuildNumber: '4', Version: 'Exchange2010_SP2' },
  2013: { MajorVersion: '15', MinorVersion: '0', MajorBuildNumber: '847', MinorBuildNumber: '4040', Version: 'V2017_07_11' },
} as const;
export type ServerGeneration = keyof typeof SERVER_VERSIONS;

export function envelope(answer: EwsAnswer, generation: ServerGeneration): StandInAnswer {
  const document = el(
    's:Envelope',
    { 'xmlns:s': SOAP_NS },
    el('s:Header', {}, el('t:ServerVersionInfo', { 'xmlns:t': TYPES_NS, ...SERVER_VERSIONS[generation] })),
    el('s:Body', {}, answer.body),
  );
  return { status: 200, headers: HEADERS, body: writeXml(document), source: answer.source, mailboxes: answer.mailboxes ?? 0 };
}

/**
 * One of the many envelopes of a streaming answer: without an XML declaration, its own name without a prefix. So they have to be, or the libraries that were written
 * against Exchange could not read them: ews-javascript-api looks for the letters `<Envelope`, EWS Managed API reads all of them as one stream of XML.
 */
export function streamedEnvelope(body: XmlNode, generation: ServerGeneration): string {
  return xmlFragment(el(
    'Envelope',
    { xmlns: SOAP_NS },
    el('soap11:Header', { 'xmlns:soap11': SOAP_NS }, el('ServerVersionInfo', { ...SERVER_VERSIONS[generation], xmlns: TYPES_NS })),
    el('soap11:Body', { 'xmlns:soap11': SOAP_NS }, body),
  )).text;
}

export function faultEnvelope(fault: EwsFault): StandInAnswer {
  const document = el(
    's:Envelope',
    { 'xmlns:s': SOAP_NS },
    el(
      's:Body',
      {},
      el(
        's:Fault',
        {},
        el('faultcode', { 'xmlns:a': TYPES_NS }, `a:${fault.code}`),
        el('faultstring', { 'xml:lang': 'en-US' }, fault.message),
        el(
          'detail',
          {},
          el('e:ResponseCode', { 'xmlns:e': ERRORS_NS }, fault.code),
          el('e:Message', { 'xmlns:e': ERRORS_NS }, fault.message),
          fault.backOffMs !== undefined && el('t:MessageXml', { 'xmlns:t': TYPES_NS }, el('t:Value', { Name: 'BackOffMilliseconds' }, fault.backOffMs)),
        ),
      ),
    ),
  );
  return { status: 500, headers: HEADERS, body: writeXml(document), source: 'exchange.md §3.7' };
}
