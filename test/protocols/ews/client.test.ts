import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { DAY_MS } from '../../../src/core/clock.ts';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import type { FreeBusyResult } from '../../../src/freebusy/source.ts';
import { availability, digits, envelope, events, fault, response } from './answer-text.ts';
import { contextWith, ewsStub, NOW, SILENCE, systemAt } from './ews-stub.ts';
import type { Seen } from './ews-stub.ts';
import { shown } from './shown.ts';

const window = { start: Date.parse('2026-06-01T09:00:00Z'), end: Date.parse('2026-06-01T11:00:00Z') };
const box = (text: string): MailboxAddress => text as MailboxAddress;
const people = (count: number): MailboxAddress[] => Array.from({ length: count }, (_, index) => box(`p${index}@works.example`));
const addressesOf = (request: Seen): string[] => [...request.body.matchAll(/<t:Address>(.*?)<\/t:Address>/g)].map((match) => match[1]!);
const codeOf = (result: FreeBusyResult | undefined): string => (result === undefined ? 'missing' : 'error' in result ? result.error.code : 'answered');

describe('asking an EWS server', () => {
  it('signs in, names the operation, gives the length of its body, and says how often the question was passed on', async () => {
    const stub = await ewsStub(() => ({ body: availability(response(events(['2026-06-01T09:00:00', '2026-06-01T09:30:00', 'Busy']))) }));
    const [result] = await systemAt(stub.url).freeBusy({ mailboxes: [box('anna@works.example')], window, details: false }, contextWith({ hops: 1 }));
    expect(shown(result!)).toMatchObject({ busy: [{ start: '2026-06-01T09:00:00.000Z', end: '2026-06-01T09:30:00.000Z', type: 'busy' }] });
    expect(result).toMatchObject({ mailbox: 'anna@works.example', asOf: NOW });
    expect(stub.seen[0]!.headers).toMatchObject({
      authorization: `Basic ${Buffer.from('CORP\\bridge:pässword', 'utf8').toString('base64')}`,
      soapaction: '"http://schemas.microsoft.com/exchange/services/2006/messages/GetUserAvailability"',
      'content-type': 'text/xml; charset=utf-8',
      'content-length': String(Buffer.byteLength(stub.seen[0]!.body)),
      'x-freebusy-bridge-hops': '2',
    });
  });

  it('asks about 250 mailboxes in three requests and gives each its own answer, in order', async () => {
    // Mailbox n is busy from minute n mod 60, so that a shifted answer shows.
    const stub = await ewsStub((request) => ({
      body: availability(
        ...addressesOf(request).map((address) => {
          const minute = String(Number(/\d+/.exec(address)![0]) % 60).padStart(2, '0');
          return response(events([`2026-06-01T09:${minute}:00`, '2026-06-01T10:30:00', 'Busy']));
        }),
      ),
    }));
    const mailboxes = people(250);
    const results = await systemAt(stub.url).freeBusy({ mailboxes, window, details: false }, contextWith());
    expect(stub.seen.map((one) => addressesOf(one).length).sort()).toEqual([100, 100, 50]);
    expect(results.map((one) => one.mailbox)).toEqual(mailboxes);
    expect(results.map((one) => ('freeBusy' in one ? new Date(one.freeBusy.busy[0]!.start).getUTCMinutes() : -1))).toEqual(mailboxes.map((_, index) => index % 60));
  });

  it('asks about 42 days in two pieces and joins them', async () => {
    const long = { start: Date.parse('2026-06-01T00:00:00Z'), end: Date.parse('2026-06-01T00:00:00Z') + 42 * DAY_MS };
    const stub = await ewsStub(() => ({ body: availability(response(events(['2026-06-05T09:00:00', '2026-06-05T09:30:00', 'Busy'], ['2026-07-10T09:00:00', '2026-07-10T09:30:00', 'OOF']))) }));
    const [result] = await systemAt(stub.url).freeBusy({ mailboxes: [box('anna@works.example')], window: long, details: false }, contextWith());
    expect(stub.seen.map((one) => [.../Time>(2026-\d\d-\d\d)T00:00:00</g[Symbol.matchAll](one.body)].map((match) => match[1]))).toEqual([
      ['2026-06-01', '2026-07-06'],
      ['2026-07-06', '2026-07-13'],
    ]);
    expect(shown(result!)).toMatchObject({ busy: [{ type: 'busy' }, { type: 'oof' }] });
  });

  it('leaves a piece that failed no data and keeps the other', async () => {
    const long = { start: Date.parse('2026-06-01T00:00:00Z'), end: Date.parse('2026-06-01T00:00:00Z') + 42 * DAY_MS };
    const stub = await ewsStub((request) => (request.body.includes('2026-07-13') ? { status: 500, body: '' } : { body: availability(response(events())) }));
    const [result] = await systemAt(stub.url).freeBusy({ mailboxes: [box('anna@works.example')], window: long, details: false }, contextWith());
    expect(shown(result!)).toMatchObject({ busy: [{ start: '2026-07-06T00:00:00.000Z', end: '2026-07-13T00:00:00.000Z', type: 'no-data' }] });
  });

  it('gives no data for everybody of a request whose answer is one short', async () => {
    const stub = await ewsStub(() => ({ body: availability(response(digits('00000000'))) }));
    const results = await systemAt(stub.url).freeBusy({ mailboxes: people(2), window, details: false }, contextWith());
    expect(results.map(codeOf)).toEqual(['BACKEND_MALFORMED', 'BACKEND_MALFORMED']);
  });

  it('gives up at the deadline when the server stays silent', async () => {
    const deadline = new AbortController();
    const stub = await ewsStub(() => {
      deadline.abort();
      return SILENCE;
    });
    const results = await systemAt(stub.url).freeBusy({ mailboxes: people(3), window, details: false }, contextWith({ signal: deadline.signal }));
    expect(results.map(codeOf)).toEqual(['DEADLINE', 'DEADLINE', 'DEADLINE']);
  });

  it.each([
    [401, 'BACKEND_AUTH'],
    [503, 'BACKEND_BUSY'],
    [440, 'BACKEND_AUTH'],
  ])('sends at most ten requests to a server that refuses with %i', async (status, code) => {
    const stub = await ewsStub(() => ({ status, headers: { 'www-authenticate': 'Basic realm="x"' }, body: 'Unauthorized' }));
    const long = { start: window.start, end: window.start + 210 * DAY_MS };
    const results = await systemAt(stub.url).freeBusy({ mailboxes: people(500), window: long, details: false }, contextWith());
    expect(results.map(codeOf)).toEqual(results.map(() => code));
    expect(stub.seen.length).toBeLessThanOrEqual(10);
  });

  it('reads a fault in a 200, and does not use that connection again', async () => {
    let first = true;
    const stub = await ewsStub(() => {
      const body = first ? fault('ErrorInternalServerError') : availability(response(events()));
      first = false;
      return { body };
    });
    const system = systemAt(stub.url);
    const query = { mailboxes: [box('anna@works.example')], window, details: false };
    const codes: string[] = [];
    for (let round = 0; round < 5; round++) {
      codes.push(...(await system.freeBusy(query, contextWith())).map(codeOf));
      // undici gives a connection back a turn after its answer.
      await nextTurn();
    }
    expect(codes).toEqual(['BACKEND_FAULT', 'answered', 'answered', 'answered', 'answered']);
    const [afterFault, ...others] = stub.seen.map((one) => one.port);
    expect(others).not.toContain(afterFault);
    // Otherwise connections are kept, or this would prove nothing.
    expect(new Set(others).size).toBeLessThan(others.length);
  });

  it('reads ErrorServerBusy in a 500 as busy, with the back-off', async () => {
    const stub = await ewsStub(() => ({ status: 500, body: fault('ErrorServerBusy', '<t:Value Name="BackOffMilliseconds">2000</t:Value>') }));
    const [result] = await systemAt(stub.url).freeBusy({ mailboxes: people(1), window, details: false }, contextWith());
    expect(result).toMatchObject({ error: { code: 'BACKEND_BUSY', retryAfterMs: 2_000 } });
  });

  it.each([
    ['to a logon page of the same host', '/owa/auth/logon.aspx', '<html><form/></html>', 'BACKEND_MALFORMED', 2],
    ['to another host', 'https://elsewhere.example/EWS/Exchange.asmx', '', 'BACKEND_REDIRECT', 1],
  ])('is not led astray by a redirect %s', async (_name, location, body, code, requests) => {
    const redirects = { status: 302, headers: { location } };
    const answers = [redirects, { body }];
    const stub = await ewsStub(() => answers.shift() ?? redirects);
    const results = await systemAt(stub.url).freeBusy({ mailboxes: people(1), window, details: false }, contextWith());
    expect(results.map(codeOf)).toEqual([code]);
    expect(stub.seen).toHaveLength(requests);
  });

  it('explains what was asked and what came, without subjects or passwords', async () => {
    const withSubject = events(['2026-06-01T09:00:00', '2026-06-01T09:30:00', 'Busy']).replace(
      '</t:CalendarEvent>',
      '<t:CalendarEventDetails><t:Subject>CANARY-SUBJECT</t:Subject><t:IsMeeting>true</t:IsMeeting><t:IsRecurring>false</t:IsRecurring><t:IsException>false</t:IsException><t:IsReminderSet>false</t:IsReminderSet><t:IsPrivate>false</t:IsPrivate></t:CalendarEventDetails></t:CalendarEvent>',
    );
    const stub = await ewsStub(() => ({ body: availability(response(withSubject), response(undefined, 'ErrorNoFreeBusyAccess'), response(digits('00440000'))) }));
    const ctx = contextWith();
    const results = await systemAt(stub.url).freeBusy({ mailboxes: people(3), window, details: true }, ctx);
    expect(results[0]).toMatchObject({ freeBusy: { events: [{ subject: 'CANARY-SUBJECT' }] } });
    const texts = ctx.notes.map((one) => `${one.kind} ${one.text}`);
    expect(texts[0]).toContain('request GetUserAvailability: DetailedMerged');
    expect(texts[0]).toContain('p0@works.example p1@works.example p2@works.example');
    expect(texts[1]).toContain('busy 2026-06-01T09:00Z/2026-06-01T09:30Z');
    expect(results[1]).toMatchObject({ error: { code: 'MAILBOX_REFUSED', details: { responseCode: 'ErrorNoFreeBusyAccess' } } });
    expect(texts[2]).toContain('00440000');
    expect(texts.join('\n')).not.toMatch(/CANARY|pässword/);
  });

  it('drops subjects that a server sends unasked', async () => {
    const view = events(['2026-06-01T09:00:00', '2026-06-01T09:30:00', 'Busy']).replace('</t:CalendarEvent>', '<t:CalendarEventDetails><t:Subject>CANARY</t:Subject><t:IsPrivate>true</t:IsPrivate></t:CalendarEventDetails></t:CalendarEvent>');
    const stub = await ewsStub(() => ({ body: availability(response(view)) }));
    const [result] = await systemAt(stub.url).freeBusy({ mailboxes: people(1), window, details: false }, contextWith());
    expect(JSON.stringify(result)).not.toContain('CANARY');
    expect(result).toMatchObject({ freeBusy: { events: [{ isPrivate: true }] } });
  });
});

