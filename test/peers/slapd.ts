import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, createWriteStream, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pem } from '../platform/certificates.ts';
import { canConnect, freePorts } from '../local-ports.ts';
import { endProcess } from './end-process.ts';

/** Where Debian's packages `slapd` and `ldap-utils` put what this needs. */
const SLAPD = '/usr/sbin/slapd';
const MODULES = '/usr/lib/ldap';
const SCHEMAS = '/etc/ldap/schema';
/** From the project's root, where the tests run, and the benchmark, which is compiled elsewhere. */
const OURS = join(process.cwd(), 'test', 'peers', 'slapd');

/** For `describe.skipIf(!hasSlapd)`. With REQUIRE_PEERS a missing one is a failure. */
export const hasSlapd = process.env['REQUIRE_PEERS'] === '1' || (existsSync(SLAPD) && existsSync('/usr/bin/ldapmodify'));

/** Everything stands below it. */
export const SUFFIX = 'dc=example';
/** `anna@`, `bernd@`, `taro@`, `olga@`, hidden `hanna@`, `room-blue@`, `projector@`, `sales@`, `everybody@` corp.example; contacts for `kim@zimbra.example` and `lee@zimbra.example`. */
export const AD_BASE = 'dc=corp,dc=example';
/** `kim@`, `lee@`, hidden `hal@`, `red@` (a room), `van@` (equipment), `team@` (a list), `moved@` zimbra.example. */
export const ZIMBRA_BASE = 'dc=zimbra,dc=example';

const ROOT = { dn: `cn=root,${SUFFIX}`, password: 'pw-of-root' } as const;
const READER = { dn: `cn=bridge,${SUFFIX}`, password: 'pw of bridge' } as const;

export interface SlapdOptions {
  /** What is in it when it starts; default: `none`, but for the suffix and the account that reads. */
  readonly tree?: 'ad' | 'zimbra' | 'both' | 'none';
  /** More entries for slapadd, before it starts: the name of an LDIF file. */
  readonly ldif?: string;
  /** Its certificate, for `ldapsUrl` and STARTTLS; without one it speaks neither. */
  readonly tls?: Pem;
  /** More lines for slapd.conf, in the database's section: `sizelimit 500`, `index mail eq,sub`. */
  readonly directives?: readonly string[];
  /** Rules before its own: `access to attrs=mail by * none`. */
  readonly access?: readonly string[];
  /** LDIF of attributes for its root DSE, without `dn`: `highestCommittedUSN: 1012` makes it look like Active Directory. */
  readonly rootDse?: readonly string[];
}

/** A running slapd with a directory of its own. */
export interface Slapd {
  /** `ldap://127.0.0.1:PORT` */
  readonly url: URL;
  /** `ldaps://127.0.0.1:PORT`; answers where `tls` was given. */
  readonly ldapsUrl: URL;
  /** Of its tree; SUFFIX where it has both or none. */
  readonly base: string;
  /** May read everything and write nothing; limits count for it. Nobody reads without a bind. */
  readonly bindDn: string;
  readonly password: string;
  /** Of the process that runs; undefined after `stop`. */
  pid(): number | undefined;
  /** Adds the entries of an LDIF text, as its administrator. */
  add(ldif: string): Promise<void>;
  /** LDIF lines after `dn` and `changetype`: `replace: mail`, `mail: new@corp.example`. */
  modify(dn: string, ...lines: readonly string[]): Promise<void>;
  /** The old RDN's value goes. */
  modrdn(dn: string, newRdn: string, newSuperior?: string): Promise<void>;
  delete(dn: string): Promise<void>;
  /** Another root DSE, seen after the next `start`. */
  setRootDse(lines: readonly string[]): void;
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  /** Ends the process (SIGTERM, or at once by SIGKILL); what it holds stays. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Again on the same ports. */
  start(): Promise<void>;
  /** Ends it and removes its directory. Safe to call twice. */
  close(): Promise<void>;
}

