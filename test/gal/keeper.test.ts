import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BridgeError } from '../../src/core/errors.ts';
import { silentLogger } from '../../src/core/logger.ts';
import type { EntrySource, SourceBatch, SourceEntry, SourceRead } from '../../src/directory/entry-source.ts';
import { GalKeeper } from '../../src/gal/keeper.ts';
import { Departures } from '../../src/gal/departures.ts';
import { AD, addresses, contact, entry, FILE, gal, HandClock } from './gal-world.ts';
import type { Requester } from '../../src/core/request-context.ts';
import { AddressBook } from '../../src/gal/address-book.ts';

/** A source whose entries a test sets. */
class HandSource implements EntrySource {
  readonly label = 'hand';
  readonly pauseMs = 20;
  readonly wholeEveryMs = 3_600_000;
  entries: SourceEntry[] = [];
  failAfter = Infinity;
  readonly cursors: (string | undefined)[] = [];

  async read(cursor: string | undefined, take: (batch: SourceBatch) => Promise<void>): Promise<SourceRead> {
    this.cursors.push(cursor);
    for (const [index, one] of this.entries.entries()) {
      if (index >= this.failAfter) throw new BridgeError('BACKEND_UNREACHABLE', 'the directory hung up');
      await take({ entries: [one] });
    }
    return { cursor: `at ${this.cursors.length}`, isWhole: true };
  }
  async probe() {
    return [];
  }
  async close() {}
}

let directory: string;
const clock = new HandClock();
const people = (count: number): SourceEntry[] => Array.from({ length: count }, (_, i) => entry(`p${i}@corp.example`, { name: `Person ${i}` }));

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gal-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

async function keep(reader: HandSource, options: { readonly isReadOnly?: boolean; readonly key?: string; readonly settings?: string; readonly book?: ReturnType<typeof gal> } = {}) {
  const book = options.book ?? gal(clock);
  const keeper = new GalKeeper({ gal: book, sources: [{ source: { ...AD, key: options.key ?? AD.key }, reader, ...(options.settings === undefined ? {} : { settings: options.settings }) }], directory: join(directory, 'gal'), isReadOnly: options.isReadOnly ?? false, clock, logger: silentLogger });
  await keeper.load();
  return { book, keeper, read: () => keeper.readOnce(AbortSignal.timeout(5_000), { which: 'all' }) };
}

const logFile = (): string => join(directory, 'gal', readdirSync(join(directory, 'gal')).find((name) => name.startsWith('dc.corp'))!);

