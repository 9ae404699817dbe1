import { spawnSync } from 'node:child_process';
import ICAL from 'ical.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DAY_MS } from '../../../src/core/clock.ts';
import { BridgeError, ERROR_CODES } from '../../../src/core/errors.ts';
import type { BusyType } from '../../../src/freebusy/busy-type.ts';
import { AddressSet } from '../../../src/platform/auth/address-set.ts';
import type { ClientAccount } from '../../../src/platform/auth/client-sign-in.ts';
import { decodeFreeBusyReply } from '../../../src/protocols/icalendar/free-busy-reply.ts';
import { ifbEndpoint } from '../../../src/protocols/ifb/endpoint.ts';
import { ask } from '../../flows/raw-http.ts';
import type { RawAnswer, RawQuestion } from '../../flows/raw-http.ts';
import { hasPeer } from '../../peers/peer-world.ts';
import { ASKER, ASKER_BASIC, faceUnderTest } from '../face-under-test.ts';
import type { FaceUnderTest } from '../face-under-test.ts';

const NOW = Date.parse('2026-11-18T12:34:56.789Z');
const at = (time: string): number => Date.parse(`2026-11-18T${time}Z`);
const stretch = (from: string, to: string, busyType: BusyType): { start: number; end: number; busyType: BusyType } => ({ start: at(from), end: at(to), busyType });
const CALENDARS = {
  'kim@zimbra.example': { busy: [stretch('09:00:00', '10:30:00', 'busy'), stretch('12:00:00', '13:00:00', 'tentative'), stretch('15:00:00', '16:00:00', 'oof'), stretch('16:30:00', '17:00:00', 'working-elsewhere')] },
  'a+b@corp.example': { busy: [stretch('09:00:00', '10:00:00', 'busy')] },
  "o'neil&co=1@corp.example": {},
  'free@corp.example': {},
  'hole@corp.example': { busy: [stretch('09:00:00', '10:00:00', 'no-data')] },
  'nothing@corp.example': { known: [] },
  ...Object.fromEntries(ERROR_CODES.map((code) => [`${code.toLowerCase()}@corp.example`, new BridgeError(code, `says ${code}`, { temporary: code !== 'NO_DATA' })])),
  'later_no_data@corp.example': new BridgeError('NO_DATA', 'the mailbox cannot be read now', { temporary: true }),
  'later@corp.example': new BridgeError('BACKEND_BUSY', 'the calendar system is busy', { temporary: true, retryAfterMs: 7_000 }),
} as const;

let face: FaceUnderTest;
let token = '';
let soonOver = '';
beforeAll(async () => {
  face = await faceUnderTest(
    (services) => {
      token = services.signIn.issueToken(ASKER, 'zimbra-token', 60_000);
      soonOver = services.signIn.issueToken(ASKER, 'zimbra-token', -1);
      return ifbEndpoint(services);
    },
    { calendars: CALENDARS, clock: { now: () => NOW } },
  );
});
afterAll(() => face.close());

const get = (target: string, question: RawQuestion = {}): Promise<RawAnswer> => ask(face.url, target, { ...question, headers: { authorization: ASKER_BASIC, ...question.headers } });
const HOURS = `start=${at('08:00:00')}&end=${at('18:00:00')}`;
const lines = (answer: RawAnswer, name: string): readonly string[] => answer.body.replaceAll('\r\n ', '').split('\r\n').filter((line) => line.startsWith(name));
const shown = (answer: RawAnswer): readonly string[] => lines(answer, 'FREEBUSY').map((line) => line.replace('FREEBUSY;FBTYPE=', ''));
const windowOf = (answer: RawAnswer): readonly string[] => [...lines(answer, 'DTSTART'), ...lines(answer, 'DTEND')];
const KIM = ['BUSY:20261118T090000Z/20261118T103000Z', 'BUSY-TENTATIVE:20261118T120000Z/20261118T130000Z', 'BUSY-UNAVAILABLE:20261118T150000Z/20261118T160000Z'];

