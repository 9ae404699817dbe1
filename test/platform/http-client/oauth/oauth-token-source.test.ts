import { generateKeyPairSync } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { decodeProtectedHeader } from 'jose';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../../../src/core/limits.ts';
import type { LogFields, Logger } from '../../../../src/core/logger.ts';
import { HttpClient } from '../../../../src/platform/http-client/http-client.ts';
import { openStream } from '../../../../src/platform/http-client/open-stream.ts';
import { OAuthTokenSource } from '../../../../src/platform/http-client/oauth/oauth-token-source.ts';
import type { OAuthTokenSourceOptions } from '../../../../src/platform/http-client/oauth/oauth-token-source.ts';
import { Authority } from '../../certificates.ts';
import { bodyOf, get, Opened } from '../servers.ts';

const SECRET = 'canary ä&=+:secret';
const opened = new Opened();
const authority = new Authority('tokens');
const pem = authority.issue('/CN=client', 'DNS:client', 10);
let [now, asked, tokens]: [number, { readonly form: URLSearchParams; readonly authorization: string | undefined }[], number] = [0, [], 0];
let logged: LogFields[] = [];
let answer: (response: ServerResponse, form: URLSearchParams, request: IncomingMessage) => unknown;
let tokenUrl: URL;

const grant = (response: ServerResponse, more: Record<string, unknown> = {}): void => void response.end(JSON.stringify({ access_token: `token-${++tokens}`, token_type: 'Bearer', expires_in: 3_600, ...more }));
const refuse = (response: ServerResponse, error: string, status = 400): void => void response.writeHead(status).end(JSON.stringify({ error, error_description: SECRET }));

beforeEach(async () => {
  [now, asked, tokens, logged] = [Date.UTC(2026, 2, 2), [], 0, []];
  answer = (response) => grant(response);
  tokenUrl = await opened.http(async (request, response) => {
    const form = new URLSearchParams(await bodyOf(request));
    asked.push({ form, authorization: request.headers.authorization });
    answer(response, form, request);
  });
});
afterEach(() => opened.close());
afterAll(() => authority.remove());

const note = (fields: LogFields): void => void logged.push(fields);
const logger: Logger = { debug: note, info: note, warn: note, error: note };

function source(more: Partial<OAuthTokenSourceOptions> = {}): OAuthTokenSource {
  const made = new OAuthTokenSource({ tokenUrl, clientId: 'cli ent', credential: { kind: 'secret', secret: SECRET }, scope: 'https://outlook.office365.com/.default', clock: { now: () => now }, logger, ...more });
  opened.add(() => made.close());
  return made;
}

const patient = (): AbortSignal => new AbortController().signal;

describe('a token', () => {
  it('is asked for with the secret in the body, and kept until shortly before its end', async () => {
    const tokensOf = source();
    expect(await tokensOf.token(patient())).toBe('token-1');
    expect(Object.fromEntries(asked[0]!.form)).toEqual({ grant_type: 'client_credentials', client_id: 'cli ent', client_secret: SECRET, scope: 'https://outlook.office365.com/.default' });
    expect(asked[0]!.authorization).toBeUndefined();
    now += 3_600_000 - LIMITS.tokenMarginMs - 1;
    expect(await tokensOf.token(patient())).toBe('token-1');
    now += 1;
    expect(await tokensOf.token(patient())).toBe('token-2');
  });

  it('of a short life is used for most of it; without one, for minutes', async () => {
    answer = (response) => grant(response, { expires_in: 20 });
    const tokensOf = source();
    await tokensOf.token(patient());
    now += 14_999;
    expect(await tokensOf.token(patient())).toBe('token-1');
    now += 1;
    answer = (response) => grant(response, { expires_in: undefined });
    expect(await tokensOf.token(patient())).toBe('token-2');
    now += LIMITS.tokenLifeUnknownMs;
    expect(await tokensOf.token(patient())).toBe('token-3');
  });

  it('is not believed in when the clock has been set back', async () => {
    const tokensOf = source();
    await tokensOf.token(patient());
    now -= 3_600_000;
    expect(await tokensOf.token(patient())).toBe('token-2');
  });

  it('is asked for once, however many wait; who gives up does not end it for the others', async () => {
    let release = (): void => undefined;
    answer = (response) => (release = () => grant(response));
    const tokensOf = source();
    const impatient = new AbortController();
    const gone = tokensOf.token(impatient.signal);
    const waiting = Array.from({ length: 1_000 }, () => tokensOf.token(patient()));
    impatient.abort();
    await expect(gone).rejects.toMatchObject({ code: 'DEADLINE' });
    await expect.poll(() => asked.length).toBe(1);
    release();
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['token-1']));
    expect(asked).toHaveLength(1);
  });

  it('that is refused is dropped; a second new one that is refused stays, so that nobody hammers the issuer', async () => {
    const tokensOf = source();
    const first = await tokensOf.token(patient());
    tokensOf.refused(first);
    tokensOf.refused('another');
    expect(await tokensOf.token(patient())).toBe('token-2');
    tokensOf.refused('token-2');
    expect(await tokensOf.token(patient())).toBe('token-2');
    now += LIMITS.tokenRefusedForMs;
    tokensOf.refused('token-2');
    expect(await tokensOf.token(patient())).toBe('token-3');
  });
});

