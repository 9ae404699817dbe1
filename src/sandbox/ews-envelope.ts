import { el, writeXml } from '../platform/xml/write.ts';
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
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

const HEADERS = { 'Content-Type': 'text/xml; charset=utf-8', Server: 'Microsoft-IIS/7.5', 'X-AspNet-Version': '2.0.50727' };

/** Exchange 2010 SP3 (major.minor of exchange.md, head). */
const SERVER_VERSION = { MajorVersion: '14', MinorVersion: '3', MajorBuildNumber: '123', MinorBuildNumber: '4', Version: 'Exchange2010_SP2' };

export function envelope(answer: EwsAnswer): StandInAnswer {
  const document = el(
    's:Envelope',
    { 'xmlns:s': SOAP_NS },
    el('s:Header', {}, el('t:ServerVersionInfo', { 'xmlns:t': TYPES_NS, ...SERVER_VERSION })),
    el('s:Body', {}, answer.body),
  );
  return { status: 200, headers: HEADERS, body: writeXml(document), source: answer.source, mailboxes: answer.mailboxes ?? 0 };
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
        el('detail', {}, el('e:ResponseCode', { 'xmlns:e': ERRORS_NS }, fault.code), el('e:Message', { 'xmlns:e': ERRORS_NS }, fault.message)),
      ),
    ),
  );
  return { status: 500, headers: HEADERS, body: writeXml(document), source: 'exchange.md §3.7' };
}
