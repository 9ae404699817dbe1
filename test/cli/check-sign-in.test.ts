import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { checkClient } from '../../src/cli/check-client.ts';
import { checkIssuers } from '../../src/cli/check-issuer.ts';
import { describeChecked } from '../../src/cli/checked.ts';
import type { ClientConfig, Config, IssuerConfig } from '../../src/config/config.ts';
import { Secret } from '../../src/config/secret.ts';
import { encodeScryptHash } from '../../src/core/scrypt-hash.ts';
import { CertificateWorkshop } from '../platform/certificate-workshop.ts';
import { signingKey } from '../platform/auth/bearer/issuing.ts';

const workshop = new CertificateWorkshop();
afterAll(() => workshop.remove());
const lasting = workshop.make({ subject: '/CN=Clients', isAuthority: true }).certificate;
const ending = workshop.make({ subject: '/CN=Clients', isAuthority: true, days: [-1, 5.5] }).certificate;
const ended = workshop.make({ subject: '/CN=Clients', isAuthority: true, days: [-9, -1] }).certificate;

const HTTPS = { protocol: 'https', host: '0.0.0.0', port: 443, isLoopback: false } as const;
const HTTP = { protocol: 'http', host: '127.0.0.1', port: 80, isLoopback: true } as const;
const hash = (cost: number): Secret => new Secret(encodeScryptHash({ cost, blockSize: 8, parallelism: 1, salt: Buffer.alloc(16), hash: Buffer.alloc(32) }));

/** What `check` says of a client, in one line. */
function lineOf(client: Partial<ClientConfig>, config: { readonly listen?: readonly object[]; readonly clientCa?: readonly string[]; readonly behindProxy?: boolean } = {}): string {
  const whole = { name: 'desk', anonymous: false, auth: ['certificate'], certificate: { commonName: 'desk' }, from: 'outside', mayAsk: ['exchange'], detail: 'busy-type', gal: 'none', presence: 'none', ...client } as ClientConfig;
  const around = { listen: config.listen ?? [HTTPS], behindProxy: config.behindProxy ?? false, tls: { certificate: '', key: new Secret(''), clientCa: config.clientCa }, systems: [{ name: 'zimbra', type: 'zimbra' }, { name: 'exchange', type: 'exchange-ews' }] } as unknown as Config;
  return describeChecked(checkClient(whole, around, Date.now()), false)[0]!;
}

describe('check, of a client with a certificate', () => {
  it('says what it is known by, and when its authority ends', () => {
    expect(lineOf({}, { clientCa: [lasting] })).toMatch(/^ok {4}client desk: rights: no user name from anywhere, signs in by certificate, .*; certificate: known by the common name desk; an authority of tls.clientCa ends in 99 days$/);
    expect(lineOf({ certificate: { fingerprint: 'ab' } }, { clientCa: [lasting] })).toContain('known by its fingerprint: renew it here together with the certificate');
    expect(lineOf({}, { clientCa: [lasting, ending] })).toMatch(/^warn {2}client desk: certificate: known by .* ends in 5 days → renew the authority, put the new one beside the old one in clientCa, then `reload`/);
    expect(lineOf({}, { clientCa: [ended] })).toMatch(/^fail {2}client desk: certificate: every authority in tls\.clientCa has ended/);
    expect(lineOf({}, { clientCa: [ended, lasting] })).toMatch(/^ok/);
  });

  it('fails where nothing could let it in, and warns where something else does', () => {
    expect(lineOf({}, { listen: [HTTP], clientCa: [lasting] })).toMatch(/^fail {2}client desk: certificate: cannot sign in by a certificate: no listener is https → /);
    expect(lineOf({}, { clientCa: [lasting], behindProxy: true })).toMatch(/^fail .*the handshake ends at the proxy/);
    expect(lineOf({}, {})).toMatch(/^fail .*nobody vouches for its certificate → write tls: \{ clientCa \}/);
    expect(lineOf({ auth: ['certificate', 'bearer'], token: { issuer: 'i', claims: { azp: 'a' } } }, { listen: [HTTP], clientCa: [lasting] })).toMatch(/^warn/);
  });
});