describe('the address book on disk', () => {
  it('answers at once after a restart, with the times and ids it had, and goes on where it was', async () => {
    const source = new HandSource();
    source.entries = people(3);
    const first = await keep(source);
    await first.read();
    const before = [...first.book.entries()];
    await first.keeper.close();
    clock.time += 60_000;
    const again = new HandSource();
    again.entries = people(3);
    const second = await keep(again);
    expect([...second.book.entries()]).toEqual(before);
    expect(second.keeper.book).toBe(first.keeper.book);
    await second.read();
    expect(again.cursors).toEqual(['at 1']);
    expect([...second.book.entries()]).toEqual(before);
    await second.keeper.close();
    expect(statSync(join(directory, 'gal')).mode & 0o077).toBe(0);
  });

  it('goes on from the beginning where the source is configured to be read in another way', async () => {
    const source = new HandSource();
    source.entries = people(3);
    for (const settings of ['one', 'one', 'other', 'other']) {
      const { book, keeper, read } = await keep(source, { settings });
      expect(book.size.shown).toBe(source.cursors.length === 0 ? 0 : 3);
      await read();
      await keeper.close();
    }
    expect(source.cursors).toEqual([undefined, 'at 1', undefined, 'at 3']);
  });

  it('a torn last line, as a kill -9 leaves it, costs that line alone and does not spoil the next', async () => {
    const source = new HandSource();
    source.entries = people(3);
    const first = await keep(source);
    await first.read();
    await first.keeper.close();
    for (let cut = 1; cut < 60; cut += 7) {
      truncateSync(logFile(), statSync(logFile()).size - cut);
      const next = await keep(source);
      expect(next.book.size.shown).toBeGreaterThanOrEqual(2);
      await next.read();
      expect(addresses(next.book)).toHaveLength(3);
      await next.keeper.close();
      const last = await keep(source);
      expect(addresses(last.book)).toHaveLength(3);
      await last.keeper.close();
    }
  });

  it.each(['no json\n', '["?"]\n', '[]\n', 'null\n', '["+",1]\n'])('a file that is not what it was is read anew from the source, and is another address book: %j', async (line) => {
    const source = new HandSource();
    source.entries = people(3);
    const first = await keep(source);
    await first.read();
    await first.keeper.close();
    writeFileSync(logFile(), line + readFileSync(logFile(), 'utf8'));
    const second = await keep(source);
    expect(second.book.size.shown).toBe(0);
    expect(second.keeper.book).not.toBe(first.keeper.book);
    await second.read();
    expect(source.cursors.at(-1)).toBeUndefined();
    expect(second.book.size.shown).toBe(3);
    await second.keeper.close();
    expect((await keep(source)).book.size.shown).toBe(3);
  });

  it('is written anew when most of it says nothing any more', async () => {
    const source = new HandSource();
    source.entries = people(2);
    const first = await keep(source);
    await first.read();
    await first.keeper.close();
    const [line] = readFileSync(logFile(), 'utf8').split('\n');
    appendFileSync(logFile(), `${line}\n`.repeat(20_000));
    const second = await keep(source);
    await second.read();
    await second.keeper.close();
    expect(readFileSync(logFile(), 'utf8').split('\n')).toHaveLength(4);
    expect((await keep(source)).book.size.shown).toBe(2);
  });

  it('a command that reads only writes nothing', async () => {
    const source = new HandSource();
    source.entries = people(2);
    const { book, keeper, read } = await keep(source, { isReadOnly: true });
    await read();
    await keeper.close();
    expect(book.size.shown).toBe(2);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('nor does it take away a file that it cannot read: that may be another process\'s', async () => {
    const source = new HandSource();
    source.entries = people(2);
    const first = await keep(source);
    await first.read();
    await first.keeper.close();
    writeFileSync(logFile(), 'no json\n');
    const { book, keeper } = await keep(source, { isReadOnly: true });
    await keeper.close();
    expect([book.size.shown, readFileSync(logFile(), 'utf8')]).toEqual([0, 'no json\n']);
  });

  it('files of a source that is not configured any more go; a token from then is from another life', async () => {
    const source = new HandSource();
    source.entries = people(2);
    const first = await keep(source);
    await first.read();
    await first.keeper.close();
    const second = await keep(source, { key: 'another' });
    expect(readdirSync(join(directory, 'gal'))).toEqual(['departures.log']);
    expect([second.book.size.shown, second.keeper.book === first.keeper.book]).toEqual([0, false]);
    await second.keeper.close();
  });
});

describe('a disk that takes nothing more', () => {
  it('costs neither what is in memory nor, when it takes something again, what is on disk', async () => {
    const source = new HandSource();
    source.entries = people(3);
    const first = await keep(source);
    await first.read();
    await first.keeper.close();
    const path = logFile();
    rmSync(path);
    const second = await keep(source);
    mkdirSync(join(path, 'in the way'), { recursive: true });
    await second.read();
    expect([second.book.size.shown, second.keeper.status().sources[0]?.failure]).toEqual([3, expect.stringMatching(/could not be written to dataDir; it answers from memory \(E[A-Z]+\)/)]);
    // Nothing more is news, and all of it is written all the same.
    source.entries = people(2);
    await second.read();
    expect(second.book.size.shown).toBe(2);
    rmdirSync(join(path, 'in the way'));
    rmdirSync(path);
    await second.read();
    expect(second.keeper.status().sources[0]?.failure).toBeUndefined();
    await second.keeper.close();
    const third = await keep(source);
    expect(addresses(third.book)).toEqual(['p0@corp.example', 'p1@corp.example']);
    await third.keeper.close();
  });

  it('departures that could not be written are written later, and in their order where several sources tell of them at once', async () => {
    const path = join(directory, 'departures.log');
    const departures = await Departures.open(path, clock, true);
    await departures.close();
    const again = await Departures.open(path, clock, true);
    await Promise.all(['a', 'b', 'c', 'd'].map((id) => again.add([id], clock.time + 1)));
    rmSync(path);
    mkdirSync(path);
    await again.close();
    await expect(again.add(['e'], clock.time + 1)).rejects.toThrow();
    await expect(again.add(['f'], clock.time + 1)).resolves.toBeUndefined();
    expect(again.after(clock.time + 1)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    rmdirSync(path);
    await again.settle();
    await again.close();
    const last = await Departures.open(path, clock, true);
    expect([last.book, last.after(clock.time + 1)]).toEqual([departures.book, ['a', 'b', 'c', 'd', 'e', 'f']]);
    await last.close();
  });

  it('several sources that tell of departures at the same moment after a restart lose none', async () => {
    const path = join(directory, 'departures.log');
    await (await Departures.open(path, clock, true)).close();
    const again = await Departures.open(path, clock, true);
    await Promise.all(['a', 'b', 'c', 'd'].map((id) => again.add([id], clock.time + 1)));
    await again.close();
    const last = await Departures.open(path, clock, true);
    expect(last.after(clock.time)).toEqual(['a', 'b', 'c', 'd']);
    await last.close();
  });
});

describe('a keeper after another over the same address book (a reload that failed)', () => {
  it('takes nobody for somebody else: whoever is deleted then is gone, and what the files have lost is written again', async () => {
    const source = new HandSource();
    source.entries = people(3);
    const first = await keep(source);
    await first.read();
    await first.keeper.close();
    const second = await keep(source, { book: first.book });
    rmSync(logFile());
    source.entries = people(2);
    await second.read();
    expect(addresses(first.book)).toEqual(['p0@corp.example', 'p1@corp.example']);
    await second.keeper.close();
    rmSync(logFile(), { force: true });
    const third = await keep(source, { book: first.book });
    await third.read();
    await third.keeper.close();
    const fourth = await keep(source);
    expect(addresses(fourth.book)).toEqual(['p0@corp.example', 'p1@corp.example']);
    await fourth.keeper.close();
  });
});

describe('who keeps a copy', () => {
  it('hears after a restart, too, that a row lost something: no record that is left says so', async () => {
    const [ad, file] = [new HandSource(), new HandSource()];
    ad.entries = [entry('anna@corp.example', { name: 'Anna' }), entry('bernd@corp.example')];
    file.entries = [contact('anna@corp.example', { aliases: ['a@corp.example'], title: 'Head' })];
    const syncing: Requester = { name: 'copy', from: 'zimbra', mayAsk: new Set(), detail: 'none', anonymous: false, presence: 'none', gal: 'sync' };
    const life = async () => {
      const book = gal(clock);
      const keeper = new GalKeeper({ gal: book, sources: [{ source: AD, reader: ad }, { source: FILE, reader: file }], directory: join(directory, 'gal'), clock, logger: silentLogger });
      await keeper.load();
      const copy = new AddressBook({ gal: book, search: { minimumLength: 1, results: 9, perMinute: 600 }, book: () => keeper.book, departures: () => keeper.departures, clock });
      return { keeper, copy, read: () => keeper.readOnce(AbortSignal.timeout(5_000), { which: 'all' }) };
    };
    const first = await life();
    await first.read();
    clock.time += 60_000;
    const { token } = first.copy.changes(undefined, syncing);
    clock.time += 60_000;
    file.entries = [];
    await first.read();
    const expected = [{ address: 'anna@corp.example', aliases: [] }];
    const live = first.copy.changes(token, syncing);
    expect([live.isWhole, live.removed]).toEqual([false, []]);
    expect([...live.entries]).toMatchObject(expected);
    await first.keeper.close();
    clock.time += 60_000;
    const second = await life();
    const { isWhole, entries, removed } = second.copy.changes(token, syncing);
    expect([isWhole, removed]).toEqual([false, []]);
    expect([...entries]).toMatchObject(expected);
    await second.keeper.close();
  });
});

describe('a source', () => {
  it('that vanishes half-way keeps its entries, marked old; when it is back, deletions are followed', async () => {
    const source = new HandSource();
    source.entries = people(10);
    const { book, keeper, read } = await keep(source);
    await read();
    source.entries = [{ ...people(1)[0]!, name: 'Somebody else' }, ...people(10).slice(5)];
    source.failAfter = 1;
    await read();
    expect(book.size.shown).toBe(10);
    expect(book.search({ text: 'somebody', limit: 9 }, undefined).entries).toHaveLength(1);
    expect(keeper.status().sources).toMatchObject([{ label: 'dc.corp.example', home: 'exchange', entries: 10, isOld: true, failure: 'the directory hung up' }]);
    source.failAfter = Infinity;
    await read();
    expect(book.size.shown).toBe(6);
    expect(keeper.status().sources).toMatchObject([{ entries: 6, isOld: false, failure: undefined }]);
    await keeper.close();
  });

  it('that suddenly shows less than half of hundreds is believed when it says so twice', async () => {
    const source = new HandSource();
    source.entries = people(300);
    const { book, keeper, read } = await keep(source);
    await read();
    source.entries = people(20);
    await read();
    expect([book.size.shown, keeper.status().sources[0]?.failure]).toEqual([300, '280 of 300 entries are gone at once; they go when the next reading says so too']);
    await read();
    expect([book.size.shown, keeper.status().sources[0]?.failure]).toEqual([20, undefined]);
    await keeper.close();
  });

  it.each(['whole', 'changes'])('that takes away most of hundreds one by one is believed when it says so twice, too: %s', async (what) => {
    const source = new HandSource();
    source.entries = people(300);
    const { book, keeper, read } = await keep(source);
    await read();
    const removed = people(300).map(({ id }) => id).slice(20);
    source.read = async (cursor, take) => {
      source.cursors.push(cursor);
      for (const id of removed) await take({ removed: [id] });
      await take({ present: people(20).map(({ id }) => id) });
      return { cursor: 'later', isWhole: what === 'whole' };
    };
    await read();
    expect([book.size.shown, keeper.status().sources[0]?.failure]).toEqual([200, '280 of 300 entries are gone at once; they go when the next reading says so too']);
    await read();
    expect([book.size.shown, keeper.status().sources[0]?.failure, source.cursors]).toEqual([20, undefined, [undefined, 'at 1', 'at 1']]);
    await keeper.close();
  });

  it('that then shows even less is doubted anew', async () => {
    const source = new HandSource();
    source.entries = people(1_000);
    const { book, keeper, read } = await keep(source);
    await read();
    source.entries = people(400);
    await read();
    source.entries = [];
    await read();
    expect(book.size.shown).toBe(1_000);
    await read();
    expect(book.size.shown).toBe(0);
    await keeper.close();
  });

  it('is read time after time until the end', async () => {
    const source = new HandSource();
    source.entries = people(1);
    const { book, keeper } = await keep(source);
    keeper.start();
    while (source.cursors.length < 3) await new Promise((resolve) => setTimeout(resolve, 10));
    await keeper.close();
    await keeper.close();
    const { length } = source.cursors;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect([source.cursors.length, book.size.shown]).toEqual([length, 1]);
  });
});
