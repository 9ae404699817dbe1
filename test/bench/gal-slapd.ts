import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSlapd, writeManyPeople } from '../peers/slapd.ts';
import type { Slapd } from '../peers/slapd.ts';

/** What an administrator gives a directory that people search by beginnings of names and addresses. */
const INDEXES = ['index sn,givenName,mail eq,sub,approx'];

/** A slapd with so many people beside those of its tree (they begin with p000000@corp.example). */
export async function startManySlapd(people: number): Promise<Slapd> {
  const folder = mkdtempSync(join(tmpdir(), 'gal-bench-'));
  try {
    const ldif = join(folder, 'people.ldif');
    await writeManyPeople(ldif, people);
    return await startSlapd({ tree: 'ad', ldif, directives: INDEXES });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** OpenLDAP's own client reads everybody who has an address, page by page; how many ms it took. */
export async function everybodyByLdapsearch({ url, bindDn, password, base }: Slapd): Promise<number> {
  const started = performance.now();
  const child = spawn('ldapsearch', ['-x', '-LLL', '-H', url.href, '-D', bindDn, '-w', password, '-b', base, '-E', 'pr=1000/noprompt', '(mail=*)', '*', '+'], { stdio: 'ignore' });
  const [status] = (await once(child, 'exit')) as [number | null];
  if (status !== 0) throw new Error(`ldapsearch ended with ${status}`);
  return performance.now() - started;
}
