import { xml, xmlDocument } from '../../platform/xml/write.ts';
import { SOAP_11_NS } from '../soap/envelope.ts';
import { ADDRESSING_NS, AUTODISCOVER_NS, actionOf } from './names.ts';

/** Named in SOAPAction and wsa:Action. */
export const GET_USER_SETTINGS = actionOf('GetUserSettings');

/** Asks for the URLs of EWS (exchange.md §4.3; the order of elements matters). EwsPartnerUrl is for other organisations and never asked for. */
export function encodeUserSettingsQuestion(to: URL, mailbox: string): string {
  return xmlDocument(
    xml`<s:Envelope xmlns:s="${SOAP_11_NS}" xmlns:a="${AUTODISCOVER_NS}" xmlns:wsa="${ADDRESSING_NS}"><s:Header><a:RequestedServerVersion>Exchange2010</a:RequestedServerVersion><wsa:Action>${GET_USER_SETTINGS}</wsa:Action><wsa:To>${to.href}</wsa:To></s:Header><s:Body><a:GetUserSettingsRequestMessage><a:Request><a:Users><a:User><a:Mailbox>${mailbox}</a:Mailbox></a:User></a:Users><a:RequestedSettings><a:Setting>ExternalEwsUrl</a:Setting><a:Setting>InternalEwsUrl</a:Setting></a:RequestedSettings></a:Request></a:GetUserSettingsRequestMessage></s:Body></s:Envelope>`,
  );
}
