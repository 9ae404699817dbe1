import { inspect } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { LIMITS } from '../../../src/core/limits.ts';
import { scopeOf } from '../../../src/platform/http-server/request-scope.ts';
import type { ClientAccount } from '../../../src/platform/auth/client-sign-in.ts';
import { ANYWHERE, basic, bench, from, LOCAL, PASSWORD, requester, ZIMBRA } from './signing-in.ts';

/** The pauses that were asked for, in milliseconds; none is really made, but each takes its turn. */
const pauses: number[] = [];
vi.mock('node:timers/promises', async (original) => ({
  ...(await original<Record<string, unknown>>()),
  setTimeout: async (ms: number): Promise<void> => {
    pauses.push(ms);
    await new Promise((resolve) => setImmediate(resolve));
  },
}));

const outcome = async (signing: Promise<{ name: string }>): Promise<string> => signing.then((one) => one.name, (error: unknown) => (error as { code: string }).code);

describe('signing in with a password', () => {
  it('takes the right one, the user name in any case, a password with a colon and umlauts', async () => {
    const { signIn } = bench();
    expect(await outcome(signIn.fromRequest(from('10.1.2.3', basic('CORP\\Zimbra', PASSWORD))))).toBe('zimbra');
    expect(await outcome(signIn.fromRequest(from('10.1.2.3', basic('corp\\ZIMBRA', PASSWORD))))).toBe('zimbra');
    expect(await outcome(signIn.fromRequest(from('2001:db8::1', basic('corp\\zimbra', PASSWORD).replace('Basic ', 'bAsIc   '))))).toBe('zimbra');
    expect(await outcome(signIn.fromRequest(from('203.0.113.9', basic('anywhere', 'pä:ß'))))).toBe('anywhere');
    expect(await outcome(signIn.withPassword('anywhere', 'pä:ß', from('203.0.113.9')))).toBe('anywhere');
  });

  it('takes a user name behind any domain, as Exchange sends it; the one that is configured so counts first', async () => {
    const named = (name: string, username: string): ClientAccount => ({ requester: requester(name), credentials: { username, password: `pw-${name}` } });
    const { signIn } = bench([named('mail', 'asker@corp.example'), named('plain', 'desk'), named('domain', 'CORP\\desk')]);
    const as = async (username: string, password: string): Promise<string> => outcome(signIn.withPassword(username, password, from('203.0.113.9')));
    expect(await as('corp.example\\asker@corp.example', 'pw-mail')).toBe('mail');
    expect(await as('corp.example\\asker', 'pw-mail')).toBe('mail');
    expect(await as('OTHER\\Desk', 'pw-plain')).toBe('plain');
    expect(await as('corp\\desk', 'pw-domain')).toBe('domain');
    for (const [username, password] of [['corp\\desk', 'pw-plain'], ['OTHER\\desk', 'pw-domain'], ['desk@other.example', 'pw-plain'], ['asker', 'pw-mail'], ['\\desk', 'pw-plain'], ['desk\\', 'pw-plain']] as const) {
      expect([username, await as(username, password)]).toEqual([username, 'AUTH_FAILED']);
    }
  });

  it('refuses an unknown name, a wrong password and a wrong address alike', async () => {
    const { signIn, counted } = bench();
    const attempts = [
      ['10.1.2.3', 'nobody', PASSWORD],
      ['10.1.2.3', 'corp\\zimbra', 'wrong'],
      ['203.0.113.9', 'corp\\zimbra', PASSWORD],
      ['10.1.2.3', 'corp\\zimbra', ''],
      ['10.1.2.3', '', ''],
      ['10.1.2.3', 'nobody', ''],
      ['10.1.2.3', 'local', ''],
      ['', 'corp\\zimbra', PASSWORD],
      ['10.1.2.3', 'corp\\zimbra', `${PASSWORD}x`],
      ['10.1.2.3', 'corp\\zimbra', PASSWORD.toUpperCase()],
      ['10.1.2.3', 'zimbra', PASSWORD],
      ['10.1.2.3', '__proto__', PASSWORD],
    ] as const;
    const errors: unknown[] = [];
    for (const [address, username, password] of attempts) errors.push(await signIn.fromRequest(from(address, basic(username, password))).catch((error: unknown) => error));
    for (const error of errors) {
      const { code, publicMessage, temporary, retryAfterMs, details, cause, message } = error as Record<string, unknown>;
      expect({ code, publicMessage, temporary, retryAfterMs, details, cause, message }).toEqual({
        code: 'AUTH_FAILED',
        publicMessage: 'wrong user name or password',
        temporary: false,
        retryAfterMs: undefined,
        details: {},
        cause: undefined,
        message: 'AUTH_FAILED: wrong user name or password',
      });
    }
    expect(counted).toEqual(attempts.map(() => 'AUTH_FAILED'));
  });

  it.each(['Basic', 'Basic ', 'Basic !!!!', 'Basic bm9jb2xvbg==', 'Bearer abc', 'Negotiate TlRMTVNTUAAB', 'Digest username="zimbra"', '', `Basic ${'QUFB'.repeat(10_000)}`, basic('a', 'b').replace('Basic ', 'Basic\t'), `${basic('anywhere', 'pä:ß')}, ${basic('anywhere', 'pä:ß')}`])(
    'refuses the header %j, even where an anonymous client could come',
    async (authorization) => {
      const { signIn } = bench();
      expect(await outcome(signIn.fromRequest(from('192.168.1.5', authorization)))).toBe('AUTH_FAILED');
    },
  );

  it('no error and no log line holds a password, a user name that failed or a header', async () => {
    const { signIn } = bench();
    const requests = [from('10.1.2.3', basic('corp\\zimbra', 'canary-wrong')), from('10.1.2.3', basic('canary-user', PASSWORD)), from('203.0.113.9', basic('corp\\zimbra', PASSWORD)), from('10.1.2.3', 'Basic canary!'), from('10.1.2.3', basic('corp\\zimbra', PASSWORD))];
    for (const request of requests) {
      const result: unknown = await signIn.fromRequest(request).catch((error: unknown) => error);
      expect(inspect(result, { depth: 9, showHidden: true }) + JSON.stringify(scopeOf(request).fields)).not.toMatch(/canary/);
    }
    const token = signIn.issueToken(ZIMBRA.requester, 'owa-cookie', 1_000);
    expect(Buffer.from(token.split('_')[2]!, 'hex').toString()).not.toContain('canary');
    expect(inspect(signIn, { depth: 0 })).not.toContain('canary');
  });

  it('the log says why, for the administrator only', async () => {
    const { signIn } = bench();
    const reasonFor = async (address: string, username: string, password: string): Promise<unknown> => {
      const request = from(address, basic(username, password));
      await signIn.fromRequest(request).catch(() => undefined);
      return scopeOf(request).fields;
    };
    expect(await reasonFor('10.1.2.3', 'nobody', 'x')).toEqual({ address: '10.1.2.3', client: undefined, reason: 'no client has this user name' });
    expect(await reasonFor('10.1.2.3', 'corp\\zimbra', 'x')).toEqual({ address: '10.1.2.3', client: 'zimbra', reason: 'wrong password' });
    expect(await reasonFor('203.0.113.9', 'corp\\zimbra', PASSWORD)).toEqual({ address: '203.0.113.9', client: 'zimbra', reason: 'address not allowed' });
  });
});

