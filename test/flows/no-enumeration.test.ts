import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { deadPort, ewsAvailability, ewsError, ewsQueryBackEnd, readEwsQuery, readZimbraQuery, systemFor, zimbraBackEnd } from './back-ends.ts';
import type { BackEnd } from './back-ends.ts';
import { runCommand, startBridge, until } from './bridge-process.ts';
import type { RunningBridge } from './bridge-process.ts';
import { MEETINGS } from './every-kind.ts';
import { WINDOW, ask, askJson, basic, postSoap, soapEnvelope } from './raw-http.ts';
import type { RawAnswer } from './raw-http.ts';

/** Unknown, excluded, opted out, denied by its own system and not to be asked about: one answer through every face, and the same question behind it. Local parts are of one length, so that not even Content-Length tells. */

const UNKNOWN = 'ghosts@corp.example';
const HIDDEN = {
  excluded: 'bosses@corp.example',
  'a tagged address of somebody excluded': 'bosses+1@corp.example',
  'opted out by command': 'leslie@corp.example',
  'opted out by the API': 'monica@corp.example',
  'denied by its own system': 'denied@corp.example',
} as const;
const ZIMBRA_UNKNOWN = 'ghosts@zimbra.example';
const ZIMBRA_HIDDEN = { 'excluded in Zimbra': 'secret@zimbra.example', 'denied by Zimbra': 'denied@zimbra.example' } as const;
const FAR = { 'of a system that may not be asked, there': 'annabe@far.example', 'of a system that may not be asked, not there': 'ghosts@far.example', 'of a domain that several systems claim': 'annabe@both.example', 'of nobody’s domain': 'ghosts@gone.example' } as const;
const ASKER = basic('asker', 'pw-of-the-asker');

let ews: BackEnd;
let zimbra: BackEnd;
let far: BackEnd;
let bridge: RunningBridge;

beforeAll(async () => {
  const people = Object.fromEntries([...Object.values(HIDDEN), 'annabe@corp.example'].map((address) => [address.replace('+1', ''), MEETINGS]));
  ews = await ewsQueryBackEnd(people);
  far = await ewsQueryBackEnd({ 'annabe@far.example': MEETINGS, 'annabe@both.example': MEETINGS });
  zimbra = await zimbraBackEnd({ 'secret@zimbra.example': MEETINGS, 'annabe@zimbra.example': MEETINGS });
  bridge = await startBridge({
    admin: { listen: `http://127.0.0.1:${await deadPort()}` },
    systems: {
      ews: systemFor('exchange-ews', ews, { domains: ['corp.example', 'both.example'], detail: 'busy-type' }),
      zimbra: systemFor('zimbra', zimbra, { domains: ['zimbra.example'] }),
      far: systemFor('exchange-ews', far, { domains: ['far.example', 'both.example'] }),
    },
    clients: [{ name: 'asker', username: 'asker', password: 'pw-of-the-asker', mayAsk: ['ews', 'zimbra'], detail: 'details' }],
    privacy: { exclude: ['bosses@corp.example', 'secret@zimbra.example'] },
  });
  const opted = await runCommand(['privacy', 'opt-out', HIDDEN['opted out by command'], '--config', bridge.file]);
  expect([opted.code, opted.stdout]).toEqual([0, `${HIDDEN['opted out by command']}: has opted out\n`]);
  expect((await ask(bridge.urls[1]!, `/api/v1/admin/privacy/${HIDDEN['opted out by the API']}`, { method: 'PUT' })).status).toBe(200);
  // Who is denied is denied by the server that knows them.
  ews.override = (seen, honest) => (seen.body.includes('denied@corp.example') ? ewsAvailability(readEwsQuery(seen.body).addresses.map(() => ewsError('ErrorNoFreeBusyAccess')).join('')) : honest());
  zimbra.override = (seen, honest) => {
    const answer = honest();
    return seen.body.includes('denied@zimbra.example') ? { ...answer, body: String(answer.body).replace(/<n /g, '<n hasPermission="0" ') } : answer;
  };
});
afterAll(async () => {
  await bridge.stop();
  await Promise.all([ews.close(), zimbra.close(), far.close()]);
});
beforeEach(() => {
  for (const one of [ews, zimbra, far]) one.requests.length = 0;
});

const iso = (instant: number): string => new Date(instant).toISOString().slice(0, 19);
const compact = (instant: number): string => `${iso(instant).replace(/[-:]/g, '')}Z`;

