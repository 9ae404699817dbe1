import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pem } from './certificates.ts';

export interface Order {
  /** `/O=Corp/CN=ews1.corp.example`, the most general part first. */
  readonly subject: string;
  /** Who signs; absent: the certificate itself. */
  readonly by?: Made;
  /** `DNS:…,IP:…`; absent: no alternative names at all. */
  readonly names?: string;
  readonly isAuthority?: boolean;
  /** For openssl's `-newkey`; absent: P-256. */
  readonly key?: readonly string[];
  /** Absent: SHA-256. */
  readonly digest?: string;
  /** Days from now; absent: from an hour ago for 100 days. */
  readonly days?: readonly [from: number, to: number];
  /** Key of an earlier one, in place of a new one. */
  readonly keyOf?: Made;
}

export interface Made extends Pem {
  readonly id: string;
}

/** Makes certificates right and wrong, by openssl and never by our code. */
export class CertificateWorkshop {
  readonly #directory = mkdtempSync(join(tmpdir(), 'bridge-workshop-'));
  #count = 0;

  constructor() {
    writeFileSync(this.#file('ca.cnf'), `[req]\ndistinguished_name = dn\nstring_mask = utf8only\n[dn]\n[ca]\ndefault_ca = own\n[own]\ndatabase = index.txt\nnew_certs_dir = issued\nunique_subject = no\nrand_serial = yes\npolicy = any\nstring_mask = utf8only\n[any]\nO = optional\nCN = optional\n`);
    writeFileSync(this.#file('index.txt'), '');
    mkdirSync(this.#file('issued'));
  }

  make({ subject, by, names, isAuthority = false, key = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'], digest = 'sha256', days = [-1 / 24, 100], keyOf }: Order): Made {
    const id = `c${++this.#count}`;
    const pair = keyOf === undefined ? ['-newkey', ...key, '-nodes', '-keyout', `${id}.key`] : ['-key', `${keyOf.id}.key`];
    this.#openssl('req', '-config', 'ca.cnf', '-new', '-utf8', ...pair, '-out', `${id}.csr`, '-subj', subject);
    if (keyOf !== undefined) writeFileSync(this.#file(`${id}.key`), keyOf.key);
    writeFileSync(this.#file(`${id}.ext`), `${isAuthority ? 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign' : 'basicConstraints=CA:FALSE'}\n${names === undefined ? '' : `subjectAltName=${names}\n`}`);
    const signer = by === undefined ? ['-selfsign', '-keyfile', `${id}.key`] : ['-cert', `${by.id}.pem`, '-keyfile', `${by.id}.key`];
    this.#openssl('ca', '-config', 'ca.cnf', '-batch', '-notext', '-utf8', '-md', digest, ...signer, '-in', `${id}.csr`, '-extfile', `${id}.ext`, '-startdate', stamp(days[0]), '-enddate', stamp(days[1]), '-out', `${id}.pem`);
    return { id, certificate: readFileSync(this.#file(`${id}.pem`), 'utf8'), key: readFileSync(this.#file(`${id}.key`), 'utf8') };
  }

  /** openssl's own server with that certificate, on a free port of loopback, which it says. The caller's to end. */
  serve(id: string, parts: readonly string[]): ChildProcess {
    return spawn('openssl', ['s_server', '-accept', '127.0.0.1:0', '-cert', `${id}.pem`, '-key', `${id}.key`, ...parts], { cwd: this.#directory, stdio: ['ignore', 'pipe', 'ignore'] });
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true });
  }

  #file(name: string): string {
    return join(this.#directory, name);
  }

  #openssl(...parts: readonly string[]): void {
    execFileSync('openssl', parts, { cwd: this.#directory, stdio: 'pipe' });
  }
}

function stamp(days: number): string {
  return `${new Date(Date.now() + days * 86_400_000).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
}
