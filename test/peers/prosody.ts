import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canConnect, freePorts } from '../local-ports.ts';
import { endProcess } from './end-process.ts';

/** Where Debian's packages `prosody` and `prosody-modules` put what this needs. */
const PROSODY = '/usr/bin/prosody';
const PRIVILEGE = '/usr/lib/prosody/modules/mod_privilege';

/** For `describe.skipIf(!hasProsody)`. With REQUIRE_PEERS a missing one is a failure. */
export const hasProsody = process.env['REQUIRE_PEERS'] === '1' || (existsSync(PROSODY) && existsSync(PRIVILEGE));

export const HOST = 'corp.example';
export const COMPONENT = 'calendar.corp.example';
export const SECRET = 'a secret with ümlauts';
const PASSWORD = 'pw';

export interface ProsodyOptions {
  /** Local parts; the first two know each other (mutual subscription), and the others nobody. Default: `alice`, `bob`. */
  readonly accounts?: readonly string[];
  /** Between its braces; undefined: no privileged_entities at all. */
  readonly privileges?: string | undefined;
  /** Lines for the component's section. */
  readonly component?: readonly string[];
  /** Default: `internal`, which is files. */
  readonly storage?: 'internal' | 'memory';
}

/** Of prosodyConfigurationLines. */
export const ALL_PRIVILEGES = 'iq = { ["http://jabber.org/protocol/pubsub"] = "both" }';

/** A running Prosody with one host and one component. */
export interface Prosody {
  readonly server: { readonly host: string; readonly port: number };
  /** Of clients. */
  readonly clientPort: number;
  readonly password: string;
  /** What it has logged so far. */
  log(): string;
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  /** What it holds in files stays. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Again on the same ports; `options` replace those of before. */
  start(options?: ProsodyOptions): Promise<void>;
  /** Ends it and removes its directory. Safe to call twice. */
  close(): Promise<void>;
}

/** @throws Error with what it logged, where it does not start within 20 s */
export async function startProsody(options: ProsodyOptions = {}): Promise<Prosody> {
  const folder = mkdtempSync(join(tmpdir(), 'prosody-'));
  const file = (name: string): string => join(folder, name);
  const [clientPort, componentPort] = (await freePorts(2)) as [number, number];
  const data = (store: string, name: string, lua: string): void => {
    mkdirSync(file(`data/${escaped(HOST)}/${store}`), { recursive: true });
    writeFileSync(file(`data/${escaped(HOST)}/${store}/${escaped(name)}.dat`), `return ${lua};\n`);
  };
  const { accounts = ['alice', 'bob'] } = options;
  for (const name of accounts) data('accounts', name, `{ ["password"] = "${PASSWORD}" }`);
  const [one = '', other = ''] = accounts;
  for (const [owner, contact] of [[one, other], [other, one]] as const) {
    if (owner !== '' && contact !== '') data('roster', owner, `{ [false] = { ["version"] = 1, ["pending"] = {} }, ["${contact}@${HOST}"] = { ["subscription"] = "both", ["groups"] = {} } }`);
  }

  let child: ChildProcess | undefined;
  let now = options;
  const log = (): string => (existsSync(file('prosody.log')) ? readFileSync(file('prosody.log'), 'utf8') : '');
  const start = async (next: ProsodyOptions = now): Promise<void> => {
    now = next;
    writeFileSync(file('prosody.cfg.lua'), configuration(folder, clientPort, componentPort, now));
    const started = spawn(PROSODY, ['-F', '--config', file('prosody.cfg.lua')], { stdio: ['ignore', 'ignore', 'pipe'] });
    child = started;
    // A test that fails before its `close` leaves no server behind.
    const end = (): void => void started.kill('SIGKILL');
    process.once('exit', end);
    started.once('exit', () => process.off('exit', end));
    let said = '';
    started.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    for (const end = performance.now() + 20_000; !((await canConnect(clientPort)) && (await canConnect(componentPort))); await new Promise((resolve) => setTimeout(resolve, 20))) {
      if (started.exitCode !== null || performance.now() > end) throw new Error(`prosody did not start: ${said}\n${log()}`);
    }
  };
  const stop = async (signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> => {
    const ending = child;
    child = undefined;
    await endProcess(ending, signal, 5_000);
  };
  await start();
  return {
    server: { host: '127.0.0.1', port: componentPort },
    clientPort,
    password: PASSWORD,
    log,
    signal: (signal) => void child?.kill(signal),
    stop,
    start,
    close: async () => {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** No TLS, because nothing leaves the machine. */
function configuration(folder: string, clientPort: number, componentPort: number, { privileges, component = [], storage = 'internal' }: ProsodyOptions): string {
  return `
pidfile = "${folder}/prosody.pid"
data_path = "${folder}/data"
run_as_root = true
log = { info = "${folder}/prosody.log" }
interfaces = { "127.0.0.1" }
c2s_ports = { ${clientPort} }
s2s_ports = {}
http_ports = {}
https_ports = {}
component_ports = { ${componentPort} }
component_interfaces = { "127.0.0.1" }
modules_enabled = { "roster", "saslauth", "disco", "presence", "message", "iq", "pep", "ping" }
modules_disabled = { "s2s", "tls", "offline", "admin_shell" }
authentication = "internal_plain"
storage = "${storage}"
c2s_require_encryption = false
allow_unencrypted_plain_auth = true

VirtualHost "${HOST}"
    modules_enabled = { "privilege" }
${privileges === undefined ? '' : `    privileged_entities = { ["${COMPONENT}"] = { ${privileges} } }`}

Component "${COMPONENT}"
    component_secret = "${SECRET}"
    modules_enabled = { "privilege" }
${component.map((line) => `    ${line}\n`).join('')}`;
}

/** As Prosody's util.datamanager names files. */
function escaped(text: string): string {
  return text.replace(/[^A-Za-z0-9]/g, (character) => [...Buffer.from(character)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''));
}
