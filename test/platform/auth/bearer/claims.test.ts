import { describe, expect, it } from 'vitest';
import { hasClaims } from '../../../../src/platform/auth/bearer/claims.ts';

const said = { azp: 'client-1', roles: ['FreeBusy.Read', 'Other'], scope: 'openid freebusy', scp: 'a b', note: 'x y', level: 5, isOn: true, nothing: null, deep: { azp: 'client-1' } };

describe('the claims of a client', () => {
  it.each<[Record<string, string>, boolean]>([
    [{ azp: 'client-1' }, true],
    [{ azp: 'client-1', roles: 'FreeBusy.Read' }, true],
    [{ azp: 'client-1', roles: 'FreeBusy.Write' }, false],
    [{ azp: 'Client-1' }, false],
    [{ azp: 'client' }, false],
    [{ azp: '' }, false],
    [{ scope: 'freebusy' }, true],
    [{ scope: 'openid freebusy' }, true],
    [{ scope: 'free' }, false],
    [{ scp: 'b' }, true],
    // Only lists of scopes are written so.
    [{ note: 'x' }, false],
    [{ level: '5' }, true],
    [{ isOn: 'true' }, true],
    [{ nothing: 'null' }, false],
    [{ deep: '[object Object]' }, false],
    [{ roles: 'FreeBusy.Read,Other' }, false],
    [{ missing: 'undefined' }, false],
    [{ constructor: 'x' }, false],
    [{ toString: 'x' }, false],
    [{}, false],
  ])('%j: %s', (claims, expected) => {
    expect(hasClaims(said, { issuer: 'any', claims })).toBe(expected);
  });
});
