import { describe, expect, it } from 'vitest';
import { galStatusTable } from '../../../src/cli/gal/status.ts';
import { BridgeError } from '../../../src/core/errors.ts';
import { memoryDirectory } from '../../directory/memory-directory.ts';
import { record, row } from '../../gal/rows.ts';
import { NOW, runGal, sourceOf } from './running-gal.ts';

const ROWS = [
  row([record('corp', 'anna@corp.example', { name: 'Anna Müller', title: 'Head', department: 'Sales', aliases: ['a1@corp.example', 'a2@corp.example', 'a3@corp.example', 'a4@corp.example'] })], { aliases: ['a1@corp.example', 'a2@corp.example', 'a3@corp.example', 'a4@corp.example'] as never }),
  row([record('zimbra', 'annex@zimbra.example', { name: 'Annex', kind: 'room' })]),
  row([record('corp', 'wang@corp.example', { name: '王小明 annis' })]),
  row([record('corp', 'ann@elsewhere.example', { name: 'Ann\u001b[2JEvil', kind: 'contact' })]),
];

describe('gal search', () => {
  it('prints who is found, one below the other, with what a terminal obeys taken out', async () => {
    const { exit, printed, complained, opened, closed } = await runGal({ rows: ROWS }, 'search', 'ann');
    expect([exit, complained, opened, closed]).toEqual([0, [], 1, 1]);
    expect(printed).toEqual([
      'Anna Müller   anna@corp.example               in corp       Head, Sales  also a1@corp.example, a2@corp.example, a3@corp.example and 1 more',
      'Annex         annex@zimbra.example   room     in zimbra',
      '王小明 annis  wang@corp.example               in corp',
      'Ann�[2JEvil   ann@elsewhere.example  contact  home unknown',
    ]);
  });

  it('says that there is more', async () => {
    const { printed } = await runGal({ rows: ROWS }, 'search', 'ann', '--limit', '2');
    expect(printed).toHaveLength(3);
    expect(printed[2]).toMatch(/^… and more/);
  });

  it.each([
    ['search', 'anna', 'm', '--json', '--as', 'desk'],
    ['--json', '--as', 'desk', 'search', 'anna', 'm'],
    ['--json', 'search', '--as', 'desk', 'anna m'],
  ])('--json prints the body of the API; options stand before and behind: %s %s %s', async (...args) => {
    const { exit, printed } = await runGal({ rows: ROWS }, ...args);
    expect(exit).toBe(0);
    expect(JSON.parse(printed.join('\n'))).toMatchObject({ results: [{ address: 'anna@corp.example', home: 'corp', kind: 'person' }] });
  });

  it('nobody found is an answer, said beside the result', async () => {
    expect(await runGal({ rows: ROWS }, 'search', 'zoe')).toMatchObject({ exit: 0, printed: [], complained: ['nobody is found'] });
  });

  it.each([
    [['search'], /missing required argument/],
    [['search', 'a', '--limit', '0'], /--limit takes a number from 1 to 500/],
    [['search', 'a', '--limit', 'x'], /--limit takes/],
    [['search', 'a', '--as', 'nobody'], /no client named nobody/],
    [['forget'], /unknown command|error/],
  ])('%j is wrong usage: exit 2', async (args, words) => {
    const { exit, complained, opened, closed } = await runGal({ rows: ROWS }, ...args);
    expect([exit, opened]).toEqual([2, closed]);
    expect(complained.join('\n')).toMatch(words);
  });

  it('with a client that may not see the address book says so, and gives everything back', async () => {
    expect(await runGal({ rows: ROWS }, 'search', 'a', '--as', 'blind')).toMatchObject({ exit: 1, complained: ['this client may not see the address book'], closed: 1 });
    const directory = {
      ...memoryDirectory([]),
      search: () => {
        throw new BridgeError('CONFIGURATION', 'no gal.sources are configured');
      },
    };
    expect(await runGal({ directory }, 'search', 'a')).toMatchObject({ exit: 2, complained: ['no gal.sources are configured'], closed: 1 });
  });
});

describe('gal status', () => {
  it('prints the sum, a row a source, and the conflicts', () => {
    const sources = [sourceOf('corp', { entries: 1_200 }), sourceOf('zimbra', { isOld: true, failure: 'no\u001b answer' }), sourceOf('x', { label: 'people.csv', home: undefined, readAt: undefined, wholeAt: undefined, entries: 0 })];
    expect(galStatusTable({ entries: 1_203, hidden: 4, sources, conflicts: ['kim@zimbra.example: a mailbox in corp and in zimbra'] }, NOW)).toEqual([
      '1203 in the address book, 4 hidden',
      '  directory of corp    → corp    1200 entries  read 40 s ago  whole 5 h ago',
      '  directory of zimbra  → zimbra  3 entries     read 40 s ago  whole 5 h ago  OLD  failed: no� answer',
      '  people.csv                     0 entries     read never     whole never',
      '',
      '1 conflict:',
      '  kim@zimbra.example: a mailbox in corp and in zimbra',
    ]);
  });

  it('is exit 1 where a source has failed', async () => {
    expect((await runGal({}, 'status')).exit).toBe(0);
    expect((await runGal({ status: { sources: [sourceOf('corp', { failure: 'x' })] } }, 'status')).exit).toBe(1);
  });

  it('--json has times in ISO 8601, and null where there is none', async () => {
    const { printed } = await runGal({ status: { sources: [sourceOf('corp', { wholeAt: undefined })] } }, 'status', '--json');
    expect(JSON.parse(printed.join('\n'))).toEqual({
      entries: 0,
      hidden: 0,
      sources: [{ label: 'directory of corp', home: 'corp', entries: 3, readAt: new Date(NOW - 40_000).toISOString(), wholeAt: null, isOld: false, failure: null }],
      conflicts: [],
    });
  });
});
