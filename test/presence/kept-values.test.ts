import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/core/limits.ts';
import { KeptValues } from '../../src/presence/kept-values.ts';
import { keepingLogger } from '../platform/http-server/serving.ts';

let folder: string;
let path: string;
const opened: KeptValues[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kept-'));
  path = join(folder, 'presence', 'values');
});
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
  await rm(folder, { recursive: true, force: true });
});
async function open(options: Parameters<typeof KeptValues.open>[1] = {}): Promise<KeptValues> {
  const values = await KeptValues.open(path, options);
  opened.push(values);
  return values;
}
const lines = async (): Promise<readonly string[]> => (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '');

describe('kept values', () => {
  it('are there again after a restart: set, changed, deleted', async () => {
    const first = await open();
    first.set('a', '1');
    first.set('b', 'Grüße\n"quoted"');
    first.set('a', '2');
    first.set('gone', 'x');
    first.delete('gone');
    await first.close();
    const second = await open();
    expect([...second.keys()].sort()).toEqual(['a', 'b']);
    expect(second.get('a')).toBe('2');
    expect(second.get('b')).toBe('Grüße\n"quoted"');
  });

  it('are written by themselves, for their owner only', async () => {
    const values = await open();
    values.set('k', 'v');
    while ((await lines().catch(() => [])).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await lines()).toEqual(['["k","v"]']);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'presence'))).mode & 0o777).toBe(0o700);
  });

  it('stored ones are in the file when it resolves, many with one write', async () => {
    const values = await open();
    await Promise.all(Array.from({ length: 500 }, (_, n) => values.store(`k${n}`, String(n))));
    expect(await lines()).toHaveLength(500);
    await values.store('k7', undefined);
    expect((await lines()).at(-1)).toBe('["k7"]');
    expect(values.get('k7')).toBeUndefined();
  });

  it('everything that was set is in the file after a flush, what was being written already among it', async () => {
    const values = await open();
    values.set('a', '1');
    const first = values.flush();
    // Its write begins in the next turn, and this flush finds nothing left to write.
    await new Promise((resolve) => setImmediate(resolve));
    await values.flush();
    expect(await lines()).toContain('["a","1"]');
    await first;
  });

  it('a torn last line is left out, and does not spoil the next', async () => {
    await (await open()).store('a', '1');
    await opened.pop()!.close();
    await writeFile(path, '["a","1"]\n["b","2', { flag: 'w' });
    const values = await open();
    expect([...values.keys()]).toEqual(['a']);
    await values.store('c', '3');
    expect(await lines()).toEqual(['["a","1"]', '["c","3"]']);
  });

  it.each([
    ['a line in the middle', '["a","1"]\n["b",\n["c","3"]\n', ['a', 'c']],
    ['what is no line of ours', '["a","1"]\n{"a":"2"}\n["c","3",4]\n[5]\n["d","4"]\n', ['a', 'd']],
    ['zeros after a power cut', `["a","1"]\n${'\0'.repeat(4096)}\n["e","5"]\n`, ['a', 'e']],
  ])('%s: the file is set aside and said, the lines that can be read count', async (_what, text, left) => {
    await (await open()).close();
    await writeFile(path, text);
    const { logger, lines: said } = keepingLogger();
    const values = await open({ logger });
    expect([...values.keys()]).toEqual(left);
    expect(said).toEqual([expect.objectContaining({ level: 'error', message: 'a file below dataDir/presence is damaged' })]);
    expect(await readFile(`${path}.damaged`, 'utf8')).toBe(text);
    await values.close();
    expect([...(await open()).keys()]).toEqual(left);
  });

  it('read-only nothing is written, a damaged file stays, and nothing can be stored', async () => {
    await (await open()).close();
    await writeFile(path, '["a","1"]\nnonsense\n');
    const values = await open({ isReadOnly: true });
    expect(values.get('a')).toBe('1');
    values.set('a', '2');
    await expect(values.store('b', '1')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await values.close();
    expect(await readFile(path, 'utf8')).toBe('["a","1"]\nnonsense\n');
  });

  it('the file is written anew when most of it is old', async () => {
    const values = await open();
    for (let n = 0; n < 2 * LIMITS.keptIdleLines; n += 500) {
      for (let m = 0; m < 500; m++) values.set(`k${m}`, `${n}`);
      await values.flush();
    }
    expect((await lines()).length).toBeLessThan(LIMITS.keptIdleLines);
    await values.close();
    expect((await open()).size).toBe(500);
  });

  it('what is too long is not kept, nor is what it replaces', async () => {
    const { logger, lines: said } = keepingLogger();
    const values = await open({ logger });
    values.set('k', 'old');
    values.set('k', 'x'.repeat(LIMITS.keptTextCharacters + 1));
    expect(values.get('k')).toBeUndefined();
    await expect(values.store('x'.repeat(LIMITS.keptKeyCharacters + 1), '')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(said).toHaveLength(1);
  });

  it('where the disk does not take it, a store is refused and undone, and when it does again everything is written', async () => {
    const { logger, lines: said } = keepingLogger();
    // Its file is opened with the first write: nowhere, for now.
    const values = await open({ logger });
    await rm(join(folder, 'presence'), { recursive: true });
    values.set('early', '1');
    await expect(values.store('a', 'new')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', temporary: true });
    await expect(values.store('a', 'newer')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(values.get('a')).toBeUndefined();
    expect(said.map(({ level }) => level)).toEqual(['error']);
    await mkdir(join(folder, 'presence'));
    await values.store('b', '2');
    expect(await lines()).toEqual(['["early","1"]', '["b","2"]']);
  });

  it('a folder without the right to write', async () => {
    if (process.getuid?.() === 0) return;
    await chmod(folder, 0o500);
    await expect(KeptValues.open(path)).rejects.toMatchObject({ code: 'CONFIGURATION' });
    await chmod(folder, 0o700);
  });
});

const MODULE = new URL('../../dist/presence/kept-values.js', import.meta.url).href;
const SCRIPT = `
import { writeSync } from 'node:fs';
const { KeptValues } = await import(${JSON.stringify(MODULE)});
const [path, from] = process.argv.slice(2);
const values = await KeptValues.open(path);
let next = Number(from);
await Promise.all(Array.from({ length: 20 }, async () => {
  for (;;) {
    const n = next++;
    // 300 keys, so that the file is written anew now and then.
    await values.store('key' + (n % 300), String(n));
    writeSync(1, n + '\\n');
  }
}));
`;

it('nothing that was stored is lost by kill -9', async () => {
  let from = 0;
  for (let round = 0; round < 3; round++) {
    const script = join(folder, 'writer.mjs');
    await writeFile(script, SCRIPT);
    const child = spawn(process.execPath, [script, path, String(from)], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
    const enough = new Promise<void>((resolve) => child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.length > 40_000) resolve();
    }));
    await enough;
    child.kill('SIGKILL');
    await closed;
    const told = [...output.matchAll(/^(\d+)\n/gm)].map(([, digits]) => Number(digits));
    const values = await KeptValues.open(path);
    for (let key = 0; key < 300; key++) {
      const newest = told.filter((n) => n % 300 === key).at(-1);
      if (newest !== undefined) expect(Number(values.get(`key${key}`))).toBeGreaterThanOrEqual(newest);
    }
    await values.close();
    from = Math.max(...told) + 100;
  }
  await expect(stat(`${path}.damaged`)).rejects.toMatchObject({ code: 'ENOENT' });
});
