import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mistakesOf, readText } from './read-text.ts';

describe('CSV', () => {
  it('means what Python’s csv module read', async () => {
    const folder = new URL('../../../fixtures/address-file/csv/python-csv/', import.meta.url);
    const [, ...rows] = JSON.parse(readFileSync(new URL('rows.json', folder), 'utf8')) as string[][];
    const { entries } = await readText('file.csv', readFileSync(new URL('file.csv', folder)));
    const oneLine = (text: string | undefined): string => (text ?? '').replace(/\s+/g, ' ').trim();
    expect(entries.map(({ address, name, title, office, company }) => [address, name ?? '', title ?? '', office ?? '', company ?? ''])).toEqual(rows.map((row) => row.map(oneLine)));
  });

  it.each([
    ['address,name\na@b.c,A', 'A'],
    ['address;name\na@b.c;"A;B"\n', 'A;B'],
    ['address\tname\na@b.c\t A \n', 'A'],
    ['sep=;\r\nname;address\r\n"A, B";a@b.c\r\n', 'A, B'],
    ['\ufeff"name","address"\n"A","a@b.c"\n', 'A'],
    ['NAME,E-Mail Address\nA,a@b.c\n', 'A'],
    ['"a;b";address,name\nx,a@b.c,A\n'.replace(';address', ',address'), 'A'],
    ['address,name\n\na@b.c,A\n\n', 'A'],
    ['address,name\na@b.c,A "the B" C\n', 'A "the B" C'],
  ])('%j is read', async (text, name) => {
    expect((await readText('a.csv', text)).entries).toMatchObject([{ address: 'a@b.c', name }]);
  });

  it('has columns in any order, and those that nobody knows are left alone', async () => {
    const { entries } = await readText('a.csv', 'x,kind,hidden,aliases,members,address,mobile,targetAddress\n1,group,yes,b@c.d; c@d.e,Kim@z.e;nonsense,a@b.c,1,\n1,contact,no,,,k@b.c,,SMTP:k@z.e\n');
    expect(entries).toEqual([
      { id: 'a@b.c', address: 'a@b.c', kind: 'group', isMailbox: true, isHidden: true, aliases: ['b@c.d', 'c@d.e'], members: ['kim@z.e', 'nonsense'], mobile: '1' },
      { id: 'k@b.c', address: 'k@b.c', kind: 'contact', isMailbox: false, targetAddress: 'k@z.e' },
    ]);
  });

  it('two rows with one id are two entries, numbered; the number is free', async () => {
    expect((await readText('a.csv', 'guid,address\na,x@b.c\na#2,y@b.c\na,z@b.c\na,z@b.c\n')).entries.map(({ id }) => id)).toEqual(['a', 'a#2', 'a#3', 'a#4']);
  });

  it('what is longer than the address book keeps is cut and counted, never within a character', async () => {
    const { entries, cut } = await readText('a.csv', `address,name,title\na@b.c,${'😀'.repeat(300)},${'x'.repeat(10_000)}\n`);
    expect([entries[0]!.name!.length, entries[0]!.title!.length, cut]).toEqual([256, 256, 2]);
    expect((await readText('a.csv', `address,name\na@b.c,x${'😀'.repeat(300)}\n`)).entries[0]!.name).toHaveLength(255);
  });

  it('control characters and line ends are blanks', async () => {
    expect((await readText('a.csv', 'address,name\na@b.c,"A\u0000\u001b[2J\r\nB"\n')).entries[0]!.name).toBe('A [2J B');
  });

  it.each([
    ['address,name\na@b.c,"A\nb@b.c,B\n', '2: the quote that is opened here is not closed: the file is cut off, or still being written'],
    ['address,name\na@b.c', '2: the row has 1 fields, the header 2'],
    ['address,name\na@b.c,A,B\n', '2: the row has 3 fields, the header 2'],
    ['address,name\na@b.c,"A"B\n', '2: text stands behind a closing quote'],
    ['name,title\nA,B\n', '1: the header names no column of addresses: address, mail, EmailAddress, E-mail Address, PrimarySmtpAddress'],
    ['\n\n', '1: there is no header with the names of the columns'],
    [`address${',x'.repeat(1_000)}\n`, '1: more than 500 columns'],
    [`address,name\na@b.c,"${'x\n'.repeat(1_200_000)}`, '2: a row has more than 524288 characters: is a quote missing?'],
  ])('%j is a mistake', async (text, mistake) => {
    expect(await mistakesOf('a.csv', text)).toEqual([mistake]);
  });

  it('whatever was written by the rules of RFC 4180 is read as it was', async () => {
    const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
    const field = fc.string({ unit: fc.constantFrom('a', '"', ',', ';', '\n', '\r\n', ' ', '\t', 'ü'), maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(field, field), { minLength: 1, maxLength: 5 }), async (rows) => {
        const { entries, mistakes } = await readText('a.csv', ['"address","name","title"', ...rows.map(([name, title], index) => ['p' + index + '@b.c', name, title].map(quoted).join(','))].join('\r\n'));
        const plain = (text: string): string => text.replace(/\s+/g, ' ').trim();
        expect(mistakes).toEqual([]);
        expect(entries.map(({ name, title }) => [name ?? '', title ?? ''])).toEqual(rows.map(([name, title]) => [plain(name), plain(title)]));
      }),
      { numRuns: 500 },
    );
  });
});
