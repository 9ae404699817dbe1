import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ejabberdConfigurationLines } from '../../src/protocols/ejabberd/configuration-lines.ts';
import type { Pem } from '../platform/certificates.ts';
import { canConnect, freePorts } from '../local-ports.ts';
import { endProcess } from './end-process.ts';

/** Of Debian's packages `erlang-base` and `ejabberd`. The script says where the libraries are; it is not run itself: it would change users and start a name server. */
const ERL = '/usr/bin/erl';
const SCRIPT = '/usr/sbin/ejabberdctl';

/** For `describe.skipIf(!hasEjabberd)`. With REQUIRE_PEERS a missing one is a failure. */
export const hasEjabberd = process.env['REQUIRE_PEERS'] === '1' || (existsSync(ERL) && existsSync(SCRIPT));

export const XMPP_DOMAIN = 'corp.example';
/** Has the rights that ejabberdConfigurationLines gives. */
export const BRIDGE = { username: `bridge@${XMPP_DOMAIN}`, password: 'pw-bridge' } as const;
/** Whoever comes from here may call everything: the test itself. */
const SETUP_ADDRESS = '127.0.0.2';

export interface EjabberdOptions {
  /** Nodes of accounts beside the bridge's; the password is `pw-<node>`. */
  readonly accounts: readonly string[];
  /** Changes the lines that a site would put in; default: none. */
  readonly edit?: (lines: string) => string;
  /** Its certificate, for `secureUrl`. */
  readonly tls?: Pem;
}

/** A running ejabberd of its own. */
export interface Ejabberd {
  readonly xmppPort: number;
  /** mod_http_api: `http://127.0.0.1:PORT/api` */
  readonly url: URL;
  /** The same over TLS; answers where `tls` was given. */
  readonly secureUrl: URL;
  /** Any command, as the test itself; what it answers. */
  command(name: string, args: Readonly<Record<string, unknown>>): Promise<unknown>;
  pid(): number | undefined;
  /** What it writes into its log. */
  log(): string;
  stop(): Promise<void>;
  /** Again on the same ports, with what it had on disk. */
  start(): Promise<void>;
  /** Ends it and removes its directory. Safe to call twice. */
  close(): Promise<void>;
}

/** An Erlang node without a name: no name server (epmd), no cookie, no port beside the three. @throws Error with what it said, where it does not start within 30 s */
export async function startEjabberd(options: EjabberdOptions): Promise<Ejabberd> {
  const folder = mkdtempSync(join(tmpdir(), 'ejabberd-'));
  const file = (name: string): string => join(folder, name);
  mkdirSync(file('spool'));
  const [xmppPort, apiPort, securePort] = (await freePorts(3)) as [number, number, number];
  if (options.tls !== undefined) writeFileSync(file('tls.pem'), options.tls.certificate + options.tls.key);
  writeFileSync(file('ejabberd.yml'), configuration({ xmppPort, apiPort, securePort }, options.tls === undefined ? undefined : file('tls.pem'), (options.edit ?? ((lines) => lines))(ejabberdConfigurationLines(BRIDGE))));
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const started = spawn(ERL, ['-noinput', '+K', 'true', '-mnesia', 'dir', JSON.stringify(file('spool')), '-s', 'ejabberd'], {
      cwd: folder,
      env: {
        PATH: '/usr/bin:/bin',
        HOME: folder,
        ERL_LIBS: /^ERL_LIBS='([^']+)'$/m.exec(readFileSync(SCRIPT, 'utf8'))?.[1] ?? '',
        ERL_CRASH_DUMP: file('crash.dump'),
        EJABBERD_CONFIG_PATH: file('ejabberd.yml'),
        EJABBERD_LOG_PATH: file('ejabberd.log'),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child = started;
    const end = (): void => void started.kill('SIGKILL');
    process.once('exit', end);
    started.once('exit', () => process.off('exit', end));
    const said = createWriteStream(file('said.txt'), { flags: 'a' });
    started.stdout.pipe(said, { end: false });
    started.stderr.pipe(said, { end: false });
    started.once('close', () => said.end());
    for (const end = performance.now() + 30_000; !(await canConnect(apiPort)); await new Promise((resolve) => setTimeout(resolve, 20))) {
      if (started.exitCode !== null || performance.now() > end) throw new Error(`ejabberd did not start: ${readFileSync(file('said.txt'), 'utf8')}`);
    }
  };
  const stop = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    const ending = child;
    child = undefined;
    await endProcess(ending, signal, 15_000);
  };
  const close = async (): Promise<void> => {
    await stop('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  const command = (name: string, args: Readonly<Record<string, unknown>>): Promise<unknown> => call(apiPort, name, args);
  try {
    await start();
    for (const user of [BRIDGE.username.split('@')[0]!, ...options.accounts]) await command('register', { user, host: XMPP_DOMAIN, password: passwordOf(user) });
  } catch (error) {
    await close();
    throw error;
  }
  return {
    xmppPort,
    url: new URL(`http://127.0.0.1:${apiPort}/api`),
    secureUrl: new URL(`https://127.0.0.1:${securePort}/api`),
    command,
    pid: () => child?.pid,
    log: () => readFileSync(file('ejabberd.log'), 'utf8'),
    stop: () => stop('SIGTERM'),
    start,
    close,
  };
}

export function passwordOf(user: string): string {
  return `pw-${user}`;
}

interface Ports {
  readonly xmppPort: number;
  readonly apiPort: number;
  readonly securePort: number;
}

function configuration({ xmppPort, apiPort, securePort }: Ports, certificate: string | undefined, ofTheSite: string): string {
  const lines = ofTheSite.replace('acl:\n', `acl:\n  setup:\n    ip: ${SETUP_ADDRESS}/32\n`).replace('api_permissions:\n', 'api_permissions:\n  "setup":\n    from: mod_http_api\n    who: {access: {allow: {acl: setup}}}\n    what: "*"\n');
  const api = (port: number, more: string): string => `  - {port: ${port}, ip: "127.0.0.1", module: ejabberd_http, request_handlers: {/api: mod_http_api}${more}}\n`;
  return `hosts: [${XMPP_DOMAIN}]
loglevel: info
s2s_access: none
${certificate === undefined ? '' : `certfiles: [${JSON.stringify(certificate)}]\n`}listen:
  - {port: ${xmppPort}, ip: "127.0.0.1", module: ejabberd_c2s}
${api(apiPort, '')}${certificate === undefined ? '' : api(securePort, ', tls: true')}${lines}  mod_disco: {}
  mod_roster: {}
`;
}

async function call(port: number, name: string, args: Readonly<Record<string, unknown>>): Promise<unknown> {
  const asking = request({ host: '127.0.0.1', port, localAddress: SETUP_ADDRESS, method: 'POST', path: `/api/${name}` });
  asking.end(JSON.stringify(args));
  const [answer] = (await once(asking, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of answer.setEncoding('utf8') as AsyncIterable<string>) text += chunk;
  if (answer.statusCode !== 200) throw new Error(`${name}: ${answer.statusCode} ${text}`);
  return JSON.parse(text);
}
