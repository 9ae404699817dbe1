import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/core/limits.ts';
import { fold, tokensOf, wordsOf } from '../../src/directory/words.ts';

const sorted = (texts: readonly string[]): readonly string[] => [...texts].sort();

/** The characters from one code point to another. */
const ofRange = (first: number, last: number): readonly string[] => Array.from({ length: last - first + 1 }, (_, index) => String.fromCodePoint(first + index));

describe('folding', () => {
  it.each([
    ['Müller', 'muller'],
    ['MU\u0308LLER', 'muller'],
    ['Groß GROẞ', 'gross gross'],
    ['Øvergård', 'overgard'],
    ['Łukasiewicz', 'lukasiewicz'],
    ['Đặng Nguyễn', 'dang nguyen'],
    ['İpek Yılmaz IŞIK ışık', 'ipek yilmaz isik isik'],
    ['Ægir Œuvre Þór', 'aegir oeuvre thor'],
    ['ΝΙΚΟΣ Νίκος', 'νικοσ νικοσ'],
    ['Ёлкин', 'елкин'],
    ['Ａｎｎａ　１', 'anna 1'],
    ['ﾔﾏﾀﾞ ヤマダ やまだ', 'やまた やまた やまた'],
    ['葛\u{e0100}城', '葛城'],
    ['أحمد', 'احمد'],
    ['O’Brien O´Brien O`Brien', "o'brien o'brien o'brien"],
    ['Anna‑Lena Anna–Lena', 'anna-lena anna-lena'],
    ['An\u00adna\u200b', 'anna'],
    ['* % _ \\', '* % _ \\'],
    ['', ''],
  ])('%j is compared as %j', (text, folded) => {
    expect(fold(text)).toBe(folded);
  });

  it('leaves the vowels of Indian and Thai names: they are marks, and letters', () => {
    expect(fold('राम')).not.toBe(fold('रम'));
    expect(fold('สุดา')).not.toBe(fold('สดา'));
  });

  it('leaves a Hangul syllable in its parts, so that one not yet whole begins the whole one', () => {
    expect(fold('김').startsWith(fold('기'))).toBe(true);
    expect(fold('김')).not.toBe(fold('기'));
  });

  // The judge is the Unicode collation algorithm (ICU), which was not written here: what it takes for the same letter without case and accents, and nothing else.
  it('of a Latin letter agrees with the collation of the world, but for six letters that people without the key type otherwise', () => {
    const search = new Intl.Collator('en', { sensitivity: 'base', usage: 'search' });
    const latin = [...ofRange(0x41, 0x24f), ...ofRange(0x1e00, 0x1eff)].filter((letter) => /(?=\p{L})\p{Script=Latin}/u.test(letter));
    expect(latin.length).toBeGreaterThan(700);
    expect(latin.filter((letter) => search.compare(letter, fold(letter)) !== 0).join('')).toBe('ÞþıĸŉŊŋŦŧ');
    const plain = latin.filter((letter) => /^[a-z]$/.test(fold(letter)));
    for (const letter of plain) for (const other of plain) if (search.compare(letter, other) === 0) expect([letter, other, fold(letter)]).toEqual([letter, other, fold(other)]);
  });

  it('folded again is the same, whatever the text, and however its letters were composed', () => {
    for (let code = 0; code < 0x3_0000; code += 256) {
      const text = ofRange(code, code + 255).join(' ');
      expect(fold(fold(text))).toBe(fold(text));
    }
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(fold(fold(text))).toBe(fold(text));
        expect(fold(text.normalize('NFD'))).toBe(fold(text));
      }),
    );
  });
});

describe('the words of a name', () => {
  it.each([
    ['Anna Müller', ['anna', 'muller']],
    ['Müller, Anna; Dr.', ['anna', 'dr', 'dr.', 'muller']],
    ['Anna-Lena', ['anna', 'anna-lena', 'lena']],
    ["O'Brien", ['brien', 'o', "o'brien", 'obrien']],
    ["Jean-d'Arc", ['arc', 'd', "d'arc", 'darc', 'jean', "jean-d'arc", 'jean-darc']],
    ['*star* 100%', ['*star*', '100', '100%', 'star', 'star*']],
    ['山田太郎', ['太郎', '山田太郎', '田太郎', '郎']],
    ['山田 太郎', ['太郎', '山田', '田', '郎']],
    ['𠮷田', ['田', '𠮷田']],
    ['さくら銀行', ['さくら', 'さくら銀行', '行', '銀行']],
    ['サトウはな', ['さとう', 'さとうはな', 'はな']],
    ['ソニーABC', ['abc', 'そにー', 'そにーabc']],
    ['Room101 (Berlin)', ['(berlin)', 'berlin', 'berlin)', 'room101']],
    ['Anna Anna ANNA', ['anna']],
    ["' - *", ["'", '*', '-']],
    [' ,; ', []],
    ['', []],
  ])('%j', (name, words) => {
    expect(sorted(wordsOf(name))).toEqual(sorted(words));
  });

  it('of a name of 10,000 characters are those of its beginning', () => {
    expect(wordsOf('x'.repeat(10_000))).toEqual(['x'.repeat(LIMITS.entryNameCharacters)]);
    const characters = ofRange(0x4e00, 0x4e00 + 9_999).join('');
    const [whole, ...inner] = wordsOf(characters);
    expect(whole).toBe(characters.slice(0, LIMITS.entryNameCharacters));
    expect(inner.length).toBe(LIMITS.entryNameCharacters - 1);
    expect(inner[0]).toBe(characters.slice(1, 1 + LIMITS.innerWordCharacters));
    expect(inner.reduce((sum, word) => sum + word.length, 0)).toBeLessThan(20_000);
  });

  it('are whole numbers of characters, folded, without blanks and never empty, whatever the name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (name) => {
        const words = wordsOf(name);
        expect(new Set(words).size).toBe(words.length);
        for (const word of words) {
          expect(word).toMatch(/^[^\s,;]+$/);
          expect(fold(word)).toBe(word);
        }
      }),
    );
  });

  it('begin with every token of the name itself', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'aÄß山かカ김-\'’*%,; \0١é'), maxLength: 40 }), (name) => {
        for (const token of tokensOf(name)) expect(wordsOf(name)).toContain(token);
      }),
    );
  });
});

describe('what somebody typed', () => {
  it.each([
    ['Müller, Anna', ['muller', 'anna']],
    ['  anna;;muller ', ['anna', 'muller']],
    ['anna-lena@corp.example', ['anna-lena@corp.example']],
    ['山田　太郎', ['山田', '太郎']],
    ['*', ['*']],
    ['mul*ler %', ['mul*ler', '%']],
    ['(objectClass=*)', ['(objectclass=*)']],
    ['\0', ['\0']],
    [' \t\r\n,; ', []],
    ['', []],
  ])('%j', (text, tokens) => {
    expect(tokensOf(text)).toEqual(tokens);
  });

  it('is looked at as far as it may go', () => {
    expect(tokensOf('a'.repeat(1_000_000))).toEqual(['a'.repeat(LIMITS.searchCharacters)]);
  });
});
