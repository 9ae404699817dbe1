import { child, childrenNamed, childText, descend } from '../platform/xml/element.ts';
import { readXml } from '../platform/xml/read.ts';
import { el, writeXml } from '../platform/xml/write.ts';
import { MESSAGES_NS, SOAP_NS, TYPES_NS } from './ews-names.ts';
import type { Credentials } from './stand-in-credentials.ts';
import { writeBasic } from './stand-in-credentials.ts';
import { openWire } from './wire-request.ts';

/**
 * Checks a name as a client of Exchange does: ResolveNames over the directory (exchange.md §3.3). Whoever is found, as `Kim Kowalski <kim@zimbra.example>`.
 *
 * @throws Error where it is refused
 */
export async function checkName(serverUrl: string, text: string, credentials: Credentials): Promise<readonly string[]> {
  const url = new URL(serverUrl);
  const wire = openWire(url);
  const request = el('m:ResolveNames', { ReturnFullContactData: 'false', SearchScope: 'ActiveDirectory' }, el('m:UnresolvedEntry', {}, text));
  const header = el('s:Header', {}, el('t:RequestServerVersion', { Version: 'Exchange2013' }));
  const body = writeXml(el('s:Envelope', { 'xmlns:s': SOAP_NS, 'xmlns:t': TYPES_NS, 'xmlns:m': MESSAGES_NS }, header, el('s:Body', {}, request)));
  try {
    const answer = await wire.send('POST', '/EWS/Exchange.asmx', [
      'Host', url.host, 'User-Agent', 'ExchangeServicesClient/15.00.0847.030', 'Content-Type', 'text/xml; charset=utf-8', 'Content-Length', String(Buffer.byteLength(body)), 'Authorization', writeBasic(credentials), 'Connection', 'Keep-Alive',
    ], body);
    if (answer.status !== 200) throw new Error(`ResolveNames answered ${answer.status}`);
    const message = descend(await readXml(answer.body), 'Body', 'ResolveNamesResponse', 'ResponseMessages', 'ResolveNamesResponseMessage');
    return childrenNamed(child(message, 'ResolutionSet'), 'Resolution').map((one) => {
      const mailbox = child(one, 'Mailbox');
      return `${childText(mailbox, 'Name') ?? ''} <${childText(mailbox, 'EmailAddress') ?? ''}>`;
    });
  } finally {
    wire.close();
  }
}
