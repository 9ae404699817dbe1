import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ewsQueryBackEnd, ifbBackEnd, owaQueryBackEnd, systemFor, zimbraBackEnd } from './back-ends.ts';
import type { BackEnd, Meeting } from './back-ends.ts';
import { startBridge } from './bridge-process.ts';
import type { RunningBridge } from './bridge-process.ts';
import { JUDGE, JUDGE_CLIENT, MEETINGS, NOTHING_KNOWN, OTHER_MEETINGS, OTHER_TRUTH, TRUTH, allSay, digitsOfJson, threeFaces } from './every-kind.ts';
import { askJson, basic } from './raw-http.ts';

/** Several of each: three Exchanges and two Zimbras at once, some of whose domains overlap; and mailboxes that are rooms. */

const EVERY = ['berlin', 'paris', 'old', 'zimbra', 'zimbra2', 'partner'] as const;
type Name = (typeof EVERY)[number];

let bridge: RunningBridge;
let backEnds: Readonly<Record<Name, BackEnd>>;

/** What a back end was asked about, by its own protocol's marks. */
const askedAbout = (name: Name, address: string): boolean => backEnds[name].requests.some(({ url, body }) => decodeURIComponent(url).includes(address) || body.includes(address));

beforeAll(async () => {
  const people = (...entries: readonly (readonly [string, readonly Meeting[]])[]) => Object.fromEntries(entries);
  backEnds = {
    // Both Exchanges know Kim, as they do after a move between forests: only one of them is his home.
    berlin: await ewsQueryBackEnd(people(['anna@corp.example', MEETINGS], ['kim@corp.example', MEETINGS], ['atlas@corp.example', MEETINGS], ['projector@corp.example', OTHER_MEETINGS])),
    paris: await ewsQueryBackEnd(people(['kim@corp.example', OTHER_MEETINGS], ['louise@paris.example', MEETINGS])),
    old: await owaQueryBackEnd(people(['otto@old.example', OTHER_MEETINGS])),
    zimbra: await zimbraBackEnd(people(['zoe@zimbra.example', MEETINGS])),
    zimbra2: await zimbraBackEnd(people(['zack@zimbra2.example', OTHER_MEETINGS], ['zoe2@zimbra.example', OTHER_MEETINGS])),
    partner: await ifbBackEnd(people(['pia@partner.example', MEETINGS])),
  };
  bridge = await startBridge({
    systems: {
      berlin: systemFor('exchange-ews', backEnds.berlin, { domains: ['corp.example'], detail: 'busy-type' }),
      paris: systemFor('exchange-ews', backEnds.paris, { domains: ['paris.example'], mailboxes: ['kim@corp.example'] }),
      old: systemFor('exchange-webdav', backEnds.old, { domains: ['old.example'] }),
      zimbra: systemFor('zimbra', backEnds.zimbra, { domains: ['zimbra.example'] }),
      zimbra2: systemFor('zimbra', backEnds.zimbra2, { domains: ['zimbra2.example'], mailboxes: ['zoe2@zimbra.example'] }),
      partner: systemFor('ifb', backEnds.partner, { domains: ['partner.example'] }),
    },
    clients: [
      { ...JUDGE_CLIENT, mayAsk: EVERY },
      // Two clients that speak for one system, with rights of their own.
      { name: 'zimbra web', username: 'web', password: 'pw-web', from: 'zimbra', mayAsk: ['berlin', 'paris'] },
      { name: 'zimbra room list', username: 'rooms', password: 'pw-rooms', from: 'zimbra', mayAsk: ['berlin'], detail: 'free-busy' },
    ],
  });
});
afterAll(async () => {
  await bridge.stop();
  await Promise.all(Object.values(backEnds).map((one) => one.close()));
});

