import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { MINIMAL, linesOf, load } from './temporary-bridge.ts';

const HASH = `$scrypt$ln=17,r=8,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`;
const ISSUERS = 'issuers: [{ issuer: "https://i.example", audience: api }]\n';
const client = (keys: string, more = '') => `${MINIMAL}${more}clients: [{ name: one, ${keys} }]`;
const TOKEN = 'token: { issuer: "https://i.example", claims: { azp: abc } }';
const TLS = 'listen: https://127.0.0.1:8443\ntls: { certificate: c.pem, key: k.pem, clientCa: c.pem }\n';
const pem = (name: string) => readFile(new URL(`../../fixtures/config/tls/${name}.pem`, import.meta.url), 'utf8');
const files = async () => ({ 'c.pem': await pem('cert'), 'k.pem': await pem('key') });

describe('a client signs in', () => {
  it('with a hash in place of its password, without showing it', async () => {
    const [one] = (await load(client(`username: u, passwordHash: "${HASH}"`))).clients;
    expect([one?.auth, one?.anonymous, one?.credentials?.password, one?.credentials?.passwordHash?.reveal()]).toEqual([['basic'], false, undefined, HASH]);
    expect(await linesOf(client('username: u, passwordHash: "CANARY"'))).toEqual(['clients[0].passwordHash: should be what freebusy-bridge hash-password prints, beginning with $scrypt$']);
  });

  it('by a token of an issuer, or by a certificate', async () => {
    const [one] = (await load(client(TOKEN, ISSUERS))).clients;
    expect(one).toMatchObject({ auth: ['bearer'], anonymous: false, credentials: undefined, token: { issuer: 'https://i.example', claims: { azp: 'abc' } } });
    const [two] = (await load(client('certificate: { alternativeName: Kiosk.corp.example }', TLS), {}, await files())).clients;
    expect(two).toMatchObject({ auth: ['certificate'], certificate: { alternativeName: 'kiosk.corp.example' } });
    const [three] = (await load(client(`certificate: { fingerprint: "${'AB:'.repeat(31)}ab" }`, TLS), {}, await files())).clients;
    expect(three?.certificate?.fingerprint).toBe('ab'.repeat(32));
  });

  it.each([
    ['password and hash', `username: u, password: p, passwordHash: "${HASH}"`, ['clients[0].passwordHash: does not go with password; leave one of them out']],
    ['ntlm by a hash', `username: u, passwordHash: "${HASH}", auth: [ntlm]`, ['clients[0].passwordHash: does not go with auth: ntlm, which needs the password itself; write password, or leave ntlm out']],
    ['bearer without a token', 'auth: [bearer]', [expect.stringContaining('clients[0].username: is missing'), expect.stringContaining('clients[0].password: is missing'), 'clients[0].token: is missing; auth: bearer needs token: { issuer, claims }']],
    ['a token that nobody looks at', `username: u, password: p, auth: [basic], ${TOKEN}`, ['clients[0].token: is never looked at: auth does not list bearer']],
    ['two ways in and no auth', `username: u, password: p, ${TOKEN}`, ['clients[0].auth: is missing; a client with several ways in says which of them count, e.g. [basic, bearer]']],
    ['an issuer that is none', 'token: { issuer: "https://other.example", claims: { azp: a } }', ['clients[0].token.issuer: "https://other.example" is none of issuers; there are: https://i.example']],
    ['a token of nobody', 'token: { issuer: "https://i.example", claims: {} }', ['clients[0].token.claims: is empty; without a claim every token of this issuer would be this client; write e.g. { azp: CLIENT-ID }']],
    ['a certificate that nobody vouches for', 'certificate: { commonName: x }', ['clients[0].certificate: needs tls.clientCa: the authorities that vouch for clients (PEM)']],
    ['a certificate by two marks', 'certificate: { commonName: x, alternativeName: y }', ['clients[0].certificate: should have one of fingerprint, commonName and alternativeName']],
    ['an anonymous one with a token', `anonymous: true, addresses: [192.0.2.1], ${TOKEN}`, ['clients[0].token: does not go with anonymous: true; leave one of them out']],
  ])('but not with %s', async (_what, keys, lines) => {
    expect(await linesOf(client(keys, ISSUERS))).toEqual(lines);
  });

  it('not by a certificate behind a proxy, where the handshake ends', async () => {
    expect(await linesOf(client('certificate: { commonName: x }', `behindProxy: true\n${TLS}`), {}, await files())).toEqual(['clients[0].certificate: does not go with behindProxy: true: the handshake ends at the proxy']);
  });

  it('issuers: each once, with one audience or several', async () => {
    const { issuers } = await load(`${MINIMAL}issuers: [{ issuer: "https://i.example", audience: [a, b], jwksUri: "https://i.example/keys" }, { issuer: other, audience: c, jwksUri: "https://other.example/keys" }]`);
    expect(issuers).toMatchObject([{ audience: ['a', 'b'], jwksUri: new URL('https://i.example/keys') }, { issuer: 'other', audience: ['c'] }]);
    expect(await linesOf(`${MINIMAL}issuers: [{ issuer: "https://x.example", audience: a }, { issuer: "https://x.example", audience: b }]`)).toEqual(['issuers[1].issuer: is there already; every issuer once']);
    expect(await linesOf(`${MINIMAL}issuers: [{ issuer: x, audience: a }]`)).toEqual(['issuers[0].jwksUri: is missing; an issuer that is no https URL has no metadata that says where its keys are']);
  });
});

it('privacy and audit', async () => {
  const config = await load(`${MINIMAL}    detail: free-busy\n    cacheFor: 0s\n    staleFor: 2h\n    concurrency: 3\nprivacy: { exclude: [CEO@corp.example, ceo@corp.example] }\naudit: { lookups: false, fileMegabytes: 1, files: 2 }`);
  expect(config.systems[0]).toMatchObject({ detail: 'free-busy', cacheForMs: 0, staleForMs: 7_200_000, concurrency: 3 });
  expect([config.privacy, config.audit]).toEqual([{ exclude: ['ceo@corp.example'] }, { lookups: false, fileBytes: 1_048_576, files: 2 }]);
});
