import { inspect } from 'node:util';
import type * as jose from 'jose';
import { describe, expect, it, vi } from 'vitest';
import { BridgeError } from '../../../../src/core/errors.ts';
import { LIMITS } from '../../../../src/core/limits.ts';
import { noMetrics } from '../../../../src/core/metrics.ts';
import { silentLogger } from '../../../../src/core/logger.ts';
import { AddressSet } from '../../../../src/platform/auth/address-set.ts';
import { IssuerKeys } from '../../../../src/platform/auth/bearer/issuer-keys.ts';
import type { KeySet } from '../../../../src/platform/auth/bearer/key-set.ts';
import type { KnownIssuer } from '../../../../src/platform/auth/bearer/token-issuers.ts';
import { ClientSignIn } from '../../../../src/platform/auth/client-sign-in.ts';
import type { ClientAccount } from '../../../../src/platform/auth/client-sign-in.ts';
import { FailureMemory } from '../../../../src/platform/auth/failure-memory.ts';
import { scopeOf } from '../../../../src/platform/http-server/request-scope.ts';
import { basic, from, MovableClock, requester, TOKEN_KEY } from '../signing-in.ts';
import { AUDIENCE, ISSUER, keySet, seconds, signingKey, token } from './issuing.ts';

const pauses: number[] = [];
vi.mock('node:timers/promises', async (original) => ({
  ...(await original<Record<string, unknown>>()),
  setTimeout: async (ms: number) => {
    pauses.push(ms);
    await new Promise((resolve) => setImmediate(resolve));
  },
}));
/** How many signatures were looked at. */
const verified = vi.hoisted(() => ({ count: 0 }));
vi.mock('jose', async (original) => {
  const real = await original<typeof jose>();
  return { ...real, jwtVerify: async (...parameters: Parameters<typeof jose.jwtVerify>) => (verified.count++, real.jwtVerify(...parameters)) };
});

const KEY = signingKey('ES256', 'one');
const client = (name: string, claims: Record<string, string>, more: Partial<ClientAccount> = {}): ClientAccount => ({ requester: requester(name), token: { issuer: ISSUER, claims }, auth: ['bearer'], ...more });
const DESK = client('desk', { azp: 'client-1' });

function world(accounts: readonly ClientAccount[] = [DESK], gives: KeySet | BridgeError = keySet(KEY)) {
  const clock = new MovableClock();
  const failures = new FailureMemory(clock);
  const state = { gives, asked: 0 };
  const read = async (): Promise<KeySet> => {
    state.asked += 1;
    if (state.gives instanceof BridgeError) throw state.gives;
    return state.gives;
  };
  const issuer = { issuer: ISSUER, audience: [AUDIENCE] };
  const known: KnownIssuer = { issuer, keys: new IssuerKeys({ issuer, clock, logger: silentLogger, read }) };
  const make = (list: readonly ClientAccount[], issuers: readonly KnownIssuer[] = [known]) => new ClientSignIn({ accounts: list, failures, tokenKey: TOKEN_KEY, clock, metrics: noMetrics, issuers });
  const signIn = make(accounts);
  const requests: ReturnType<typeof from>[] = [];
  const as = async (text: string, address = '10.0.0.1', by = signIn): Promise<string> => {
    const request = from(address, `Bearer ${text}`);
    requests.push(request);
    return by.fromRequest(request).then(({ name }) => name, (error: unknown) => (error as BridgeError).code);
  };
  const last = () => scopeOf(requests.at(-1)!);
  return { clock, state, known, signIn, make, as, last };
}

