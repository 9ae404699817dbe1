import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readVcardLine, structuredText, unescapedText } from '../../../src/protocols/address-file/vcard-line.ts';
import { mistakesOf, readText } from './read-text.ts';

const card = (...lines: readonly string[]): string => ['BEGIN:VCARD', 'VERSION:4.0', ...lines, 'END:VCARD', ''].join('\r\n');
const CUT = 'has no END:VCARD: the file is cut off, or still being written';

describe('a line of a vCard', () => {
  it.each([
    ['FN:Anna', 'FN', {}, 'Anna'],
    ['item1.email;type=WORK;type=pref:a@b.c', 'EMAIL', { TYPE: ['WORK', 'pref'] }, 'a@b.c'],
    ['TEL;WORK;VOICE:1', 'TEL', { TYPE: ['WORK', 'VOICE'] }, '1'],
    ['TEL;TYPE=work,cell;PREF=1:1', 'TEL', { TYPE: ['work', 'cell'], PREF: ['1'] }, '1'],
    ['N;SORT-AS="Harten,Rene":van der Harten;Rene,J.;Sir;R.D.O.N.', 'N', { 'SORT-AS': ['Harten,Rene'] }, 'van der Harten;Rene,J.;Sir;R.D.O.N.'],
    ['X-A;B="a;b:c",d:e', 'X-A', { B: ['a;b:c', 'd'] }, 'e'],
    ["X-A;B=a^'b^'^nc^^:e", 'X-A', { B: ['a"b"\nc^'] }, 'e'],
    ['URL:http://a.b/c', 'URL', {}, 'http://a.b/c'],
    ['FN;X=:v', 'FN', { X: [] }, 'v'],
  ])('%s', (line, name, parameters, value) => {
    const read = readVcardLine(line);
    expect(read === undefined ? undefined : [read.name, Object.fromEntries(read.parameters), read.value]).toEqual([name, parameters, value]);
  });

  it.each(['', ':', 'no colon', 'FN', 'FN;TYPE="open:a', 'a b:c', ';:', '.FN:a'])('%j is none', (line) => {
    expect(readVcardLine(line)).toBeUndefined();
  });

  it('is read quickly however it is built', () => {
    for (const part of [';', ';A=', ';A=",', ',', '"', ';A="b"']) for (const head of ['FN', 'FN;A=b']) readVcardLine(head + part.repeat(20_000));
  });

  it('escapes are those of RFC 6350 §3.4', () => {
    expect(unescapedText('a\\nb\\Nc\\,d\\;e\\\\n')).toBe('a\nb\nc,d;e\\n');
    expect(structuredText('a\\;b;c,d;;e\\,f')).toEqual(['a;b', 'c d', '', 'e,f']);
  });
});

describe('vCards', () => {
  it.each([
    ['BEGIN:VCARD\nVERSION:4.0\nEMAIL:a@b.c\n', `1: the card that begins here ${CUT}`],
    [`${card('EMAIL:a@b.c')}BEGIN:VCARD\nVERS`, '6: this is no line of a vCard: name, colon, value'],
    [`${card('EMAIL:a@b.c')}BEGIN:VCARD\nPHOTO:abc`, `5: the card that begins here ${CUT}`],
    ['BEGIN:VCARD\nVERSION:2.1\nEND:VCARD\n', '2: only vCard 3.0 and 4.0 are read: export it as one of these'],
    ['BEGIN:VCARD\nFN:a\nEND:VCARD\n', '1: the card has no VERSION'],
    [card('FN;ENCODING=QUOTED-PRINTABLE:a=\r\nb'), '3: quoted-printable is of vCard 2.1; only 3.0 and 4.0 are read'],
    ['END:VCARD\n', '1: a card ends that has not begun'],
    [`FN:a\n${card()}`, '1: this stands outside of any card'],
    ['BEGIN:VCARD\nVERSION:3.0\nBEGIN:VCARD\nVERSION:3.0\nEMAIL:a@b.c\nEND:VCARD\n', '3: a card begins before the one before it has ended'],
    [card(`X-BIG:a\r\n ${'a'.repeat(2_200_000)}`), '3: a card has more than 1048576 characters'],
  ])('%j is a mistake', async (text, mistake) => {
    expect(await mistakesOf('a.vcf', text)).toEqual([mistake]);
  });

  it('a photograph of any size is skipped', async () => {
    const { entries, mistakes } = await readText('a.vcf', card('EMAIL:a@b.c', `PHOTO;ENCODING=b:${'A'.repeat(3_000_000)}`, `PHOTO:data:image/jpeg;base64,${'A'.repeat(70)}\r\n ${'A'.repeat(3_000_000)}`));
    expect([entries.length, mistakes]).toEqual([1, []]);
  });

  it('a line that is longer than any field is left out and counted; one of many parts is read', async () => {
    for (const line of [`X-PICTURE:${'A'.repeat(70_000)}`, `TEL;TYPE=${'b,'.repeat(500_000)}:1`, `FN:${'\\n'.repeat(500_000)}`]) expect(await readText('a.vcf', card('EMAIL:a@b.c', line))).toMatchObject({ entries: [{ address: 'a@b.c' }], cut: 1, mistakes: [] });
    for (const line of [`N:${';'.repeat(65_000)}`, `ORG:${'a;'.repeat(32_000)}`, `ADR:;;${','.repeat(65_000)}`, `TEL;TYPE=${'b,'.repeat(32_000)}:1`, `TEL${';A=b'.repeat(16_000)}:1`]) expect((await readText('a.vcf', card('EMAIL:a@b.c', line))).entries).toHaveLength(1);
  });

  it('a card of more lines than anybody has is refused', async () => {
    expect(await mistakesOf('a.vcf', card(...Array.from({ length: 20_001 }, () => 'EMAIL:a@b.c')))).toEqual(['20002: a card has more than 20000 lines']);
  });

  it('the last card needs no line end', async () => {
    expect((await readText('a.vcf', card('EMAIL:a@b.c').trimEnd())).entries).toHaveLength(1);
  });

  it('whatever comes, nothing throws', async () => {
    const line = fc.oneof(fc.constantFrom('BEGIN:VCARD', 'END:VCARD', 'VERSION:4.0', 'EMAIL:a@b.c', 'PHOTO:', ' fold', 'KIND:constructor', 'KIND:__proto__', 'N:;;', 'ADR:', 'TEL:tel:', 'MEMBER:'), fc.string());
    await fc.assert(fc.asyncProperty(fc.array(line, { maxLength: 20 }), async (lines) => void (await readText('a.vcf', `BEGIN:VCARD\n${lines.join('\n')}`))), { numRuns: 500 });
  });
});
