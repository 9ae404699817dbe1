import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** PEM texts of a certificate and its key. */
export interface Pem {
  readonly certificate: string;
  readonly key: string;
}

/** An authority of its own, in a directory of its own; made by openssl and never by our code. */
export class Authority {
  readonly #directory = mkdtempSync(join(tmpdir(), 'bridge-ca-'));
  readonly certificate: string;
  #count = 0;

  constructor(name: string) {
    writeFileSync(this.#file('none.cnf'), '[req]\ndistinguished_name = dn\n[dn]\n');
    this.#openssl('req', '-x509', '-config', 'none.cnf', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '30', '-subj', `/CN=${name}`, '-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign');
    this.certificate = readFileSync(this.#file('ca.pem'), 'utf8');
  }

  /** A server's certificate: subject (`/CN=…` or `/`), alternative names (`IP:127.0.0.1,DNS:…`), the days it lasts from now (negative: ended). */
  issue(subject: string, names: string, days: number): Pem {
    const id = `leaf${++this.#count}`;
    this.#openssl('req', '-config', 'none.cnf', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${id}.key`, '-out', `${id}.csr`, '-subj', subject);
    writeFileSync(this.#file(`${id}.ext`), `${subject === '/' ? 'subjectAltName=critical,' : 'subjectAltName='}${names}\n`);
    this.#openssl('x509', '-req', '-in', `${id}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', `${id}.ext`, '-days', String(days), '-out', `${id}.pem`);
    return { certificate: readFileSync(this.#file(`${id}.pem`), 'utf8'), key: readFileSync(this.#file(`${id}.key`), 'utf8') };
  }

  /** A certificate for a key that is there already (PEM); PEM. */
  issueFor(key: string, subject: string, days: number): string {
    const id = `leaf${++this.#count}`;
    writeFileSync(this.#file(`${id}.key`), key);
    this.#openssl('req', '-config', 'none.cnf', '-new', '-key', `${id}.key`, '-out', `${id}.csr`, '-subj', subject);
    this.#openssl('x509', '-req', '-in', `${id}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', String(days), '-out', `${id}.pem`);
    return readFileSync(this.#file(`${id}.pem`), 'utf8');
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
