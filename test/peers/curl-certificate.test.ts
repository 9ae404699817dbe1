import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeScryptHash } from '../../src/core/scrypt-hash.ts';
import { hashPassword } from '../../src/platform/auth/scrypt.ts';
import { runCommand } from '../flows/bridge-process.ts';
import { CertificateWorkshop } from '../platform/certificate-workshop.ts';
import type { Made } from '../platform/certificate-workshop.ts';
import { hasPeer, openPeerWorld } from './peer-world.ts';
import type { PeerWorld } from './peer-world.ts';

const run = promisify(execFile);
const HAS_CURL = hasPeer('curl', '--version');

const API = '/api/v1/freebusy?mailbox=anna@corp.example&start=2026-03-02T08:00:00Z&end=2026-03-02T12:00:00Z';
const EWS = '/EWS/Exchange.asmx';

describe.skipIf(!HAS_CURL)('curl --cert (skipped where there is none)', () => {
  const workshop = new CertificateWorkshop();
  const authority = workshop.make({ subject: '/CN=Clients', isAuthority: true });
  const renewed = workshop.make({ subject: '/CN=Clients of next year', isAuthority: true });
  const server = workshop.make({ subject: '/CN=bridge', by: authority, names: 'IP:127.0.0.1' });
  const made: Readonly<Record<string, Made>> = {
    desk: workshop.make({ subject: '/O=Corp/CN=desk.corp.example', by: authority }),
    ended: workshop.make({ subject: '/O=Corp/CN=desk.corp.example', by: authority, days: [-10, -1] }),
    stranger: workshop.make({ subject: '/O=Corp/CN=desk.corp.example' }),
    next: workshop.make({ subject: '/O=Corp/CN=desk.corp.example', by: renewed }),
  };
  let world: PeerWorld;
  let folder: string;
  let config: Record<string, unknown>;

  /** Statuses of the questions, asked on one connection. */
  async function curl(name: string | undefined, paths: readonly string[], ...args: readonly string[]): Promise<readonly number[]> {
    const certificate = name === undefined ? [] : ['--cert', join(folder, `${name}.pem`), '--key', join(folder, `${name}.key`)];
    const { stdout } = await run('curl', ['--silent', '--max-time', '15', '--cacert', join(folder, 'ca.pem'), ...certificate, ...args, '--write-out', '%{http_code} ', ...paths.flatMap((path) => ['--output', '/dev/null', world.bridge.urls[1]! + path])]);
    return stdout.trim().split(' ').map(Number);
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'curl-certificate-'));
    await writeFile(join(folder, 'ca.pem'), authority.certificate);
    for (const [name, one] of Object.entries(made)) {
      await writeFile(join(folder, `${name}.pem`), one.certificate);
      await writeFile(join(folder, `${name}.key`), one.key);
    }
    config = {
      listen: ['http://127.0.0.1:0', 'https://127.0.0.1:0'],
      tls: { certificate: 'cert.pem', key: 'key.pem', clientCa: 'clients.pem' },
      clients: [
        { name: 'desk', certificate: { commonName: 'desk.corp.example' }, auth: ['certificate'], mayAsk: ['exchange'] },
        { name: 'hashed', username: 'hashed', passwordHash: encodeScryptHash(await hashPassword('pw of hashed', 14)), mayAsk: ['exchange'] },
      ],
    };
    world = await openPeerWorld(config, { files: { 'cert.pem': server.certificate, 'key.pem': server.key, 'clients.pem': authority.certificate } });
  });

  afterAll(async () => {
    await world.close();
    workshop.remove();
    await rm(folder, { recursive: true });
  });

  it.each(['1.2', '1.3'])('signs in over TLS %s, for every question on its connection and on every face', async (version) => {
    expect(await curl('desk', [API, EWS, API], `--tlsv${version}`, '--tls-max', version)).toEqual([200, 200, 200]);
  });

  it('without a certificate, with one that has ended, or with one that it made itself is asked to sign in', async () => {
    for (const name of [undefined, 'ended', 'stranger', 'next']) expect([name, await curl(name, [API])]).toEqual([name, [401]]);
    expect(world.bridge.process.stderr + world.bridge.process.stdout).toContain('CERT_HAS_EXPIRED');
  });

  it('signs in by a password of which the bridge knows the hash, with a certificate or without', async () => {
    expect(await curl(undefined, [API, API], '--user', 'hashed:pw of hashed')).toEqual([200, 200]);
    expect(await curl('desk', [API], '--user', 'hashed:wrong')).toEqual([401]);
    expect(await curl('stranger', [API], '--user', 'hashed:pw of hashed')).toEqual([200]);
  });

  it('openssl is told whose certificates are wanted', () => {
    const { host } = new URL(world.bridge.urls[1]!);
    const said = execFileSync('openssl', ['s_client', '-connect', host, '-CAfile', join(folder, 'ca.pem')], { input: '', stdio: ['pipe', 'pipe', 'ignore'], encoding: 'utf8' });
    expect(said).toMatch(/Acceptable client certificate CA names\s+CN = Clients/);
  });

  it('check says how they are known', async () => {
    const { stdout } = await runCommand(['check', '--config', world.bridge.file]);
    expect(stdout).toMatch(/client desk: .*signs in by certificate.*; certificate: known by the common name desk\.corp\.example; an authority of tls\.clientCa ends in 99 days/);
    expect(stdout).toMatch(/^warn {2}client hashed: passwordHash: scrypt, ln=14, 16 MiB: cheap to guess → fine for a long random password/m);
  });

  it('goes on with another authority after a reload, without a restart', async () => {
    await writeFile(join(world.bridge.folder, 'clients.pem'), renewed.certificate);
    expect((await runCommand(['reload', '--config', world.bridge.file])).code).toBe(0);
    expect([await curl('desk', [API]), await curl('next', [API])]).toEqual([[401], [200]]);
  });
});
