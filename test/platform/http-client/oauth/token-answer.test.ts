import { describe, expect, it } from 'vitest';
import { BridgeError } from '../../../../src/core/errors.ts';
import { LIMITS } from '../../../../src/core/limits.ts';
import { decodeTokenAnswer } from '../../../../src/platform/http-client/oauth/token-answer.ts';

const CANARY = 'canary-secret';

function read(status: number, body: unknown, headers: Record<string, string> = {}): unknown {
  try {
    return decodeTokenAnswer({ status, headers, body: Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) });
  } catch (error) {
    expect(error).toBeInstanceOf(BridgeError);
    const { code, temporary, details, retryAfterMs, publicMessage } = error as BridgeError;
    expect(JSON.stringify([publicMessage, details])).not.toContain(CANARY);
    return { code, temporary, ...details, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  }
}

const OK = { access_token: 'abc.DEF-123_~+/==', token_type: 'Bearer', expires_in: 3599 };

describe('a token', () => {
  it.each([
    ['of Entra', OK, 3_599_000],
    ['with more in it', { ...OK, ext_expires_in: 3599, scope: 'x' }, 3_599_000],
    ['of another spelling', { ...OK, token_type: 'bearer' }, 3_599_000],
    ['with its life as a text', { ...OK, expires_in: '3600' }, 3_600_000],
    ['without a life', { ...OK, expires_in: undefined }, LIMITS.tokenLifeUnknownMs],
    ['for a thousand years', { ...OK, expires_in: 1e12 }, LIMITS.tokenLongestLifeMs],
    ['that has ended', { ...OK, expires_in: 0 }, 0],
  ])('%s', (_what, answer, lifeMs) => {
    expect(read(200, answer)).toEqual({ token: OK.access_token, lifeMs });
  });

  it.each<[string, unknown]>([
    ['nothing', ''],
    ['HTML', '<html>logon</html>'],
    ['half an answer', JSON.stringify(OK).slice(0, -5)],
    ['a list', [OK]],
    ['null', null],
    ['a text', '"abc"'],
    ['bytes that are no UTF-8', Buffer.concat([Buffer.from('{"access_token":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')])],
    ['more than anybody sends', { ...OK, more: 'x'.repeat(70_000) }],
    ['no token', { token_type: 'Bearer' }],
    ['no type', { access_token: 'x' }],
    ['another type', { ...OK, token_type: 'mac' }],
    ['an empty token', { ...OK, access_token: '' }],
    ['a token that would be another header', { ...OK, access_token: 'a\r\nX-Evil: 1' }],
    ['a token with blanks', { ...OK, access_token: 'a b' }],
    ['a token that is a number', { ...OK, access_token: 7 }],
    ['a token of 20 KB', { ...OK, access_token: 'a'.repeat(20_000) }],
    ['a life before its birth', { ...OK, expires_in: -1 }],
    ['a life that is none', { ...OK, expires_in: 'soon' }],
    ['a life that is a list', { ...OK, expires_in: [3600] }],
    ['a type from the prototype', '{"__proto__":{"access_token":"x","token_type":"Bearer"}}'],
  ])('%s is none', (_what, body) => {
    expect(read(200, body)).toMatchObject({ code: 'BACKEND_MALFORMED' });
  });
});

describe('a refusal', () => {
  it.each<[string, number, unknown, Record<string, unknown>]>([
    ['of RFC 6749', 401, { error: 'invalid_client', error_description: CANARY }, { code: 'BACKEND_AUTH', temporary: false, reason: 'invalid_client' }],
    ['of Entra: the secret', 401, { error: 'invalid_client', error_description: `AADSTS7000215: Invalid client secret provided ${CANARY}` }, { code: 'BACKEND_AUTH', reason: 'invalid_client AADSTS7000215', hint: expect.stringContaining('not its id') }],
    ['of Entra: the secret has ended', 401, { error: 'invalid_client', error_description: 'AADSTS7000222: …' }, { hint: expect.stringContaining('has ended') }],
    ['of Entra: the application', 400, { error: 'unauthorized_client', error_description: 'AADSTS700016: …' }, { hint: expect.stringContaining('not known in this tenant') }],
    ['of Entra: a code nobody knows', 400, { error: 'invalid_request', error_description: 'AADSTS1234567: …' }, { reason: 'invalid_request AADSTS1234567', hint: expect.stringContaining('tokenUrl') }],
    ['the grant', 400, { error: 'unauthorized_client' }, { hint: expect.stringContaining('client credentials') }],
    ['the scope', 400, { error: 'invalid_scope' }, { hint: expect.stringContaining('scope') }],
    ['with a word nobody knows', 400, { error: CANARY, error_uri: CANARY }, { code: 'BACKEND_AUTH', hint: expect.any(String) }],
    ['with a word of every object', 400, { error: 'constructor' }, { code: 'BACKEND_AUTH', hint: expect.any(String) }],
    ['that is no JSON', 403, '<html>', { code: 'BACKEND_AUTH', status: 403 }],
    ['where there is no endpoint', 404, '', { code: 'BACKEND_AUTH', hint: 'there is no token endpoint at tokenUrl' }],
    ['that passes', 400, { error: 'temporarily_unavailable' }, { code: 'BACKEND_UNREACHABLE', temporary: true }],
    ['of a busy issuer', 429, '', { code: 'BACKEND_BUSY', temporary: true, retryAfterMs: 7_000 }],
    ['of an issuer that is down', 503, '', { code: 'BACKEND_BUSY', temporary: true }],
    ['of an issuer that fails', 500, { error: 'invalid_client' }, { code: 'BACKEND_UNREACHABLE', temporary: true }],
    ['that leads elsewhere', 302, '', { code: 'BACKEND_REDIRECT', temporary: false }],
  ])('%s', (_what, status, body, expected) => {
    expect(read(status, body, { 'retry-after': '7' })).toMatchObject(expected);
  });
});
