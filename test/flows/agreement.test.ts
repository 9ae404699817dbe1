import { Router } from 'express';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import { NO_DIRECTORY } from '../../src/directory/no-directory.ts';
import { ServedAddresses } from '../../src/directory/served-addresses.ts';
import { parseMailboxAddress } from '../../src/directory/smtp-address.ts';
import type { BusyType } from '../../src/freebusy/busy-type.ts';
import type { CalendarSystem } from '../../src/freebusy/calendar-system.ts';
import { freeBusyFrom } from '../../src/freebusy/free-busy.ts';
import { Lookup } from '../../src/lookup/lookup.ts';
import { Routing } from '../../src/lookup/routing.ts';
import { ClientSignIn } from '../../src/platform/auth/client-sign-in.ts';
import { FailureMemory } from '../../src/platform/auth/failure-memory.ts';
import { createApp } from '../../src/platform/http-server/app.ts';
import { LoadGate } from '../../src/platform/http-server/load-gate.ts';
import { ewsEndpoint } from '../../src/protocols/ews/endpoint.ts';
import { ifbEndpoint } from '../../src/protocols/ifb/endpoint.ts';
import { owaWebdavEndpoint } from '../../src/protocols/owa-webdav/endpoint.ts';
import { restApiEndpoint } from '../../src/protocols/rest-api/endpoint.ts';
import { PresenceStreams, StreamSlots } from '../../src/protocols/rest-api/presence-streams.ts';
import { encodeFreeBusyMessage } from '../../src/protocols/schedule-plus/encode-free-busy-message.ts';
import { zimbraSoapEndpoint } from '../../src/protocols/zimbra-soap/endpoint.ts';
import { publishablePart } from '../../src/replication/publication-window.ts';
import { minutesOf } from '../protocols/schedule-plus/message-minutes.ts';
import { ASKING_ZONES, instantOf, localTime } from './agreement-zones.ts';
import type { AskingZone } from './agreement-zones.ts';
import { FakePresence } from '../presence/fake-presence.ts';

/**
 * One calendar, five faces and the replicated message: what each of them says of every slot must be the same, after each protocol's documented loss.
 * The expected values are computed here, minute by minute, from the random calendar itself and never with the code under test.
 */

const MAILBOX = parseMailboxAddress('kim@corp.example')!;
const MINUTE = 60_000;
/** Weakest first; written out again on purpose. */
const PRECEDENCE: readonly BusyType[] = ['free', 'no-data', 'working-elsewhere', 'tentative', 'busy', 'oof'];
const OWA_DIGIT: Readonly<Record<BusyType, string>> = { free: '0', 'working-elsewhere': '0', tentative: '1', busy: '2', oof: '3', 'no-data': '4' };
const SOAP_LETTER: Readonly<Record<BusyType, string>> = { free: 'f', 'working-elsewhere': 'f', tentative: 't', busy: 'b', oof: 'u', 'no-data': 'n' };

interface Stretch {
  readonly start: number;
  readonly end: number;
  readonly busyType: BusyType;
}

let calendar: readonly Stretch[] = [];
let server: Server;
let base: string;
const authorization = `Basic ${Buffer.from('zimbra:secret').toString('base64')}`;