function ewsQuestion(address: string): string {
  const zone = (name: string, month: number): string => `<t:${name}><t:Bias>0</t:Bias><t:Time>02:00:00</t:Time><t:DayOrder>5</t:DayOrder><t:Month>${month}</t:Month><t:DayOfWeek>Sunday</t:DayOfWeek></t:${name}>`;
  return `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages" xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"><s:Header><t:RequestServerVersion Version="Exchange2010"/></s:Header><s:Body><m:GetUserAvailabilityRequest><t:TimeZone><t:Bias>0</t:Bias>${zone('StandardTime', 10)}${zone('DaylightTime', 3)}</t:TimeZone><m:MailboxDataArray><t:MailboxData><t:Email><t:Address>${address}</t:Address></t:Email><t:AttendeeType>Required</t:AttendeeType><t:ExcludeConflicts>false</t:ExcludeConflicts></t:MailboxData></m:MailboxDataArray><t:FreeBusyViewOptions><t:TimeWindow><t:StartTime>${iso(WINDOW.start)}</t:StartTime><t:EndTime>${iso(WINDOW.end)}</t:EndTime></t:TimeWindow><t:MergedFreeBusyIntervalInMinutes>30</t:MergedFreeBusyIntervalInMinutes><t:RequestedView>Detailed</t:RequestedView></t:FreeBusyViewOptions></m:GetUserAvailabilityRequest></s:Body></s:Envelope>`;
}

function outboxQuestion(address: string): string {
  return ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//Somebody//EN', 'METHOD:REQUEST', 'BEGIN:VFREEBUSY', 'UID:4FD3AD926350', 'DTSTAMP:20261117T101500Z', `DTSTART:${compact(WINDOW.start)}`, `DTEND:${compact(WINDOW.end)}`, 'ORGANIZER:mailto:asker@elsewhere.example', `ATTENDEE:mailto:${address}`, 'END:VFREEBUSY', 'END:VCALENDAR', ''].join('\r\n');
}

/** Every face that shows free/busy; `via` is what the audit log calls it. */
const FACES: Readonly<Record<string, { readonly via: string; readonly send: (address: string) => Promise<RawAnswer> }>> = {
  'JSON API': { via: 'json', send: (address) => askJson(bridge.url, ASKER, [address]) },
  EWS: { via: 'ews', send: (address) => ask(bridge.url, '/EWS/Exchange.asmx', { method: 'POST', headers: { ...ASKER, 'content-type': 'text/xml; charset=utf-8' }, body: ewsQuestion(address) }) },
  OWA: { via: 'owa', send: (address) => ask(bridge.url, `/public/?cmd=freebusy&start=${iso(WINDOW.start)}Z&end=${iso(WINDOW.end)}Z&interval=30&u=SMTP:${encodeURIComponent(address)}`, { headers: ASKER }) },
  'Zimbra SOAP': { via: 'zimbra-soap', send: (address) => postSoap(bridge.url, ASKER, soapEnvelope(`<GetFreeBusyRequest xmlns="urn:zimbraMail" s="${WINDOW.start}" e="${WINDOW.end}" uid="${address}"/>`)) },
  'Zimbra REST': { via: 'zimbra-rest', send: (address) => ask(bridge.url, `/home/${encodeURIComponent(address)}?fmt=ifb&start=${WINDOW.start}&end=${WINDOW.end}`, { headers: ASKER }) },
  ifb: { via: 'ifb', send: (address) => ask(bridge.url, `/freebusy/${encodeURIComponent(address)}.ifb`, { headers: ASKER }) },
  CalDAV: { via: 'caldav', send: (address) => ask(bridge.url, '/caldav/calendars/asker/outbox/', { method: 'POST', headers: { ...ASKER, 'content-type': 'text/calendar; charset=utf-8' }, body: outboxQuestion(address) }) },
};

/** Everything that comes over the wire but the time, the request's id and the address itself. */
async function wire(face: string, address: string): Promise<string> {
  const { status, headers, body } = await FACES[face]!.send(address);
  const { date: _date, 'x-request-id': _id, 'content-length': length, ...rest } = headers;
  return JSON.stringify([status, { ...rest, 'content-length': Number(length) - (body.split(address).length - 1) * address.length }, body]).replaceAll(address, '{address}');
}

const asksOfEws = (): readonly (readonly string[])[] => ews.requests.map(({ body }) => readEwsQuery(body).addresses);

