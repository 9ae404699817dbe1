import { describe, expect, it } from 'vitest';
import { challengesOf, schemesOf } from '../../../src/platform/http-client/authenticate-challenges.ts';

const read = (...headers: readonly string[]): readonly unknown[] => challengesOf(headers).map(({ scheme, token, parameters }) => [scheme, token, { ...parameters }]);

describe('WWW-Authenticate', () => {
  it.each<[string, readonly string[], readonly unknown[]]>([
    ['nothing', [], []],
    ['one scheme', ['NTLM'], [['ntlm', undefined, {}]]],
    ['several headers', ['Negotiate', 'NTLM TlRMTVNTUAAC==', 'Basic realm="x"'], [['negotiate', undefined, {}], ['ntlm', 'TlRMTVNTUAAC==', {}], ['basic', undefined, { realm: 'x' }]]],
    ['several in one', ['Negotiate, NTLM TlRM, Basic realm="x"'], [['negotiate', undefined, {}], ['ntlm', 'TlRM', {}], ['basic', undefined, { realm: 'x' }]]],
    ['a scheme inside a quoted text', ['Basic realm="a, NTLM TlRM, \\"b\\"", charset=UTF-8, NTLM'], [['basic', undefined, { realm: 'a, NTLM TlRM, "b"', charset: 'UTF-8' }], ['ntlm', undefined, {}]]],
    ['of RFC 9110 §11.6.1', ['Basic realm="simple", Newauth realm="apps", type=1, title="Login to \\"apps\\""'], [['basic', undefined, { realm: 'simple' }], ['newauth', undefined, { realm: 'apps', type: '1', title: 'Login to "apps"' }]]],
    ['of RFC 6750 §3', ['Bearer realm="example", error="invalid_token", error_description="The access token expired"'], [['bearer', undefined, { realm: 'example', error: 'invalid_token', error_description: 'The access token expired' }]]],
    ['of Exchange', ['Bearer client_id="00000002-0000-0ff1-ce00-000000000000", trusted_issuers="00000001-0000-0000-c000-000000000000@*", token_types="app_asserted_user_v1 service_asserted_app_v1", error="invalid_token"', 'Negotiate'], [['bearer', undefined, expect.objectContaining({ error: 'invalid_token' })], ['negotiate', undefined, {}]]],
    ['empty members', [' , ,NTLM,, '], [['ntlm', undefined, {}]]],
    ['blanks around =', ['Basic realm = "x" , a= b'], [['basic', undefined, { realm: 'x', a: 'b' }]]],
    ['a parameter twice: the first', ['Basic realm="a", realm="b"'], [['basic', undefined, { realm: 'a' }]]],
    ['a name of every object', ['Basic __proto__="a"'], [['basic', undefined, { ['__proto__']: 'a' }]]],
  ])('%s', (_what, headers, expected) => {
    expect(read(...headers)).toEqual(expected);
  });

  it('what cannot be read ends it, without an error', () => {
    expect(read('NTLM, Basic realm="never closed, Negotiate').slice(0, 2)).toEqual([['ntlm', undefined, {}], ['basic', undefined, {}]]);
    for (const hostile of ['"', '=', ',=,', '\u0000NTLM', '(', 'Basic "', 'NTLM \u00e4']) expect(Array.isArray(challengesOf(hostile))).toBe(true);
  });

  it('of more than anybody sends is nothing, or the beginning', () => {
    expect(read(`NTLM ${'A'.repeat(16_384)}`)).toEqual([]);
    expect(read('a,'.repeat(8_000)).length).toBe(50);
    expect(read(`Basic ${'a=b,'.repeat(4_000)}`)).toEqual([]);
    expect(read(`Basic realm="${'\\'.repeat(16_000)}`).length).toBeLessThan(3);
    expect(read(`x${' '.repeat(16_000)}x`)).toEqual([['x', 'x', {}]]);
  });

  it('schemes are named for administrators, unknown ones not', () => {
    expect(schemesOf(challengesOf('Negotiate, NTLM, X-Secret-Canary a=b, Basic realm="canary"'))).toBe('Negotiate, NTLM, something else, Basic');
    expect(schemesOf([])).toBe('nothing');
  });
});
