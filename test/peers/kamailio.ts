import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePortOfBoth } from '../local-ports.ts';
import { endProcess } from './end-process.ts';

/** Where Debian's packages `kamailio`, `kamailio-presence-modules`, `kamailio-sqlite-modules` and `kamailio-xml-modules` put what this needs. */
const KAMAILIO = '/usr/sbin/kamailio';
const SCHEMAS = '/usr/share/kamailio/db_sqlite';
const NEEDED = [KAMAILIO, '/usr/bin/sqlite3', join(SCHEMAS, 'presence-create.sql')];

/** For `describe.skipIf(!hasKamailio)`. With REQUIRE_PEERS a missing one is a failure. */
export const hasKamailio = process.env['REQUIRE_PEERS'] === '1' || NEEDED.every((path) => existsSync(path));

export interface KamailioOptions {
  /** Wants digest authentication for PUBLISH and SUBSCRIBE. */
  readonly signIn?: { readonly username: string; readonly password: string; readonly algorithm: 'MD5' | 'SHA-256' };
  /** Seconds; a shorter publication is answered 423. */
  readonly minExpires?: number;
  /** Seconds; a longer publication is shortened. */
  readonly maxExpires?: number;
  /** Without it PUBLISH is answered 404, as by a registrar without presence. */
  readonly hasPresence?: boolean;
  /** Where publications are kept: `memory` (default) forgets them with the process and, a fault of 5.6, a document at a refresh without one. */
  readonly store?: 'memory' | 'sqlite';
  /** For transactions, which live on for seconds: thousands a second fill the default (64). */
  readonly sharedMemoryMiB?: number;
  /** Processes that take requests. */
  readonly children?: number;
}

/** A running Kamailio with presence and presence_xml, which lets everybody watch everybody. */
export interface Kamailio {
  readonly host: '127.0.0.1';
  /** UDP and TCP. */
  readonly port: number;
  /** Ends the process. */
  stop(): Promise<void>;
  /** Again on the same port. */
  start(): Promise<void>;
  /** Ends it and removes its directory. Safe to call twice. */
  close(): Promise<void>;
}

/** @throws Error with what kamailio said, where it does not start within 20 s */
export async function startKamailio(options: KamailioOptions = {}): Promise<Kamailio> {
  const folder = mkdtempSync(join(tmpdir(), 'kamailio-'));
  const database = join(folder, 'presence.db');
  const { status, stderr } = spawnSync('/bin/sh', ['-c', `cat ${SCHEMAS}/standard-create.sql ${SCHEMAS}/presence-create.sql | sqlite3 ${database}`], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`sqlite3: ${stderr}`);
  const port = await freePortOfBoth();
  const file = join(folder, 'kamailio.cfg');
  writeFileSync(file, configuration(folder, port, options));
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const started = spawn(KAMAILIO, ['-f', file, '-DD', '-E', '-m', String(options.sharedMemoryMiB ?? 64), '-M', '8', '-Y', folder, '-w', folder], { stdio: ['ignore', 'ignore', 'pipe'] });
    child = started;
    // A test that fails before its `close` leaves no server behind.
    const end = (): void => void started.kill('SIGKILL');
    process.once('exit', end);
    started.once('exit', () => process.off('exit', end));
    let said = '';
    started.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-20_000)));
    for (const late = performance.now() + 20_000; !(await answers(port)); ) {
      if (started.exitCode !== null || performance.now() > late) throw new Error(`kamailio did not start: ${said}`);
    }
  };
  const stop = async (): Promise<void> => {
    const ending = child;
    child = undefined;
    // The first process ends its children.
    await endProcess(ending, 'SIGTERM', 10_000);
  };
  await start();
  return {
    host: '127.0.0.1',
    port,
    stop,
    start,
    close: async () => {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** As presence.md §D.3 tried it; `listen=` is 5.6's word. */
function configuration(folder: string, port: number, { signIn, minExpires, maxExpires = 3600, hasPresence = true, store = 'memory', children = 2 }: KamailioOptions): string {
  const modules = ['tm', 'sl', 'pv', 'textops', 'siputils', 'auth', 'db_sqlite', ...(hasPresence ? ['presence', 'presence_xml'] : [])];
  const challenge = signIn === undefined ? [] : [`  if (!pv_www_authenticate("corp.example", "${signIn.password}", "0") || $au != "${signIn.username}") { www_challenge("corp.example", "1"); exit; }`, '  consume_credentials();'];
  return [
    '#!KAMAILIO',
    'debug=0',
    'log_stderror=yes',
    'fork=yes',
    `children=${children}`,
    'tcp_children=1',
    'tcp_connection_lifetime=3600',
    'auto_aliases=no',
    'dns=no',
    'rev_dns=no',
    `listen=udp:127.0.0.1:${port}`,
    `listen=tcp:127.0.0.1:${port}`,
    ...modules.map((name) => `loadmodule "${name}.so"`),
    ...(signIn === undefined ? [] : [`modparam("auth", "algorithm", "${signIn.algorithm}")`]),
    ...(hasPresence
      ? [
          `modparam("presence|presence_xml", "db_url", "sqlite:///${folder}/presence.db")`,
          `modparam("presence", "server_address", "sip:127.0.0.1:${port}")`,
          `modparam("presence", "publ_cache", ${store === 'memory' ? 2 : 0})`,
          'modparam("presence", "subs_db_mode", 0)',
          'modparam("presence", "clean_period", 1)',
          ...(minExpires === undefined ? [] : [`modparam("presence", "min_expires", ${minExpires})`]),
          `modparam("presence", "max_expires", ${maxExpires})`,
          'modparam("presence_xml", "force_active", 1)',
        ]
      : []),
    'request_route {',
    '  if (is_method("OPTIONS")) { sl_send_reply("200", "OK"); exit; }',
    '  if (!t_newtran()) { sl_reply_error(); exit; }',
    ...challenge,
    ...(hasPresence ? ['  if (is_method("PUBLISH")) { handle_publish(); t_release(); exit; }', '  if (is_method("SUBSCRIBE")) { handle_subscribe(); t_release(); exit; }'] : []),
    '  t_reply("404", "Not here");',
    '}',
    '',
  ].join('\n');
}

/** Whether an OPTIONS is answered within a moment. */
async function answers(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  try {
    return await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), 50);
      socket.once('error', () => setTimeout(() => resolve(false), 20));
      socket.once('message', () => {
        clearTimeout(timer);
        resolve(true);
      });
      socket.connect(port, '127.0.0.1', () => {
        const { port: ours } = socket.address();
        socket.send(
          ['OPTIONS sip:127.0.0.1 SIP/2.0', `Via: SIP/2.0/UDP 127.0.0.1:${ours};branch=z9hG4bK${Math.random().toString(36).slice(2)}`, 'Max-Forwards: 1', 'From: <sip:ready@127.0.0.1>;tag=1', 'To: <sip:127.0.0.1>', `Call-ID: ${Math.random()}`, 'CSeq: 1 OPTIONS', 'Content-Length: 0', '', ''].join('\r\n'),
        );
      });
    });
  } finally {
    socket.close();
  }
}