describe.each(Object.keys(FACES))('%s', (face) => {
  it('shows somebody who may be seen', async () => {
    expect(await wire(face, 'annabe@corp.example')).not.toBe(await wire(face, UNKNOWN));
    expect(await wire(face, 'annabe@zimbra.example')).not.toBe(await wire(face, ZIMBRA_UNKNOWN));
  });

  it.each(Object.entries(HIDDEN))('answers about a mailbox that is %s as about an unknown one, and asks the same behind it', async (_what, address) => {
    const unknown = await wire(face, UNKNOWN);
    const asked = asksOfEws();
    expect(new Set(asked.flat())).toEqual(new Set([UNKNOWN]));
    ews.requests.length = 0;
    expect(await wire(face, address)).toBe(unknown);
    expect(asksOfEws()).toEqual(asked.map(() => [address]));
  });

  it.each(Object.entries(ZIMBRA_HIDDEN))('answers about a mailbox that is %s as about an unknown one, and asks the same behind it', async (_what, address) => {
    const asked = (): readonly (readonly string[])[] => zimbra.requests.filter(({ body }) => body.includes('GetFreeBusyRequest')).map(({ body }) => readZimbraQuery(body).ids);
    const unknown = await wire(face, ZIMBRA_UNKNOWN);
    const before = asked();
    expect(new Set(before.flat())).toEqual(new Set([ZIMBRA_UNKNOWN]));
    expect(await wire(face, address)).toBe(unknown);
    expect(asked().slice(before.length)).toEqual(before.map(() => [address]));
  });

  it('answers about whom the client may not ask about as about an unknown one, and asks nobody', async () => {
    const unknown = await wire(face, UNKNOWN);
    ews.requests.length = 0;
    for (const address of Object.values(FAR)) expect([address, await wire(face, address)]).toEqual([address, unknown]);
    expect([ews.requests, zimbra.requests, far.requests].map((one) => one.length)).toEqual([0, 0, 0]);
  });

  it('says the same of a hidden mailbox as of an unknown one when the back end fails', async () => {
    const former = ews.override;
    ews.override = () => ({ status: 500, body: 'x' });
    try {
      const unknown = await wire(face, UNKNOWN);
      for (const address of Object.values(HIDDEN)) expect([address, await wire(face, address)]).toEqual([address, unknown]);
    } finally {
      ews.override = former;
    }
  });

  it('and its questions are in the audit log, with what was really shown', async () => {
    const { via, send } = FACES[face]!;
    await send('annabe@corp.example');
    await send(HIDDEN.excluded);
    const lines = await until(() => {
      const all = readFileSync(join(bridge.folder, 'data', 'audit.log'), 'utf8').split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>);
      const own = all.filter((line) => line['via'] === via).slice(-2);
      return String(own[0]?.['mailboxes']) === 'annabe@corp.example' && String(own[1]?.['mailboxes']) === HIDDEN.excluded ? own : undefined;
    });
    const same = { what: 'lookup', by: 'client asker', via, address: '127.0.0.1', asked: 1, requestId: expect.any(String) as string };
    // The client may see details; the system shows busy types only.
    expect(lines).toMatchObject([{ ...same, level: 'busy-type', mailboxes: ['annabe@corp.example'] }, { ...same, level: 'none', code: 'HIDDEN', mailboxes: [HIDDEN.excluded] }]);
    expect(JSON.stringify(lines)).not.toMatch(/Budget|Room 2|pw-of/);
  });
});

it('the system’s own detail wins over the client’s: no subject of its people, and none is asked for', async () => {
  const { body } = await askJson(bridge.url, ASKER, ['annabe@corp.example']);
  expect(body).toContain('"busy"');
  expect(body).not.toMatch(/Budget|Room 2/);
  expect(ews.requests.map((seen) => /<t:RequestedView>(\w+)</.exec(seen.body)?.[1])).toEqual(['FreeBusyMerged']);
});

it('the administrator is told why, and is in the audit log himself', async () => {
  const times = ['--from', iso(WINDOW.start), '--to', iso(WINDOW.end), '--config', bridge.file];
  const own = await runCommand(['lookup', HIDDEN.excluded, HIDDEN['opted out by the API'], ...times]);
  expect(own.stdout).toContain(`${HIDDEN.excluded}: no data (MAILBOX_REFUSED: it is excluded by privacy.exclude)`);
  expect(own.stdout).toContain(`${HIDDEN['opted out by the API']}: no data (MAILBOX_REFUSED: it has opted out)`);
  const as = await runCommand(['lookup', HIDDEN.excluded, UNKNOWN, ...times, '--as', 'asker', '--json']);
  const { results } = JSON.parse(as.stdout) as { readonly results: readonly { readonly error: unknown }[] };
  expect(results[0]!.error).toEqual(results[1]!.error);
  const log = readFileSync(join(bridge.folder, 'data', 'audit.log'), 'utf8').split('\n').filter((line) => line.includes('"via":"command"') && line.includes('"lookup"'));
  expect(log.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { what: 'lookup', by: expect.stringMatching(/^command /) as string, level: 'none', code: 'MAILBOX_REFUSED', mailboxes: [HIDDEN.excluded, HIDDEN['opted out by the API']] },
    { by: expect.stringMatching(/^command /) as string, as: 'asker', level: 'none', code: 'HIDDEN', mailboxes: [HIDDEN.excluded] },
    { as: 'asker', level: 'none', code: 'MAILBOX_UNKNOWN', mailboxes: [UNKNOWN] },
  ]);
});
