import { XmlText, escapeXml, xmlDocument } from '../../platform/xml/write.ts';
import { ENVELOPE_NS } from '../soap/envelope.ts';
import type { SoapVersion } from '../soap/envelope.ts';
import { SERVER_VERSION_INFO } from './claimed-version.ts';
import { group, leaf } from './leaf.ts';
import { ADDRESSING_NS, AUTODISCOVER_NS, INSTANCE_NS, actionOf } from './names.ts';
import type { AutodiscoverFault } from './soap-fault.ts';

const VERSION_INFO = group('h:ServerVersionInfo', SERVER_VERSION_INFO.map(([name, value]) => leaf(`h:${name}`, value)), ` xmlns:h="${AUTODISCOVER_NS}"`);

/** RedirectTarget of whoever is answered here; its place among its siblings differs. */
export const NO_REDIRECT = group('RedirectTarget', [], ' i:nil="true"');

/** What an operation answers with. */
export interface SoapMessage {
  /** `GetUserSettingsResponse` */
  readonly name: string;
  /** Content of `{name}Message/Response`, in the default namespace; the prefix `i` is XML Schema instance. */
  readonly content: readonly XmlText[];
}

/** A whole answer: Action and ServerVersionInfo in the header (ews-javascript-api falls over an answer without it), the message in the body. */
export function encodeSoapAnswer(version: SoapVersion, messageId: string | undefined, { name, content }: SoapMessage): string {
  const response = group('Response', content, ` xmlns:i="${INSTANCE_NS}"`);
  return envelope(version, actionOf(name), messageId, group(`${name}Message`, [response], ` xmlns="${AUTODISCOVER_NS}"`));
}

/** The code of a Fault is in SOAP's namespace, or in that of WS-Addressing where no operation goes by that name ([WS-Addressing SOAP Binding] §6.4). */
export function encodeSoapFault(version: SoapVersion, { code, message }: Pick<AutodiscoverFault, 'code' | 'message'>): string {
  const isAddressing = code === 'ActionNotSupported';
  const fault = version === '1.1' ? fault11(isAddressing ? 'a:ActionNotSupported' : `s:${CODES_11[code]}`, message) : fault12(isAddressing ? 'Sender' : code, isAddressing, message);
  return envelope(version, `${ADDRESSING_NS}/${isAddressing ? 'fault' : 'soap/fault'}`, undefined, fault);
}

const CODES_11 = { Sender: 'Client', Receiver: 'Server', MustUnderstand: 'MustUnderstand' } as const;
const ENGLISH = ' xml:lang="en-US"';

function fault11(code: string, message: string): XmlText {
  return group('s:Fault', [leaf('faultcode', code), group('faultstring', [textOf(message)], ENGLISH)]);
}

function fault12(code: string, isAddressing: boolean, message: string): XmlText {
  const subcode = isAddressing ? [group('s:Subcode', [leaf('s:Value', 'a:ActionNotSupported')])] : [];
  return group('s:Fault', [group('s:Code', [leaf('s:Value', `s:${code}`), ...subcode]), group('s:Reason', [group('s:Text', [textOf(message)], ENGLISH)])]);
}

function envelope(version: SoapVersion, action: string, messageId: string | undefined, body: XmlText): string {
  const relatesTo = messageId === undefined || messageId === '' ? [] : [leaf('a:RelatesTo', messageId)];
  const header = [group('a:Action', [textOf(action)], ' s:mustUnderstand="1"'), ...relatesTo, VERSION_INFO];
  return xmlDocument(group('s:Envelope', [group('s:Header', header), group('s:Body', [body])], ` xmlns:s="${ENVELOPE_NS[version]}" xmlns:a="${ADDRESSING_NS}"`));
}

function textOf(text: string): XmlText {
  return new XmlText(escapeXml(text));
}