describe('check, of what else a client has', () => {
  it('says how dear its hash is', () => {
    const credentials = (cost: number) => ({ auth: ['basic'] as const, certificate: undefined, credentials: { username: 'desk', passwordHash: hash(cost) } });
    expect(lineOf(credentials(17))).toMatch(/^ok .*; passwordHash: scrypt, ln=17, 128 MiB$/);
    expect(lineOf(credentials(15))).toMatch(/^warn .*passwordHash: scrypt, ln=15, 32 MiB: cheap to guess → /);
    expect(lineOf({ ...credentials(17), credentials: { username: 'desk', passwordHash: new Secret('$scrypt$swordfish') } })).toMatch(/^fail .*passwordHash: should be what freebusy-bridge hash-password prints, beginning with \$scrypt\$ → make it anew/);
  });

  it('says which tokens are its own, and that they would travel in the clear', () => {
    const bearer = { auth: ['bearer'] as const, certificate: undefined, token: { issuer: 'https://login.example', claims: { azp: 'a', roles: 'r' } } };
    expect(lineOf(bearer)).toMatch(/^ok .*; token: of https:\/\/login\.example with azp a and roles r$/);
    expect(lineOf(bearer, { listen: [{ ...HTTP, isLoopback: false }] })).toMatch(/^fail .*TLS: its token would travel in the clear/);
  });

  it('warns of a server that could bring neither', () => {
    for (const from of ['zimbra', 'exchange']) expect(lineOf({ from }, { clientCa: [lasting] })).toMatch(/^warn .*sign-in: an? (?:Zimbra|Exchange) brings neither a token nor a certificate/);
    expect(lineOf({ auth: ['ntlm'], certificate: undefined, credentials: { username: 'desk', password: new Secret('p') } }, { behindProxy: true })).toMatch(/^fail .*sign-in: NTLM is not offered behind a proxy/);
  });
});

describe('check, of an issuer', () => {
  const used = (issuer: IssuerConfig) => [{ auth: ['bearer'], token: { issuer: issuer.issuer, claims: { azp: 'a' } } }] as unknown as readonly ClientConfig[];
  const lines = async (issuer: IssuerConfig, clients = used(issuer)): Promise<readonly string[]> => (await checkIssuers({ issuers: [issuer], clients } as unknown as Config)).flatMap((one) => describeChecked(one, false));
  async function at(answer: unknown): Promise<IssuerConfig> {
    const server = createServer((_request, response) => response.end(JSON.stringify(answer)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    return { issuer: 'https://sts.corp.example', audience: ['api://a', 'api://b'], jwksUri: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`) };
  }

  it('says how many keys it has, and of what kind', async () => {
    expect(await lines(await at({ keys: [signingKey('RS256').jwk, { ...signingKey('ES256').jwk, alg: 'ES256' }] }))).toEqual(['ok    issuer https://sts.corp.example: keys: 2 keys (RSA, EC P-256 for ES256); tokens are for api://a or api://b']);
    expect(await lines(await at({ keys: [{ ...signingKey('ES256').jwk, alg: 'ECDH-ES' }] }))).toEqual([expect.stringMatching(/^fail .* → have it sign with one of RS256, /)]);
  });

  it('says what to do where it does not answer, or answers something else', async () => {
    expect(await lines(await at({ error: 'no' }))).toEqual([expect.stringMatching(/^fail {2}issuer \S+: keys: not read \(BACKEND_MALFORMED: the issuer of tokens answers with something that is no JWK set .*\) → correct jwksUri$/)]);
    expect(await lines({ issuer: 'sts.corp.example', audience: ['a'] })).toEqual([expect.stringMatching(/CONFIGURATION: the issuer is no https URL .* → correct issuer, or write jwksUri$/)]);
    expect(await lines({ issuer: 'x', audience: ['a'], jwksUri: new URL('https://127.0.0.1:1/keys') })).toEqual([expect.stringMatching(/BACKEND_UNREACHABLE: the issuer cannot be reached, ECONNREFUSED\) → let this machine reach it/)]);
  });

  it('warns of one that nobody uses, without asking it', async () => {
    expect(await lines({ issuer: 'x', audience: ['a'] }, [])).toEqual(['warn  issuer x: clients: no client has tokens of this issuer → give one token: and auth: [bearer], or take the issuer out']);
  });
});
