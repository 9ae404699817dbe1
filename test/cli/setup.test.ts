import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { folderWith as flowFolder, removeFolder } from '../flows/bridge-process.ts';
import { run as runArguments } from './running.ts';

const folderWith = (config: unknown): Promise<{ file: string }> => flowFolder(config);
const run = (...args: readonly string[]): ReturnType<typeof runArguments> => runArguments(args);

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

const commandsOf = (lines: readonly string[]): readonly string[] => lines.filter((line) => line !== '' && !line.startsWith('#'));

describe('exchange-setup', () => {
  it('gives Exchange 2013 and later an address space for each domain, with the Autodiscover URL, and asks for the password', async () => {
    const { exit, printed } = await run('exchange-setup', '--config', file, '--generation', '2019', 'kim@zimbra.example');
    expect(exit).toBe(0);
    // The syntax of Microsoft's reference of the cmdlets; quotes doubled as PowerShell wants it.
    expect(commandsOf(printed)).toEqual([
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
    for (const generation of ['2007', '2010']) {
      const { printed } = await run('exchange-setup', '--config', file, '--generation', generation);
      expect(printed.join('\n')).not.toContain('TargetAutodiscoverEpr \'');
      expect(printed).toContain('#    autodiscover.sub.zimbra.example.  IN  CNAME  bridge.example.com.');
      expect(printed).toContain('#    _autodiscover._tcp.zimbra.example.  IN  SRV  0 0 8443 bridge.example.com.');
      expect(printed).toContain("Add-PublicFolderClientPermission '\\NON_IPM_SUBTREE\\SCHEDULE+ FREE BUSY\\EX:/o=Corp/ou=Anna''s Group' -User 'CORP\\bridge' -AccessRights Owner");
    }
  });

  it('without --generation has all of them, and never a password of the configuration', async () => {
    const { printed } = await run('exchange-setup', '--config', file);
    const text = printed.join('\n');
    for (const title of ['2000 and 2003', '2007', '2010', '2013, 2016, 2019 and SE', 'Online']) expect(text).toContain(`# ── Exchange ${title}`);
    expect(text).not.toMatch(/pw-/);
  });

  it('says what is missing', async () => {
    const without = async (change: Record<string, unknown>): Promise<{ exit: number; complained: readonly string[] }> => {
      const { file: other } = await folderWith({ ...CONFIG, ...change });
      const outcome = await run('exchange-setup', '--config', other);
      await removeFolder(join(other, '..'));
      return outcome;
    };
    expect(await without({ clients: [CONFIG.clients[1]] })).toMatchObject({ exit: 2, complained: [expect.stringContaining('no client speaks for exchange')] });
    expect(await without({ clients: [{ ...CONFIG.clients[0], mayAsk: [] }] })).toMatchObject({ exit: 2, complained: [expect.stringContaining('may ask about nobody')] });
    expect(await run('exchange-setup', '--config', file, '--generation', '5.5')).toMatchObject({ exit: 2, complained: [expect.stringContaining('--generation is one of 2000')] });
    expect(await run('exchange-setup', '--config', file, 'kim')).toMatchObject({ exit: 2, complained: ['no mail address: kim'] });
    expect(await run('exchange-setup', '--config', file, '--system', 'zimbra')).toMatchObject({ exit: 2, complained: [expect.stringContaining('there is exchange')] });
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

  it('by EWS has the whole URL, for one domain its own command, and as a Zimbra a URL with the user name escaped', async () => {
    expect((await run('zimbra-setup', '--config', file, '--way', 'ews', '--domain', 'zimbra.example')).printed).toContain('zmprov md zimbra.example zimbraFreebusyExchangeURL https://bridge.example.com:8443/EWS/Exchange.asmx');
    expect((await run('zimbra-setup', '--config', file, '--way', 'zimbra')).printed).toContain('zmprov mcf +zimbraFreebusyExternalZimbraURL https://zim%20bra:THE-PASSWORD@bridge.example.com:8443');
    expect(await run('zimbra-setup', '--config', file, '--way', 'imap')).toMatchObject({ exit: 2 });
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
