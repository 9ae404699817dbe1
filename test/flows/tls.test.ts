import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, describe, expect, it } from 'vitest';
import { Authority } from '../platform/certificates.ts';
import { Running, runCommand, until } from './bridge-process.ts';

const directory = mkdtempSync(join(tmpdir(), 'bridge-tls-'));
const authority = new Authority('The test authority');
const stranger = new Authority('Somebody else');
afterAll(() => {
  rmSync(directory, { recursive: true });
  authority.remove();
  stranger.remove();
});

const file = (name: string, text: string): string => {
  writeFileSync(join(directory, name), text, { mode: 0o600 });
  return join(directory, name);
};

/** The serial number of the certificate that a listener shows, verified against the authority. */
async function serialShownBy(url: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), ca: [authority.certificate] }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

describe('an https listener', () => {
  it('shows its certificate, and after a reload the renewed one with another key, without closing', async () => {
    const first = authority.issue('/CN=127.0.0.1', 'IP:127.0.0.1', 10);
    file('cert.pem', first.certificate);
    file('key.pem', first.key);
    const config = file('bridge.yaml', 'listen: https://127.0.0.1:0\ntls: { certificate: cert.pem, key: key.pem }\ndataDir: data\nsystems:\n  partner: { type: ifb, url: "http://127.0.0.1:9/{address}.ifb", domains: [partner.example] }\nclients: []\n');
    const bridge = new Running(['serve', '--config', config]);
    try {
      const url = await until(() => /listening on (https:\S+)/.exec(bridge.stdout)?.[1]);
      const before = await serialShownBy(url);
      const renewed = authority.issue('/CN=127.0.0.1', 'IP:127.0.0.1', 20);
      file('cert.pem', renewed.certificate);
      // Half renewed is a mistake: the old one stays in force.
      expect((await runCommand(['reload', '--config', config])).code).toBe(2);
      expect(await serialShownBy(url)).toBe(before);
      file('key.pem', renewed.key);
      expect(await runCommand(['reload', '--config', config])).toMatchObject({ code: 0 });
      expect(await serialShownBy(url)).not.toBe(before);
    } finally {
      await bridge.stop();
    }
  });
});

describe('a calendar system behind https', () => {
  it.each([
    ['of our authority', authority.issue('/CN=127.0.0.1', 'IP:127.0.0.1', 10), 0, 'busy'],
    ['of another authority', stranger.issue('/CN=127.0.0.1', 'IP:127.0.0.1', 10), 1, 'BACKEND_TLS'],
    ['of another name', authority.issue('/CN=elsewhere.example', 'DNS:elsewhere.example', 10), 1, 'BACKEND_TLS'],
    ['that has ended', authority.issue('/CN=127.0.0.1', 'IP:127.0.0.1', -1), 1, 'BACKEND_TLS'],
  ] as const)('with a certificate %s', async (_name, pem, code, expected) => {
    const server = createServer({ cert: pem.certificate, key: pem.key }, (_request, response) => {
      response.end('BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VFREEBUSY\r\nDTSTART:20260302T000000Z\r\nDTEND:20260303T000000Z\r\nFREEBUSY:20260302T090000Z/20260302T100000Z\r\nEND:VFREEBUSY\r\nEND:VCALENDAR\r\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    file('ca.pem', authority.certificate);
    const config = file('lookup.yaml', `dataDir: data\nsystems:\n  partner: { type: ifb, url: "https://127.0.0.1:${port}/{address}.ifb", tls: { ca: ca.pem }, domains: [partner.example] }\nclients: []\n`);
    const looked = await runCommand(['lookup', 'kim@partner.example', '--config', config, '--from', '2026-03-02T08:00:00Z', '--to', '2026-03-02T12:00:00Z', '--json']);
    const checked = await runCommand(['check', '--config', config]);
    server.closeAllConnections();
    server.close();
    expect([looked.code, looked.stdout]).toEqual([code, expect.stringContaining(expected)]);
    expect(checked.code).toBe(code);
    expect(checked.stdout).toMatch(code === 0 ? /TLS: TLSv1/ : /^fail {2}system partner: TLS: .* → /m);
  });
});
