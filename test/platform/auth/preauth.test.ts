import { createHmac } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { LIMITS } from '../../../src/core/limits.ts';
import { scopeOf } from '../../../src/platform/http-server/request-scope.ts';
import type { Preauth } from '../../../src/platform/auth/sign-in.ts';
import { bench, from, LOCAL, PASSWORD, requester, ZIMBRA } from './signing-in.ts';

/** The pauses that were asked for; none is really made. */
const pauses: number[] = [];
vi.mock('node:timers/promises', async (original) => ({ ...(await original<Record<string, unknown>>()), setTimeout: async (ms: number): Promise<void> => void pauses.push(ms) }));

/** The vector of zimbra.md §1.4. */
const KEY = '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff';
const VECTOR: Preauth = { account: 'kim@zimbra.example', by: 'name', timestamp: '1790000000000', expires: '0', digest: '2775712327ed25d08fbaf2fa82ddfcbcd384cec4' };
const KIM = { requester: requester('portal'), credentials: { username: 'Kim@Zimbra.example', password: KEY } };
const NOW = 1_790_000_000_000;

const signed = (values: Omit<Preauth, 'digest'>, key = KEY): Preauth => ({ ...values, digest: createHmac('sha1', key).update(`${values.account}|${values.by}|${values.expires}|${values.timestamp}`).digest('hex') });

async function tried(preauth: Preauth, at = NOW, address = '203.0.113.9'): Promise<string> {
  const { signIn, clock } = bench([KIM, ZIMBRA, LOCAL]);
  clock.at = at;
  return signIn.withPreauth(preauth, from(address)).then((one) => one.name, (error: unknown) => (error as { code: string }).code);
}

describe('preauth', () => {
  it('takes the vector of zimbra.md §1.4, in hex of either case', async () => {
    expect(await tried(VECTOR)).toBe('portal');
    expect(await tried({ ...VECTOR, digest: VECTOR.digest.toUpperCase() })).toBe('portal');
  });

  it('compares the account without regard to case, over the text as it was signed', async () => {
    expect(await tried(signed({ ...VECTOR, account: 'KIM@zimbra.EXAMPLE' }))).toBe('portal');
    expect(await tried({ ...VECTOR, account: 'KIM@zimbra.EXAMPLE' })).toBe('AUTH_FAILED');
  });

  it('holds for five minutes either side of its timestamp', async () => {
    for (const off of [-LIMITS.preauthGraceMs, LIMITS.preauthGraceMs]) {
      expect(await tried(VECTOR, NOW + off)).toBe('portal');
      expect(await tried(VECTOR, NOW + off + Math.sign(off))).toBe('AUTH_FAILED');
    }
  });

  it('expires where it says so', async () => {
    expect(await tried(signed({ ...VECTOR, expires: String(NOW + 1) }))).toBe('portal');
    expect(await tried(signed({ ...VECTOR, expires: String(NOW) }))).toBe('AUTH_FAILED');
    expect(await tried(signed({ ...VECTOR, expires: '1' }))).toBe('AUTH_FAILED');
  });

  it.each([
    ['another key', signed(VECTOR, KEY.replace('0', '1'))],
    ['the key as the bytes that its hex stands for', { ...VECTOR, digest: createHmac('sha1', Buffer.from(KEY, 'hex')).update('kim@zimbra.example|name|0|1790000000000').digest('hex') }],
    ['an unknown account', signed({ ...VECTOR, account: 'lee@zimbra.example' })],
    ['an account that is only somebody\'s password', signed({ ...VECTOR, account: KEY })],
    ['by id', signed({ ...VECTOR, by: 'id' })],
    ['no digest', { ...VECTOR, digest: '' }],
    ['a digest of zeros', { ...VECTOR, digest: '0'.repeat(40) }],
    ['a digest cut short', { ...VECTOR, digest: VECTOR.digest.slice(0, 38) }],
    ['a digest with something after it', { ...VECTOR, digest: `${VECTOR.digest}00` }],
    ['a digest that is no hex', { ...VECTOR, digest: 'z'.repeat(40) }],
    ['a timestamp that is none', signed({ ...VECTOR, timestamp: 'NaN' })],
    ['an empty timestamp', signed({ ...VECTOR, timestamp: '' })],
    ['a timestamp with an exponent', signed({ ...VECTOR, timestamp: '179e10' })],
    ['a timestamp in seconds', signed({ ...VECTOR, timestamp: '1790000000' })],
    ['an expiry that is none', signed({ ...VECTOR, expires: '-1' })],
    ['no expiry', signed({ ...VECTOR, expires: '' })],
    ['values moved across the bar', { ...signed({ ...VECTOR, account: 'kim@zimbra.example|name', by: '' }), account: 'kim@zimbra.example', by: 'name' }],
    ['an anonymous client', signed({ ...VECTOR, account: 'local' }, '')],
  ])('refuses %s', async (_what, preauth) => {
    expect(await tried(preauth)).toBe('AUTH_FAILED');
  });

  it('refuses a client at an address that it may not use', async () => {
    const preauth = signed({ ...VECTOR, account: 'CORP\\Zimbra' }, PASSWORD);
    expect(await tried(preauth, NOW, '10.1.2.3')).toBe('zimbra');
    expect(await tried(preauth, NOW, '203.0.113.9')).toBe('AUTH_FAILED');
  });

  it('counts failures with those of the password, and shows neither key nor digest', async () => {
    const { signIn, clock, counted } = bench([KIM]);
    clock.at = NOW;
    const request = from('203.0.113.9');
    const error: unknown = await signIn.withPreauth({ ...VECTOR, digest: '0'.repeat(40) }, request).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'AUTH_FAILED', publicMessage: 'wrong user name or password' });
    expect(scopeOf(request).fields).toEqual({ address: '203.0.113.9', client: 'portal', reason: 'wrong preauth' });
    for (let attempt = 0; attempt < LIMITS.freeFailures - 1; attempt++) await signIn.withPassword('kim@zimbra.example', 'wrong', from('203.0.113.9')).catch(() => undefined);
    expect(counted).toHaveLength(LIMITS.freeFailures);
    expect(pauses).toEqual([]);
    await signIn.withPreauth({ ...VECTOR, digest: '0'.repeat(40) }, from('203.0.113.9')).catch(() => undefined);
    await signIn.withPreauth(VECTOR, from('203.0.113.9'));
    expect(pauses.length).toBeGreaterThan(0);
  });
});