describe('without credentials', () => {
  it('is the anonymous client of that address, or asked to sign in', async () => {
    const { signIn } = bench();
    expect(await outcome(signIn.fromRequest(from('192.168.1.5')))).toBe('local');
    expect(signIn.anonymous(from('192.168.1.5'))?.name).toBe('local');
    for (const address of ['192.168.2.5', '10.1.2.3', '', 'unknown', '192.168.1.5, 10.0.0.1', '192.168.1.5:80']) {
      expect(await outcome(signIn.fromRequest(from(address)))).toBe('AUTH_REQUIRED');
      expect(signIn.anonymous(from(address))).toBeUndefined();
    }
  });

  it('an anonymous client without addresses is nobody', async () => {
    const { signIn } = bench([{ requester: LOCAL.requester }]);
    expect(await outcome(signIn.fromRequest(from('127.0.0.1')))).toBe('AUTH_REQUIRED');
  });
});

describe('repeated failures', () => {
  /** Milliseconds for which the answer was held back. */
  async function waited(signing: Promise<unknown>): Promise<number> {
    await signing.catch(() => undefined);
    return pauses.splice(0).reduce((sum, ms) => sum + ms, 0);
  }
  const wrong = basic('corp\\zimbra', 'wrong');

  it('cost nothing at first, then more and more, and at most 5 s', async () => {
    const { signIn } = bench();
    const waits: number[] = [];
    for (let attempt = 0; attempt < 12; attempt++) waits.push(await waited(signIn.fromRequest(from('10.1.2.3', wrong))));
    expect(waits.slice(0, LIMITS.freeFailures)).toEqual(Array(LIMITS.freeFailures).fill(0));
    expect(waits.at(-1)).toBeGreaterThan(1_000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(5_000);
    for (const [index, wait] of waits.entries()) if (index > 0) expect(wait).toBeGreaterThanOrEqual(waits[index - 1]!);
  });

  it('slow down the pair of client and address only', async () => {
    const { signIn } = bench();
    for (let attempt = 0; attempt < 10; attempt++) await waited(signIn.fromRequest(from('10.1.2.3', wrong)));
    expect(await waited(signIn.fromRequest(from('10.1.2.4', basic('corp\\zimbra', PASSWORD))))).toBe(0);
    expect(await waited(signIn.fromRequest(from('10.1.2.3', basic('anywhere', 'pä:ß'))))).toBe(0);
    expect(await waited(signIn.fromRequest(from('10.1.2.3', basic('corp\\zimbra', PASSWORD))))).toBeGreaterThan(0);
  });

  it('are those of one client, behind whatever domain it is called', async () => {
    const { signIn } = bench();
    for (let attempt = 0; attempt < 10; attempt++) await waited(signIn.fromRequest(from('203.0.113.9', basic(`D${attempt}\\anywhere`, 'wrong'))));
    for (const username of ['anywhere', 'D11\\anywhere', 'ANYWHERE']) expect(await waited(signIn.fromRequest(from('203.0.113.9', basic(username, 'wrong'))))).toBeGreaterThan(1_000);
  });

  it('slow down unknown names just as known ones', async () => {
    const { signIn } = bench();
    const waits = async (username: string): Promise<readonly number[]> => {
      const list: number[] = [];
      for (let attempt = 0; attempt < 8; attempt++) list.push(await waited(signIn.fromRequest(from('10.1.2.3', basic(username, 'wrong')))));
      return list;
    };
    expect(await waits('nobody')).toEqual(await waits('corp\\zimbra'));
    // In any case: `NOBODY` and `nobody` would tell the two apart otherwise.
    const mixed: number[] = [];
    for (const username of ['else', 'Else', 'eLse', 'elSe', 'elsE', 'ELse', 'eLSe', 'elSE']) mixed.push(await waited(signIn.fromRequest(from('10.1.2.3', basic(username, 'wrong')))));
    expect(mixed).toEqual(await waits('nobody-2'));
  });

  it('are forgotten by a success, and with time', async () => {
    const { signIn, clock } = bench();
    for (let attempt = 0; attempt < 10; attempt++) await waited(signIn.fromRequest(from('10.1.2.3', wrong)));
    await waited(signIn.fromRequest(from('10.1.2.3', basic('corp\\zimbra', PASSWORD))));
    expect(await waited(signIn.fromRequest(from('10.1.2.3', wrong)))).toBe(0);
    for (let attempt = 0; attempt < 10; attempt++) await waited(signIn.fromRequest(from('10.1.2.3', wrong)));
    clock.at += LIMITS.failureMemoryMs + 1;
    expect(await waited(signIn.fromRequest(from('10.1.2.3', wrong)))).toBe(0);
  });

  it('are remembered over a reload', async () => {
    const { signIn, with: reloaded } = bench();
    for (let attempt = 0; attempt < 6; attempt++) await waited(signIn.fromRequest(from('10.1.2.3', wrong)));
    expect(await waited(reloaded([ZIMBRA]).fromRequest(from('10.1.2.3', wrong)))).toBeGreaterThan(0);
  });

  it('many at once are 429 with a time to come back, not a heap of waiting answers', async () => {
    const { signIn } = bench();
    for (let attempt = 0; attempt < 6; attempt++) await waited(signIn.fromRequest(from('10.1.2.3', wrong)));
    const outcomes: string[] = [];
    const all = Array.from({ length: 100 }, () => signIn.fromRequest(from('10.1.2.3', wrong)).catch((error: unknown) => {
      const { code, retryAfterMs } = error as { code: string; retryAfterMs?: number };
      outcomes.push(code === 'TOO_MANY_ATTEMPTS' && retryAfterMs !== undefined ? '429' : code);
    }));
    await waited(Promise.all(all));
    expect(outcomes.filter((one) => one === '429')).toHaveLength(100 - LIMITS.heldAnswersPerPair);
    expect(outcomes.filter((one) => one === 'AUTH_FAILED')).toHaveLength(LIMITS.heldAnswersPerPair);
    // And the places are given back.
    expect(await outcome(signIn.fromRequest(from('10.1.2.3', basic('corp\\zimbra', PASSWORD))))).toBe('zimbra');
  });

  it('hundreds at once are not hundreds of guesses', async () => {
    const { signIn, counted } = bench();
    await waited(Promise.all(Array.from({ length: 500 }, () => signIn.fromRequest(from('10.1.2.3', wrong)).catch(() => undefined))));
    expect(counted.filter((code) => code === 'AUTH_FAILED').length).toBeLessThanOrEqual(LIMITS.freeFailures + 1 + LIMITS.heldAnswersPerPair);
  });

  it('of twenty thousand names are remembered within bounds', async () => {
    const { signIn, failures } = bench();
    for (let name = 0; name < 20_000; name++) await signIn.fromRequest(from('10.1.2.3', basic(`n${name}`, 'x'))).catch(() => undefined);
    expect(inspect(failures, { showHidden: true, depth: 3, maxArrayLength: 1 }).length).toBeLessThan(10_000);
    expect(await outcome(signIn.fromRequest(from('10.1.2.3', basic('corp\\zimbra', PASSWORD))))).toBe('zimbra');
  });
});

describe('tokens', () => {
  it('name their client until they expire, and are made of harmless characters', async () => {
    const { signIn, clock } = bench();
    const token = signIn.issueToken(ZIMBRA.requester, 'owa-cookie', 1_000);
    expect(token).toMatch(/^[A-Za-z0-9_.-]+$/);
    expect(await outcome(signIn.fromToken(token, 'owa-cookie', from('10.1.2.3')))).toBe('zimbra');
    clock.at += 999;
    expect(await outcome(signIn.fromToken(token, 'owa-cookie', from('10.1.2.3')))).toBe('zimbra');
    clock.at += 1;
    expect(await outcome(signIn.fromToken(token, 'owa-cookie', from('10.1.2.3')))).toBe('AUTH_EXPIRED');
  });

  it('are worth nothing for another purpose or from an address the client may not use', async () => {
    const { signIn } = bench();
    const token = signIn.issueToken(ZIMBRA.requester, 'owa-cookie', 1_000);
    expect(await outcome(signIn.fromToken(token, 'zimbra-token', from('10.1.2.3')))).toBe('AUTH_FAILED');
    expect(await outcome(signIn.fromToken(token, 'owa-cookie', from('203.0.113.9')))).toBe('AUTH_FAILED');
  });

  it('die with their client and with its password, and live on over a reload that changes neither', async () => {
    const { signIn, with: reloaded } = bench();
    const token = signIn.issueToken(ZIMBRA.requester, 'owa-cookie', 1_000);
    expect(await outcome(reloaded([ZIMBRA]).fromToken(token, 'owa-cookie', from('10.1.2.3')))).toBe('zimbra');
    expect(await outcome(reloaded([ANYWHERE]).fromToken(token, 'owa-cookie', from('10.1.2.3')))).toBe('AUTH_FAILED');
    expect(await outcome(reloaded([{ ...ZIMBRA, credentials: { username: 'CORP\\Zimbra', password: 'new' } }]).fromToken(token, 'owa-cookie', from('10.1.2.3')))).toBe('AUTH_FAILED');
    expect(await outcome(reloaded([{ ...ZIMBRA, credentials: undefined }]).fromToken(token, 'owa-cookie', from('10.1.2.3')))).toBe('AUTH_FAILED');
  });

  it('are refused when a single character is changed, taken away or added', async () => {
    const { signIn } = bench();
    const token = signIn.issueToken(ZIMBRA.requester, 'owa-cookie', 1_000);
    for (let index = 0; index < token.length; index++) {
      const other = token[index] === '0' ? '1' : '0';
      for (const forged of [token.slice(0, index) + other + token.slice(index + 1), token.slice(0, index) + token.slice(index + 1), `${token.slice(0, index)}0${token.slice(index)}`]) {
        if (forged !== token) expect(await outcome(signIn.fromToken(forged, 'owa-cookie', from('10.1.2.3')))).toBe('AUTH_FAILED');
      }
    }
  });

  it.each(['', '0', '0__', `0_${'0'.repeat(64)}_`, `0_${'0'.repeat(64)}_zz`, `0_${'0'.repeat(64)}_${Buffer.from('["zimbra","owa-cookie",9e15]').toString('hex')}`, `0_${'0'.repeat(64)}_${Buffer.from('{"name":"zimbra"}').toString('hex')}`, `0_${'0'.repeat(64)}_${Buffer.from('null').toString('hex')}`, `0_${'0'.repeat(64)}_${Buffer.from('["zimbra","owa-cookie",1e999]').toString('hex')}`, `0_${'é'.repeat(64)}_00`, 'x'.repeat(1_000_000), '0_\n', '__proto__'])(
    'forged or malformed ones are AUTH_FAILED: %.40j',
    async (token) => {
      const { signIn } = bench();
      expect(await outcome(signIn.fromToken(token, 'owa-cookie', from('10.1.2.3')))).toBe('AUTH_FAILED');
    },
  );

  it('of an expired client that was forged too is only forged', async () => {
    const { signIn, clock } = bench();
    const token = signIn.issueToken(ZIMBRA.requester, 'owa-cookie', 1);
    clock.at += 10;
    expect(await outcome(signIn.fromToken(token.replace(/_[0-9a-f]{64}_/, `_${'0'.repeat(64)}_`), 'owa-cookie', from('10.1.2.3')))).toBe('AUTH_FAILED');
  });
});
