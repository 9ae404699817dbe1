import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../local-ports.ts';

/** For `describe.skipIf(!hasContactSlapd)`. With REQUIRE_PEERS a missing one is a failure. */
export const hasContactSlapd = process.env['REQUIRE_PEERS'] === '1' || (existsSync('/usr/sbin/slapd') && existsSync('/usr/bin/ldapmodify'));

export const CONTACT_SUFFIX = 'dc=corp,dc=example';

/** A slapd with contacts as Active Directory has them. */
export interface ContactSlapd {
  /** Gives LDIF to ldapmodify; what it said where it refused. */
  modify(ldif: string): string;
  /** What ldapsearch prints of everything below the suffix. */
  search(): string;
  close(): Promise<void>;
}

/** @throws Error where it does not answer within 20 s */
export async function startContactSlapd(tree: string): Promise<ContactSlapd> {
  const folder = mkdtempSync(join(tmpdir(), 'contact-slapd-'));
  mkdirSync(join(folder, 'db'));
  writeFileSync(join(folder, 'slapd.conf'), [...['core', 'cosine', 'inetorgperson'].map((name) => `include /etc/ldap/schema/${name}.schema`), `include ${join(import.meta.dirname, 'contact.schema')}`, 'modulepath /usr/lib/ldap', 'moduleload back_mdb', 'database mdb', `suffix "${CONTACT_SUFFIX}"`, `rootdn "cn=admin,${CONTACT_SUFFIX}"`, 'rootpw admin', `directory ${folder}/db`, 'dbnosync', ''].join('\n'));
  const loaded = spawnSync('/usr/sbin/slapadd', ['-q', '-f', join(folder, 'slapd.conf')], { input: tree, encoding: 'utf8' });
  if (loaded.status !== 0) throw new Error(`slapadd: ${loaded.stderr}`);
  const url = `ldap://127.0.0.1:${await freePort()}`;
  const child = spawn('/usr/sbin/slapd', ['-d', '0', '-h', url, '-f', join(folder, 'slapd.conf')], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  const ldap = (program: string, args: readonly string[], input = ''): { readonly status: number | null; readonly stdout: string; readonly stderr: string } =>
    spawnSync(program, ['-x', '-H', url, '-D', `cn=admin,${CONTACT_SUFFIX}`, '-w', 'admin', ...args], { input, encoding: 'utf8' });
  const close = async (): Promise<void> => {
    child.kill('SIGTERM');
    const hard = setTimeout(() => child.kill('SIGKILL'), 5_000);
    await ended;
    clearTimeout(hard);
    rmSync(folder, { recursive: true, force: true });
  };
  for (const end = performance.now() + 20_000; ldap('ldapsearch', ['-b', '', '-s', 'base', '1.1']).status !== 0; await new Promise((resolve) => setTimeout(resolve, 50))) {
    if (performance.now() < end && child.exitCode === null) continue;
    await close();
    throw new Error('slapd did not start');
  }
  return {
    modify: (ldif) => {
      const { status, stderr } = ldap('ldapmodify', [], ldif);
      return status === 0 ? '' : stderr;
    },
    search: () => ldap('ldapsearch', ['-L', '-b', CONTACT_SUFFIX, '(objectClass=*)']).stdout,
    close,
  };
}
