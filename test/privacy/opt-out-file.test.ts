import { spawn } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, readFile, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/core/limits.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import { OptOutFile } from '../../src/privacy/opt-out-file.ts';
import type { OptOut } from '../../src/privacy/opt-out-file.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'opt-outs-'));
  path = join(folder, 'privacy', 'opt-outs');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const address = (text: string): MailboxAddress => text as MailboxAddress;
const optOut = (text: string): OptOut => ({ mailbox: address(text), by: 'command root', via: 'command', at: 1_772_442_000_000 });
const kept = async (): Promise<readonly string[]> => [...(await OptOutFile.open(path)).optOuts.keys()];

describe('who has opted out', () => {
  it('is nobody where there is no file, and kept as it was said', async () => {
    const file = await OptOutFile.open(path);
    expect([...file.optOuts]).toEqual([]);
    await file.change({ add: [optOut('anna@corp.example'), optOut('kim@zimbra.example')] });
    await file.change({ remove: [address('anna@corp.example')], add: [optOut('lee@corp.example')] });
    await file.close();
    expect(await readFile(path, 'utf8')).toBe(
      '{"format":1,"count":2}\n{"mailbox":"kim@zimbra.example","by":"command root","via":"command","at":1772442000000}\n{"mailbox":"lee@corp.example","by":"command root","via":"command","at":1772442000000}\n',
    );
    expect([...(await OptOutFile.open(path)).optOuts.values()]).toEqual([optOut('kim@zimbra.example'), optOut('lee@corp.example')]);
    expect([(await stat(path)).mode & 0o777, (await stat(join(folder, 'privacy'))).mode & 0o777]).toEqual([0o600, 0o700]);
    expect(await readdir(join(folder, 'privacy'))).toEqual(['opt-outs']);
  });

  it('of a thousand at once is whole, in few writes', async () => {
    const file = await OptOutFile.open(path);
    await Promise.all(Array.from({ length: 1_000 }, (_, n) => file.change({ add: [optOut(`p${n}@corp.example`)] })));
    expect(await kept()).toHaveLength(1_000);
  });

  it('is not written where it is only read', async () => {
    const file = await OptOutFile.open(path, { isReadOnly: true });
    await expect(file.change({ add: [optOut('anna@corp.example')] })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(await readdir(folder)).toEqual([]);
  });

  it('is as it was before where the disk does not take it, and goes on when it does', async () => {
    const file = await OptOutFile.open(path);
    await file.change({ add: [optOut('anna@corp.example')] });
    // What is written first stands in the way.
    await mkdir(`${path}.new`);
    await expect(file.change({ remove: [address('anna@corp.example')] })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', temporary: true });
    await expect(file.change({ add: [optOut('lee@corp.example')] })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect([[...file.optOuts.keys()], await kept()]).toEqual([['anna@corp.example'], ['anna@corp.example']]);
    await rm(`${path}.new`, { recursive: true });
    await file.change({ add: [optOut('lee@corp.example')] });
    expect(await kept()).toEqual(['anna@corp.example', 'lee@corp.example']);
  });
});

describe('a file that is not what was written opens nothing', () => {
  const HEAD = '{"format":1,"count":1}\n';
  const LINE = `${JSON.stringify(optOut('anna@corp.example'))}\n`;
  it.each([
    ['empty', ''],
    ['garbage', '\u0000\u0001\u0002\n'],
    ['garbage without an end', 'x'.repeat(10_000)],
    ['no header', LINE],
    ['no line', HEAD],
    ['too many lines', HEAD + LINE + LINE],
    ['an array for a header', `[1]\n${LINE}`],
    ['null', 'null\n'],
    ['a line that is null', `${HEAD}null\n`],
    ['a line that is no address', HEAD + LINE.replace('anna@corp.example', 'anna')],
    ['an address that is not spelled as the bridge does', HEAD + LINE.replace('anna@', 'Anna@')],
    ['a line without a time', HEAD + LINE.replace(/,"at":\d+/, '')],
    ['a time that is none', HEAD + LINE.replace(/"at":\d+/, '"at":"x"')],
    ['a later version', HEAD.replace('1', '2') + LINE],
  ])('%s', async (_what, text) => {
    await mkdir(join(folder, 'privacy'));
    await writeFile(path, text);
    const opening = OptOutFile.open(path);
    await expect(opening).rejects.toMatchObject({ code: 'CONFIGURATION' });
    await expect(opening).rejects.toThrow(/in which stands who has opted out, .*bring the file back from a backup/);
    // Whatever it is, it stays for whoever looks into it.
    expect(await readFile(path, 'utf8')).toBe(text);
  });

  it('cut off anywhere', async () => {
    const file = await OptOutFile.open(path);
    await file.change({ add: [optOut('anna@corp.example'), optOut('lee@corp.example')] });
    for (let size = (await stat(path)).size - 1; size >= 0; size -= 7) {
      await truncate(path, size);
      await expect(OptOutFile.open(path, { isReadOnly: true })).rejects.toMatchObject({ code: 'CONFIGURATION' });
    }
  });

  it('with something behind its end, or larger than any', async () => {
    const file = await OptOutFile.open(path);
    await file.change({ add: [optOut('anna@corp.example')] });
    await appendFile(path, '{"mail');
    await expect(OptOutFile.open(path)).rejects.toMatchObject({ code: 'CONFIGURATION' });
    await truncate(path, LIMITS.optOutFileBytes + 1);
    await expect(OptOutFile.open(path)).rejects.toThrow(/larger than any/);
  });

  it('a folder in its place', async () => {
    await mkdir(path, { recursive: true });
    await expect(OptOutFile.open(path)).rejects.toThrow(/cannot be read \(EISDIR\)/);
  });
});

it('what was answered survives kill -9, at any moment', async () => {
  const dying = fileURLToPath(new URL('opting-out-until-killed.mjs', import.meta.url));
  const said = new Set<string>();
  for (let round = 0; round < 4; round++) {
    const child = spawn(process.execPath, ['--no-warnings', dying, path, String(round)], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', () => resolve());
      child.stdout.on('data', (chunk: Buffer) => {
        text += chunk.toString('utf8');
        // In the middle of the next ones.
        if (text.split('\n').length > 20 * (round + 1)) child.kill('SIGKILL');
      });
    });
    for (const line of text.split('\n').slice(0, -1)) said.add(line);
    const there = new Set(await kept());
    expect([...said].filter((one) => !there.has(one))).toEqual([]);
  }
  expect(said.size).toBeGreaterThan(100);
});
