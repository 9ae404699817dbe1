import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ldifLine } from '../../../src/cli/gal/write-ldif.ts';
import { readEntries } from '../../../src/protocols/address-file/read-entries.ts';
import type { GalRow } from '../../../src/gal/gal-row.ts';
import { record, row } from '../../gal/rows.ts';
import { runGal, sourceOf, SYSTEMS } from './running-gal.ts';

const NASTY = `O'Brien "Q", ${'$'}(calc) \`x\`; \u2019\n# Ж -x`;
const KIM = record('zimbra', 'kim@zimbra.example', { name: NASTY, givenName: 'Kim', surname: "O'Brien", title: 'Head', phone: '+1' });
const ROWS: readonly GalRow[] = [
  row([record('corp', 'kim@corp.example', { nickname: 'kim' })]),
  row([KIM]),
  row([record('zimbra', 'lee@zimbra.example', { name: 'Lee New' }), record('corp', 'lee@zimbra.example', { kind: 'contact', name: 'Lee', targetAddress: 'old@zimbra.example', ref: 'cn=lee,ou=zimbra,dc=corp,dc=example' })]),
  row([record('corp', 'gone@zimbra.example', { kind: 'contact', name: 'Gone', ref: 'cn=gone,ou=zimbra,dc=corp,dc=example' })]),
  row([record('corp', 'anna@corp.example', { name: 'Anna' })]),
  row([record('zimbra', 'two@zimbra.example'), record('corp', 'two@zimbra.example')], { home: 'zimbra' }),
];

const hasPython = process.env['REQUIRE_PEERS'] === '1' || spawnSync('python3', ['--version']).status === 0;

