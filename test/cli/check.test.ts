import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { folderWith, removeFolder } from '../flows/bridge-process.ts';
import { run } from './running.ts';

/** For bridge.example.test only. */
const TLS = { certificate: fixture('cert.pem'), key: fixture('key.pem') };

function fixture(name: string): string {
  return fileURLToPath(new URL(`../../fixtures/config/tls/${name}`, import.meta.url));
}

/** The line of `check` that begins so, with systems that nobody listens for. */
async function lineOf(kind: string, change: Record<string, unknown>): Promise<string> {
  const { file } = await folderWith({
    listen: 'https://127.0.0.1:0',
    tls: TLS,
    systems: {
      zimbra: { type: 'zimbra', url: 'https://127.0.0.1:1', username: 'bridge@zimbra.example', password: 'p', domains: ['zimbra.example'] },
      exchange: { type: 'exchange-ews', url: 'https://127.0.0.1:1/EWS/Exchange.asmx', username: 'bridge', password: 'p', domains: ['corp.example'] },
    },
    clients: [{ name: 'Zimbra', username: 'zimbra', password: 'p', from: 'zimbra', mayAsk: ['exchange'] }],
    ...change,
  });
  const { exit, printed } = await run(['check', '--config', file]);
  await removeFolder(join(file, '..'));
  expect(exit).toBe(1);
  return printed.find((line) => line.includes(`  ${kind} `)) ?? '';
}

describe("check, of the bridge's own certificate", () => {
  it.each(['https://elsewhere.example.net', 'https://192.0.2.7:8443', 'https://[2001:db8::7]:8443'])('warns when it does not name the host of %s', async (publicUrl) => {
    const host = new URL(publicUrl).hostname;
    expect(await lineOf('listener', { publicUrl })).toContain(
      `warn  listener https: publicUrl: the certificate names DNS:bridge.example.test but not ${host} → Exchange, Zimbra and Outlook will refuse it; get a certificate with that name, or change publicUrl`,
    );
  });

  it('is content with the name that it has', async () => {
    expect(await lineOf('listener', { publicUrl: 'https://bridge.example.test' })).toMatch(/^ok {4}listener https: certificate: of DNS:bridge\.example\.test ends in \d+ days$/);
  });

  it('mentions the names that old Exchanges look for only where an Exchange asks, and never fails for them', async () => {
    const clients = [{ name: 'Exchange', username: 'exchange', password: 'p', from: 'exchange', mayAsk: ['zimbra'] }];
    expect(await lineOf('listener', { publicUrl: 'https://bridge.example.test', clients })).toMatch(/^ok .*; Autodiscover: an Exchange 2007 or 2010 would want autodiscover\.zimbra\.example in it too$/);
  });
});

describe('check, of a client', () => {
  const client = (auth: readonly string[]) => ({ clients: [{ name: 'Zimbra', username: 'zimbra', password: 'p', from: 'zimbra', mayAsk: ['exchange'], auth }] });

  it('says how it signs in', async () => {
    expect(await lineOf('client', client(['basic', 'ntlm']))).toMatch(/^ok {4}client Zimbra: .*signs in by Basic, NTLM/);
  });

  it('warns of a Zimbra that could not sign in', async () => {
    expect(await lineOf('client', client(['ntlm']))).toMatch(/^warn {2}client Zimbra: sign-in: a Zimbra cannot do NTLM → write auth: \[basic\]; .*signs in by NTLM/);
  });
});
