import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/core/logger.ts';
import { el } from '../../../src/platform/xml/write.ts';
import { ZimbraAdmin } from '../../../src/protocols/zimbra-soap/admin-client.ts';
import { AdminServer } from './zimbra-admin-server.ts';
import { fault } from './zimbra-server.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const never = new AbortController().signal;
const request = el('GetAllServersRequest', { xmlns: 'urn:zimbraAdmin' });

async function adminAgainst(hosts: readonly string[] = []) {
  const server = await AdminServer.start();
  const clock = { at: 0, now: () => clock.at };
  const admin = new ZimbraAdmin({ name: 'zimbra', adminUrl: new URL(`${server.url.href}`), username: 'bridge-admin@zimbra.example', password: ' a<b&"c" ', hosts, clock, logger: silentLogger });
  closers.push(() => server.close(), () => admin.close());
  return { server, clock, admin };
}

describe('an administrator', () => {
  it('signs in by name and password in the namespace of the admin port, and sends the token with everything else', async () => {
    const { server, admin } = await adminAgainst();
    expect((await admin.call(request, never))?.name).toBe('GetAllServersResponse');
    expect(server.asked[0]).toContain('<AuthRequest xmlns="urn:zimbraAdmin"><name>bridge-admin@zimbra.example</name><password> a&lt;b&amp;&quot;c&quot; </password></AuthRequest>');
    expect(server.asked[0]).not.toContain('<authToken');
    expect(server.asked[1]).toContain('<authToken>admin1</authToken>');
    // zimbra.md §1.2: `account` would make it act for somebody else.
    expect(server.asked[1]).not.toContain('<account');
  });

  it('renews the token before its lifetime is over', async () => {
    const { server, clock, admin } = await adminAgainst();
    await admin.call(request, never);
    clock.at = 43_199_999 - 5 * 60_000;
    await admin.call(request, never);
    expect(server.signIns).toBe(2);
  });

  it.each([
    ['service.AUTH_EXPIRED', fault('service.AUTH_EXPIRED')],
    ['service.AUTH_REQUIRED', fault('service.AUTH_REQUIRED')],
    ['401 of whatever stands before it', { status: 401, body: '' }],
  ])('signs in once more after %s, and gives up when the new token is refused as well', async (_name, answer) => {
    const { server, admin } = await adminAgainst();
    server.override = (operation) => (operation === 'GetAllServersRequest' ? answer : undefined);
    await expect(admin.call(request, never)).rejects.toMatchObject({ code: 'BACKEND_AUTH' });
    expect(server.operations).toEqual(['AuthRequest', 'GetAllServersRequest', 'AuthRequest', 'GetAllServersRequest']);
  });

  it('remembers a refused password for ten seconds: accounts get locked', async () => {
    const { server, clock, admin } = await adminAgainst();
    server.override = (operation) => (operation === 'AuthRequest' ? fault('account.AUTH_FAILED', 'Sender', 'authentication failed for [bridge-admin] a&lt;b') : undefined);
    for (let tries = 0; tries < 5; tries++) await expect(admin.call(request, never)).rejects.toMatchObject({ code: 'BACKEND_AUTH' });
    expect(server.asked).toHaveLength(1);
    clock.at = 10_000;
    server.override = () => undefined;
    await admin.call(request, never);
  });

  it('sends nothing, not even a sign-in, to a host that the configuration does not name', async () => {
    const { server, admin } = await adminAgainst();
    const other = new URL(admin.endpoint);
    other.hostname = 'localhost';
    await expect(admin.call(request, never, other)).rejects.toMatchObject({ code: 'CONFIGURATION', details: { target: other.host } });
    expect(server.asked).toEqual([]);
  });

  it('asks another store with the same token where `hosts` has it, by name or by name and port', async () => {
    for (const form of [(url: URL) => url.hostname, (url: URL) => url.hostname.toUpperCase(), (url: URL) => url.host]) {
      const { server } = await adminAgainst();
      const other = new URL(server.url);
      other.hostname = 'localhost';
      const admin = new ZimbraAdmin({ name: 'z', adminUrl: server.url, username: 'a', password: 'b', hosts: [form(other)], clock: { now: () => 0 }, logger: silentLogger });
      closers.push(() => admin.close());
      other.pathname = '/service/admin/soap/';
      await admin.call(request, never, other);
      expect(server.tokens).toEqual(['admin1']);
      const elsewhere = new URL(other);
      elsewhere.protocol = 'https:';
      expect(admin.permits(elsewhere)).toBe(false);
    }
  });

  it('does not follow a redirect to a host that is not listed', async () => {
    const thief = await AdminServer.start();
    closers.push(() => thief.close());
    const { server, admin } = await adminAgainst();
    server.override = (operation) => (operation === 'GetAllServersRequest' ? { status: 307, body: '', headers: { location: `${thief.url.href}service/admin/soap/` } } : undefined);
    await expect(admin.call(request, never)).rejects.toMatchObject({ code: 'BACKEND_REDIRECT' });
    expect(thief.asked).toEqual([]);
  });

  it('waits for a silent server no longer than it is told', async () => {
    const { server, admin } = await adminAgainst();
    server.override = (operation) => (operation === 'GetAllServersRequest' ? 'silent' : undefined);
    await expect(admin.call(request, never, admin.endpoint, 50)).rejects.toMatchObject({ code: 'DEADLINE' });
  });
});