describe('the addresses of this face', () => {
  it.each([
    `/home/kim@zimbra.example?fmt=ifb&${HOURS}`,
    `/home/kim@zimbra.example/?fmt=ifb&${HOURS}`,
    `/home/kim@zimbra.example/Calendar?fmt=ifb&${HOURS}`,
    `/home/kim@zimbra.example/Calendar/Sub%20folder/?${HOURS}&fmt=IFB`,
    `/home/kim%40zimbra.example?fmt=ifb&${HOURS}&fbcal=10&exuid=x&auth=ba`,
    `/service/home/KIM@zimbra.example/?FMT=ifb&fbfmt=fb&${HOURS}`,
    `/Home/kim@zimbra.example?fmt=ifb&${HOURS}`,
    `/service/pubcal/freebusy.ifb?acct=kim@zimbra.example&s=${at('08:00:00')}&e=${at('18:00:00')}`,
    `/service/pubcal/FreeBusy.IFB?acct=kim%40zimbra.example&s=${at('08:00:00')}&e=${at('18:00:00')}&acct=nobody@zimbra.example`,
    `/freebusy/kim@zimbra.example.ifb?${HOURS}`,
    `/FreeBusy/kim%40Zimbra.example.IFB?start=2026-11-18T09:00:00%2B01:00&end=2026-11-18T18:00:00Z`,
    `/freebusy/kim@zimbra.example.ifb?start=2026-11-18T09:00:00+01:00&end=2026-11-18T18:00:00Z`,
  ])('%s answers with free/busy', async (target) => {
    const answer = await get(target);
    expect([answer.status, answer.headers['content-type'], answer.headers['cache-control']]).toEqual([200, 'text/calendar; charset=utf-8', 'no-store']);
    expect([windowOf(answer), shown(answer)]).toEqual([['DTSTART:20261118T080000Z', 'DTEND:20261118T180000Z'], KIM]);
  });

  it.each([
    '/home/kim@zimbra.example', '/home/kim@zimbra.example?fmt=ics', '/home/kim@zimbra.example?fmt=freebusy', '/home/kim@zimbra.example?fmt=', '/home/?fmt=ifb', '/home?fmt=ifb', '/homes/kim@zimbra.example?fmt=ifb', '/service/pubcal/', '/service/pubcal/freebusy.ics', '/freebusy/.ifb',
    '/freebusy/kim@zimbra.example', '/freebusy/a/kim@zimbra.example.ifb', '/freebusy/',
  ])('%s does not exist', async (target) => {
    expect([(await get(target)).status, (await get(target, { headers: { authorization: '' } })).status]).toEqual([404, 404]);
  });

  it('takes the plus of an address for a plus, escaped or not, in path and query', async () => {
    for (const target of ['/home/a+b@corp.example?fmt=ifb', '/home/a%2Bb@corp.example?fmt=ifb', '/service/pubcal/freebusy.ifb?acct=a+b@corp.example', '/service/pubcal/freebusy.ifb?acct=a%2bb%40corp.example', '/freebusy/a+b@corp.example.ifb']) {
      const answer = await get(target);
      expect([answer.status, lines(answer, 'ORGANIZER'), shown(answer)], target).toEqual([200, ['ORGANIZER:mailto:a+b@corp.example'], ['BUSY:20261118T090000Z/20261118T100000Z']]);
    }
  });

  it('names the mailbox as it was asked for', async () => {
    const spelled = ['Kim@Zimbra.Example', 'SMTP:Kim@Zimbra.Example', 'mailto:Kim@Zimbra.Example', '%20Kim@Zimbra.Example%20'];
    for (const acct of spelled) expect(lines(await get(`/service/pubcal/freebusy.ifb?acct=${acct}`), 'ORGANIZER')).toEqual(['ORGANIZER:mailto:Kim@Zimbra.Example']);
  });

  it('answers HEAD as GET, without a body', async () => {
    const [head, whole] = [await get(`/freebusy/kim@zimbra.example.ifb?${HOURS}`, { method: 'HEAD' }), await get(`/freebusy/kim@zimbra.example.ifb?${HOURS}`)];
    expect([head.status, head.headers['content-type'], head.headers['content-length'], head.body]).toEqual([200, whole.headers['content-type'], String(Buffer.byteLength(whole.body)), '']);
  });

  it.each(['POST', 'PUT', 'DELETE', 'PROPFIND', 'OPTIONS'])('refuses %s', async (method) => {
    const answer = await get('/freebusy/kim@zimbra.example.ifb', { method });
    expect([answer.status, answer.headers['allow']]).toEqual([405, 'GET, HEAD']);
  });

  it('gives a URL of its own, whatever host and token the request names', async () => {
    const headers = { host: 'evil.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'gopher' };
    for (const target of [`/home/kim@zimbra.example/Calendar?fmt=ifb&${HOURS}&zauthtoken=secret`, `/service/pubcal/freebusy.ifb?acct=kim@zimbra.example&s=${at('08:00:00')}&e=${at('18:00:00')}&zauthtoken=secret`, `/freebusy/kim@zimbra.example.ifb?${HOURS}&password=secret`]) {
      const answer = await get(target, { headers });
      expect(answer.body).not.toMatch(/evil|secret|gopher/);
      const url = lines(answer, 'URL:')[0]!.slice(4);
      expect(url.startsWith(`${face.url}/`)).toBe(true);
      // It leads to the same answer.
      expect((await get(url.slice(face.url.length))).body).toBe(answer.body);
    }
  });

  it('gives events for fbfmt=event under /home', async () => {
    const answer = await get(`/home/kim@zimbra.example?fmt=ifb&fbfmt=event&${HOURS}`);
    const events = new ICAL.Component(ICAL.parse(answer.body) as unknown[]).getAllSubcomponents('vevent');
    expect(events.map((event) => ['dtstart', 'dtend', 'x-microsoft-cdo-intendedstatus'].map((name) => String(event.getFirstPropertyValue(name))))).toEqual([
      ['2026-11-18T09:00:00Z', '2026-11-18T10:30:00Z', 'BUSY'],
      ['2026-11-18T12:00:00Z', '2026-11-18T13:00:00Z', 'TENTATIVE'],
      ['2026-11-18T15:00:00Z', '2026-11-18T16:00:00Z', 'OOF'],
    ]);
  });
});

describe('the window', () => {
  it.each([
    ['/home/free@corp.example?fmt=ifb', '20261018T123456Z', '20270119T123457Z'],
    ['/service/pubcal/freebusy.ifb?acct=free@corp.example', '20261111T123456Z', '20270119T123457Z'],
    ['/freebusy/free@corp.example.ifb', '20261111T000000Z', '20270117T000000Z'],
    ['/home/free@corp.example?fmt=ifb&start=-1d&end=p2week', '20261117T123456Z', '20261202T123457Z'],
    ['/home/free@corp.example?fmt=ifb&start=2026/11/01&end=11/30/2026', '20261101T000000Z', '20261130T000000Z'],
    ['/freebusy/free@corp.example.ifb?start=2026-11-18', '20261118T000000Z', '20270117T000000Z'],
    ['/freebusy/free@corp.example.ifb?end=1795024800000', '20261111T000000Z', '20261118T180000Z'],
    ['/freebusy/free@corp.example.ifb?start=1794988800001&end=1794988800002', '20261118T080000Z', '20261118T080001Z'],
  ])('%s is about %s to %s', async (target, start, end) => {
    expect(windowOf(await get(target))).toEqual([`DTSTART:${start}`, `DTEND:${end}`]);
  });

  it("is at most 366 days and a part of one, as Zimbra's", async () => {
    const status = async (ms: number): Promise<readonly number[]> => Promise.all([`/home/free@corp.example?fmt=ifb&start=0&end=${ms}`, `/service/pubcal/freebusy.ifb?acct=free@corp.example&s=0&e=${ms}`, `/freebusy/free@corp.example.ifb?start=0&end=${ms}`].map(async (target) => (await get(target)).status));
    expect([await status(366 * DAY_MS), await status(367 * DAY_MS - 1), await status(367 * DAY_MS), await status(400 * DAY_MS)]).toEqual([[200, 200, 200], [200, 200, 200], [400, 400, 400], [400, 400, 400]]);
  });

  it.each([
    `/home/kim@zimbra.example?fmt=ifb&start=${at('18:00:00')}&end=${at('08:00:00')}`,
    `/home/kim@zimbra.example?fmt=ifb&start=${at('18:00:00')}&end=${at('18:00:00')}`,
    '/home/kim@zimbra.example?fmt=ifb&start=today',
    '/home/kim@zimbra.example?fmt=ifb&start=',
    '/home/kim@zimbra.example?fmt=ifb&start=99999999999999999999&end=999999999999999999999',
    '/home/kim@zimbra.example?fmt=ifb&start=0',
    '/service/pubcal/freebusy.ifb?acct=kim@zimbra.example&s=x',
    '/service/pubcal/freebusy.ifb?acct=kim@zimbra.example&s=2026/11/18',
    '/service/pubcal/freebusy.ifb?acct=kim@zimbra.example&s=-9999999999999999999',
    `/service/pubcal/freebusy.ifb?acct=kim@zimbra.example&s=${at('18:00:00')}&e=0`,
    '/service/pubcal/freebusy.ifb',
    '/service/pubcal/freebusy.ifb?acct=',
    '/service/pubcal/freebusy.ifb?s=1&e=2',
    '/freebusy/kim@zimbra.example.ifb?start=%00',
    '/freebusy/kim@zimbra.example.ifb?end=2026-02-30',
    '/freebusy/kim@zimbra.example.ifb?start=2030-01-01',
  ])('%s is refused with 400 and a word why', async (target) => {
    const before = face.asked.length;
    const answer = await get(target);
    expect([answer.status, answer.headers['content-type'], answer.body.trim().split('\n').length, face.asked.length]).toEqual([400, 'text/plain; charset=utf-8', 1, before]);
  });
});

describe('what is unknown', () => {
  it('is 404 for whoever does not exist, is refused or has no data, in the same words', async () => {
    const bodies = new Set<string>();
    for (const name of ['nobody', 'mailbox_unknown', 'mailbox_refused', 'no_data', 'nothing', 'not_found']) {
      const answer = await get(`/freebusy/${name}@corp.example.ifb`);
      expect([answer.status, answer.headers['content-type']], name).toEqual([404, 'text/plain; charset=utf-8']);
      bodies.add(answer.body);
    }
    expect([...bodies]).toEqual(['no such mailbox\n']);
  });

  it('is 503 with Retry-After where the mailbox cannot be read now', async () => {
    const answer = await get('/freebusy/later_no_data@corp.example.ifb');
    expect([answer.status, Number(answer.headers['retry-after']) > 0, answer.body]).toEqual([503, true, 'the mailbox cannot be read now\n']);
  });

  it('is 503 with Retry-After where a calendar system is away', async () => {
    for (const code of ERROR_CODES.filter((one) => one.startsWith('BACKEND') || one === 'DEADLINE')) {
      const answer = await get(`/service/pubcal/freebusy.ifb?acct=${code.toLowerCase()}@corp.example`);
      expect([answer.status, Number(answer.headers['retry-after']) > 0, answer.body], code).toEqual([503, true, `says ${code}\n`]);
    }
    expect((await get('/freebusy/later@corp.example.ifb')).headers['retry-after']).toBe('7');
  });

  it('is never an answer without periods, whatever went wrong', async () => {
    for (const code of ERROR_CODES) for (const target of [`/home/${code}@corp.example?fmt=ifb`, `/home/${code}@corp.example?fmt=ifb&fbfmt=event`, `/freebusy/${code}@corp.example.ifb`]) {
      const answer = await get(target);
      expect([answer.status >= 400, answer.body.includes('BEGIN')], target).toEqual([true, false]);
    }
  });

  it('is marked inside a good answer', async () => {
    expect(shown(await get(`/freebusy/hole@corp.example.ifb?${HOURS}`))).toEqual(['BUSY-TENTATIVE;X-FB-NODATA=TRUE:20261118T090000Z/20261118T100000Z']);
  });

  it('is not what somebody is who is known to be free: a VFREEBUSY without periods, and not in the name of Zimbra', async () => {
    const answer = await get(`/freebusy/free@corp.example.ifb?${HOURS}`);
    expect([answer.status, shown(answer), lines(answer, 'PRODID').join('').includes('Zimbra')]).toEqual([200, [], false]);
    expect(await decodeFreeBusyReply(answer.body)).toEqual({ window: { start: at('08:00:00'), end: at('18:00:00') }, busy: [] });
  });
});

describe('sign-in', () => {
  const TARGETS = ['/home/kim@zimbra.example?fmt=ifb', '/service/home/nobody@x.example?fmt=ifb', '/service/pubcal/freebusy.ifb', '/freebusy/kim@zimbra.example.ifb?start=x'];

  it.each(TARGETS)('%s is 401 with a challenge before anything is looked at', async (target) => {
    for (const headers of [{}, { authorization: 'Basic bm9ib2R5Ong=' }, { authorization: 'Bearer x' }, { cookie: 'ZM_AUTH_TOKEN=0_ab_cd' }, { cookie: `ZM_AUTH_TOKEN=${soonOver}` }, { cookie: `ZM_ADMIN_AUTH_TOKEN=${token}` }]) {
      const before = face.asked.length;
      const answer = await ask(face.url, target, { headers });
      expect([answer.status, answer.headers['www-authenticate'], face.asked.length]).toEqual([401, 'Basic realm="freebusy-bridge"', before]);
    }
  });

  it('answers a stranger before his body has come', async () => {
    for (const target of TARGETS) {
      const answer = await ask(face.url, target, { method: 'POST', headers: { connection: 'keep-alive', 'content-length': '4000000000' } });
      expect(answer.status, target).toBe(401);
    }
  });

  it('takes the token of a Zimbra AuthRequest as a cookie, and never from the query', async () => {
    const target = `/home/kim@zimbra.example?fmt=ifb&${HOURS}`;
    for (const cookie of [`ZM_AUTH_TOKEN=${token}`, `a=b; ZM_AUTH_TOKEN="${token}"; c=d`]) expect(shown(await ask(face.url, target, { headers: { cookie } }))).toEqual(KIM);
    expect((await ask(face.url, `${target}&auth=qp&zauthtoken=${token}`)).status).toBe(401);
    expect((await ask(face.url, `/service/pubcal/freebusy.ifb?acct=kim@zimbra.example&zauthtoken=${token}`)).status).toBe(401);
  });

  it('answers an anonymous client from its own addresses only', async () => {
    const anonymous = (from: string): ClientAccount => ({ requester: { ...ASKER, name: 'outlook', anonymous: true }, addresses: new AddressSet([from]) });
    for (const [from, status] of [['127.0.0.0/8', 200], ['10.0.0.0/8', 401]] as const) {
      const open = await faceUnderTest(ifbEndpoint, { calendars: CALENDARS, clock: { now: () => NOW }, accounts: [anonymous(from)] });
      expect((await ask(open.url, '/freebusy/kim@zimbra.example.ifb')).status).toBe(status);
      await open.close();
    }
  });

  it('lets Basic win over a cookie that has run out', async () => {
    expect((await get(`/freebusy/kim@zimbra.example.ifb`, { headers: { cookie: `ZM_AUTH_TOKEN=${soonOver}` } })).status).toBe(200);
  });
});

describe('bad input', () => {
  const HOSTILE = [
    'kim', '~', '.', '..', '%2e%2e', '%NAME%@%SERVER%', 'kim@', '@zimbra.example', 'kim@zimbra.example%00', 'kim%00@zimbra.example', 'kim%2Fx@zimbra.example', 'kim%5c@zimbra.example', 'kim@zimbra.example%0d%0aX-Evil:%20yes',
    'kim@zimbra.example%0AFREEBUSY;FBTYPE=FREE:x', 'kim%20@zimbra.example', 'a@b@zimbra.example', 'kim@zimbra.example,lee@zimbra.example', 'kim@zimbra.example;x', '%22kim%22@zimbra.example', '%3Ckim@zimbra.example%3E', 'kim@zimbra.example%E2%80%A8x', '%ff%fe@zimbra.example', '%ED%A0%80@zimbra.example',
    '%', '%zz@zimbra.example', 'kim@zimbra.example/../lee@zimbra.example'.replaceAll('/', '%2f'), `${'k'.repeat(10_000)}@zimbra.example`, `kim@${'z'.repeat(10_000)}`, '*', 'constructor', '__proto__',
  ];
  it.each(HOSTILE.map((one) => [one.slice(0, 60), one]))('%s names nobody', async (_shown, name) => {
    const before = face.asked.length;
    for (const target of [`/home/${name}?fmt=ifb`, `/home/${name}/Calendar?fmt=ifb`, `/service/pubcal/freebusy.ifb?acct=${name}`, `/freebusy/${name}.ifb`]) {
      const answer = await get(target);
      expect([answer.status, answer.headers['x-evil'], answer.body.includes('BEGIN')], target.slice(0, 80)).toEqual([404, undefined, false]);
    }
    // A mailbox that can exist may have been asked for; nobody else was.
    for (const { mailboxes } of face.asked.slice(before)) expect(mailboxes).not.toContain('kim@zimbra.example');
  });

  it('writes an odd address so that it ends no line and no URL', async () => {
    const answer = await get(`/service/pubcal/freebusy.ifb?acct=${encodeURIComponent("o'neil&co=1@corp.example")}`);
    expect([lines(answer, 'ORGANIZER'), lines(answer, 'URL')[0]?.includes('acct=o\'neil%26co%3D1@corp.example&s=')]).toEqual([["ORGANIZER:mailto:o'neil%26co=1@corp.example"], true]);
  });

  it('takes the first of two and ignores five thousand others', async () => {
    const many = Array.from({ length: 5_000 }, (_, index) => `p${index}=x`).join('&');
    const answer = await get(`/service/pubcal/freebusy.ifb?acct=kim@zimbra.example&acct=free@corp.example&s=${at('08:00:00')}&s=x&e=${at('18:00:00')}&${many}`);
    expect(shown(answer)).toEqual(KIM);
  });

  it('takes the absolute form of a request target', async () => {
    expect(shown(await get(`http://other.example/freebusy/kim@zimbra.example.ifb?${HOURS}`))).toEqual(KIM);
  });
});

/** Prints what the reader found: type, start and end of every period in UTC. */
const PYTHON = '/usr/bin/python3';
const READERS = {
  icalendar: `
import sys, icalendar
for part in icalendar.Calendar.from_ical(sys.stdin.buffer.read()).walk('VFREEBUSY'):
    print(part['ORGANIZER'], part['DTSTART'].dt.strftime('%Y%m%dT%H%M%SZ'), part['DTEND'].dt.strftime('%Y%m%dT%H%M%SZ'))
    entries = part.get('FREEBUSY', [])
    for entry in entries if isinstance(entries, list) else [entries]:
        print(entry.params['FBTYPE'], entry.params.get('X-FB-NODATA', '-'), entry.to_ical().decode())
`,
  vobject: `
import sys, vobject
part = vobject.readOne(sys.stdin.buffer.read().decode('utf-8')).vfreebusy
text = lambda when: when.strftime('%Y%m%dT%H%M%SZ')
print(part.organizer.value, text(part.dtstart.value), text(part.dtend.value))
for entry in part.contents.get('freebusy', []):
    for start, end in entry.value:
        print(entry.fbtype_param, entry.params.get('X-FB-NODATA', ['-'])[0], text(start) + '/' + text(end))
`,
} as const;

describe.each(Object.entries(READERS))('python3-%s', (module, script) => {
  // Debian's python3-caldav brings both.
  it.skipIf(!hasPeer(PYTHON, '-c', `import ${module}`))('reads what it should from our answers (skipped where the module is not installed)', async () => {
    const read = (text: string): readonly string[] => {
      const { status, stdout, stderr } = spawnSync(PYTHON, ['-c', script], { input: text, encoding: 'utf8' });
      expect([status, stderr]).toEqual([0, '']);
      return stdout.trim().split('\n');
    };
    expect(read((await get(`/freebusy/kim@zimbra.example.ifb?${HOURS}`)).body)).toEqual([
      'mailto:kim@zimbra.example 20261118T080000Z 20261118T180000Z',
      'BUSY - 20261118T090000Z/20261118T103000Z',
      'BUSY-TENTATIVE - 20261118T120000Z/20261118T130000Z',
      'BUSY-UNAVAILABLE - 20261118T150000Z/20261118T160000Z',
    ]);
    expect(read((await get(`/freebusy/hole@corp.example.ifb?${HOURS}`)).body)).toEqual(['mailto:hole@corp.example 20261118T080000Z 20261118T180000Z', 'BUSY-TENTATIVE TRUE 20261118T090000Z/20261118T100000Z']);
    expect(read((await get(`/freebusy/free@corp.example.ifb?${HOURS}`)).body)).toEqual(['mailto:free@corp.example 20261118T080000Z 20261118T180000Z']);
  });
});
