import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BusyInterval } from '../../../src/freebusy/free-busy.ts';
import { recipientsOf, sendRaw, startFace } from './face.ts';
import type { Face, RawAnswer } from './face.ts';
import { SHARED } from '../../shared.ts';

const CAPTURES = `${SHARED}/captures/zimbra/`;
const hasCaptures = existsSync(CAPTURES);

interface Captured {
  readonly number: number;
  readonly connection: string;
  readonly bytes: Buffer;
}

/** The requests of a capture, each cut by its Content-Length: what follows is the recorder's. */
function captured(file: string): readonly Captured[] {
  const text = readFileSync(CAPTURES + file).toString('latin1');
  return [...text.matchAll(/#### request (\d+) \(conn (\d+)\)\n([\s\S]*?)\n#### end \1/g)].map(([, number, connection, raw]) => {
    const head = raw!.slice(0, raw!.indexOf('\r\n\r\n') + 4);
    const length = Number(/^content-length: (\d+)\r$/im.exec(head)?.[1] ?? 0);
    return { number: Number(number), connection: connection!, bytes: Buffer.from(raw!.slice(0, head.length + length), 'latin1') };
  });
}

const at = (day: number, hour: number, minute = 0) => Date.UTC(2026, 2, day, hour, minute);
const stretch = (start: number, end: number, busyType: BusyInterval['busyType']): BusyInterval => ({ start, end, busyType });

let face: Face;
beforeAll(async () => {
  face = await startFace(
    // The password of the form captures is p%26w%3Dd+%25%C3%A9 on the wire.
    { zimbra: 'changeme', 'dom\\svc+fb': 'p&w=d %é' },
    {
      'alice@exch.test': [stretch(at(2, 9), at(2, 10), 'busy'), stretch(at(8, 9), at(8, 9, 30), 'oof'), stretch(at(29, 11, 50), at(29, 13), 'tentative')],
      'bob@exch.test': [stretch(at(2, 8, 10), at(2, 8, 20), 'tentative'), stretch(at(2, 11, 59), at(2, 12), 'oof')],
      'a+b@exch.test': [stretch(at(8, 8, 45), at(8, 9), 'busy')],
    },
  );
});
afterAll(() => face.close());

describe.skipIf(!hasCaptures)('the captured lookups of a stock Zimbra, byte for byte', () => {
  it.each(['webdav-basic-8.8.12.txt', 'webdav-basic-8.8.15.txt'])('%s: a challenge, then everybody by name, the unknown one as 4s', async (file) => {
    const [first, second] = captured(file);
    const [challenge, answer] = await sendRaw(face.port, [first!.bytes, second!.bytes]);
    expect(challenge!.status).toBe(401);
    expect(challenge!.headers['www-authenticate']).toMatch(/^Basic realm="[^"]+"$/);
    expect(answer!.status).toBe(200);
    expect(answer!.headers['content-type']).toMatch(/^text\/xml/);
    expect(await recipientsOf(answer!.body)).toEqual([
      { email: undefined, fbdata: '1144222244444443' },
      { email: 'alice@exch.test', fbdata: '0000222200000000' },
      { email: 'bob@exch.test', fbdata: '1100000000000003' },
      { email: 'carol@exch.test', fbdata: '4444444444444444' },
    ]);
  });

  describe('form logon and zone offsets', () => {
    const pairs = (): readonly (readonly [Captured, Captured])[] => {
      const all = captured('webdav-form-and-timezones.txt');
      return all.flatMap((one, index) => (one.bytes.toString('latin1').startsWith('POST /exchweb') ? [[one, all[index + 1]!] as const] : []));
    };
    const lookups = () => pairs().filter(([, then]) => then.bytes.toString('latin1').startsWith('GET '));

    /** The recorder's cookie (`abc123,0x409`) was its own; ours stands in its place, written as that HTTP library writes it. */
    const withOurCookie = (request: Captured) => (before: readonly RawAnswer[]) => {
      const ours = /^sessionid=([^;]+)/.exec(before[0]!.headers['set-cookie']!)![1]!;
      return Buffer.from(request.bytes.toString('latin1').replace('sessionid=abc123,0x409', `sessionid=${ours}`).replace('0x409=', `sessionid=${ours}`), 'latin1');
    };

    it('every captured logon gets a cookie without commas or quotes, and no error', async () => {
      expect(pairs()).toHaveLength(9);
      for (const [logon] of pairs()) {
        const [answer] = await sendRaw(face.port, [logon.bytes]);
        expect(answer!.status, `request ${logon.number}`).toBe(302);
        expect(answer!.headers['set-cookie']).toMatch(/^sessionid=[A-Za-z0-9_.-]+; path=\/; HttpOnly$/);
        expect(answer!.headers['location']).toBe('/public/');
      }
    });

    it('the same window in four zones gives the same digits, as many as it has slots', async () => {
      const inZones = lookups().filter(([, get]) => get.bytes.includes('2026-03-29T'));
      expect(inZones).toHaveLength(4);
      for (const [logon, get] of inZones) {
        const [, answer] = await sendRaw(face.port, [logon.bytes, withOurCookie(get)]);
        const [, alice] = await recipientsOf(answer!.body);
        // 2026-03-08T08:45Z to 2026-03-29T12:00Z: 21 days, 3 hours and a quarter in quarters.
        expect(alice!.fbdata, `request ${get.number}`).toBe(`033${'0'.repeat(2029 - 4)}1`);
      }
    });

    it('an address cut by an unescaped & is echoed as it arrived, with 4s', async () => {
      const [logon, get] = lookups().find(([, one]) => one.bytes.includes("o'neil"))!;
      const [, answer] = await sendRaw(face.port, [logon.bytes, withOurCookie(get)]);
      expect(await recipientsOf(answer!.body)).toEqual([
        { email: undefined, fbdata: '4'.repeat(109) },
        { email: "o'neil", fbdata: '4'.repeat(109) },
      ]);
    });

    it('a raw + in an address is a plus; the cookie of commons-httpclient 3 is read', async () => {
      const [logon, get] = lookups().find(([, one]) => one.bytes.includes('a+b@exch.test'))!;
      const [, answer] = await sendRaw(face.port, [logon.bytes, withOurCookie(get)]);
      expect(answer!.status).toBe(200);
      expect((await recipientsOf(answer!.body))[1]).toEqual({ email: 'a+b@exch.test', fbdata: `2${'0'.repeat(108)}` });
    });

    it("the recorder's own cookie, which is not ours, is refused", async () => {
      for (const [, get] of lookups()) expect((await sendRaw(face.port, [get.bytes]))[0]!.status, `request ${get.number}`).toBe(401);
    });
  });
});
