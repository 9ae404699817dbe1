import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { canConnect, freePort } from '../local-ports.ts';
import type { Pem } from '../platform/certificates.ts';
import { endProcess } from './end-process.ts';

/** Where Debian's packages `apache2`, `libapache2-mod-auth-gssapi` and `gss-ntlmssp` put what this needs. */
const APACHE = '/usr/sbin/apache2';
const MODULES = '/usr/lib/apache2/modules';
const MECHANISMS = ['x86_64', 'aarch64'].map((machine) => `/usr/lib/${machine}-linux-gnu/gssntlmssp/gssntlmssp.so`);

/** For `describe.skipIf(!hasApache)`. With REQUIRE_PEERS a missing one is a failure. */
export const hasApache = process.env['REQUIRE_PEERS'] === '1' || [APACHE, `${MODULES}/mod_auth_gssapi.so`].every((file) => existsSync(file)) && MECHANISMS.some((file) => existsSync(file));

export interface ApacheUser {
  /** NetBIOS name of the domain; empty: none. gss-ntlmssp finds a user by both. */
  readonly domain: string;
  readonly name: string;
  readonly password: string;
}

export interface ApacheOptions {
  /** Everything is passed on there, as it is: `http://127.0.0.1:8080`. Absent: files of its own directory `www`, or what `directives` say. */
  readonly upstream?: string;
  /** What it signs in there with, by Basic, for whoever has signed in to it; absent: the upstream sees no credentials. */
  readonly upstreamAccount?: { readonly username: string; readonly password: string };
  /** Who may sign in, by NTLM over a connection; absent: everybody is let in without. */
  readonly users?: readonly ApacheUser[];
  /** Its certificate; it speaks https only then. */
  readonly tls?: Pem;
  /** Modules beside those that it has anyway: `dav`, `dav_fs`, `headers`, `rewrite`. */
  readonly modules?: readonly string[];
  /** More lines for its configuration, after everything else: `MaxKeepAliveRequests 3`. `FOLDER` stands for its directory. */
  readonly directives?: readonly string[];
}

/** A running Apache with a directory of its own. */
export interface Apache {
  /** `http://127.0.0.1:PORT`, or https. */
  readonly url: string;
  /** Its own directory; `www` in it is served where there is no upstream. */
  readonly folder: string;
  /** Lines of its access log so far: connection (a number of its own), status, method, path, user. */
  log(): readonly ApacheLogLine[];
  /** What it complained of. */
  errors(): string;
  /** Ends it and removes its directory. Safe to call twice. */
  close(): Promise<void>;
}

export interface ApacheLogLine {
  /** The client's port: the same for one connection. */
  readonly connection: number;
  /** Requests that this connection had had before this one. */
  readonly nth: number;
  readonly status: number;
  readonly method: string;
  readonly path: string;
  /** `-`: nobody. */
  readonly user: string;
}

