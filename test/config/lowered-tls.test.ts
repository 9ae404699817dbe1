import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { EXCHANGE, MINIMAL, linesOf, load } from './temporary-bridge.ts';

const CLIENT = 'clients: [{ name: c, username: c, password: p }]\n';
const LOWERED = /is TLSv1(?:\.1)?: all that is said with this server, the password too, is readable by who can break that; keys below 2048 bits and certificates signed with SHA-1 .* put a proxy that speaks TLS 1\.2 in front/;

describe('tls.minVersion', () => {
  it('is of its own system alone, and warned of', async () => {
    const other = EXCHANGE.replace('exchange:', 'other:').replace('corp.example]', 'other.example]');
    const { systems, warnings } = await load(`systems:${EXCHANGE}\n    tls: { minVersion: TLSv1 }${other}\n    tls: { minVersion: TLSv1.2 }\n${CLIENT}`);
    expect(systems.map(({ name, minTlsVersion }) => [name, minTlsVersion])).toEqual([['exchange', 'TLSv1'], ['other', 'TLSv1.2']]);
    expect(warnings).toEqual([expect.stringMatching(LOWERED)]);
    expect(warnings[0]).toMatch(/^systems\.exchange\.tls\.minVersion: /);
  });

  it.each([
    ['zimbra', 'type: zimbra, url: "https://z.example", username: a, password: b'],
    ['exchange-webdav', 'type: exchange-webdav, url: "https://owa.example", username: a, password: b'],
    ['ifb', 'type: ifb, url: "https://x.example/{address}"'],
  ])('is for a %s too', async (_type, keys) => {
    const { systems, warnings } = await load(`systems: { a: { ${keys}, domains: [a.example], tls: { minVersion: TLSv1.1 } } }\n${CLIENT}`);
    expect(systems[0]?.minTlsVersion).toBe('TLSv1.1');
    expect(warnings).toEqual([expect.stringMatching(LOWERED)]);
  });

  it('comes to a gateway from its system, where it is warned of once, or stands at its own server', async () => {
    const presence = 'presence:\n  gateways:\n    - { description: a, type: ews, system: exchange }\n    - { description: b, type: ews, server: ews.own.example, account: X\\b, password: p, tls: { minVersion: TLSv1.1 } }\n';
    const config = await load(`systems:${EXCHANGE}\n    tls: { minVersion: TLSv1 }\n${CLIENT}${presence}`);
    expect(config.presence.gateways.map(({ minTlsVersion }) => minTlsVersion)).toEqual(['TLSv1', 'TLSv1.1']);
    expect(config.warnings.filter((line) => LOWERED.test(line)).map((line) => line.split(':')[0])).toEqual(['systems.exchange.tls.minVersion', 'presence.gateways[1].tls.minVersion']);
  });

  it('is neither for LDAP sources nor for issuers', async () => {
    const ldap = 'gal: { sources: [{ type: ldap, url: "ldaps://dc.corp.example", base: dc=x, tls: { minVersion: TLSv1 } }] }';
    expect(await linesOf(`${MINIMAL}${ldap}`)).toContain('gal.sources[0].tls.minVersion: there is no such key; keys here: ca');
  });
});

describe('a client that signs in by a certificate', () => {
  const kiosk = 'clients: [{ name: kiosk, auth: [certificate], certificate: { commonName: kiosk.example } }]\n';
  it('is warned of where no handshake reaches the bridge', async () => {
    const pem = { 'cert.pem': await readFile(new URL('../../fixtures/config/tls/cert.pem', import.meta.url)), 'key.pem': await readFile(new URL('../../fixtures/config/tls/key.pem', import.meta.url)) };
    const warningsOf = async (yaml: string): Promise<readonly string[]> => (await load(`${MINIMAL}${kiosk}publicUrl: https://bridge.example\n${yaml}`, {}, { ...pem, 'ca.pem': pem['cert.pem'] })).warnings;
    const tls = 'tls: { certificate: cert.pem, key: key.pem, clientCa: ca.pem }\n';
    expect(await warningsOf(`listen: http://127.0.0.1:80\n${tls}`)).toContain('clients[0].auth: certificate needs a listener of https, and there is none');
    expect(await warningsOf(`listen: https://192.0.2.1:443\n${tls}`)).toEqual([]);
  });
});