/** @throws Error with what slapadd or slapd said, where it does not start within 20 s */
export async function startSlapd(options: SlapdOptions = {}): Promise<Slapd> {
  const { tree = 'none', tls } = options;
  const folder = mkdtempSync(join(tmpdir(), 'slapd-'));
  const file = (name: string): string => join(folder, name);
  mkdirSync(file('db'));
  for (const schema of ['exchange', 'zimbra']) copyFileSync(join(OURS, `${schema}.schema`), file(`${schema}.schema`));
  if (tls !== undefined) {
    writeFileSync(file('cert.pem'), tls.certificate);
    writeFileSync(file('key.pem'), tls.key);
  }
  const setRootDse = (lines: readonly string[]): void => writeFileSync(file('rootdse.ldif'), `dn:\n${lines.join('\n')}\n`);
  if (options.rootDse !== undefined) setRootDse(options.rootDse);
  writeFileSync(file('slapd.conf'), configuration(folder, options));
  writeFileSync(file('suffix.ldif'), SUFFIX_LDIF);
  const trees = tree === 'both' ? ['ad', 'zimbra'] : tree === 'none' ? [] : [tree];
  for (const ldif of [file('suffix.ldif'), ...trees.map((name) => join(OURS, `${name}.ldif`)), ...(options.ldif === undefined ? [] : [options.ldif])]) {
    const { status, stderr } = spawnSync('/usr/sbin/slapadd', ['-q', '-f', file('slapd.conf'), '-l', ldif], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`slapadd ${ldif}: ${stderr}`);
  }

  const [port, securePort] = (await freePorts(2)) as [number, number];
  const url = new URL(`ldap://127.0.0.1:${port}`);
  const ldapsUrl = new URL(`ldaps://127.0.0.1:${securePort}`);
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const listeners = tls === undefined ? url.href : `${url.href} ${ldapsUrl.href}`;
    const started = spawn(SLAPD, ['-d', '0', '-h', listeners, '-f', file('slapd.conf')], { stdio: ['ignore', 'ignore', 'pipe'] });
    child = started;
    // A test that fails before its `close` leaves no server behind.
    const end = (): void => void started.kill('SIGKILL');
    process.once('exit', end);
    started.once('exit', () => process.off('exit', end));
    let said = '';
    started.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    for (const end = performance.now() + 20_000; !(await canConnect(port)); await new Promise((resolve) => setTimeout(resolve, 10))) {
      if (started.exitCode !== null || performance.now() > end) throw new Error(`slapd did not start: ${said}`);
    }
  };
  const stop = async (signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> => {
    const ending = child;
    child = undefined;
    await endProcess(ending, signal, 5_000);
  };
  const change = (ldif: string, ...how: readonly string[]): Promise<void> => ldapModify(url, ldif, how);
  await start();
  return {
    url,
    ldapsUrl,
    base: tree === 'ad' ? AD_BASE : tree === 'zimbra' ? ZIMBRA_BASE : SUFFIX,
    bindDn: READER.dn,
    password: READER.password,
    pid: () => child?.pid,
    add: (ldif) => change(ldif, '-a'),
    modify: (dn, ...lines) => change(`${named(dn)}changetype: modify\n${lines.join('\n')}\n`),
    modrdn: (dn, newRdn, newSuperior) => change(`${named(dn)}changetype: modrdn\n${line('newrdn', newRdn)}deleteoldrdn: 1\n${newSuperior === undefined ? '' : line('newsuperior', newSuperior)}`),
    delete: (dn) => change(`${named(dn)}changetype: delete\n`),
    setRootDse,
    signal: (signal) => void child?.kill(signal),
    stop,
    start,
    close: async () => {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Writes so many people for `ldif` of startSlapd, below `ou=many` of AD_BASE: `p000000@corp.example`, named by turns out of a few hundred names, last changed long ago. */
export async function writeManyPeople(path: string, count: number): Promise<void> {
  const out = createWriteStream(path);
  out.write(`dn: ou=many,${AD_BASE}\nobjectClass: organizationalUnit\nou: many\n\n`);
  for (let index = 0; index < count; index++) {
    const id = String(index).padStart(6, '0');
    const [given, surname] = [GIVEN[index % GIVEN.length]!, `${SURNAMES[Math.floor(index / GIVEN.length) % SURNAMES.length]!}${SURNAMES[(index * 7) % SURNAMES.length]!.toLowerCase()}`];
    const guid = Buffer.from(id.padStart(32, 'a'), 'hex').toString('base64');
    const text = `dn: cn=${given} ${surname} ${id},ou=many,${AD_BASE}
objectClass: user
objectClass: mailRecipient
cn: ${given} ${surname} ${id}
sn: ${surname}
givenName: ${given}
displayName: ${surname}, ${given}
mailNickname: p${id}
mail: p${id}@corp.example
proxyAddresses: SMTP:p${id}@corp.example
proxyAddresses: smtp:${given.toLowerCase()}.${surname.toLowerCase()}.${id}@corp.example
legacyExchangeDN: /o=Corp/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn=p${id}
msExchRecipientDisplayType: 1073741824
objectGUID:: ${guid}
title: Clerk
department: D${index % 50}
company: Corp
telephoneNumber: +49 30 ${id}
l: Berlin
uSNChanged: ${2000 + index}
modifyTimestamp: 20260101000000Z

`;
    if (!out.write(text)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'finish');
}

const GIVEN = ['Anna', 'Bernd', 'Clara', 'Dieter', 'Emma', 'Felix', 'Greta', 'Hugo', 'Ida', 'Jonas', 'Klara', 'Lukas', 'Maria', 'Nils', 'Olga', 'Paul'];
const SURNAMES = ['Berg', 'Bach', 'Feld', 'Hofer', 'Kamp', 'Linden', 'Moser', 'Neu', 'Ober', 'Rosen', 'Stein', 'Thal', 'Unger', 'Voss', 'Wald', 'Zimmer'];

const SUFFIX_LDIF = `dn: ${SUFFIX}
objectClass: domain
dc: example

dn: ${READER.dn}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: bridge
userPassword: ${READER.password}
`;

/** As Debian sets one up (mdb, these indexes), with the schemas beside this file. Not written through to disk: a test's directory need not survive a power cut. */
function configuration(folder: string, { tls, directives = [], access = [], rootDse }: SlapdOptions): string {
  return [
    `modulepath ${MODULES}`,
    'moduleload back_mdb',
    ...['core', 'cosine', 'inetorgperson', 'nis'].map((name) => `include ${SCHEMAS}/${name}.schema`),
    `include ${folder}/exchange.schema`,
    `include ${folder}/zimbra.schema`,
    `pidfile ${folder}/slapd.pid`,
    ...(tls === undefined ? [] : [`TLSCertificateFile ${folder}/cert.pem`, `TLSCertificateKeyFile ${folder}/key.pem`]),
    ...(rootDse === undefined ? [] : [`rootDSE ${folder}/rootdse.ldif`]),
    'database mdb',
    `suffix "${SUFFIX}"`,
    `rootdn "${ROOT.dn}"`,
    `rootpw "${ROOT.password}"`,
    `directory ${folder}/db`,
    'maxsize 2147483648',
    'dbnosync',
    'index objectClass eq',
    'index cn,uid eq',
    'index member,memberUid eq',
    'sizelimit unlimited',
    ...access,
    'access to attrs=userPassword by anonymous auth by * none',
    `access to * by dn.exact="${READER.dn}" read by * none`,
    ...directives,
    '',
  ].join('\n');
}

const named = (dn: string): string => line('dn', dn);

/** A line of LDIF in base 64, because a DN may hold anything. */
function line(name: string, value: string): string {
  return `${name}:: ${Buffer.from(value).toString('base64')}\n`;
}

async function ldapModify(url: URL, ldif: string, how: readonly string[]): Promise<void> {
  const child = spawn('ldapmodify', ['-x', '-H', url.href, '-D', ROOT.dn, '-w', ROOT.password, ...how], { stdio: ['pipe', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  child.stdin.end(ldif);
  const [status] = (await once(child, 'close')) as [number | null];
  if (status !== 0) throw new Error(`ldapmodify: ${said}`);
}