describe('a client with a token', () => {
  it('is the first one whose issuer and claims fit', async () => {
    const { as } = world([client('other issuer', { azp: 'client-1' }, { token: { issuer: `${ISSUER}/`, claims: { azp: 'client-1' } } }), client('two claims', { azp: 'client-1', roles: 'Read' }), DESK, client('later', { sub: 'desk' })]);
    expect(await as(await token(KEY))).toBe('desk');
    expect(await as(await token(KEY, { roles: ['Write', 'Read'] }))).toBe('two claims');
    expect(await as(await token(KEY, { azp: undefined }))).toBe('later');
    expect(await as(await token(KEY, { azp: undefined, sub: 'x' }))).toBe('AUTH_FAILED');
  });

  it('has to list bearer, and may come from its addresses only', async () => {
    const listed = world([client('desk', { azp: 'client-1' }, { auth: ['certificate'] }), client('else', { azp: 'client-2' })]);
    expect(await listed.as(await token(KEY))).toBe('AUTH_FAILED');
    const { as, last } = world([client('desk', { azp: 'client-1' }, { addresses: new AddressSet(['192.0.2.0/24']) })]);
    expect(await as(await token(KEY), '192.0.2.7')).toBe('desk');
    expect([await as(await token(KEY)), last().fields.reason]).toEqual(['AUTH_FAILED', 'address not allowed']);
  });

  it('is told what is wrong in RFC 6750\'s words, and the log says why', async () => {
    const { as, last } = world();
    const right = await token(KEY);
    const wrong: [string, string, string][] = [
      [await token(KEY, { exp: seconds(-61) }), 'the token has expired', 'the token has expired'],
      [await token(KEY, { aud: 'api://other' }), 'the token is not valid', 'the token is for api://other (aud), not for api://freebusy-bridge'],
      [await token(signingKey('ES256', 'one')), 'the token is not valid', "the token's signature is wrong"],
      [await token(KEY, { iss: `${ISSUER}/` }), 'the token is not valid', `the token's issuer ${ISSUER}/ is none of issuers (upper and lower case and a slash at the end count)`],
      [await token(KEY, { azp: 'client-2', sub: 'a"b' }), 'the token is not valid', 'no client has a token with these claims: azp client-2'],
      [await token(KEY, { azp: undefined, sub: undefined }), 'the token is not valid', 'no client has a token with these claims: none of azp, appid, client_id, sub'],
      ['', 'the token is not valid', 'the token is no JWT; opaque ones cannot be checked: have the issuer make JWTs for this audience'],
      [right.slice(0, -4), 'the token is not valid', "the token's signature is wrong"],
    ];
    for (const [text, description, reason] of wrong) {
      expect([await as(text), last().challenges, last().fields.reason]).toEqual(['AUTH_FAILED', [`Bearer realm="freebusy-bridge", error="invalid_token", error_description="${description}"`], reason]);
    }
  });

  it.each(['Bearer', 'Bearer ', 'Bearer a b', 'Bearer a,b', 'Bearer é', 'bearer\tx', `Bearer ${'a'.repeat(20_000)}`, 'Bearer undefined'])('with the header %j is refused', async (header) => {
    const { signIn } = world();
    await expect(signIn.fromRequest(from('10.0.0.1', header))).rejects.toMatchObject({ code: 'AUTH_FAILED' });
  });

  it('is asked for a token where some client may bring one, and for what the others have', async () => {
    const challenges = async (accounts: readonly ClientAccount[], header?: string): Promise<unknown> => {
      const request = from('10.0.0.1', header);
      await world(accounts).signIn.fromRequest(request).catch(() => undefined);
      return scopeOf(request).challenges;
    };
    const plain: ClientAccount = { requester: requester('plain'), credentials: { username: 'plain', password: 'pw' } };
    expect(await challenges([DESK])).toEqual(['Bearer realm="freebusy-bridge"']);
    expect(await challenges([plain, DESK])).toEqual(['Basic realm="freebusy-bridge"', 'Bearer realm="freebusy-bridge"']);
    expect(await challenges([plain])).toEqual(['Basic realm="freebusy-bridge"']);
    expect(await challenges([plain], 'Bearer abc')).toEqual(['Basic realm="freebusy-bridge"']);
    expect(await challenges([plain, DESK], basic('plain', 'wrong'))).toEqual(['Basic realm="freebusy-bridge"', 'Bearer realm="freebusy-bridge"']);
  });

  it('is not read out of a query', async () => {
    const { signIn } = world();
    const request = from('10.0.0.1');
    Object.assign(request, { url: `/api/v1/freebusy?access_token=${await token(KEY)}` });
    await expect(signIn.fromRequest(request)).rejects.toMatchObject({ code: 'AUTH_REQUIRED' });
  });

  it('has its token\'s signature looked at once', async () => {
    const { clock, as, last } = world();
    const text = await token(KEY);
    verified.count = 0;
    for (let n = 0; n < 5; n++) expect([await as(text), last().signedInUntil]).toEqual(['desk', clock.at + 660_000]);
    expect(verified.count).toBe(1);
    clock.at += 660_000;
    expect(await as(text)).toBe('AUTH_FAILED');
  });

  it('with a long-lived token has it looked at again after an hour', async () => {
    const { clock, as } = world();
    const text = await token(KEY, { exp: seconds(1_000_000) });
    verified.count = 0;
    await as(text);
    clock.at += LIMITS.verifiedTokenMs + 1;
    expect([await as(text), verified.count]).toEqual(['desk', 2]);
  });

  it('is nobody any more once its issuer has withdrawn the key, or a reload the client, its claims or the issuer', async () => {
    const { clock, state, known, make, as } = world();
    const text = await token(KEY, { exp: seconds(1_000_000) });
    expect(await as(text)).toBe('desk');
    for (const [accounts, issuers] of [[[client('desk', { azp: 'client-2' })], [known]], [[], [known]], [[DESK], []], [[DESK], [{ ...known, issuer: { ...known.issuer, audience: ['api://other'] } }]]] as const) {
      expect(await as(text, '10.0.0.1', make(accounts, issuers))).toBe('AUTH_FAILED');
    }
    state.gives = keySet(signingKey('ES256', 'two'));
    clock.at += LIMITS.issuerKeysFreshMs + 1;
    await as(text);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await as(text)).toBe('AUTH_FAILED');
  });

  it('remembers tokens within bounds', async () => {
    const { as } = world();
    const texts = await Promise.all(Array.from({ length: LIMITS.verifiedTokens + 1 }, (_, n) => token(KEY, { jti: String(n) })));
    for (const text of texts) await as(text);
    verified.count = 0;
    await as(texts[1]!);
    expect(verified.count).toBe(0);
    await as(texts[0]!);
    expect(verified.count).toBe(1);
  });
});

