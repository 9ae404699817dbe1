import { chmod, mkdir, mkdtemp, rename, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LogFields } from '../../../src/core/logger.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import type { SourceBatch, SourceEntry, SourceRead } from '../../../src/directory/entry-source.ts';
import { AddressFileSource } from '../../../src/protocols/address-file/entry-source.ts';
import { turnsDuring } from '../../event-loop-turns.ts';

const NOW = Date.UTC(2026, 10, 29, 12);
let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'address-file-'));
  path = join(folder, 'people.csv');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Writes the file so long before now. */
async function write(text: string | Buffer, secondsAgo: number, at: string = path): Promise<void> {
  await writeFile(at, text);
  await utimes(at, NOW / 1000 - secondsAgo, NOW / 1000 - secondsAgo);
}

interface Reading extends SourceRead {
  readonly addresses: readonly string[];
  readonly batches: number;
}

function source(at: string = path, logged: [LogFields, string][] = []): AddressFileSource {
  const keep = (fields: LogFields, message: string): void => void logged.push([fields, message]);
  return new AddressFileSource({ label: 'people', path: at, clock: { now: () => NOW }, logger: { ...silentLogger, info: keep, warn: keep } });
}

async function read(from: AddressFileSource, cursor?: string, signal = new AbortController().signal): Promise<Reading> {
  const entries: SourceEntry[] = [];
  let batches = 0;
  const end = await from.read(
    cursor,
    async (batch) => {
      batches++;
      entries.push(...(batch.entries ?? []));
    },
    signal,
  );
  return { ...end, addresses: entries.map(({ address }) => address), batches };
}

const CSV = 'address,name\na@b.c,A\nb@b.c,B\n';

describe('a file as a source of the address book', () => {
  it('is whole at first, then nothing as long as it does not change, then whole again', async () => {
    await write(CSV, 100);
    const file = source();
    const first = await read(file);
    expect(first).toMatchObject({ isWhole: true, addresses: ['a@b.c', 'b@b.c'] });
    expect(await read(file, first.cursor)).toEqual({ cursor: first.cursor, isWhole: false, addresses: [], batches: 0 });
    // Another process goes on where this one stopped.
    expect(await read(source(), first.cursor)).toMatchObject({ isWhole: false, batches: 0 });
    await write('address,name\na@b.c,A\n', 50);
    const second = await read(file, first.cursor);
    expect(second).toMatchObject({ isWhole: true, addresses: ['a@b.c'] });
    expect(second.cursor).not.toBe(first.cursor);
  });

  it('that was only touched is read, and found to be the same', async () => {
    await write(CSV, 100);
    const { cursor } = await read(source());
    await write(CSV, 50);
    const touched = await read(source(), cursor);
    expect(touched).toMatchObject({ isWhole: false, batches: 0 });
    expect(touched.cursor).not.toBe(cursor);
  });

  it('waits with a change until it is two seconds old, and does not keep somebody waiting who has nothing', async () => {
    await write(CSV, 1);
    const { cursor, isWhole } = await read(source());
    expect(isWhole).toBe(true);
    // Same size, within the same second: only its octets tell.
    await write(CSV.replace('b@b.c', 'c@b.c'), 1);
    expect(await read(source(), cursor)).toMatchObject({ cursor, isWhole: false, batches: 0 });
    await utimes(path, NOW / 1000 - 3, NOW / 1000 - 3);
    expect(await read(source(), cursor)).toMatchObject({ isWhole: true, addresses: ['a@b.c', 'c@b.c'] });
  });

  it('notices a change within the second in which it was read', async () => {
    await write(CSV, 1);
    const { cursor } = await read(source());
    await write(CSV.replace('b@b.c', 'c@b.c'), 1);
    const later = new AddressFileSource({ label: 'people', path, clock: { now: () => NOW + 10_000 }, logger: silentLogger });
    expect(await read(later, cursor)).toMatchObject({ isWhole: true, addresses: ['a@b.c', 'c@b.c'] });
  });

  it('a cursor of another life is no cursor', async () => {
    await write(CSV, 100);
    for (const cursor of ['', 'token', '1/2/3', '9'.repeat(500)]) expect(await read(source(), cursor)).toMatchObject({ isWhole: true, addresses: ['a@b.c', 'b@b.c'] });
  });

  it.each([
    ['address,name\na@b.c,A\nb@b', /^line 3: the row has 1 fields/],
    ['address,name\na@b.c,A\nb@b.c,"B', /^line 3: the quote that is opened here is not closed/],
    ['address,name\nx\ny\nz\n', /^line 2: .*\(and 2 more\)$/],
    ['', /is empty: it is cut off, or still being written/],
  ])('with a mistake in it hands over nothing: %j', async (text, words) => {
    await write(CSV, 100);
    const file = source();
    const { cursor } = await read(file);
    await write(text, 50);
    let taken = 0;
    const reading = file.read(cursor, async () => void taken++, new AbortController().signal);
    await expect(reading).rejects.toMatchObject({ code: 'BACKEND_MALFORMED', publicMessage: expect.stringMatching(words) as string });
    expect(taken).toBe(0);
  });

  it('that is away, a folder, or too large is said to be', async () => {
    await expect(read(source())).rejects.toMatchObject({ code: 'BACKEND_UNREACHABLE', temporary: true, publicMessage: 'there is no such file' });
    await mkdir(join(folder, 'dir.csv'));
    await expect(read(source(join(folder, 'dir.csv')))).rejects.toMatchObject({ code: 'BACKEND_UNREACHABLE', publicMessage: 'it is no file' });
    await write(CSV, 100);
    await truncate(path, 64 * 1024 * 1024 + 1);
    await expect(read(source())).rejects.toMatchObject({ code: 'BACKEND_TOO_LARGE' });
  });

  it.skipIf(process.getuid?.() === 0)('that may not be read is said to be', async () => {
    await write(CSV, 100);
    await chmod(path, 0);
    await expect(read(source())).rejects.toMatchObject({ publicMessage: 'the bridge may not read the file' });
  });

  it('is handed over in batches, each awaited, and others have their turn meanwhile', async () => {
    await write(`address,name\n${Array.from({ length: 20_000 }, (_, index) => `p${index}@b.c,"Person ${index}"\n`).join('')}`, 100);
    let isTaking = false;
    const all: number[] = [];
    const take = async ({ entries = [] }: SourceBatch): Promise<void> => {
      expect(isTaking).toBe(false);
      isTaking = true;
      await Promise.resolve();
      isTaking = false;
      all.push(entries.length);
    };
    // 27 characters a row, and a turn after 16,000.
    expect(await turnsDuring(() => source().read(undefined, take, new AbortController().signal))).toBeGreaterThan(20);
    expect([all.length, all.reduce((sum, one) => sum + one)]).toEqual([40, 20_000]);
  });

  it('ends when the signal fires', async () => {
    await write(CSV, 100);
    await expect(read(source(), undefined, AbortSignal.abort(new Error('over')))).rejects.toThrow('over');
  });

  it('says once what was read as Windows-1252 and who has no address', async () => {
    await write(Buffer.from('address,name\na@b.c,M\u00fcller\n,nobody\n', 'latin1'), 100);
    const logged: [LogFields, string][] = [];
    const file = source(path, logged);
    const { cursor } = await read(file);
    await read(file, cursor);
    expect(logged).toEqual([
      [{ system: 'people' }, 'the file is no UTF-8 and was read as Windows-1252'],
      [{ system: 'people', count: 1 }, 'entries without an address were left out'],
    ]);
  });
});

