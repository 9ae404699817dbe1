import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Authority } from '../platform/certificates.ts';
import { PASSWORD, PEOPLE, openFace } from '../protocols/ldap/face/world.ts';
import type { FaceWorld } from '../protocols/ldap/face/world.ts';
import { hasPeer } from './peer-world.ts';

const PYTHON = '/usr/bin/python3';
const SCRIPT = fileURLToPath(new URL('ldap-face-ask.py', import.meta.url));

let authority: Authority;
let folder: string;
let authorityFile: string;
let face: FaceWorld;
let secure: FaceWorld;

beforeAll(async () => {
  authority = new Authority('LDAP face');
  folder = mkdtempSync(join(tmpdir(), 'ldap-face-'));
  authorityFile = join(folder, 'ca.pem');
  writeFileSync(authorityFile, authority.certificate);
  const pem = authority.issue('/CN=127.0.0.1', 'IP:127.0.0.1,DNS:localhost', 10);
  face = await openFace({ tls: { ...pem, implicit: false } });
  secure = await openFace({ tls: { ...pem, implicit: true } });
});
afterAll(async () => {
  await Promise.all([face?.listener.close(100), secure?.listener.close(100)]);
  rmSync(folder, { recursive: true, force: true });
  authority.remove();
});

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

describe.skipIf(!hasPeer('ldapsearch', '-VV'))('ldapsearch of OpenLDAP (skipped where ldap-utils is not installed)', () => {
  const run = async (url: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Said> => {
    const options = { timeout: 15_000, env: { PATH: process.env['PATH'], LDAPTLS_CACERT: authorityFile, ...env } };
    return promisify(execFile)('ldapsearch', ['-x', '-LLL', '-o', 'ldif-wrap=no', '-H', url, ...args], options).then(
      ({ stdout, stderr }) => ({ code: 0, out: stdout, err: stderr }),
      (error: { code: number; stdout: string; stderr: string }) => ({ code: error.code, out: error.stdout, err: error.stderr }),
    );
  };
  const as = (username: string): readonly string[] => ['-D', `cn=${username},dc=bridge`, '-w', PASSWORD];
  const values = ({ out }: Said, name: string): readonly string[] =>
    [...out.matchAll(new RegExp(`^${name}(::?) (.*)$`, 'gm'))].map(([, colons, value = '']) => (colons === '::' ? Buffer.from(value, 'base64').toString() : value));

  it('finds people by StartTLS and by ldaps, verified, and by neither where it does not trust us', async () => {
    const args = [...as('zimbra'), '-b', '', '(|(cn=mül*)(sn=mül*)(gn=mül*)(mail=mül*))', 'cn', 'modifyTimeStamp'];
    for (const said of [await run(face.listener.url, ['-ZZ', ...args]), await run(secure.listener.url, args)]) {
      expect(said).toMatchObject({ code: 0, err: '' });
      expect(values(said, 'cn')).toEqual(['Anna Müller']);
      expect(values(said, 'modifyTimestamp')).toEqual(['20261129120000Z']);
    }
    const without = { LDAPTLS_CACERT: '/etc/hostname' };
    expect((await run(secure.listener.url, args, without)).code).not.toBe(0);
    expect((await run(face.listener.url, ['-ZZ', ...args], without)).code).not.toBe(0);
    // The listener is none the worse for it.
    expect((await run(face.listener.url, args)).code).toBe(0);
  });

  it('gets everybody page by page, each once', async () => {
    for (const size of [1, 3, 8, 9, 100]) {
      const said = await run(face.listener.url, [...as('zimbra'), '-b', 'dc=bridge', '-E', `!pr=${size}/noprompt`, '(objectClass=person)', 'mail']);
      expect(said).toMatchObject({ code: 0, err: '' });
      expect(values(said, 'mail')).toEqual(PEOPLE.map(({ address }) => address));
    }
  });

  it('is told where an answer is cut, and gets what there is', async () => {
    const cut = await run(face.listener.url, [...as('CORP\\\\bridge'), '-b', 'dc=bridge', '(mail=*)', 'mail']);
    expect(cut.code).toBe(4);
    expect(values(cut, 'mail')).toHaveLength(3);
    const own = await run(face.listener.url, [...as('zimbra'), '-z', '2', '-b', 'dc=bridge', '(mail=b*)', 'mail']);
    expect(own.code).toBe(4);
    expect(values(own, 'mail')).toHaveLength(2);
    expect((await run(face.listener.url, [...as('zimbra'), '-z', '3', '-l', '5', '-b', 'dc=bridge', '(mail=b*)', 'mail'])).code).toBe(0);
  });

  it.each<[string, readonly string[], number, number]>([
    ['the base alone', ['-b', 'dc=bridge', '-s', 'base'], 0, 1],
    ['what is below', ['-b', 'dc=bridge', '-s', 'one'], 0, 8],
    ['all of it from the root', ['-b', '', '-s', 'sub'], 0, 9],
    ['types only', ['-A', '-b', 'dc=bridge', '(cn=Blue*)'], 0, 1],
    ['operational attributes', ['-b', 'dc=bridge', '(cn=Blue*)', '+'], 0, 1],
    ['Zimbra’s filter ad', ['-b', 'dc=bridge', '(&(|(cn=*nn*)(mail=*nn*))(!(msExchHideFromAddressLists=TRUE))(|(objectCategory=person)(objectCategory=group)(objectCategory=publicFolder)))'], 0, 2],
    ['a star that is meant', ['-b', 'dc=bridge', '(cn=*\\2a*)'], 0, 1],
    ['NUL', ['-b', 'dc=bridge', '(cn=\\00*)'], 0, 0],
    ['another base', ['-b', 'dc=elsewhere'], 32, 0],
    ['a critical control', ['-b', 'dc=bridge', '-E', '!sss=cn'], 12, 0],
    ['another control', ['-b', 'dc=bridge', '-E', 'sss=cn', '(cn=Blue*)'], 0, 1],
  ])('%s', async (_what, args, code, count) => {
    const said = await run(face.listener.url, [...as('zimbra'), ...args]);
    expect([said.code, values(said, 'dn').length]).toEqual([code, count]);
  });

  it('types only has no values', async () => {
    const said = await run(face.listener.url, [...as('zimbra'), '-A', '-b', 'dc=bridge', '(cn=Blue*)', 'cn', 'mail', 'fax']);
    expect(said.out).toBe(`dn: uid=${PEOPLE[4]!.id},dc=bridge\ncn:\nmail:\n\n`);
  });

  it('gets in with the right password only', async () => {
    const code = async (...args: readonly string[]): Promise<number> => (await run(face.listener.url, [...args, '-b', 'dc=bridge', '-s', 'base'])).code;
    expect(await Promise.all([code('-D', 'cn=zimbra,dc=bridge', '-w', 'wrong'), code('-D', 'cn=nobody,dc=bridge', '-w', PASSWORD), code('-D', 'cn=zimbra,dc=bridge', '-w', ''), code(), code(...as('nogal')), code(...as('Lee\\, Kim'))])).toEqual([49, 49, 53, 50, 50, 0]);
    expect((await run(face.listener.url, ['-b', '', '-s', 'base', 'supportedExtension'])).out).toContain('1.3.6.1.4.1.1466.20037');
  });
});

describe.skipIf(!hasPeer(PYTHON, '-c', 'import ldap3'))('python3-ldap3 (skipped where Debian’s package is not installed)', () => {
  it('reads the root DSE, begins TLS, binds, asks who it is, searches, pages, compares, and changes nothing', async () => {
    const { stdout } = await promisify(execFile)(PYTHON, [SCRIPT, String(face.port), 'cn=zimbra,dc=bridge', PASSWORD, authorityFile], { timeout: 20_000 });
    expect(JSON.parse(stdout)).toMatchObject({
      started: true,
      bound: true,
      who: 'dn:cn=zimbra,dc=bridge',
      contexts: ['dc=bridge'],
      controls: ['1.2.840.113556.1.4.319'],
      found: [{ dn: `uid=${PEOPLE[0]!.id},dc=bridge`, attributes: { cn: ['Anna Müller'], mail: ['anna@corp.example'] } }],
      pages: PEOPLE.map(({ address }) => [address]).sort(),
      compared: true,
      changed: false,
      refused: 'unwillingToPerform',
      wrong: 'invalidCredentials',
    });
  });
});
