import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { zimbraSetup } from '../../src/cli/setup/setup.ts';
import { folderWith as flowFolder, removeFolder } from '../flows/bridge-process.ts';
import { capturedTerminal } from './captured-terminal.ts';
import { run as runArguments } from './running.ts';

const folderWith = (config: unknown): Promise<{ file: string }> => flowFolder(config);
const run = (...args: readonly string[]): ReturnType<typeof runArguments> => runArguments(args);

const fixture = (name: string): string => fileURLToPath(new URL(`../../fixtures/config/tls/${name}`, import.meta.url));
/** For bridge.example.test. */
const TLS = { certificate: fixture('cert.pem'), key: fixture('key.pem') };
const ORGANISATION = "/o=Corp/ou=Anna's Group";
const CONFIG = {
  listen: 'http://127.0.0.1:0',
  publicUrl: 'https://bridge.example.com:8443',
  systems: {
    zimbra: { type: 'zimbra', url: 'https://mail.zimbra.example', username: 'bridge@zimbra.example', password: 'pw-zimbra', admin: { username: 'bridge-admin@zimbra.example', password: 'pw-admin' }, domains: ['zimbra.example', 'sub.zimbra.example'] },
    exchange: { type: 'exchange-ews', url: 'https://ews.corp.example/EWS/Exchange.asmx', username: 'CORP\\bridge', password: 'pw-ews', domains: ['corp.example'], legacyExchangeDn: `${ORGANISATION}/cn=Recipients/cn={localPart}` },
  },
  clients: [
    { name: 'Exchange', username: "CORP\\o'brien", password: 'pw-of-exchange', from: 'exchange', mayAsk: ['zimbra'] },
    { name: 'Zimbra', username: 'zim bra', password: 'pw-of-zimbra', from: 'zimbra', mayAsk: ['exchange'] },
  ],
  replication: [{ from: 'zimbra', to: 'exchange' }],
};

let file: string;
beforeAll(async () => {
  file = (await folderWith(CONFIG)).file;
});
afterAll(() => removeFolder(join(file, '..')));

/** An Exchange of the time of WebDAV that is only replicated into. */
const OLD = {
  ...CONFIG,
  systems: { ...CONFIG.systems, exchange: { ...CONFIG.systems.exchange, type: 'exchange-webdav', url: 'https://owa.corp.example', auth: 'form' } },
  clients: [],
};

