import { child, childrenNamed, childText, descend } from '../platform/xml/element.ts';
import type { XmlElement } from '../platform/xml/element.ts';
import { readXml } from '../platform/xml/read.ts';
import { el, writeXml } from '../platform/xml/write.ts';
import { MESSAGES_NS, SOAP_NS, TYPES_NS } from './ews-names.ts';
import { INTERVAL_MINUTES, shownByDigits } from './exchange-user.ts';
import type { Credentials } from './stand-in-credentials.ts';
import { writeBasic } from './stand-in-credentials.ts';
import { openWire } from './wire-request.ts';
import type { Wire } from './wire-request.ts';
import type { ShownMailbox, Window } from './zimbra-client.ts';

/** Exchange asks Autodiscover about nobody in particular, but about this one of the domain (KB 3010570). */
const PSEUDO_USER = '01B62C6D-4324-448f-9884-5FEC6D18A7E2';

/** Where the questions go, for people. */
export const CROSS_FOREST_TARGETS = ['POST /autodiscover/autodiscover.xml', 'POST /EWS/Exchange.asmx GetUserAvailability'] as const;

/**
 * Asks as an Exchange 2013 with an address space asks for one of its users (exchange.md §4.4): Autodiscover for the pseudo-user of
 * the domain, then GetUserAvailability at the ASUrl that it names. Answers are positional; whoever has no digits is unknown.
 *
 * @throws Error where Autodiscover names no URL of this server, or a status is not 200
 */
export async function askAcrossForests(serverUrl: string, addresses: readonly string[], window: Window, credentials: Credentials): Promise<readonly ShownMailbox[]> {
  const url = new URL(serverUrl);
  const wire = openWire(url);
  try {
    const domain = addresses[0]!.split('@')[1]!;
    const discovered = await post(wire, url, '/autodiscover/autodiscover.xml', `ASAutoDiscover/CrossForest/EmailDomain//15.00.0847.030`, autodiscoverRequest(`${PSEUDO_USER}@${domain}`), credentials);
    const availability = new URL(availabilityUrlOf(discovered));
    if (availability.host !== url.host) throw new Error('Autodiscover names another server');
    const answer = await post(wire, url, availability.pathname, 'ASProxy/CrossForest/EmailDomain//15.00.0847.030', availabilityRequest(addresses, window), credentials);
    const responses = childrenNamed(descend(answer, 'Body', 'GetUserAvailabilityResponse', 'FreeBusyResponseArray'), 'FreeBusyResponse');
    return addresses.map((address, index) => shownByDigits(address, childText(child(responses[index], 'FreeBusyView'), 'MergedFreeBusy') ?? '', window));
  } finally {
    wire.close();
  }
}

async function post(wire: Wire, url: URL, target: string, userAgent: string, body: string, credentials: Credentials): Promise<XmlElement> {
  const answer = await wire.send('POST', target, [
    'Host', url.host, 'User-Agent', userAgent, 'Content-Type', 'text/xml; charset=utf-8', 'Content-Length', String(Buffer.byteLength(body)), 'Authorization', writeBasic(credentials), 'Connection', 'Keep-Alive',
  ], body);
  if (answer.status !== 200) throw new Error(`${target} answered ${answer.status}`);
  return readXml(answer.body);
}

/** The Availability Service of the EXPR protocol: the outside one (KB 2734791). */
function availabilityUrlOf(document: XmlElement): string {
  const protocols = childrenNamed(descend(document, 'Response', 'Account'), 'Protocol');
  const found = childText(protocols.find((one) => childText(one, 'Type') === 'EXPR'), 'ASUrl');
  if (found === undefined) throw new Error('Autodiscover names no availability service');
  return found;
}

function autodiscoverRequest(address: string): string {
  return writeXml(
    el(
      'Autodiscover',
      { xmlns: 'http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006' },
      el('Request', {}, el('EMailAddress', {}, address), el('AcceptableResponseSchema', {}, 'http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a')),
    ),
  );
}

function availabilityRequest(addresses: readonly string[], window: Window): string {
  const change = (name: string, month: number): ReturnType<typeof el> =>
    el(name, {}, el('t:Bias', {}, 0), el('t:Time', {}, '02:00:00'), el('t:DayOrder', {}, 1), el('t:Month', {}, month), el('t:DayOfWeek', {}, 'Sunday'));
  const local = (at: number): string => new Date(at).toISOString().slice(0, 19);
  const people = addresses.map((address) =>
    el('t:MailboxData', {}, el('t:Email', {}, el('t:Address', {}, address)), el('t:AttendeeType', {}, 'Required'), el('t:ExcludeConflicts', {}, 'false')),
  );
  const request = el(
    'm:GetUserAvailabilityRequest',
    {},
    el('t:TimeZone', {}, el('t:Bias', {}, 0), change('t:StandardTime', 10), change('t:DaylightTime', 3)),
    el('m:MailboxDataArray', {}, people),
    el(
      't:FreeBusyViewOptions',
      {},
      el('t:TimeWindow', {}, el('t:StartTime', {}, local(window.start)), el('t:EndTime', {}, local(window.end))),
      el('t:MergedFreeBusyIntervalInMinutes', {}, INTERVAL_MINUTES),
      el('t:RequestedView', {}, 'FreeBusyMerged'),
    ),
  );
  const header = el('s:Header', {}, el('t:RequestTypeHeader', {}, el('t:RequestType', {}, 'CrossForest')), el('t:RequestServerVersion', { Version: 'Exchange2013' }));
  return writeXml(el('s:Envelope', { 'xmlns:s': SOAP_NS, 'xmlns:t': TYPES_NS, 'xmlns:m': MESSAGES_NS }, header, el('s:Body', {}, request)));
}