beforeAll(async () => {
  const system: CalendarSystem = {
    freeBusy: async ({ mailboxes, window }) => mailboxes.map((mailbox) => ({ mailbox, freeBusy: freeBusyFrom(mailbox, window, { busy: calendar }), asOf: window.start })),
    probe: async () => [],
    close: async () => undefined,
  };
  const lookup = new Lookup({ routing: new Routing([{ name: 'exchange', isZimbra: false, system, domains: ['corp.example'], mailboxes: [], cacheForMs: 0 }]), workingElsewhereAs: 'free', clock: systemClock, logger: silentLogger, metrics: noMetrics });
  const requester = { name: 'zimbra', from: 'outside', mayAsk: new Set(['exchange']), detail: 'busy-type', anonymous: false, presence: 'none' } as const;
  const signIn = new ClientSignIn({
    accounts: [{ requester, credentials: { username: 'zimbra', password: 'secret' } }],
    failures: new FailureMemory(systemClock),
    tokenKey: Buffer.alloc(32, 1),
    clock: systemClock,
    metrics: noMetrics,
  });
  const presence = { presence: new FakePresence(), streams: new PresenceStreams(new StreamSlots()), homeOf: () => undefined, encodePidf: () => '' };
  const addresses = new ServedAddresses([{ name: 'exchange', domains: ['corp.example'], mailboxes: [] }]);
  const services = { source: lookup, signIn, clock: systemClock, workingElsewhereAs: 'free' as const, addresses, publicUrl: () => base };
  const routers = [restApiEndpoint({ source: lookup, directory: NO_DIRECTORY, signIn, ...presence }), owaWebdavEndpoint(services), zimbraSoapEndpoint({ ...services, directory: NO_DIRECTORY }), ewsEndpoint(services), ifbEndpoint(services)];
  server = createServer(createApp({ trustedProxies: [], deadlineMs: 5_000, always: Router(), gate: new LoadGate(), routers, logger: silentLogger, metrics: noMetrics }));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** The strongest type that touches [start, end), by the random calendar alone. */
function strongestIn(start: number, end: number): BusyType {
  let top = 0;
  for (const one of calendar) if (one.start < end && start < one.end) top = Math.max(top, PRECEDENCE.indexOf(one.busyType));
  return PRECEDENCE[top]!;
}

/** OWA has no working elsewhere: it becomes free first, so that it cannot hide an unknown minute of the same slot. */
function afterLoss(busyType: BusyType): BusyType {
  return busyType === 'working-elsewhere' ? 'free' : busyType;
}

/** ISO text of an instant as somebody in that zone writes it: `2026-03-08T14:15:00+05:30`. */
function inZone(instant: number, offsetMinutes: number): string {
  const sign = offsetMinutes < 0 ? '-' : '+';
  const zone = `${sign}${String(Math.floor(Math.abs(offsetMinutes) / 60)).padStart(2, '0')}:${String(Math.abs(offsetMinutes) % 60).padStart(2, '0')}`;
  return new Date(instant + offsetMinutes * MINUTE).toISOString().slice(0, 19) + zone;
}

async function owaDigits(start: number, end: number, interval: number, offset: number): Promise<string> {
  const response = await fetch(`${base}/public/?cmd=freebusy&start=${inZone(start, offset)}&end=${inZone(end, offset)}&interval=${interval}&u=SMTP:${MAILBOX}`, { headers: { authorization } });
  expect(response.status).toBe(200);
  const items = (await response.text()).split('item>').filter((part) => part.includes(MAILBOX));
  return /fbdata>(\d*)</.exec(items[0]!)![1]!;
}

async function soapSlots(start: number, end: number): Promise<readonly { letter: string; start: number; end: number }[]> {
  const response = await fetch(`${base}/service/soap/`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/soap+xml; charset=utf-8' },
    body: `<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope"><soap:Body><GetFreeBusyRequest xmlns="urn:zimbraMail" s="${start}" e="${end}" name="${MAILBOX}"/></soap:Body></soap:Envelope>`,
  });
  expect(response.status).toBe(200);
  return [...(await response.text()).matchAll(/<(?:\w+:)?([ftbun]) s="(\d+)" e="(\d+)"/g)].map(([, letter, s, e]) => ({ letter: letter!, start: Number(s), end: Number(e) }));
}

async function jsonStretches(start: number, end: number): Promise<readonly Stretch[]> {
  const response = await fetch(`${base}/api/v1/freebusy?mailbox=${MAILBOX}&start=${new Date(start).toISOString()}&end=${new Date(end).toISOString()}`, { headers: { authorization } });
  expect(response.status).toBe(200);
  const body = (await response.json()) as { results: readonly { busy: readonly { start: string; end: string; type: BusyType }[] }[] };
  return body.results[0]!.busy.map((one) => ({ start: Date.parse(one.start), end: Date.parse(one.end), busyType: one.type }));
}

interface EwsAnswer {
  readonly digits: string;
  readonly events: readonly Stretch[];
}

const EWS_TYPE: Readonly<Record<string, BusyType>> = { Free: 'free', Tentative: 'tentative', Busy: 'busy', OOF: 'oof', WorkingElsewhere: 'working-elsewhere', NoData: 'no-data' };

async function ewsView(start: number, end: number, interval: number, zone: AskingZone, version: string): Promise<EwsAnswer> {
  const context = 'windowsId' in zone.element ? `<t:TimeZoneContext><t:TimeZoneDefinition Id="${zone.element.windowsId}"/></t:TimeZoneContext>` : '';
  const response = await fetch(`${base}/EWS/Exchange.asmx`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'text/xml; charset=utf-8' },
    body: `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types" xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"><s:Header><t:RequestServerVersion Version="${version}"/>${context}</s:Header><s:Body><m:GetUserAvailabilityRequest>${'rules' in zone.element ? zone.element.rules : ''}<m:MailboxDataArray><t:MailboxData><t:Email><t:Address>${MAILBOX}</t:Address></t:Email><t:AttendeeType>Required</t:AttendeeType></t:MailboxData></m:MailboxDataArray><t:FreeBusyViewOptions><t:TimeWindow><t:StartTime>${localTime(zone.iana, start)}</t:StartTime><t:EndTime>${localTime(zone.iana, end)}</t:EndTime></t:TimeWindow><t:MergedFreeBusyIntervalInMinutes>${interval}</t:MergedFreeBusyIntervalInMinutes><t:RequestedView>FreeBusyMerged</t:RequestedView></t:FreeBusyViewOptions></m:GetUserAvailabilityRequest></s:Body></s:Envelope>`,
  });
  const body = await response.text();
  expect([response.status, /ResponseCode>(\w+)</.exec(body)?.[1]]).toEqual([200, 'NoError']);
  const events = [...body.matchAll(/<(?:\w+:)?StartTime>([^<]*)<\/(?:\w+:)?StartTime><(?:\w+:)?EndTime>([^<]*)<\/(?:\w+:)?EndTime><(?:\w+:)?BusyType>(\w+)</g)].map(([, from, to, type]) => ({
    start: instantOf(zone.iana, from!),
    end: instantOf(zone.iana, to!),
    busyType: EWS_TYPE[type!]!,
  }));
  return { digits: /MergedFreeBusy>(\d*)</.exec(body)?.[1] ?? '', events };
}