describe('checking an EWS server', () => {
  it('finds sign-in, right to read, version and clock', async () => {
    const stub = await ewsStub(() => ({ body: availability(response(undefined, 'ErrorMailRecipientNotFound')) }));
    const findings = await systemAt(stub.url, { probeDomain: 'works.example', clock: { now: () => NOW - 90_000 } }).probe(contextWith());
    expect(findings.map((one) => [one.step, one.outcome])).toEqual([
      ['sign-in', 'ok'],
      ['right to read', 'ok'],
      ['version', 'ok'],
      ['clock', 'warn'],
    ]);
    expect(findings[2]!.text).toContain('15.2.1118.7, as Exchange 2019 or SE');
    expect(findings[3]!.text).toContain('90 s ahead');
    expect(addressesOf(stub.seen[0]!)).toEqual(['freebusy-bridge-check@works.example']);
  });

  it('says what to do about an account that may not read', async () => {
    const stub = await ewsStub(() => ({ body: availability(response(undefined, 'ErrorNoFreeBusyAccess')) }));
    const findings = await systemAt(stub.url, { probeMailbox: box('anna@works.example') }).probe(contextWith());
    expect(findings.find((one) => one.step === 'right to read')).toMatchObject({ outcome: 'fail', advice: expect.stringContaining('Set-MailboxFolderPermission') as string });
  });

  it('fails for a named mailbox that is unknown', async () => {
    const stub = await ewsStub(() => ({ body: availability(response(undefined, 'ErrorMailRecipientNotFound')) }));
    const findings = await systemAt(stub.url, { probeMailbox: box('anna@works.example') }).probe(contextWith());
    expect(findings.find((one) => one.step === 'right to read')).toMatchObject({ outcome: 'fail' });
  });

  it.each([
    [{ status: 401 }, 'sign-in', 'wrong user name or password'],
    [{ status: 404 }, 'question', '/EWS/Exchange.asmx'],
    [{ body: '<html></html>' }, 'question', 'logon page'],
    [{ body: envelope('') }, 'question', '/EWS/Exchange.asmx'],
    [{ status: 500, body: fault('ErrorInvalidServerVersion') }, 'question', 'no version of EWS'],
    [{ status: 500, body: fault('ErrorSchemaValidation') }, 'question', 'in between rewrites it'],
  ])('names what is wrong (case %#)', async (reply, step, advice) => {
    const stub = await ewsStub(() => reply);
    const findings = await systemAt(stub.url).probe(contextWith());
    expect(findings[0]).toMatchObject({ step, outcome: 'fail' });
    expect(findings[0]!.advice).toContain(advice);
  });
});