describe('gal export for an Exchange', () => {
  it('prints lines for the Exchange Management Shell, in which a name is only a name', async () => {
    const { exit, printed, complained } = await runGal({ rows: ROWS }, 'export', '--for', 'exchange');
    expect([exit, complained]).toEqual([0, []]);
    expect(printed).toEqual([
      '# Contacts in corp for the people of the other sides: 1 to add, 1 to change, 1 to remove.',
      '# Read it, then enter it in the Exchange Management Shell. Every removal asks back.',
      "# CAUTION: two@zimbra.example: lives in zimbra, and corp has a mailbox of this address, too: left alone",
      // kim is taken by a mailbox of its own there.
      "New-MailContact -Name 'kim@zimbra.example' -DisplayName 'O''Brien \"Q\", $(calc) `x`; ’’�# Ж -x' -Alias 'kim-zimbra.example' -ExternalEmailAddress 'SMTP:kim@zimbra.example' -FirstName 'Kim' -LastName 'O''Brien'",
      "Set-Contact -Identity 'kim@zimbra.example' -Title 'Head' -Phone '+1'",
      "Set-MailContact -Identity 'lee@zimbra.example' -DisplayName 'Lee New' -ExternalEmailAddress 'SMTP:lee@zimbra.example'",
      "Remove-MailContact -Identity 'gone@zimbra.example' -Confirm",
    ]);
  });

  it('keeps within what Active Directory takes, and says what it leaves out', async () => {
    const long = `${'x'.repeat(60)}@zimbra.example`;
    const { printed } = await runGal({ rows: [row([record('zimbra', long, { title: 't'.repeat(129), company: 'c'.repeat(64) })])] }, 'export', '--for', 'corp');
    const [, name] = /-Name '([^']*)'/.exec(printed.join('\n'))!;
    expect(name).toMatch(/^x{55}-[0-9a-f]{8}$/);
    expect(printed).toContain(`# CAUTION: ${long}: title is longer than the 128 characters of Active Directory and left out`);
    expect(printed.at(-1)).toBe(`Set-Contact -Identity '${long}' -Company '${'c'.repeat(64)}'`);
  });

  it.skipIf(!hasPython)('prints CSV that Python reads, and its remarks beside', async () => {
    const { printed, complained } = await runGal({ rows: ROWS }, 'export', '--for', 'corp', '--format', 'csv');
    const rows = JSON.parse(execFileSync('python3', ['-c', 'import csv,json,sys; print(json.dumps(list(csv.DictReader(sys.stdin))))'], { input: printed.join('\r\n'), encoding: 'utf8', env: { ...process.env, PYTHONIOENCODING: 'utf-8' } })) as Record<string, string>[];
    expect(rows.map(({ Action, Identity, DisplayName, ExternalEmailAddress }) => [Action, Identity, DisplayName, ExternalEmailAddress])).toEqual([
      ['add', 'kim@zimbra.example', NASTY.replace('\n', '�'), 'SMTP:kim@zimbra.example'],
      ['change', 'lee@zimbra.example', 'Lee New', 'SMTP:lee@zimbra.example'],
      ['remove', 'gone@zimbra.example', '', ''],
    ]);
    expect(complained).toEqual([expect.stringMatching(/^two@zimbra.example: .*left alone$/)]);
  });

  it('--json has it as data', async () => {
    const { printed } = await runGal({ rows: ROWS }, 'export', '--for', 'corp', '--json');
    expect(JSON.parse(printed.join('\n'))).toEqual({
      system: 'corp',
      add: [{ address: 'kim@zimbra.example', name: NASTY, kind: 'person', home: 'zimbra', externalAddress: 'kim@zimbra.example' }],
      change: [{ address: 'lee@zimbra.example', present: 'lee@zimbra.example', name: 'Lee New', externalAddress: 'lee@zimbra.example' }],
      remove: [{ address: 'gone@zimbra.example', name: 'Gone' }],
      remarks: [expect.stringMatching(/^two@/)],
    });
  });

  it('says which source makes it unsure, and then removes nobody', async () => {
    const { printed, complained } = await runGal({ rows: ROWS, status: { sources: [sourceOf('corp'), sourceOf('zimbra', { isOld: true })] } }, 'export', '--for', 'corp');
    expect(complained).toEqual([expect.stringMatching(/^directory of zimbra: could not be read of late/)]);
    expect(printed.join('\n')).not.toContain('Remove-MailContact');
    expect((await runGal({ rows: ROWS, status: { sources: [sourceOf('zimbra', { wholeAt: undefined })] } }, 'export', '--for', 'corp')).complained).toEqual([expect.stringMatching(/was never read whole/), expect.stringMatching(/^no source says who and what is in corp/)]);
  });
});