describe('a failure', () => {
  it.each([
    ['a refusal', (r: ServerResponse): void => refuse(r, 'invalid_scope'), 'BACKEND_AUTH', LIMITS.tokenRefusedForMs],
    ['an issuer that fails', (r: ServerResponse): void => void r.writeHead(500).end(), 'BACKEND_UNREACHABLE', LIMITS.tokenAwayForMs],
    ['a busy issuer', (r: ServerResponse): void => void r.writeHead(429, { 'Retry-After': '42' }).end(), 'BACKEND_BUSY', 42_000],
    ['a busy issuer that asks for a day', (r: ServerResponse): void => void r.writeHead(503, { 'Retry-After': '86400' }).end(), 'BACKEND_BUSY', LIMITS.tokenLongestHoldMs],
    ['a redirect', (r: ServerResponse): void => void r.writeHead(302, { Location: 'http://127.0.0.1:1/' }).end(), 'BACKEND_REDIRECT', LIMITS.tokenRefusedForMs],
    ['an answer that breaks off', (r: ServerResponse): void => void r.writeHead(200, { 'Content-Length': '100' }).write('{', () => r.destroy()), 'BACKEND_MALFORMED', LIMITS.tokenAwayForMs],
  ] as const)('%s is remembered for its time, and logged without a secret', async (_what, fail, code, holdMs) => {
    answer = fail;
    const tokensOf = source();
    for (let nth = 0; nth < 3; nth++) await expect(tokensOf.token(patient())).rejects.toMatchObject({ code });
    expect(asked).toHaveLength(1);
    expect(logged).toEqual([expect.objectContaining({ code })]);
    expect(JSON.stringify(logged)).not.toContain('canary');
    answer = (response) => grant(response);
    now += holdMs - 1;
    await expect(tokensOf.token(patient())).rejects.toMatchObject({ code });
    now += 1;
    expect(await tokensOf.token(patient())).toBe('token-1');
  });

  it('an issuer that is not there, or is not trusted', async () => {
    await expect(source({ tokenUrl: new URL('http://127.0.0.1:1/token') }).token(patient())).rejects.toMatchObject({ code: 'BACKEND_UNREACHABLE', publicMessage: 'the issuer of tokens cannot be reached', details: { hint: expect.any(String) as unknown } });
  });

  it('one that breaks off is the issuer, and not the calendar system', async () => {
    answer = (response) => void response.destroy();
    await expect(source().token(patient())).rejects.toMatchObject({ code: 'BACKEND_MALFORMED', publicMessage: expect.stringContaining('the issuer of tokens') as unknown, details: { hint: expect.stringContaining('tokenUrl') as unknown } });
  });

  it.each([500, 503])('one that answers %d is the issuer, and the advice is about it', async (status) => {
    answer = (response) => void response.writeHead(status).end();
    await expect(source().token(patient())).rejects.toMatchObject({ details: { status, hint: expect.stringContaining('issuer') as unknown } });
  });
});