describe('any number of systems at once', () => {
  it('answers one question about people of all of them, each from its own home', async () => {
    const everybody = ['anna@corp.example', 'louise@paris.example', 'otto@old.example', 'zoe@zimbra.example', 'zack@zimbra2.example', 'pia@partner.example'];
    expect(await threeFaces(bridge, everybody)).toEqual(allSay(TRUTH, TRUTH, OTHER_TRUTH, TRUTH, OTHER_TRUTH, TRUTH));
    for (const [address, home] of [['anna@corp.example', 'berlin'], ['louise@paris.example', 'paris'], ['otto@old.example', 'old'], ['zoe@zimbra.example', 'zimbra'], ['zack@zimbra2.example', 'zimbra2'], ['pia@partner.example', 'partner']] as const) {
      expect(EVERY.filter((name) => askedAbout(name, address))).toEqual([home]);
    }
  });

  it('an exact address is stronger than whose domain it is in', async () => {
    expect(await threeFaces(bridge, ['kim@corp.example', 'zoe2@zimbra.example'])).toEqual(allSay(OTHER_TRUTH, OTHER_TRUTH));
    expect([askedAbout('berlin', 'kim@corp.example'), askedAbout('zimbra', 'zoe2@zimbra.example')]).toEqual([false, false]);
  });

  it('several clients of one system have each their own rights', async () => {
    const addresses = ['anna@corp.example', 'louise@paris.example', 'zoe@zimbra.example'];
    const said = async (username: string, password: string) => (await askJson(bridge.url, basic(username, password), addresses)).results;
    const web = await said('web', 'pw-web');
    expect(web.map((one) => digitsOfJson(one))).toEqual([TRUTH, TRUTH, NOTHING_KNOWN]);
    const rooms = await said('rooms', 'pw-rooms');
    // Only whether time is taken, and nothing of Paris.
    expect(rooms.map((one) => digitsOfJson(one))).toEqual([TRUTH.replaceAll('1', '2'), NOTHING_KNOWN, NOTHING_KNOWN]);
  });
});

describe('rooms and equipment', () => {
  it('are mailboxes like any other at every face', async () => {
    expect(await threeFaces(bridge, ['atlas@corp.example', 'projector@corp.example'])).toEqual(allSay(TRUTH, OTHER_TRUTH));
  });

  it('are asked about as Room and Resource by Outlook', async () => {
    const mailbox = (address: string, type: string) => `<t:MailboxData><t:Email><t:Address>${address}</t:Address></t:Email><t:AttendeeType>${type}</t:AttendeeType></t:MailboxData>`;
    const zone = '<t:TimeZone><t:Bias>0</t:Bias><t:StandardTime><t:Bias>0</t:Bias><t:Time>02:00:00</t:Time><t:DayOrder>5</t:DayOrder><t:Month>10</t:Month><t:DayOfWeek>Sunday</t:DayOfWeek></t:StandardTime><t:DaylightTime><t:Bias>0</t:Bias><t:Time>02:00:00</t:Time><t:DayOrder>1</t:DayOrder><t:Month>3</t:Month><t:DayOfWeek>Sunday</t:DayOfWeek></t:DaylightTime></t:TimeZone>';
    const window = '<t:TimeWindow><t:StartTime>2026-03-02T08:00:00</t:StartTime><t:EndTime>2026-03-02T12:00:00</t:EndTime></t:TimeWindow><t:MergedFreeBusyIntervalInMinutes>15</t:MergedFreeBusyIntervalInMinutes><t:RequestedView>MergedOnly</t:RequestedView>';
    const body = `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types" xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"><s:Header><t:RequestServerVersion Version="Exchange2010"/></s:Header><s:Body><m:GetUserAvailabilityRequest>${zone}<m:MailboxDataArray>${mailbox('atlas@corp.example', 'Room')}${mailbox('projector@corp.example', 'Resource')}${mailbox('anna@corp.example', 'Organizer')}</m:MailboxDataArray><t:FreeBusyViewOptions>${window}</t:FreeBusyViewOptions></m:GetUserAvailabilityRequest></s:Body></s:Envelope>`;
    const response = await fetch(`${bridge.url}/EWS/Exchange.asmx`, { method: 'POST', headers: { ...JUDGE, 'content-type': 'text/xml; charset=utf-8' }, body });
    const digits = [...(await response.text()).matchAll(/<(?:\w+:)?MergedFreeBusy>(\d*)</g)].map((match) => match[1]);
    expect(digits).toEqual([TRUTH, OTHER_TRUTH, TRUTH]);
  });
});