describe('gal export for a Zimbra', () => {
  const rows = [...ROWS, row([record('corp', 'hyphen@corp.example', { name: '-rf', title: NASTY })])];

  it('prints lines that a shell gives to zmprov as they are meant', async () => {
    const { printed } = await runGal({ rows }, 'export', '--for', 'zimbra', '--account', 'gal@zimbra.example');
    const folder = mkdtempSync(join(tmpdir(), 'zmprov-'));
    try {
      writeFileSync(join(folder, 'zmprov'), '#!/bin/sh\nfor one in "$@"; do printf "%s\\036" "$one"; done >>"$OUT"; printf "\\035" >>"$OUT"\n');
      chmodSync(join(folder, 'zmprov'), 0o755);
      const { status, stderr } = spawnSync('sh', [], { input: printed.join('\n'), encoding: 'utf8', env: { PATH: `${folder}:/usr/bin:/bin`, OUT: join(folder, 'out') } });
      expect([status, stderr]).toEqual([0, '']);
      const commands = readFileSync(join(folder, 'out'), 'utf8').split('\u001d').filter((one) => one !== '').map((one) => one.split('\u001e').slice(0, -1));
      const create = ['sm', 'gal@zimbra.example', 'createContact', '--folder', '/Other sides'];
      expect(commands).toEqual([
        ['sm', 'gal@zimbra.example', 'emptyFolder', '/Other sides'],
        [...create, 'email', 'anna@corp.example', 'fullName', 'Anna'],
        [...create, 'email', 'hyphen@corp.example', 'fullName', ' -rf', 'jobTitle', NASTY.replace('\n', '�')],
        [...create, 'email', 'kim@corp.example', 'fullName', 'kim@corp.example'],
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
    expect(printed.filter((line) => line.startsWith('#   zmprov'))).toEqual([
      "#   zmprov ca gal@zimbra.example 'THE-PASSWORD' zimbraHideInGal TRUE",
      "#   zmprov sm gal@zimbra.example createFolder --view contact '/Other sides'",
      "#   zmprov sm gal@zimbra.example modifyFolderGrant '/Other sides' domain zimbra.example r",
    ]);
  });

  it('prints CSV with Zimbra’s own names of fields', async () => {
    const { printed } = await runGal({ rows }, 'export', '--for', 'zimbra', '--format', 'csv');
    expect(printed.slice(0, 2)).toEqual(['"email","fullName","firstName","lastName","company","department","jobTitle","office","workPhone","mobilePhone"', '"anna@corp.example","Anna","","","","","","","",""']);
  });
});

describe('which side', () => {
  it.each([
    [['export'], /--for says which side/],
    [['export', '--for', 'calendars'], /no system calendars that could have contacts: --for takes exchange, zimbra, corp, zimbra/],
    [['export', '--for', 'corp', '--format', 'zmprov'], /corp is a exchange|--format takes powershell, ldif, csv/],
    [['export', '--for', 'zimbra', '--format', 'powershell'], /--format takes zmprov, ldif, csv/],
    [['export', '--for', 'corp', '--format', 'xml'], /--format takes ldif, csv, powershell, zmprov/],
  ])('%j is wrong usage: exit 2', async (args, words) => {
    const { exit, printed, complained, opened, closed } = await runGal({ rows: ROWS }, ...args);
    expect([exit, printed, opened]).toEqual([2, [], closed]);
    expect(complained.join('\n')).toMatch(words);
  });

  it('needs a name where several are the same', async () => {
    const systems = [...SYSTEMS, { name: 'second', type: 'exchange-webdav', domains: [] }];
    expect(await runGal({ systems }, 'export', '--for', 'exchange')).toMatchObject({ exit: 2, complained: ['several systems are exchange: --for takes one of corp, second'] });
    expect((await runGal({ systems }, 'export', '--for', 'second')).exit).toBe(0);
  });

  it('its options stand before the sub-command, too', async () => {
    expect(await runGal({ rows: ROWS }, '--for', 'corp', '--format', 'csv', 'export')).toMatchObject({ exit: 0, printed: { length: 4 } });
  });
});

describe('a line of LDIF', () => {
  it.each([
    ['plain', ['a: plain']],
    ['', ['a: ']],
    [' blank', ['a:: IGJsYW5r']],
    ['blank ', ['a:: Ymxhbmsg']],
    [':colon', ['a:: OmNvbG9u']],
    ['<less', ['a:: PGxlc3M=']],
    ['ü', ['a:: w7w=']],
    ['two\nlines', ['a:: dHdvCmxpbmVz']],
    ['x'.repeat(100), [`a: ${'x'.repeat(73)}`, ` ${'x'.repeat(27)}`]],
  ])('%j', (value, lines) => {
    expect(ldifLine('a', value)).toEqual(lines);
  });

  it('is read again as it was, whatever it holds', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 120 }), async (value) => {
        const name = value.replace(/[\s\p{Cc}]+/gu, ' ').trim();
        const text = ['dn: cn=a', 'mail: a@b.c', ...ldifLine('displayName', value), ''].join('\n');
        const { entries } = await readEntries('a.ldif', Buffer.from(text), new AbortController().signal);
        expect(entries[0]!.name ?? '').toBe(name);
      }),
      { numRuns: 300 },
    );
  });
});