describe('another way of proving', () => {
  it('client_secret_basic where the issuer does not take the secret in the body, and kept to', async () => {
    answer = (response, form, request) => (form.has('client_secret') || request.headers.authorization === undefined ? refuse(response, 'invalid_client', 401) : grant(response));
    const tokensOf = source();
    expect(await tokensOf.token(patient())).toBe('token-1');
    // RFC 6749 §2.3.1 and appendix B.
    expect(Buffer.from(asked[1]!.authorization!.slice(6), 'base64').toString()).toBe('cli+ent:canary+%C3%A4%26%3D%2B%3Asecret');
    expect(asked[1]!.form.has('client_secret')).toBe(false);
    tokensOf.refused('token-1');
    expect(await tokensOf.token(patient())).toBe('token-2');
    expect(asked).toHaveLength(3);
  });

  it('a wrong secret is refused both ways; one that Entra names is tried once', async () => {
    answer = (response) => refuse(response, 'invalid_client', 401);
    await expect(source().token(patient())).rejects.toMatchObject({ code: 'BACKEND_AUTH', details: { reason: 'invalid_client' } });
    expect(asked).toHaveLength(2);
    answer = (response) => void response.writeHead(401).end(JSON.stringify({ error: 'invalid_client', error_description: 'AADSTS7000215: no' }));
    await expect(source().token(patient())).rejects.toMatchObject({ code: 'BACKEND_AUTH', details: { reason: 'invalid_client AADSTS7000215' } });
    expect(asked).toHaveLength(3);
  });

  it('RS256 where the issuer does not take PS256 (AD FS)', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const rsa = authority.issueFor(key, '/CN=rsa', 10);
    answer = (response, form) => (decodeProtectedHeader(form.get('client_assertion')!).alg === 'RS256' ? grant(response) : refuse(response, 'invalid_client'));
    expect(await source({ credential: { kind: 'certificate', certificate: rsa, key } }).token(patient())).toBe('token-1');
    expect(asked).toHaveLength(2);
  });

  it('a certificate and a key that are not a pair, or none at all, are a matter of the configuration', () => {
    const other = authority.issue('/CN=other', 'DNS:other', 10);
    for (const credential of [{ certificate: pem.certificate, key: other.key }, { certificate: 'none', key: pem.key }, { certificate: pem.certificate, key: 'none' }]) {
      expect(() => source({ credential: { kind: 'certificate', ...credential } })).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }));
    }
  });
});

describe('requests with a token', () => {
  const seen: (string | undefined)[] = [];
  let valid = '';
  let challenge = 'Bearer error="invalid_token"';
  let url: URL;

  beforeEach(async () => {
    seen.length = 0;
    [valid, challenge] = ['Bearer token-1', 'Bearer error="invalid_token"'];
    url = await opened.http(async (request, response) => {
      seen.push(`${request.headers.authorization ?? '-'} ${await bodyOf(request)}`);
      if (request.headers.authorization === valid) response.end('there');
      else response.writeHead(401, { 'WWW-Authenticate': challenge, 'x-ms-diagnostics': '2000003;reason="canary";error_category="invalid_app_token"' }).end('no');
    });
  });

  function client(): HttpClient {
    const made = new HttpClient({ authentication: { kind: 'bearer', account: 'client', tokens: source() } });
    opened.add(() => made.close());
    return made;
  }

  it('carry it; one that is refused is sent once more with the next', async () => {
    const http = client();
    expect((await http.request(get(url, { method: 'POST', body: 'q' }))).status).toBe(200);
    valid = 'Bearer token-2';
    expect((await http.request(get(url, { method: 'POST', body: 'q', once: true }))).status).toBe(200);
    expect(seen).toEqual(['Bearer token-1 q', 'Bearer token-1 q', 'Bearer token-2 q']);
  });

  it('that are refused even so are answers, with words for the administrator', async () => {
    valid = 'none';
    const http = client();
    const answered = await http.request(get(url));
    expect(answered.status).toBe(401);
    expect(answered.refusal).toMatchObject({ code: 'BACKEND_AUTH', details: { reason: 'invalid_app_token', offers: 'Bearer', hint: expect.stringContaining('permissions of the application') as unknown } });
    for (let nth = 0; nth < 5; nth++) await http.request(get(url));
    expect(asked.length).toBeLessThanOrEqual(2);
    challenge = 'Negotiate';
    expect((await http.request(get(url))).refusal).toMatchObject({ details: { hint: expect.stringContaining('takes no tokens') as unknown } });
  });

  it('are not sent where the issuer gives none', async () => {
    answer = (response) => refuse(response, 'unauthorized_client');
    await expect(client().request(get(url))).rejects.toMatchObject({ code: 'BACKEND_AUTH', publicMessage: 'the issuer gives the bridge no token' });
    expect(seen).toEqual([]);
  });

  it('a stream carries one too', async () => {
    valid = 'Bearer token-2';
    const tokensOf = source();
    const stream = await openStream({ authentication: { kind: 'bearer', account: 'client', tokens: tokensOf } }, { url, headers: {}, body: 'q', silenceMs: 5_000, signal: patient() });
    expect([stream.status, (await stream.whole()).toString()]).toEqual([200, 'there']);
    await stream.close();
  });
});
