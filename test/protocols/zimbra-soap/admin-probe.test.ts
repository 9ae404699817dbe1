import { afterEach, describe, expect, it } from 'vitest';
import type { RequestContext } from '../../../src/core/request-context.ts';
import { homeAgainst } from './home-under-test.ts';
import { AdminServer, accountId } from './zimbra-admin-server.ts';
import { fault } from './zimbra-server.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const context = { signal: new AbortController().signal } as RequestContext;

async function probed(prepare: (server: AdminServer) => void, options: Parameters<typeof homeAgainst>[1] = {}) {
  const server = await AdminServer.start();
  const { home } = homeAgainst(server.url, options);
  closers.push(() => server.close(), () => home.close());
  server.add({ id: accountId(1), name: 'kim@zimbra.example', attributes: { zimbraForeignPrincipal: 'ad:kim' } }, { id: accountId(2), name: 'lea@zimbra.example' });
  prepare(server);
  const findings = await home.probe(context);
  return { server, findings, outcomes: Object.fromEntries(findings.map(({ step, outcome }) => [step, outcome])), text: JSON.stringify(findings) };
}

describe('check', () => {
  it('finds everything in order, and leaves no WaitSet behind', async () => {
    const { server, outcomes, findings } = await probed(() => undefined);
    expect(outcomes).toEqual({ 'admin sign-in': 'ok', 'mail stores': 'ok', 'WaitSet right': 'ok', accounts: 'ok', 'native provider': 'ok' });
    expect(findings.find(({ step }) => step === 'accounts')?.text).toContain('2 mailboxes, 1 with a zimbraForeignPrincipal');
    expect(server.sets.size).toBe(0);
    expect(server.operations).toContain('AdminDestroyWaitSetRequest');
  });

  it('stops at a refused sign-in, without quoting what the server said of it', async () => {
    const { findings, text } = await probed((server) => {
      server.override = (operation) => (operation === 'AuthRequest' ? fault('account.AUTH_FAILED', 'Sender', 'authentication failed for bridge-admin s&lt;3') : undefined);
    });
    expect(findings).toMatchObject([{ step: 'admin sign-in', outcome: 'fail' }]);
    expect(text).not.toMatch(/bridge-admin|s<3/);
  });

  it('says that a WaitSet over all accounts needs a global administrator', async () => {
    const { findings } = await probed((server) => {
      server.override = (operation) => (operation === 'AdminCreateWaitSetRequest' ? fault('service.PERM_DENIED') : undefined);
    });
    expect(findings.find(({ step }) => step === 'WaitSet right')).toMatchObject({ outcome: 'fail', advice: expect.stringContaining('zimbraIsAdminAccount TRUE') as string });
  });

  it('fails for a mail store that hosts does not list, names it, and sends it nothing', async () => {
    const { server, findings } = await probed((one) => {
      one.servers = ['127.0.0.1', 'localhost'];
    });
    const missing = findings.filter(({ step, outcome }) => step === 'mail stores' && outcome === 'fail');
    expect(missing).toMatchObject([{ advice: 'list localhost under hosts of this system' }]);
    expect(server.bodiesOf('AdminCreateWaitSetRequest')).toHaveLength(1);
  });

  it('tries every mail store that is listed', async () => {
    const { findings } = await probed(
      (server) => {
        server.servers = ['127.0.0.1', 'localhost'];
      },
      { hosts: ['localhost'] },
    );
    expect(findings.filter(({ step, outcome }) => step === 'WaitSet right' && outcome === 'ok')).toHaveLength(2);
  });

  it('warns when nobody has a principal: nobody would be replicated', async () => {
    const { findings } = await probed((server) => server.accounts.delete(accountId(1)));
    expect(findings.find(({ step }) => step === 'accounts')).toMatchObject({ outcome: 'warn', advice: expect.stringContaining('mailboxes: { only: all }') as string });
  });

  it('warns when nobody lives in the domains at all', async () => {
    expect((await probed((server) => server.accounts.clear())).outcomes).toMatchObject({ accounts: 'warn' });
  });

  it.each<[string, Partial<AdminServer>, 'ok' | 'warn']>([
    ['pushes by WebDAV', { propagate: '1', config: { zimbraFreebusyExchangeUserOrg: '/o=Corp/ou=X' } }, 'warn'],
    ['looks up only, because it has no UserOrg', { propagate: '1' }, 'ok'],
    ['pushes by EWS, which the list of providers leaves out', { config: { zimbraFreebusyExchangeUserOrg: '/o=Corp/ou=X', zimbraFreebusyExchangeServerType: 'ews' } }, 'warn'],
    ['has a UserOrg and no provider', { config: { zimbraFreebusyExchangeUserOrg: '/o=Corp/ou=X' } }, 'ok'],
  ])('sees whether Zimbra pushes by itself: one that %s', async (_name, state, outcome) => {
    const { findings } = await probed((server) => Object.assign(server, state));
    const found = findings.find(({ step }) => step === 'native provider');
    expect(found?.outcome).toBe(outcome);
    if (outcome === 'warn') expect(found?.advice).toMatch(/^zmprov mcf zimbraFreebusyExchangeUserOrg ''/);
  });

  it('warns of a push also where the configuration is not for us to see', async () => {
    const { findings } = await probed((server) => {
      server.propagate = '1';
      server.override = (operation) => (operation === 'GetConfigRequest' ? fault('service.UNKNOWN_DOCUMENT') : undefined);
    });
    expect(findings.find(({ step }) => step === 'native provider')).toMatchObject({ outcome: 'warn', text: expect.stringContaining('still pushes') as string });
  });

  it.each(['AdminCreateWaitSetRequest', 'GetAllServersRequest', 'SearchDirectoryRequest', 'GetAllFreeBusyProvidersRequest', 'AuthRequest'])('never throws: HTML in place of the answer to %s is a finding', async (broken) => {
    const { findings } = await probed((server) => {
      server.override = (operation) => (operation === broken ? { body: '<html><p>Welcome' } : undefined);
    });
    const bad = findings.filter(({ outcome }) => outcome !== 'ok');
    expect(bad).toHaveLength(1);
    expect(bad[0]?.advice).toBeDefined();
  });

  it('never throws: a server that is not there is one finding', async () => {
    const server = await AdminServer.start();
    server.close();
    const { home } = homeAgainst(server.url);
    closers.push(() => home.close());
    expect(await home.probe(context)).toMatchObject([{ step: 'admin sign-in', outcome: 'fail', text: expect.stringContaining('BACKEND_UNREACHABLE') as string }]);
  });
});
