import { DAY_MS, HOUR_MS } from '../../core/clock.ts';
import type { Instant } from '../../core/clock.ts';
import type { Live, OtherSide } from './other-side.ts';
import { shellWord } from './quoting.ts';
import type { Step } from './script-part.ts';
import type { ZimbraWay } from './zimbra-ways.ts';

/** The same question as Zimbra's, from a shell on the Zimbra server, about tomorrow's working day. */
export function tryIt({ publicUrl, domains }: OtherSide, { client }: Live, way: ZimbraWay, now: Instant): Step {
  const somebody = `somebody@${domains[0] ?? 'corp.example'}`;
  const day = new Date(now + DAY_MS).toISOString().slice(0, 10);
  const curl = `curl -u ${shellWord(client.credentials.username)}`;
  const xml = `${curl} -H 'Content-Type: text/xml; charset=utf-8'`;
  const commands: Record<ZimbraWay, readonly string[]> = {
    webdav: [
      `${curl} ${quoted(`${publicUrl}/public/?cmd=freebusy&start=${day}T08:00:00Z&end=${day}T18:00:00Z&interval=30&u=SMTP:${somebody}`)}`,
      '# Good: <a:fbdata> with a digit for each half hour: 0 free, 1 tentative, 2 busy, 3 out of office, 4 unknown (all 4: check --config bridge.yaml, then lookup).',
    ],
    ews: [
      `${xml} ${quoted(`${publicUrl}/EWS/Exchange.asmx`)} -d ${quoted(availabilityQuestion(somebody, day))}`,
      '# Good: <FreeBusyView>. An ErrorMailRecipientNotFound is somebody whom no system knows.',
    ],
    zimbra: [
      `${xml} ${quoted(`${publicUrl}/service/soap/`)} -d ${quoted(soapQuestion(somebody, Date.parse(`${day}T08:00:00Z`)))}`,
      '# Good: <usr id=…> with f (free), t (tentative), b (busy), u (out of office), n (unknown).',
    ],
  };
  return {
    title: `Try it before Zimbra does, about somebody who exists. curl asks for the password: that of the client ${client.name} in bridge.yaml. With an authority of your own: curl --cacert ca.pem …`,
    lines: [
      ...commands[way],
      // Zimbra's SOAP says it in a fault, with status 500.
      `# ${way === 'zimbra' ? 'account.AUTH_FAILED' : '401'}: user name or password.${publicUrl.startsWith('https:') ? ' A certificate error: step 1, or the name in publicUrl.' : ''}`,
    ],
  };
}

function quoted(text: string): string {
  return `'${text}'`;
}

function availabilityQuestion(address: string, day: string): string {
  const change = (month: number) => `<t:Bias>0</t:Bias><t:Time>00:00:00</t:Time><t:DayOrder>1</t:DayOrder><t:Month>${month}</t:Month><t:DayOfWeek>Sunday</t:DayOfWeek>`;
  return (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages" xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"><s:Body>' +
    `<m:GetUserAvailabilityRequest><t:TimeZone><t:Bias>0</t:Bias><t:StandardTime>${change(11)}</t:StandardTime><t:DaylightTime>${change(3)}</t:DaylightTime></t:TimeZone>` +
    `<m:MailboxDataArray><t:MailboxData><t:Email><t:Address>${address}</t:Address></t:Email><t:AttendeeType>Required</t:AttendeeType></t:MailboxData></m:MailboxDataArray>` +
    `<t:FreeBusyViewOptions><t:TimeWindow><t:StartTime>${day}T08:00:00</t:StartTime><t:EndTime>${day}T18:00:00</t:EndTime></t:TimeWindow>` +
    '<t:MergedFreeBusyIntervalInMinutes>30</t:MergedFreeBusyIntervalInMinutes><t:RequestedView>FreeBusy</t:RequestedView></t:FreeBusyViewOptions></m:GetUserAvailabilityRequest></s:Body></s:Envelope>'
  );
}

function soapQuestion(address: string, start: Instant): string {
  const body = `<GetFreeBusyRequest xmlns="urn:zimbraMail" s="${start}" e="${start + 10 * HOUR_MS}" name="${address}"/>`;
  return `<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope"><soap:Body>${body}</soap:Body></soap:Envelope>`;
}
