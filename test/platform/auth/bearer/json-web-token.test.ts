import { createHmac, createSign, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { decodeKeySet } from '../../../../src/platform/auth/bearer/key-set.ts';
import { readToken, TOKEN_ALGORITHMS, verifyToken } from '../../../../src/platform/auth/bearer/json-web-token.ts';
import { AUDIENCE, ISSUER, keySet, NOW, part, seconds, signingKey, token } from './issuing.ts';
import type { SigningKey } from './issuing.ts';

const RSA = signingKey('RS256');
const EC = signingKey('ES256');
const KEYS = keySet(RSA, EC);

/** `right`, `expired`, or what is wrong. */
async function judge(text: string, keys = KEYS, audience: readonly string[] = [AUDIENCE]): Promise<string> {
  const read = readToken(text);
  if (typeof read === 'string') return read;
  const verdict = await verifyToken(read, keys, { issuer: ISSUER, audience, now: NOW });
  return verdict.kind === 'wrong' ? verdict.reason : verdict.kind;
}

describe('a token', () => {
  it.each(TOKEN_ALGORITHMS.filter((alg) => alg !== 'Ed25519'))('signed with %s is right, and wrong by another key', async (alg) => {
    const key = signingKey(alg);
    const text = await token(key);
    expect(await judge(text, keySet(key))).toBe('right');
    expect(await judge(text, keySet(signingKey(alg)))).toBe("the token's signature is wrong");
  });

  it('of RFC 7515 A.3 is signed rightly: what is wrong with it is that it is for nobody', async () => {
    const key = { kty: 'EC', crv: 'P-256', x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU', y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0' };
    const keys = decodeKeySet({ keys: [key] });
    const text = 'eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q';
    const asked = { issuer: 'joe', audience: [AUDIENCE], now: 1_300_819_380_000 - 1_000 };
    const verdict = async (changed: string) => verifyToken(readToken(changed) as Exclude<ReturnType<typeof readToken>, string>, keys, asked);
    expect(await verdict(text)).toEqual({ kind: 'wrong', reason: 'the token does not say for whom it is (aud)' });
    expect(await verdict(text.replace('.DtEh', '.EtEh'))).toEqual({ kind: 'wrong', reason: "the token's signature is wrong" });
  });

  it('says when it ends, with what clocks may differ by', async () => {
    const verdict = await verifyToken(readToken(await token(RSA)) as Exclude<ReturnType<typeof readToken>, string>, KEYS, { issuer: ISSUER, audience: [AUDIENCE], now: NOW });
    expect(verdict).toMatchObject({ kind: 'right', expires: NOW + 600_000 + 60_000, claims: { azp: 'client-1' } });
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['for somebody else', { aud: 'api://other' }, 'the token is for api://other (aud), not for api://freebusy-bridge'],
    ['for somebody whose name no log should show', { aud: 'a\n"b' }, 'the token is for somebody else (aud), not for api://freebusy-bridge'],
    ['for nobody', { aud: undefined }, 'the token does not say for whom it is (aud)'],
    ['for an audience in another case', { aud: AUDIENCE.toUpperCase() }, 'the token is for API://FREEBUSY-BRIDGE (aud), not for api://freebusy-bridge'],
    ['for two, one of them this', { aud: ['api://other', AUDIENCE] }, 'right'],
    ['of an issuer with a slash at its end', { iss: `${ISSUER}/` }, "the token's iss is missing or wrong"],
    ['of an issuer in another case', { iss: ISSUER.toUpperCase() }, "the token's iss is missing or wrong"],
    ['that has ended', { exp: seconds(-61) }, 'expired'],
    ['that ended a moment ago', { exp: seconds(-59) }, 'right'],
    ['that never ends', { exp: undefined }, "the token's exp is missing or wrong"],
    ['that ends some day', { exp: 'tomorrow' }, "the token's exp is missing or wrong"],
    ['that begins later', { nbf: seconds(61) }, 'the token does not hold yet (nbf): one of the clocks is wrong'],
    ['that begins in a moment', { nbf: seconds(59) }, 'right'],
    ['of the future', { iat: seconds(61) }, 'the token was issued in the future: one of the clocks is wrong'],
    ['without a time of issue', { iat: undefined }, 'right'],
    ['bound to a key of its client', { cnf: { jkt: 'x' } }, 'the token is bound to a key of its client (cnf), which is not supported'],
  ])('%s', async (_what, claims, expected) => {
    expect(await judge(await token(RSA, claims))).toBe(expected);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['of a key that is not there', { kid: 'gone' }, 'the token is signed with a key that its issuer does not have'],
    ["that names another key of its issuer's", { kid: EC.kid }, 'the token is signed with a key that its issuer does not have'],
    ['without a type', { typ: undefined }, 'right'],
    ['that is a JWT in any case', { typ: 'jwt' }, 'right'],
    ['that is an access token, in full', { typ: 'application/at+jwt' }, 'right'],
    ['that logs somebody out', { typ: 'logout+jwt' }, 'the token is no access token: its typ is neither JWT nor at+jwt'],
    ['that proves a key', { typ: 'dpop+jwt' }, 'the token is no access token: its typ is neither JWT nor at+jwt'],
  ])('%s', async (_what, header, expected) => {
    expect(await judge(await token(RSA, {}, header))).toBe(expected);
  });

  it('by an extension that has to be understood, and is not', async () => {
    const header = part({ alg: 'RS256', kid: RSA.kid, crit: ['exp2'], exp2: 1 });
    expect(await judge(signed(RSA, header, part({ iss: ISSUER, aud: AUDIENCE, exp: seconds(60) })))).toBe('the token cannot be read, or its key does not fit');
    expect(await judge(signed(RSA, part({ alg: 'RS256', kid: RSA.kid, crit: ['b64'], b64: false }), part({ iss: ISSUER, aud: AUDIENCE, exp: seconds(60) })))).toBe('the token cannot be read, or its key does not fit');
    expect(await judge(signed(RSA, part({ alg: 'RS256', kid: RSA.kid }), part({ iss: ISSUER, aud: AUDIENCE, exp: seconds(60) })))).toBe('right');
  });

  it('without a signature, or with one that everybody could make, is none', async () => {
    const [, payload] = (await token(RSA)).split('.');
    const none = 'the token\'s algorithm is none of RS256';
    for (const alg of ['none', 'None', 'HS256', 'HS384', 'HS512', 'ES256K', '', undefined, ['RS256'], 5]) expect([alg, await judge(`${part({ alg, kid: RSA.kid })}.${payload!}.AAAA`)]).toEqual([alg, expect.stringContaining(none)]);
    expect(await judge(`${part({ alg: 'none' })}.${payload!}.`)).toContain(none);
    // The classic: the issuer's public key, which everybody has, as the secret of an HMAC.
    const head = part({ alg: 'HS256', kid: RSA.kid });
    const pem = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'pem', type: 'spki' });
    for (const secret of [pem, JSON.stringify(RSA.jwk), String(RSA.jwk['n'])]) expect(await judge(`${head}.${payload!}.${createHmac('sha256', secret).update(`${head}.${payload!}`).digest('base64url')}`)).toContain(none);
  });

  it('brings no key of its own', async () => {
    const stranger = signingKey('RS256', RSA.kid);
    for (const header of [{ jwk: stranger.jwk }, { jku: 'https://evil.example/keys' }, { x5u: 'https://evil.example/cert' }]) expect(await judge(await token(stranger, {}, header as never))).toBe("the token's signature is wrong");
  });

  it('with one byte changed anywhere is wrong', async () => {
    const text = await token(EC);
    for (let at = 0; at < text.length; at += 7) {
      const changed = `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
      // The last digit of base64 may hold bits that mean nothing.
      if (changed !== text) expect([at, await judge(changed)]).not.toEqual([at, 'right']);
    }
  });

  it('that does not say which key it is signed with may be any of its kind', async () => {
    const keys = [signingKey('ES256', 'a'), signingKey('ES256', 'b'), signingKey('RS256', 'c')];
    const silent = { ...keys[1]!, kid: undefined };
    expect(await judge(await token(silent), keySet(...keys))).toBe('right');
    expect(await judge(await token({ ...signingKey('ES256'), kid: undefined }), keySet(...keys))).toBe("the token's signature is wrong");
  });

  it('of a weak key is refused, whoever publishes it', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const keys = decodeKeySet({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'weak', alg: 'RS256', use: 'sig' }] });
    const weak: SigningKey = { alg: 'RS256', kid: 'weak', privateKey, jwk: {} };
    expect(await judge(signed(weak, part({ alg: 'RS256', kid: 'weak' }), part({ iss: ISSUER, aud: AUDIENCE, exp: seconds(60) })), keys)).toBe('the token cannot be read, or its key does not fit');
  });

  it('whose JSON names a claim twice says what it says last, for everybody who looks', async () => {
    const twice = `{"iss":"${ISSUER}","aud":"${AUDIENCE}","azp":"client-1","azp":"client-2","exp":${seconds(60)}}`;
    const text = signed(RSA, part({ alg: 'RS256', kid: RSA.kid }), part(twice));
    const read = readToken(text) as Exclude<ReturnType<typeof readToken>, string>;
    expect(read.claims['azp']).toBe('client-2');
    expect(await verifyToken(read, KEYS, { issuer: ISSUER, audience: [AUDIENCE], now: NOW })).toMatchObject({ kind: 'right', claims: { azp: 'client-2' } });
  });

  it.each([
    ['nothing', ''],
    ['an opaque one', 'abcdef'],
    ['two parts', 'a.b'],
    ['no base64', '%.%.%'],
    ['empty parts', '..'],
    ['an array', `${part({ alg: 'RS256' })}.${part([1])}.AAAA`],
    ['null', `${part({ alg: 'RS256' })}.${part(null)}.AAAA`],
    ['a header that is no object', `${part('x')}.${part({ iss: ISSUER })}.AAAA`],
    ['bytes that are no UTF-8', `${part({ alg: 'RS256' })}.${Buffer.from([0x7b, 0xff, 0xfe]).toString('base64url')}.AAAA`],
    ['an issuer that is no text', `${part({ alg: 'RS256' })}.${part({ iss: { a: 1 } })}.AAAA`],
    ['an encrypted one', 'a.b.c.d.e'],
    ['JSON nested ten thousand deep', `${part({ alg: 'RS256' })}.${part(`${'['.repeat(5_000)}${']'.repeat(5_000)}`)}.AAAA`],
    ['a longer one than anybody makes', `${part({ alg: 'RS256' })}.${'A'.repeat(16_384)}.AAAA`],
  ])('that is %s cannot be read', (_what, text) => {
    expect(readToken(text)).toEqual(expect.any(String));
  });
});

function signed(key: SigningKey, header: string, payload: string): string {
  return `${header}.${payload}.${createSign('sha256').update(`${header}.${payload}`).sign(key.privateKey).toString('base64url')}`;
}

describe("an issuer's keys", () => {
  it('are those that verify signatures', () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const keys = decodeKeySet({ keys: [RSA.jwk, { ...EC.jwk, use: 'enc' }, { kty: 'oct', k: 'c2VjcmV0', kid: 'hmac' }, { ...privateKey.export({ format: 'jwk' }), kid: 'private' }, null, 5, 'x', { kty: 'RSA', kid: 5 }, { kty: 'new' }] });
    expect(keys.keys).toEqual([{ type: 'RSA', algorithm: undefined, id: RSA.kid }]);
    expect([keys.has(RSA.kid), keys.has(undefined), keys.has('hmac'), keys.has('private')]).toEqual([true, true, false, false]);
  });

  it('have the same version as long as they are the same', () => {
    expect(keySet(RSA, EC).version).toBe(KEYS.version);
    expect(keySet(RSA).version).not.toBe(KEYS.version);
  });

  it.each([null, [], 'x', {}, { keys: {} }, { keys: [] }, { keys: [{ kty: 'oct', k: 'AAAA' }] }, { keys: Array.from({ length: 65 }, () => RSA.jwk) }])('%j are none', (document) => {
    expect(() => decodeKeySet(document)).toThrow(expect.objectContaining({ code: 'BACKEND_MALFORMED' }) as Error);
  });
});