const BASIC_MODULES = ['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'auth_gssapi', 'proxy', 'proxy_http', 'headers', 'dir'];

/** @throws Error with what apache2 said, where it does not start within 20 s */
export async function startApache(options: ApacheOptions = {}): Promise<Apache> {
  const folder = mkdtempSync(join(tmpdir(), 'apache-'));
  // Started by root, its workers are somebody else and must see the users' file.
  chmodSync(folder, 0o755);
  const port = await freePort();
  const file = (name: string): string => join(folder, name);
  mkdirSync(file('www'));
  writeFileSync(file('users'), (options.users ?? []).map(({ domain, name, password }) => `${domain}:${name}:${password}\n`).join(''));
  if (options.tls !== undefined) {
    writeFileSync(file('cert.pem'), options.tls.certificate);
    writeFileSync(file('key.pem'), options.tls.key);
  }
  writeFileSync(file('apache.conf'), configuration(folder, port, options));
  const child = spawn(APACHE, ['-DFOREGROUND', '-f', file('apache.conf')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env['PATH'], NTLM_USER_FILE: file('users') },
  });
  // A test that fails before its `close` leaves no server behind; SIGTERM, because it has children of its own.
  const end = (): void => void child.kill('SIGTERM');
  process.once('exit', end);
  child.once('exit', () => process.off('exit', end));
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const text = (name: string): string => (existsSync(file(name)) ? readFileSync(file(name), 'utf8') : '');
  let isClosed = false;
  const close = async (): Promise<void> => {
    if (isClosed) return;
    isClosed = true;
    await endProcess(child, 'SIGTERM', 10_000);
    rmSync(folder, { recursive: true, force: true });
  };
  if (!(await listens(port, child))) {
    const errors = `${said}${text('error.log')}`;
    await close();
    throw new Error(`apache2: ${errors}`);
  }
  return { url: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`, folder, log: () => logLines(text('access.log')), errors: () => `${said}${text('error.log')}`, close };
}

async function listens(port: number, child: ChildProcess): Promise<boolean> {
  const until = AbortSignal.timeout(20_000);
  const gone = once(child, 'exit').then(() => true);
  while (!until.aborted) {
    if (await canConnect(port)) return true;
    if (await Promise.race([gone, delay(50, false)])) return false;
  }
  return false;
}

function logLines(text: string): readonly ApacheLogLine[] {
  return text.split('\n').filter((line) => line !== '').map((line) => {
    const [connection, nth, status, method = '', user = '', ...path] = line.split(' ');
    return { connection: Number(connection), nth: Number(nth), status: Number(status), method, path: path.join(' '), user };
  });
}

function configuration(folder: string, port: number, options: ApacheOptions): string {
  const { upstream, upstreamAccount, users, tls, modules = [], directives = [] } = options;
  const loaded = new Set([...BASIC_MODULES, ...(tls === undefined ? [] : ['ssl']), ...modules]);
  const basic = upstreamAccount === undefined ? undefined : Buffer.from(`${upstreamAccount.username}:${upstreamAccount.password}`).toString('base64');
  return [
    ...[...loaded].map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`),
    `ServerRoot ${folder}`,
    `PidFile ${folder}/apache.pid`,
    `DefaultRuntimeDir ${folder}`,
    'Mutex pthread default',
    'ServerName 127.0.0.1',
    `Listen 127.0.0.1:${port}`,
    // Only heeded where root starts it.
    ...(process.getuid?.() === 0 ? ['User www-data', 'Group www-data'] : []),
    'StartServers 1',
    'ServerLimit 1',
    'ThreadsPerChild 64',
    'ThreadLimit 64',
    'MaxRequestWorkers 64',
    'MinSpareThreads 1',
    'MaxSpareThreads 64',
    'KeepAlive On',
    'MaxKeepAliveRequests 0',
    'KeepAliveTimeout 60',
    'LogFormat "%{remote}p %k %>s %m %u %U" ours',
    `CustomLog ${folder}/access.log ours`,
    `ErrorLog ${folder}/error.log`,
    'LogLevel warn auth_gssapi:info',
    ...(tls === undefined ? [] : ['SSLEngine on', `SSLCertificateFile ${folder}/cert.pem`, `SSLCertificateKeyFile ${folder}/key.pem`]),
    `DocumentRoot ${folder}/www`,
    ...(upstream === undefined ? [] : ['ProxyRequests Off', `ProxyPass / ${upstream}/`, `ProxyPassReverse / ${upstream}/`]),
    '<Location />',
    ...(users === undefined ? ['Require all granted'] : ['AuthType GSSAPI', 'AuthName "Apache"', 'GssapiAllowedMech ntlmssp', 'GssapiConnectionBound On', 'Require valid-user']),
    // After the sign-in, before the upstream.
    basic === undefined ? 'RequestHeader unset Authorization' : `RequestHeader set Authorization "Basic ${basic}"`,
    '</Location>',
    ...directives.map((line) => line.replaceAll('FOLDER', folder)),
    '',
  ].join('\n');
}
