import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canConnect, freePorts } from '../local-ports.ts';

/** Where Debian's packages `davmail` and `davmail-server` put the program. */
const JAR = '/usr/share/davmail/davmail.jar';

/** For `it.skipIf(!hasDavmail)`. The files are looked for: no option of the program itself does nothing and ends. With REQUIRE_PEERS a missing one is a failure. */
export const hasDavmail = process.env['REQUIRE_PEERS'] === '1' || (existsSync(JAR) && existsSync('/usr/bin/java'));

export interface DavmailOptions {
  /** By which protocol it speaks to the bridge. */
  readonly mode: 'EWS' | 'WebDav';
  /** Of the bridge: `…/EWS/Exchange.asmx` in EWS mode, `…/exchange/` (Basic) or `…/owa` (form) in WebDav mode. */
  readonly url: string;
  /** More lines for its properties file, or others in place of those made here. */
  readonly properties?: Readonly<Record<string, string>>;
}

/** A running DavMail: a gateway for whoever signs in to it with the bridge's credentials. */
export interface Davmail {
  /** CalDAV over plain HTTP, on 127.0.0.1. */
  readonly caldavPort: number;
  /** LDAP without TLS, on 127.0.0.1. */
  readonly ldapPort: number;
  /** Everything that it has logged so far. */
  log(): string;
  stop(): Promise<void>;
}

/**
 * Starts DavMail as a server, without a display, and waits until its ports answer (a quarter of a second on an idle machine).
 *
 * @throws Error with its log, where it does not within a minute
 */
export async function startDavmail(options: DavmailOptions): Promise<Davmail> {
  const folder = await mkdtemp(join(tmpdir(), 'davmail-'));
  const [caldavPort, ldapPort] = (await freePorts(2)) as [number, number];
  const properties = {
    'davmail.server': 'true',
    'davmail.mode': options.mode,
    'davmail.url': options.url,
    'davmail.bindAddress': '127.0.0.1',
    'davmail.allowRemote': 'false',
    'davmail.disableUpdateCheck': 'true',
    'davmail.caldavPort': String(caldavPort),
    'davmail.ldapPort': String(ldapPort),
    // 0: no listener.
    'davmail.imapPort': '0',
    'davmail.popPort': '0',
    'davmail.smtpPort': '0',
    'davmail.enableProxy': 'false',
    'davmail.useSystemProxies': 'false',
    'davmail.logFilePath': join(folder, 'davmail.log'),
    'log4j.rootLogger': 'INFO',
    'log4j.logger.davmail': 'DEBUG',
    ...options.properties,
  };
  const file = join(folder, 'davmail.properties');
  await writeFile(file, Object.entries(properties).map(([name, value]) => `${name}=${value.replaceAll('\\', '\\\\')}\n`).join(''));
  // Memory bounded, because several suites share a machine; no second compiler for a process that lives for seconds.
  const args = ['-Djava.awt.headless=true', '-Xmx192m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', `-Duser.home=${folder}`, '-jar', JAR, file];
  const child = spawn('java', args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: folder, env: { PATH: process.env['PATH'], HOME: folder, LC_ALL: 'C.UTF-8' } });
  let log = '';
  let hasEnded = false;
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (log += text));
  const ended = new Promise<void>((resolve) => {
    const end = (how: string): void => {
      log += `\n(DavMail ended: ${how})\n`;
      hasEnded = true;
      resolve();
    };
    child.once('error', (error) => end(error.message)).once('close', (code, signal) => end(String(code ?? signal)));
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    const hard = setTimeout(() => child.kill('SIGKILL'), 5_000);
    await ended;
    clearTimeout(hard);
    await rm(folder, { recursive: true, force: true });
  };
  const listens = await Promise.all([caldavPort, ldapPort].map((port) => isListening(port, () => hasEnded)));
  if (!listens.every(Boolean)) {
    await stop();
    throw new Error(`DavMail did not start:\n${log}`);
  }
  return { caldavPort, ldapPort, log: () => log, stop };
}

/** Whether somebody listens there at last; false where the process has ended or a minute is over. */
async function isListening(port: number, hasEnded: () => boolean): Promise<boolean> {
  const end = performance.now() + 60_000;
  while (!hasEnded() && performance.now() < end) {
    if (await canConnect(port)) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}
