import { Agent } from 'node:https';
import { connect } from 'node:tls';
import ews from 'ews-javascript-api';
import { XhrApi } from '@ewsjs/xhr';
import { PEER } from './peer-world.ts';

export type Auth = 'Basic' | 'NTLM';

/** A Monday in summer time, 00:00 UTC. */
export const DAY = Date.UTC(2027, 5, 7);

/** A service of the library that signs in as the peer. For NTLM its HTTP layer does so; it wants credentials of its own all the same, and does not use them. */
export function signIn<T extends ews.ExchangeService | ews.AutodiscoverService>(service: T, auth: Auth, password: string = PEER.password, http = new XhrApi()): T {
  service.Credentials = new ews.WebCredentials(PEER.username, auth === 'NTLM' ? 'not used' : password);
  service.XHRApi = auth === 'NTLM' ? http.useNtlmAuthentication(PEER.username, password) : http;
  return service;
}

/** @param zone a Windows name; without one the library takes the machine's */
export function exchangeService(url: string, auth: Auth, options: { version?: ews.ExchangeVersion; zone?: string; password?: string } = {}): ews.ExchangeService {
  const version = options.version ?? ews.ExchangeVersion.Exchange2013;
  const service = options.zone === undefined ? new ews.ExchangeService(version) : new ews.ExchangeService(version, ews.TimeZoneInfo.FindSystemTimeZoneById(options.zone));
  service.Url = new ews.Uri(`${url}/EWS/Exchange.asmx`);
  return signIn(service, auth, options.password);
}

/** GetUserAvailability of that one day (in UTC, the shortest window that the library allows). */
export async function askAvailability(service: ews.ExchangeService, mailboxes: readonly string[], view = ews.FreeBusyViewType.Detailed): Promise<readonly ews.AttendeeAvailability[]> {
  const window = new ews.TimeWindow(new ews.DateTime(DAY, ews.DateTimeKind.Utc), new ews.DateTime(DAY + 86_400_000, ews.DateTimeKind.Utc));
  const options = new ews.AvailabilityOptions();
  options.RequestedFreeBusyView = view;
  const results = await service.GetUserAvailability(mailboxes.map((one) => new ews.AttendeeInfo(one)), window, ews.AvailabilityData.FreeBusy, options);
  return results.AttendeesAvailability.Responses;
}

export interface PeerEvent {
  /** Epoch ms. */
  readonly start: number;
  readonly end: number;
  readonly type: string | undefined;
  readonly subject?: string;
}

export function eventsOf(availability: ews.AttendeeAvailability | undefined): readonly PeerEvent[] {
  return (availability?.CalendarEvents ?? []).map((event) => ({
    start: event.StartTime.MomentDate.valueOf(),
    end: event.EndTime.MomentDate.valueOf(),
    type: ews.LegacyFreeBusyStatus[event.FreeBusyStatus],
    ...(event.Details?.Subject ? { subject: event.Details.Subject } : {}),
  }));
}

/** The library's HTTP layer, for which every host name with port 443 leads to the bridge: what DNS does elsewhere. Certificates are verified. */
export function httpTo(port: number, ca: string): XhrApi {
  const agent = new Agent();
  Object.assign(agent, { createConnection: ({ servername }: { servername?: string }) => connect({ host: '127.0.0.1', port, ca, ...(servername === undefined ? {} : { servername }) }) });
  return new XhrApi({ httpsAgent: agent } as never);
}