const titlesOf = (lines: readonly string[]): readonly string[] => lines.flatMap((line) => /^# ── Exchange (\S+)/.exec(line)?.[1] ?? []);
const commandsOf = (lines: readonly string[]): readonly string[] => lines.filter((line) => line !== '' && !line.startsWith('#'));

describe('exchange-setup', () => {
  it('gives Exchange 2013 and later an address space for each domain, with the Autodiscover URL, and asks for the password', async () => {
    const { exit, printed } = await run('exchange-setup', '--config', file, '--generation', '2019', 'kim@zimbra.example');
    expect(exit).toBe(0);
    // The syntax of Microsoft's reference of the cmdlets; quotes doubled as PowerShell wants it.
    expect(commandsOf(printed)).toEqual([
      'Set-WebServicesVirtualDirectory "$env:COMPUTERNAME\\EWS (Default Web Site)" -BasicAuthentication $true',
      "Get-Mailbox 'CORP\\bridge'",
      "New-MailContact -Name 'kim@zimbra.example' -Alias 'kim' -ExternalEmailAddress 'SMTP:kim@zimbra.example'",
      "$bridge = Get-Credential 'CORP\\o''brien'",
      "Add-AvailabilityAddressSpace -ForestName 'zimbra.example' -AccessMethod OrgWideFB -Credentials $bridge -TargetAutodiscoverEpr 'https://bridge.example.com:8443/autodiscover/autodiscover.xml'",
      "Add-AvailabilityAddressSpace -ForestName 'sub.zimbra.example' -AccessMethod OrgWideFB -Credentials $bridge -TargetAutodiscoverEpr 'https://bridge.example.com:8443/autodiscover/autodiscover.xml'",
      'Get-AvailabilityAddressSpace | Format-List ForestName,AccessMethod,TargetAutodiscoverEpr,UserName',
    ]);
  });

  it('puts a domain before a user name without one: Exchange takes DOMAIN\\user and addresses only', async () => {
    const { file: other } = await folderWith({ ...CONFIG, clients: [{ ...CONFIG.clients[0], username: 'exchange' }] });
    expect((await run('exchange-setup', '--config', other, '--generation', 'se')).printed).toContain("$bridge = Get-Credential 'BRIDGE\\exchange'");
    await removeFolder(join(other, '..'));
  });

  it('gives Exchange 2007 and 2010, which have no such parameter, the DNS names, and the right for replication', async () => {
    for (const [generation, readsSrv] of [['2007', false], ['2010', true]] as const) {
      const { printed } = await run('exchange-setup', '--config', file, '--generation', generation);
      expect(printed.join('\n')).not.toContain('TargetAutodiscoverEpr \'');
      expect(printed).toContain('#    autodiscover.sub.zimbra.example.  IN  CNAME  bridge.example.com.');
      expect(printed.includes('#    _autodiscover._tcp.zimbra.example.  IN  SRV  0 0 8443 bridge.example.com.')).toBe(readsSrv);
      expect(printed).toContain('#    certutil -addstore Root ca.cer');
      expect(printed).toContain('Get-MailContact -ResultSize Unlimited | Format-List Name,LegacyExchangeDN');
      expect(printed).toContain("Add-PublicFolderClientPermission '\\NON_IPM_SUBTREE\\SCHEDULE+ FREE BUSY\\EX:/o=Corp/ou=Anna''s Group' -User 'CORP\\bridge' -AccessRights Owner");
    }
  });

  it('without --generation has all that the system can be, says how to choose, and never prints a password of the configuration', async () => {
    const { printed } = await run('exchange-setup', '--config', file);
    expect(titlesOf(printed)).toEqual(['2007', '2010', '2013,', 'Online']);
    expect(printed[0]).toContain('--generation 2019');
    expect(printed.join('\n')).not.toMatch(/pw-/);
    const { file: other } = await folderWith(OLD);
    expect(titlesOf((await run('exchange-setup', '--config', other)).printed)).toEqual(['2000', '2007']);
    await removeFolder(join(other, '..'));
  });

  it('takes a list of generations, and says which of them the system cannot be', async () => {
    const { printed } = await run('exchange-setup', '--config', file, '--generation', '2003, 2010,SE');
    expect(titlesOf(printed)).toEqual(['2000', '2010', '2013,']);
    expect(printed).toContain('# CAUTION: exchange is of type exchange-ews, which no Exchange 2003 is');
  });

  it('numbers the steps of each part from 1', async () => {
    const { printed } = await run('exchange-setup', '--config', file, '--generation', '2010');
    const numbers = printed.flatMap((line) => /^# (\d+)\. /.exec(line)?.[1] ?? []);
    expect(numbers).toEqual(['1', '2', '3', '4', '5', '6', '7', '8']);
  });

  it('without a client prints the replication and the contacts, and for those that could ask live why they do not', async () => {
    const { file: other } = await folderWith(OLD);
    const { exit, printed } = await run('exchange-setup', '--config', other, 'kim@zimbra.example');
    await removeFolder(join(other, '..'));
    expect(exit).toBe(0);
    expect(printed).toEqual(expect.arrayContaining([expect.stringContaining('# No client speaks for exchange, so it cannot ask live: add one to clients:')]));
    expect(printed).toEqual(expect.arrayContaining(['displayName: kim', 'mailNickname: kim', 'targetAddress: SMTP:kim@zimbra.example', 'Get-MailContact -ResultSize Unlimited | Format-List Name,LegacyExchangeDN']));
    expect(printed.join('\n')).not.toContain('AvailabilityAddressSpace -ForestName');
  });

  it('gives contacts with the same name before the @ different aliases, the same that zimbra-setup names, and none to who lives elsewhere', async () => {
    const addresses = ['kim@zimbra.example', 'kim@sub.zimbra.example', 'anna@corp.example', 'x@elsewhere.example'];
    const { printed } = await run('exchange-setup', '--config', file, '--generation', '2019', ...addresses);
    const aliases = printed.flatMap((line) => /^New-MailContact .* -Alias '(.*?)'/.exec(line)?.[1] ?? []);
    expect(aliases).toEqual(['kim-zimbra.example', 'kim-sub.zimbra.example']);
    expect(printed.filter((line) => line.startsWith('# CAUTION'))).toEqual([
      '# CAUTION: anna@corp.example lives in exchange itself: no contact for it',
      '# CAUTION: x@elsewhere.example lives in no system that exchange may see (zimbra.example, sub.zimbra.example): no contact for it',
      expect.stringContaining('kim@zimbra.example and kim@sub.zimbra.example are the same before the @'),
    ]);
    const zimbra = (await run('zimbra-setup', '--config', file, ...addresses)).printed;
    expect(zimbra.flatMap((line) => /^zmprov ma .* ad:(.*)$/.exec(line)?.[1] ?? [])).toEqual(aliases);
    expect(zimbra).toContain('# CAUTION: anna@corp.example does not live in zimbra: no zimbraForeignPrincipal for it');
  });

  it('with an IP address in publicUrl prints an address record and no SRV, which takes names only', async () => {
    for (const [publicUrl, record] of [['https://192.0.2.7:8443', 'A  192.0.2.7'], ['https://[2001:db8::7]:8443', 'AAAA  2001:db8::7']] as const) {
      const { file: other } = await folderWith({ ...CONFIG, publicUrl });
      const { printed } = await run('exchange-setup', '--config', other, '--generation', '2010');
      await removeFolder(join(other, '..'));
      expect(printed).toContain(`#    autodiscover.zimbra.example.  IN  ${record}`);
      expect(printed.join('\n')).not.toContain('SRV');
    }
  });

  it('says which autodiscover names the certificate of bridge.yaml lacks', async () => {
    const { file: other } = await folderWith({ ...CONFIG, listen: 'https://127.0.0.1:0', tls: TLS });
    const { printed } = await run('exchange-setup', '--config', other, '--generation', '2010');
    await removeFolder(join(other, '..'));
    expect(printed).toContain('# CAUTION: the certificate of bridge.yaml (tls:) does not name autodiscover.zimbra.example, autodiscover.sub.zimbra.example: get one that does');
  });

  it('where several clients speak for it says which one is used, and takes --client', async () => {
    const second = { ...CONFIG.clients[0], name: 'Second', username: 'second' };
    const { file: other } = await folderWith({ ...CONFIG, clients: [...CONFIG.clients, second] });
    const asked = (...more: readonly string[]) => run('exchange-setup', '--config', other, '--generation', '2019', ...more);
    expect((await asked()).printed).toContain('# exchange signs in as the client Exchange; Second would do too: choose with --client NAME');
    expect((await asked('--client', 'Second')).printed).toContain("$bridge = Get-Credential 'BRIDGE\\second'");
    expect(await asked('--client', 'Zimbra')).toMatchObject({ exit: 2, complained: ['Zimbra is no client that speaks for exchange with a password; there is Exchange, Second'] });
    await removeFolder(join(other, '..'));
  });

  it('says what is missing', async () => {
    const without = async (change: Record<string, unknown>): Promise<{ exit: number; complained: readonly string[] }> => {
      const { file: other } = await folderWith({ ...CONFIG, ...change });
      const outcome = await run('exchange-setup', '--config', other);
      await removeFolder(join(other, '..'));
      return outcome;
    };
    expect(await without({ clients: [CONFIG.clients[1]], replication: [] })).toMatchObject({ exit: 2, complained: [expect.stringContaining('no client speaks for exchange')] });
    expect(await without({ clients: [{ ...CONFIG.clients[0], mayAsk: [] }], replication: [] })).toMatchObject({ exit: 2, complained: [expect.stringContaining('may ask about nobody')] });
    expect(await run('exchange-setup', '--config', file, '--generation', '5.5')).toMatchObject({ exit: 2, complained: [expect.stringContaining('--generation is one of 2000')] });
    expect(await run('exchange-setup', '--config', file, 'kim')).toMatchObject({ exit: 2, complained: ['no mail address: kim'] });
    expect(await run('exchange-setup', '--config', file, '--system', 'zimbra')).toMatchObject({ exit: 2, complained: ['zimbra is no Exchange system of bridge.yaml; the Exchange there is named exchange'] });
  });

  it('warns of an address that no other machine can use', async () => {
    const { publicUrl: _, ...rest } = CONFIG;
    const { file: other } = await folderWith(rest);
    const { printed } = await run('exchange-setup', '--config', other);
    await removeFolder(join(other, '..'));
    expect(printed.filter((line) => line.startsWith('# CAUTION'))).toHaveLength(2);
  });
});

describe('zimbra-setup', () => {
  it('prints the lines that the Zimbra server takes for its Exchange interop', async () => {
    const { exit, printed } = await run('zimbra-setup', '--config', file, 'kim@zimbra.example');
    expect(exit).toBe(0);
    // Attribute names: zimbra.md §4.1.
    expect(commandsOf(printed)).toEqual(
      expect.arrayContaining([
        'zmprov mcf zimbraFreebusyExchangeURL https://bridge.example.com:8443',
        'zmprov mcf zimbraFreebusyExchangeAuthScheme basic',
        "zmprov mcf zimbraFreebusyExchangeAuthUsername 'zim bra'",
        "zmprov mcf zimbraFreebusyExchangeAuthPassword 'THE-PASSWORD'",
        'zmprov mcf zimbraFreebusyExchangeServerType webdav',
        'zmprov ma kim@zimbra.example +zimbraForeignPrincipal ad:kim',
      ]),
    );
    expect(printed.join('\n')).not.toMatch(/pw-/);
  });

  // Attribute names: zimbra.md §6.3.
  it('gives the LDAP face as external GAL where there is one, and says what it wants where there is none', async () => {
    const clients = CONFIG.clients.map((one) => (one.name === 'Zimbra' ? { ...one, gal: 'sync' } : one));
    const sources = [{ system: 'exchange' }];
    const printedOf = async (changes: object) => {
      const { file: other } = await folderWith({ ...CONFIG, ...changes });
      return (await run('zimbra-setup', '--config', other)).printed.join('\n');
    };
    const printed = await printedOf({ clients, tls: TLS, gal: { sources, ldap: { listen: 'ldaps://0.0.0.0:636' } } });
    for (const line of [
      'zmprov md sub.zimbra.example zimbraGalMode both zimbraGalLdapURL ldaps://bridge.example.com:636 zimbraGalLdapStartTlsEnabled FALSE \\',
      "zimbraGalLdapBindDn 'cn=zim bra,dc=bridge' zimbraGalLdapBindPassword 'THE-PASSWORD' \\",
    ]) expect(printed).toContain(line);
    expect(await printedOf({ clients, gal: { sources, ldap: { listen: 'ldap://127.0.0.1:3890' } } })).toContain('# CAUTION: gal.ldap listens on 127.0.0.1 only');
    expect(await printedOf({ gal: { sources } })).toContain('Autocomplete across both sides wants gal.ldap of bridge.yaml and a client with from: zimbra and gal: sync.');
    expect(await printedOf({})).not.toMatch(/zimbraGal|gal\.ldap/);
  });

  it('by EWS has the whole URL, for one domain its own command, and as a Zimbra a URL with the user name escaped', async () => {
    expect((await run('zimbra-setup', '--config', file, '--way', 'ews', '--domain', 'zimbra.example')).printed).toContain('zmprov md zimbra.example zimbraFreebusyExchangeURL https://bridge.example.com:8443/EWS/Exchange.asmx');
    expect((await run('zimbra-setup', '--config', file, '--way', 'zimbra')).printed).toContain("zmprov mcf +zimbraFreebusyExternalZimbraURL 'https://zim%20bra:THE-PASSWORD@bridge.example.com:8443'");
    expect(await run('zimbra-setup', '--config', file, '--way', 'imap')).toMatchObject({ exit: 2 });
  });

  // zimbra.md §4.1: that attribute exists in the global configuration only.
  it('refuses a domain of somebody else, and one together with --way zimbra', async () => {
    const refused = (...more: readonly string[]) => run('zimbra-setup', '--config', file, ...more);
    expect(await refused('--domain', 'corp.example')).toMatchObject({ exit: 2, complained: ['corp.example is no domain of zimbra; there is zimbra.example, sub.zimbra.example'] });
    expect(await refused('--domain', 'zimbra.example', '--way', 'zimbra')).toMatchObject({ exit: 2, complained: [expect.stringContaining('exists in the global configuration only')] });
    for (const way of ['webdav', 'ews']) {
      const { printed } = await refused('--domain', 'Sub.Zimbra.example', '--way', way);
      expect(printed.join('\n')).not.toMatch(/zmprov md \S+ \+?zimbraFreebusyExternalZimbraURL/);
    }
  });

  it('takes nothing away by itself: what is there is noted first, and what stands in the way is a comment', async () => {
    for (const way of ['webdav', 'ews', 'zimbra']) {
      const { printed } = await run('zimbra-setup', '--config', file, '--way', way);
      expect(commandsOf(printed).filter((line) => / ''| -zimbra/.test(line))).toEqual([]);
      expect(commandsOf(printed).filter((line) => line.includes('restart'))).toEqual([]);
      const noted = printed.findIndex((line) => line === '# Note what is there now (the next lines replace it): zmprov gacf | grep -i freebusy');
      expect(noted).toBeGreaterThan(0);
      expect(noted).toBeLessThan(printed.findIndex((line) => line.startsWith('zmprov mcf')));
      expect(printed.findIndex((line) => line.startsWith('curl'))).toBeLessThan(noted);
    }
  });

  it('asks about tomorrow in the line to try it', async () => {
    const terminal = capturedTerminal();
    await zimbraSetup([], { config: file }, terminal, { now: () => Date.parse('2026-12-31T23:30:00Z') });
    expect(terminal.printed.find((line) => line.startsWith('curl'))).toContain('start=2027-01-01T08:00:00Z&end=2027-01-01T18:00:00Z');
  });

  it('says that Zimbra can do Basic only, and that nobody is replicated', async () => {
    const { file: other } = await folderWith({ ...CONFIG, listen: 'https://127.0.0.1:0', tls: TLS, replication: [], clients: [{ ...CONFIG.clients[1], auth: ['ntlm'] }] });
    const { printed } = await run('zimbra-setup', '--config', other, 'kim@zimbra.example');
    await removeFolder(join(other, '..'));
    expect(printed).toEqual(expect.arrayContaining([expect.stringMatching(/^# CAUTION: .*Zimbra can only do Basic: write auth: \[basic\]/), expect.stringContaining('Nothing is replicated from zimbra')]));
    expect(printed.join('\n')).not.toContain('zmprov ma');
  });

  it('is a script that a shell can read, in which every argument arrives as it is meant', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'setup-'));
    const { printed } = await run('zimbra-setup', '--config', file, 'kim@zimbra.example', "o'hara@zimbra.example");
    const noted = join(folder, 'noted');
    const script = join(folder, 'script.sh');
    await writeFile(script, `for one in zmprov zmlocalconfig zmmailboxdctl curl; do eval "$one() { printf '%s|' $one \\"\\$@\\" >> ${noted}; echo >> ${noted}; }"; done\n${printed.join('\n')}\n`);
    const ended = spawnSync('bash', [script], { encoding: 'utf8' });
    expect([ended.status, ended.stderr]).toEqual([0, '']);
    const calls = (await readFile(noted, 'utf8')).split('\n');
    expect(calls).toContain('zmprov|mcf|zimbraFreebusyExchangeAuthUsername|zim bra|');
    expect(calls).toContain("zmprov|ma|o'hara@zimbra.example|+zimbraForeignPrincipal|ad:o'hara|");
    await removeFolder(folder);
  });
});

describe('how the bridge gets in', () => {
  const scriptFor = async (exchange: Record<string, unknown>, ...generations: readonly string[]): Promise<readonly string[]> => {
    const { file: other } = await folderWith({ ...CONFIG, replication: [], systems: { ...CONFIG.systems, exchange } });
    const { exit, printed } = await run('exchange-setup', '--config', other, '--generation', generations.join(','));
    expect(exit).toBe(0);
    await removeFolder(join(other, '..'));
    return printed;
  };
  const { exchange } = CONFIG.systems;

  it('by NTLM: Windows sign-in at the virtual directory, and each of its accounts', async () => {
    const printed = await scriptFor({ ...exchange, auth: 'ntlm', accounts: [{ username: 'CORP\\bridge2', password: 'pw-2' }], impersonate: 'bridge@corp.example' }, '2016');
    expect(commandsOf(printed).slice(0, 5)).toEqual([
      'Set-WebServicesVirtualDirectory "$env:COMPUTERNAME\\EWS (Default Web Site)" -WindowsAuthentication $true',
      "Get-Mailbox 'CORP\\bridge'",
      "Get-Mailbox 'CORP\\bridge2'",
      "New-ManagementRoleAssignment -Role ApplicationImpersonation -User 'CORP\\bridge'",
      "New-ManagementRoleAssignment -Role ApplicationImpersonation -User 'CORP\\bridge2'",
    ]);
    expect(printed.join('\n')).not.toMatch(/pw-2|pw-ews/);
  });

  it('by OAuth: the application, its permission and its bounds', async () => {
    const { username: _user, password: _password, ...rest } = exchange;
    const oauth = { tokenUrl: 'https://login.example/token', clientId: 'app-1', clientSecret: 'secret-of-app' };
    const printed = await scriptFor({ ...rest, auth: 'oauth', oauth }, 'online');
    expect(commandsOf(printed)).toContainEqual(expect.stringContaining("New-ApplicationAccessPolicy -AppId 'app-1'"));
    expect(printed.join('\n')).toContain('impersonate: names the mailbox');
    expect(printed.join('\n')).not.toContain('secret-of-app');
    expect((await scriptFor({ ...rest, auth: 'oauth', oauth, impersonate: 'bridge@corp.example' }, 'online')).join('\n')).not.toContain('impersonate: names the mailbox');
    expect((await scriptFor(exchange, 'online')).join('\n')).toContain('Exchange Online takes tokens only: auth: oauth');
  });
});
