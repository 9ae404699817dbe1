import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { linesOf, load, MINIMAL } from './temporary-bridge.ts';

const client = (auth: string): string => `clients:\n  - { name: one, username: one, password: p, mayAsk: [exchange]${auth === '' ? '' : `, auth: ${auth}`} }\n`;
const BEHIND = 'ntlm does not go with behindProxy: true: NTLM signs in a connection, and a proxy gives its connections to everybody; use basic';

describe("a client's auth", () => {
  it.each([
    ['', ['basic']],
    ['[basic]', ['basic']],
    ['[ntlm]', ['ntlm']],
    ['[basic, ntlm]', ['basic', 'ntlm']],
    ['[ntlm, basic, ntlm]', ['ntlm', 'basic']],
  ])('%j is %j', async (auth, expected) => {
    expect((await load(`${MINIMAL}${client(auth)}`)).clients[0]?.auth).toEqual(expected);
  });

  it.each([
    ['[]', 'clients[0].auth: is empty; it should have at least one entry'],
    ['ntlm', 'clients[0].auth: should be a list, not a text'],
    ['[NTLM]', 'clients[0].auth[0]: "NTLM" is not known, did you mean ntlm?; there are: basic, ntlm, bearer, certificate'],
    ['[basic, bearer]', 'clients[0].token: is missing; auth: bearer needs token: { issuer, claims }'],
    ['[negotiate]', 'clients[0].auth[0]: "negotiate" is not known; there are: basic, ntlm, bearer, certificate'],
  ])('%j is a mistake', async (auth, line) => {
    expect(await linesOf(`${MINIMAL}${client(auth)}`)).toEqual([line]);
  });

  it('is not for an anonymous client, which proves nothing', async () => {
    expect(await linesOf(`${MINIMAL}clients: [{ name: one, anonymous: true, addresses: [10.0.0.0/8], auth: [basic] }]`)).toEqual(['clients[0].auth: does not go with anonymous: true; leave one of them out']);
    expect((await load(`${MINIMAL}clients: [{ name: one, anonymous: true, addresses: [10.0.0.0/8] }]`)).clients[0]?.auth).toEqual([]);
  });
});

describe('ntlm', () => {
  it('does not go with a proxy in front, wherever the bridge listens', async () => {
    for (const listen of ['', 'listen: http://0.0.0.0:8480\n', 'listen: http://127.0.0.1:8480\n']) {
      expect(await linesOf(`${MINIMAL}behindProxy: true\n${listen}${client('[basic, ntlm]')}`)).toEqual([`clients[0].auth[1]: ${BEHIND}`]);
    }
    expect((await load(`${MINIMAL}behindProxy: true\n${client('[basic]')}`)).clients).toHaveLength(1);
  });

  it('goes with loopback, with the default listener too, and with TLS', async () => {
    for (const listen of ['', 'listen: http://localhost:0\n', 'listen: ["http://[::1]:8480"]\n']) expect((await load(`${MINIMAL}${listen}${client('[ntlm]')}`)).clients).toHaveLength(1);
    // The certificate is missing, which is all that is wrong.
    expect(await linesOf(`${MINIMAL}listen: https://bridge.example.com\n${client('[ntlm]')}`)).toEqual(['listen: is https and needs tls: { certificate, key }']);
  });

  it('does not go with plain http beyond loopback, which is a mistake itself', async () => {
    expect(await linesOf(`${MINIMAL}listen: http://192.0.2.1:80\n${client('[ntlm]')}`)).toEqual([
      'listen: is plain http beyond loopback: use https, or set behindProxy: true where a proxy in front speaks TLS',
      'clients[0].auth[0]: ntlm is for https and loopback connections only, and listen has neither; use https',
    ]);
    expect(await linesOf(`${MINIMAL}listen: nowhere\n${client('[ntlm]')}`)).toEqual([expect.stringMatching(/^listen: should be http/)]);
  });
});

describe('publicUrl', () => {
  const warningsOf = async (yaml: string): Promise<readonly string[]> => (await load(`${MINIMAL}behindProxy: true\n${client('')}${yaml}`)).warnings;

  it.each(['http://0.0.0.0:8480', 'http://[::]:8480', 'http://0:8480', 'http://[0:0:0:0:0:0:0:0]:0'])('is missed where listen is %s', async (listen) => {
    expect(await warningsOf(`listen: ["${listen}", "http://127.0.0.1:1"]`)).toEqual([expect.stringMatching(/^publicUrl: is left out, and listen is no address that a client can use/)]);
    expect(await warningsOf(`listen: "${listen}"\npublicUrl: https://bridge.example.com`)).toEqual([]);
  });

  it('is missed where the port is another after every start, but for this machine alone', async () => {
    expect(await warningsOf('listen: http://192.0.2.1:0')).toEqual([expect.stringMatching(/^publicUrl: is left out, and the port of listen is another after every start/)]);
    expect((await load(`${MINIMAL}${client('')}listen: http://127.0.0.1:0`)).warnings).toEqual([]);
  });

  it.each(['http://127.0.0.1:8480', 'http://192.0.2.1:80', 'http://bridge.example.com:80'])('is missed behind a proxy, where nobody reaches %s', async (listen) => {
    expect(await warningsOf(`listen: ${listen}`)).toEqual([expect.stringMatching(/^publicUrl: is left out, and with behindProxy: true .*; set publicUrl: https:\/\/NAME, as the proxy has it$/)]);
  });

  it('is advised with the port of the listener', async () => {
    const tls = { 'cert.pem': await readFile(new URL('../../fixtures/config/tls/cert.pem', import.meta.url)), 'key.pem': await readFile(new URL('../../fixtures/config/tls/key.pem', import.meta.url)) };
    const https = `${MINIMAL}${client('')}listen: https://0.0.0.0:8443\ntls: { certificate: cert.pem, key: key.pem }\n`;
    expect((await load(https, {}, tls)).warnings).toEqual([expect.stringMatching(/; set publicUrl: https:\/\/NAME:8443$/)]);
    expect((await load(`${https}publicUrl: http://bridge.example.com:8480`, {}, tls)).warnings).toEqual([expect.stringMatching(/^publicUrl: is plain http, and listen has https/)]);
  });
});
