import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { channelBindings } from '../../../../../src/platform/auth/ntlm/client/channel-bindings.ts';

const FIXTURE = new URL('../../../../../fixtures/ntlm/channel-bindings/windows-2008-r2/', import.meta.url);
const read = (file: string): string => readFileSync(new URL(file, FIXTURE), 'utf8');

describe('the bindings of a channel', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bindings-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('are those that Windows made for this certificate (SHA-1, so hashed by SHA-256)', () => {
    const certificate = Buffer.from(read('certificate'), 'base64');
    const expected = JSON.parse(read('expected.json')) as { readonly sha256: string; readonly bindings: string };
    expect(createHash('sha256').update(certificate).digest('hex')).toBe(expected.sha256);
    expect(channelBindings(certificate).toString('hex')).toBe(expected.bindings);
  });

  it.each([
    ['sha256', ['-newkey', 'rsa:2048', '-sha256']],
    ['sha384', ['-newkey', 'rsa:2048', '-sha384']],
    ['sha512', ['-newkey', 'rsa:2048', '-sha512']],
    ['sha256', ['-newkey', 'rsa:2048', '-sha1']],
    ['sha384', ['-newkey', 'rsa:2048', '-sha384', '-sigopt', 'rsa_padding_mode:pss']],
    ['sha256', ['-newkey', 'rsa:2048', '-sha256', '-sigopt', 'rsa_padding_mode:pss']],
    ['sha384', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384', '-sha384']],
    ['sha512', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-sha512']],
    ['sha256', ['-newkey', 'ed25519']],
  ])('hash by %s what openssl signs with %j', (digest, how) => {
    execFileSync('openssl', ['req', '-x509', '-nodes', '-keyout', 'key.pem', '-out', 'cert.pem', '-days', '5', '-subj', '/CN=x', ...how], { cwd: folder, stdio: 'pipe' });
    const certificate = new X509Certificate(readFileSync(join(folder, 'cert.pem'))).raw;
    // RFC 5929 §4.1, put together by hand.
    const hash = createHash(digest).update(certificate).digest();
    const data = Buffer.concat([Buffer.from('tls-server-end-point:'), hash]);
    const expected = createHash('md5').update(Buffer.concat([Buffer.alloc(16), Buffer.from([data.length, 0, 0, 0]), data])).digest('hex');
    expect(channelBindings(certificate).toString('hex')).toBe(expected);
  });

  it('are made of anything: what cannot be read as a certificate is hashed by SHA-256, and nothing hangs', () => {
    const certificate = Buffer.from(read('certificate'), 'base64');
    for (let length = 0; length < certificate.length; length += 3) expect(channelBindings(certificate.subarray(0, length))).toHaveLength(16);
    for (let at = 0; at < 200; at++) {
      const changed = Buffer.from(certificate);
      changed[at] = 0x84;
      expect(channelBindings(changed)).toHaveLength(16);
    }
  });
});
