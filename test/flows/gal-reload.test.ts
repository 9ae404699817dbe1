import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Authority } from '../platform/certificates.ts';
import { runCommand } from './bridge-process.ts';
import type { Ended } from './bridge-process.ts';
import { addressesIn, apiFinds, curl, ldapsearch, zimbraLdap } from './directory-askers.ts';
import { ASKERS, becomes, hasSlapd, openTwoDirectories } from './two-directories.ts';
import type { GalBridge, TwoDirectories } from './two-directories.ts';
import { freePort } from '../local-ports.ts';

const run = promisify(execFile);
const { zimbra, sync } = ASKERS;

/** configuration.md: "SIGHUP or reload applies a changed file without dropping a request; a bad file leaves the running configuration in force". */
describe.skipIf(!hasSlapd)('a changed file, for the address book (skipped without slapd)', () => {
  let world: TwoDirectories;
  let bridge: GalBridge;
  let gal: { readonly sources: readonly Record<string, unknown>[]; readonly ldap: unknown };
  const authority = new Authority('The authority of the address book');
  const stranger = new Authority('Somebody else');
  beforeAll(async () => {
    world = await openTwoDirectories();
    bridge = await world.start();
    gal = world.config()['gal'] as typeof gal;
  }, 60_000);
  afterAll(async () => {
    await bridge?.stop();
    await world?.close();
    authority.remove();
    stranger.remove();
  });

  const reload = async (more: Record<string, unknown>): Promise<Ended> => {
    await bridge.write(world.config(more));
    return runCommand(['reload', '--config', bridge.file]);
  };
  const finds = async (text: string, url = bridge.ldapUrl): Promise<readonly string[]> => zimbraLdap(url, zimbra, text);
  /** 255 is "cannot be reached" in ldapsearch's own words. */
  const isClosed = async (url: string): Promise<boolean> => (await ldapsearch(url, zimbra, '(mail=anna@corp.example)')).code === 255;
  const showsCertificate = async (port: number): Promise<string> => {
    const asked = run('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-showcerts'], { timeout: 10_000 });
    asked.child.stdin!.end();
    const { stdout } = await asked.catch((error: { stdout: string }) => error);
    return /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/.exec(stdout)?.[0] ?? stdout;
  };

  it('sources come and go, and whoever is in them; those that stay are not read anew', async () => {
    await writeFile(join(bridge.folder, 'extra.csv'), 'Display Name,Email Address\nXaver Extra,xaver@partner.example\n');
    expect(await apiFinds(bridge.url, sync, 'red')).toEqual(['red@zimbra.example']);
    expect(await reload({ gal: { ...gal, sources: [gal.sources[0], { type: 'file', path: 'extra.csv' }] } })).toMatchObject({ code: 0 });
    await becomes(async () => [await apiFinds(bridge.url, sync, 'xaver'), await apiFinds(bridge.url, sync, 'red'), await apiFinds(bridge.url, sync, 'bernd')], (found) => JSON.stringify(found) === JSON.stringify([['xaver@partner.example'], [], ['bernd@corp.example']]), 20_000);
    expect(await finds('xaver')).toEqual(['xaver@partner.example']);
    expect(await reload({})).toMatchObject({ code: 0 });
    await becomes(async () => [await apiFinds(bridge.url, sync, 'xaver'), await apiFinds(bridge.url, sync, 'red')], (found) => JSON.stringify(found) === JSON.stringify([[], ['red@zimbra.example']]), 20_000);
  }, 60_000);

  it('who may look is decided anew, also for those who have bound', async () => {
    const clients = (world.config()['clients'] as readonly Record<string, unknown>[]).map((one) => (one['name'] === 'zimbra' ? { ...one, gal: 'none' } : one));
    expect(await reload({ clients })).toMatchObject({ code: 0 });
    expect((await ldapsearch(bridge.ldapUrl, zimbra, '(cn=anna*)')).code).toBe(50);
    expect((await curl(bridge.url, '/api/v1/directory?q=anna', zimbra)).status).toBe(403);
    expect(await reload({})).toMatchObject({ code: 0 });
    expect(await finds('anna')).toEqual(['anna@corp.example']);
  });

  it('the LDAP face moves, goes and comes', async () => {
    const port = await freePort();
    const moved = `ldap://127.0.0.1:${port}`;
    const { code, stdout } = await reload({ gal: { ...gal, ldap: { listen: moved } } });
    expect([code, stdout]).toEqual([0, expect.stringContaining(`listening on ${moved}`)]);
    expect(await finds('anna', moved)).toEqual(['anna@corp.example']);
    expect(await isClosed(bridge.ldapUrl)).toBe(true);
    // Another base on the same port.
    expect(await reload({ gal: { ...gal, ldap: { listen: moved, base: 'o=people' } } })).toMatchObject({ code: 0 });
    const { stdout: other } = await run('ldapsearch', ['-x', '-LLL', '-H', moved, '-D', `cn=${zimbra.username},o=people`, '-w', zimbra.password, '-b', 'o=people', '(mail=anna@corp.example)', 'mail']);
    expect(other).toMatch(/^dn: .*,o=people$/m);
    expect(await reload({ gal: { sources: gal.sources } })).toMatchObject({ code: 0 });
    expect(await isClosed(moved)).toBe(true);
    expect(await apiFinds(bridge.url, zimbra, 'anna')).toEqual(['anna@corp.example']);
    expect(await reload({ gal: { ...gal, ldap: { listen: moved } } })).toMatchObject({ code: 0 });
    expect(await finds('anna', moved)).toEqual(['anna@corp.example']);
  }, 60_000);

  it('its certificate changes, for StartTLS and for ldaps, which ldapsearch verifies', async () => {
    const [plain, secure] = [await freePort(), await freePort()];
    await writeFile(join(bridge.folder, 'ca.pem'), authority.certificate);
    const certify = async (by: Authority): Promise<string> => {
      const { certificate, key } = by.issue('/CN=127.0.0.1', 'IP:127.0.0.1', 10);
      await Promise.all([writeFile(join(bridge.folder, 'cert.pem'), certificate), writeFile(join(bridge.folder, 'key.pem'), key)]);
      return certificate.trim();
    };
    const trusting = async (url: string, ...options: readonly string[]): Promise<number> =>
      run('ldapsearch', ['-x', '-LLL', '-H', url, ...options, '-D', `cn=${zimbra.username},dc=bridge`, '-w', zimbra.password, '-b', 'dc=bridge', '(mail=anna@corp.example)', 'mail'], { env: { ...process.env, LDAPTLS_CACERT: join(bridge.folder, 'ca.pem'), LDAPTLS_REQCERT: 'demand' } }).then(
        ({ stdout }) => (stdout.includes('anna@corp.example') ? 0 : -1),
        (error: { code: number }) => error.code,
      );
    const tls = { certificate: 'cert.pem', key: 'key.pem' };
    const first = await certify(authority);
    expect(await reload({ tls, gal: { ...gal, ldap: { listen: `ldap://127.0.0.1:${plain}` } } })).toMatchObject({ code: 0 });
    expect(await trusting(`ldap://127.0.0.1:${plain}`, '-ZZ')).toBe(0);
    expect(await reload({ tls, gal: { ...gal, ldap: { listen: `ldaps://127.0.0.1:${secure}` } } })).toMatchObject({ code: 0 });
    expect(await trusting(`ldaps://127.0.0.1:${secure}`)).toBe(0);
    expect(await showsCertificate(secure)).toBe(first);
    const second = await certify(stranger);
    expect(await reload({ tls, gal: { ...gal, ldap: { listen: `ldaps://127.0.0.1:${secure}` } } })).toMatchObject({ code: 0 });
    expect(await showsCertificate(secure)).toBe(second);
    expect(await trusting(`ldaps://127.0.0.1:${secure}`)).not.toBe(0);
    // The same port without TLS from the beginning: nothing else can be open there meanwhile.
    await certify(authority);
    expect(await reload({ tls, gal: { ...gal, ldap: { listen: `ldap://127.0.0.1:${secure}` } } })).toMatchObject({ code: 0 });
    expect(await trusting(`ldap://127.0.0.1:${secure}`, '-ZZ')).toBe(0);
  }, 60_000);

  it('a bad file leaves everything as it was', async () => {
    const port = await freePort();
    const here = `ldap://127.0.0.1:${port}`;
    expect(await reload({ gal: { ...gal, ldap: { listen: here } } })).toMatchObject({ code: 0 });
    const pem = authority.issue('/CN=127.0.0.1', 'IP:127.0.0.1', 10);
    await Promise.all([writeFile(join(bridge.folder, 'cert.pem'), pem.certificate), writeFile(join(bridge.folder, 'key.pem'), pem.key)]);
    const tls = { certificate: 'cert.pem', key: 'key.pem' };
    const one = gal.sources[0]!;
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const bad: readonly (readonly [string, Record<string, unknown>])[] = [
      ['an unknown home', { gal: { ...gal, sources: [{ ...one, home: 'nowhere' }] } }],
      ['a source twice', { gal: { ...gal, sources: [one, one] } }],
      ['a password without a name', { gal: { ...gal, sources: [{ ...one, bindDn: undefined }] } }],
      ['an unknown attribute', { gal: { ...gal, sources: [{ ...one, attributes: { shoeSize: 'x' } }] } }],
      ['a filter that is not closed', { gal: { ...gal, sources: [{ ...one, filter: '(&(mail=*)' }] } }],
      ['two filters', { gal: { ...gal, sources: [{ ...one, filter: '(mail=*)(cn=*)' }] } }],
      ['a filter without parentheses', { gal: { ...gal, sources: [{ ...one, filter: 'mail=*' }] } }],
      ['a port that is taken', { gal: { ...gal, ldap: { listen: `ldap://127.0.0.1:${(taken.address() as AddressInfo).port}` } } }],
      ['another source, and a port that is taken', { gal: { sources: [gal.sources[1]], ldap: { listen: `ldap://127.0.0.1:${(taken.address() as AddressInfo).port}` } } }],
      ['plain LDAP beyond this machine', { gal: { ...gal, ldap: { listen: 'ldap://0.0.0.0:3890' } } }],
      ['ldaps without a certificate', { gal: { ...gal, ldap: { listen: `ldaps://127.0.0.1:${port}` } } }],
      ['a base that is no name', { gal: { ...gal, ldap: { listen: here, base: 'dc=bridge,,' } } }],
      ['the same port with TLS and a base that is no name', { tls, gal: { ...gal, ldap: { listen: here, base: 'dc=bridge,nonsense' } } }],
      ['a base that is no name, and another source', { gal: { sources: [gal.sources[1]], ldap: { listen: here, base: 'dc=bridge,nonsense' } } }],
      ['the same port with TLS and a base that cannot be read', { tls, gal: { ...gal, ldap: { listen: here, base: 'dc=a<b' } } }],
      ['a base that cannot be read, and another source', { gal: { sources: [gal.sources[1]], ldap: { listen: here, base: 'dc=a<b' } } }],
      ['bounds out of bounds', { gal: { ...gal, search: { minimumLength: 0 } } }],
    ];
    for (const [what, more] of bad) {
      const { code, stdout, stderr } = await reload(more);
      expect(code, `${what}: ${stdout}${stderr}`).not.toBe(0);
      expect(stdout + stderr, what).toMatch(/gal|taken|base/);
      expect(await finds('anna', here), what).toEqual(['anna@corp.example']);
      expect(await apiFinds(bridge.url, sync, 'red'), what).toEqual(['red@zimbra.example']);
    }
    await bridge.write('{{{');
    expect((await runCommand(['reload', '--config', bridge.file])).code).not.toBe(0);
    expect(addressesIn(await ldapsearch(here, zimbra, '(mail=anna@corp.example)'))).toEqual(['anna@corp.example']);
    await new Promise((resolve) => taken.close(resolve));
    // And nothing is left in the way of the next good one.
    expect(await reload({ tls, gal: { ...gal, ldap: { listen: here } } })).toMatchObject({ code: 0 });
    expect(await finds('anna', here)).toEqual(['anna@corp.example']);
    expect(await reload({})).toMatchObject({ code: 0 });
  }, 120_000);
});