const FBTYPE: Readonly<Record<string, BusyType>> = { BUSY: 'busy', 'BUSY-TENTATIVE': 'tentative', 'BUSY-UNAVAILABLE': 'oof', 'BUSY-TENTATIVE;X-FB-NODATA=TRUE': 'no-data' };

async function ifbStretches(start: number, end: number): Promise<readonly Stretch[]> {
  const response = await fetch(`${base}/service/pubcal/freebusy.ifb?acct=${MAILBOX}&s=${start}&e=${end}`, { headers: { authorization } });
  // iCalendar has no way to say that nothing at all is known but no document at all.
  if (response.status === 404) return [{ start, end, busyType: 'no-data' }];
  expect(response.status).toBe(200);
  const basicTime = (text: string): number => Date.parse(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  const text = (await response.text()).replace(/\r\n[ \t]/g, '');
  expect([...text.matchAll(/^DT(?:START|END):(\w+)/gm)].map(([, one]) => basicTime(one!))).toEqual([start, end]);
  return [...text.matchAll(/^FREEBUSY;FBTYPE=([^:]*):(\w+)\/(\w+)\r$/gm)].map(([, type, from, to]) => ({ start: basicTime(from!), end: basicTime(to!), busyType: FBTYPE[type!]! }));
}

/** What a reader of the replicated message sees of a minute; undefined: it is not about that minute. */
function messageReader(start: number, end: number): (minute: number) => BusyType | undefined {
  const known = freeBusyFrom(MAILBOX, { start, end }, { busy: calendar });
  const lossy = known.busy.map((one) => ({ ...one, busyType: afterLoss(one.busyType) }));
  const part = publishablePart(freeBusyFrom(MAILBOX, { start, end }, { busy: lossy }), start);
  if (part === undefined) return () => undefined;
  const message = encodeFreeBusyMessage('/o=Corp/ou=First/cn=Recipients/cn=kim', part, start);
  const minutes = minutesOf(message);
  return (minute) => {
    if (minute < message.window.start || minute >= message.window.end) return undefined;
    const at = minute / MINUTE;
    if (minutes.away.has(at)) return 'oof';
    return minutes.busy.has(at) ? 'busy' : minutes.tentative.has(at) ? 'tentative' : 'free';
  };
}

const ORIGIN = Date.UTC(2026, 2, 27);
const stretch = fc.record({
  at: fc.integer({ min: -600, max: 4_000 }),
  minutes: fc.integer({ min: 1, max: 900 }),
  busyType: fc.constantFrom<BusyType>('tentative', 'busy', 'oof', 'working-elsewhere', 'no-data', 'free'),
});

it('OWA and EWS digits, EWS events, SOAP slots, VFREEBUSY periods, JSON intervals and the replicated message agree over random calendars, zones and windows', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(stretch, { maxLength: 12 }),
      fc.integer({ min: 0, max: 2_000 }),
      fc.integer({ min: 5, max: 2_000 }),
      fc.constantFrom(5, 7, 15, 30, 60),
      fc.constantFrom(0, 60, 120, 330, 345, 660, -210, -420, -480),
      fc.constantFrom(...ASKING_ZONES),
      fc.constantFrom('Exchange2007_SP1', 'Exchange2010_SP2', 'Exchange2013', 'Exchange2016'),
      async (entries, from, minutes, interval, offset, zone, version) => {
        calendar = entries.map(({ at, minutes: length, busyType }) => ({ start: ORIGIN + at * MINUTE, end: ORIGIN + (at + length) * MINUTE, busyType }));
        const start = ORIGIN + from * MINUTE;
        const end = start + minutes * MINUTE;

        const expectedDigits = Array.from({ length: Math.ceil(minutes / interval) }, (_, slot) => {
          const slotStart = start + slot * interval * MINUTE;
          const inside = Array.from({ length: Math.min(interval, (end - slotStart) / MINUTE) }, (_, index) => afterLoss(strongestIn(slotStart + index * MINUTE, slotStart + (index + 1) * MINUTE)));
          return OWA_DIGIT[inside.reduce((a, b) => (PRECEDENCE.indexOf(a) >= PRECEDENCE.indexOf(b) ? a : b))];
        }).join('');
        expect(await owaDigits(start, end, interval, offset)).toBe(expectedDigits);

        // EWS takes no interval longer than the window.
        const ews = await ewsView(start, end, Math.min(interval, Math.max(5, minutes)), zone, version);
        if (interval <= minutes) expect(ews.digits).toBe(expectedDigits);
        const ewsWorksElsewhere = version === 'Exchange2013' || version === 'Exchange2016';
        const periods = await ifbStretches(start, end);
        const replicated = messageReader(start, end);
        let published: 'before' | 'now' | 'after' = 'before';

        const slots = await soapSlots(start, end);
        expect(slots[0]!.start).toBe(start);
        expect(slots.at(-1)!.end).toBe(end);
        for (const [index, slot] of slots.entries()) {
          if (index > 0) expect({ touches: slot.start, differs: slot.letter !== slots[index - 1]!.letter }).toEqual({ touches: slots[index - 1]!.end, differs: true });
        }
        const stretches = await jsonStretches(start, end);
        // One comparison for all minutes: a million single ones took most of the time.
        const expected: string[] = [];
        const answered: string[] = [];
        for (let minute = start; minute < end; minute += MINUTE) {
          const truth = strongestIn(minute, minute + MINUTE);
          // The message can say "unknown" only by ending: it is about the first stretch that is known as a whole.
          published = truth === 'no-data' ? (published === 'before' ? 'before' : 'after') : published === 'after' ? 'after' : 'now';
          expected.push([truth, SOAP_LETTER[truth], ewsWorksElsewhere ? truth : afterLoss(truth), afterLoss(truth), published === 'now' ? afterLoss(truth) : 'not said'].join(' '));
          const at = <T extends { readonly start: number; readonly end: number }>(list: readonly T[]): T | undefined => list.find((one) => one.start <= minute && minute < one.end);
          answered.push([at(stretches)?.busyType ?? 'free', at(slots)?.letter, at(ews.events)?.busyType ?? 'free', at(periods)?.busyType ?? 'free', replicated(minute) ?? 'not said'].join(' '));
        }
        expect(answered, 'JSON, SOAP, EWS events, VFREEBUSY and the message, minute by minute').toEqual(expected);
      },
    ),
    { numRuns: 150 },
  );
}, 120_000);