describe('check of a file', () => {
  const findings = async (at: string = path): Promise<readonly string[]> => (await source(at).probe(new AbortController().signal)).map(({ step, outcome, text, advice }) => `${outcome} ${step}: ${text}${outcome === 'ok' || advice !== undefined ? '' : ' WITHOUT ADVICE'}`);

  it('says how many entries it has', async () => {
    await write(CSV, 100);
    expect(await findings()).toEqual(['ok file: 29 bytes', 'ok entries: CSV with 2 entries']);
  });

  it('names the first mistakes with their lines', async () => {
    await write('address,name\nx\na@b.c,A\ny,z,"\n', 100);
    expect(await findings()).toEqual(['ok file: 29 bytes', 'fail CSV: line 2: the row has 1 fields, the header 2', 'fail CSV: line 4: the quote that is opened here is not closed: the file is cut off, or still being written']);
  });

  it('warns of what is lost', async () => {
    await write(Buffer.from(`address,name\n,M\u00fcller\na@b.c,${'x'.repeat(300)}\n`, 'latin1'), 100);
    expect(await findings()).toEqual([expect.stringMatching(/^ok file/), 'ok entries: CSV with 1 entries', 'warn encoding: no UTF-8; read as Windows-1252', 'warn addresses: 1 without an address are left out', 'warn lengths: 1 values are longer, or more, than the address book keeps, and are cut']);
    await write('address\n', 100);
    expect(await findings()).toContain('warn entries: CSV without anybody');
  });

  it('never throws', async () => {
    expect(await findings(join(folder, 'nothing.ldif'))).toEqual(['fail file: there is no such file']);
    await write('', 100);
    expect(await findings()).toEqual(['fail file: the file is empty: it is cut off, or still being written']);
    await rename(path, join(folder, 'b.vcf'));
    expect(await source(join(folder, 'b.vcf')).probe(AbortSignal.abort())).toMatchObject([{ outcome: 'fail' }]);
  });
});