describe('an issuer that is away', () => {
  it('is said to be so: the token may be right', async () => {
    const { state, as, last, clock } = world([DESK], new BridgeError('BACKEND_UNREACHABLE', 'the calendar system cannot be reached', { temporary: true }));
    const text = await token(KEY);
    expect([await as(text), last().fields.reason, last().challenges]).toEqual(['BACKEND_UNREACHABLE', 'the calendar system cannot be reached', ['Bearer realm="freebusy-bridge"']]);
    for (let n = 0; n < 50; n++) await as(text);
    // No failure of the client's: it is let in at once when the issuer is back.
    pauses.length = 0;
    state.gives = keySet(KEY);
    clock.at += LIMITS.issuerPauseMs;
    expect([await as(text), pauses, state.asked]).toEqual(['desk', [], 2]);
  });
});

describe('failures', () => {
  it('slow down the client at the address that they came from, and nobody else', async () => {
    const { as } = world([DESK, client('other', { azp: 'client-2' })]);
    const forged = await token(signingKey('ES256', 'one'));
    for (let n = 0; n < LIMITS.freeFailures + 2; n++) await as(forged);
    pauses.length = 0;
    await as(await token(KEY), '10.0.0.2');
    await as(await token(KEY, { azp: 'client-2' }));
    expect(pauses).toEqual([]);
    expect(await as(await token(KEY))).toBe('desk');
    expect(pauses).toHaveLength(1);
    pauses.length = 0;
    expect([await as(await token(KEY)), pauses]).toEqual(['desk', []]);
  });

  it('of tokens that are nobody\'s are counted by who they say to be', async () => {
    const { as } = world();
    for (let n = 0; n < LIMITS.freeFailures + 1; n++) await as(await token(KEY, { azp: 'x', jti: String(n) }));
    pauses.length = 0;
    await as(await token(KEY, { azp: 'y' }));
    expect(pauses).toEqual([]);
    await as(await token(KEY, { azp: 'x' }));
    expect(pauses).toHaveLength(1);
  });

  it('do not count where a token has merely run out, as all do', async () => {
    const { as } = world();
    const old = await token(KEY, { exp: seconds(-61) });
    pauses.length = 0;
    for (let n = 0; n < 20; n++) expect(await as(old)).toBe('AUTH_FAILED');
    expect([await as(await token(KEY)), pauses]).toEqual(['desk', []]);
  });

  it('hundreds of forged ones at once are not hundreds of signatures to look at', async () => {
    const { as } = world();
    const forged = await Promise.all(Array.from({ length: 300 }, (_, n) => token(signingKeyOnce, { jti: String(n) })));
    verified.count = 0;
    await Promise.all(forged.map((text) => as(text)));
    expect(verified.count).toBeLessThanOrEqual(LIMITS.freeFailures + LIMITS.heldAnswersPerPair + 1);
  });

  it('hundreds of right ones at once are let in', async () => {
    const { as } = world();
    const texts = await Promise.all(Array.from({ length: 100 }, (_, n) => token(KEY, { jti: String(n % 10) })));
    expect(new Set(await Promise.all(texts.map((text) => as(text))))).toEqual(new Set(['desk']));
  });
});

const signingKeyOnce = signingKey('ES256', 'one');

it('no error, no challenge and no line of the log holds a token', async () => {
  const { signIn } = world();
  const texts = [await token(KEY, { jti: 'canary' }), await token(KEY, { jti: 'canary', aud: 'x' }), await token(signingKey('ES256', 'one')), 'canary'];
  for (const text of texts) {
    const request = from('10.0.0.1', `Bearer ${text}`);
    const result: unknown = await signIn.fromRequest(request).catch((error: unknown) => error);
    const { fields, challenges } = scopeOf(request);
    const said = inspect(result, { depth: 9, showHidden: true }) + JSON.stringify([fields, challenges]);
    for (const piece of text.split('.')) expect(said).not.toContain(piece);
  }
});
