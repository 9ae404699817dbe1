import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { domainOf, localPartOf, parseMailboxAddress } from '../../src/directory/smtp-address.ts';

/** The lines of a list, comments left out; what begins with `"` is JSON. */
function lines(name: string): readonly (readonly [spelling: string, rest: string])[] {
  const text = readFileSync(new URL(`../../fixtures/addresses/${name}`, import.meta.url), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('# '))
    .map((line) => line.split('\t'))
    .map(([first = '', rest = '']) => [first.startsWith('"') ? (JSON.parse(first) as string) : first, rest] as const);
}

describe('an address that names a mailbox', () => {
  it.each(lines('valid.txt'))('%j is compared as %s', (spelling, compared) => {
    expect(compared).not.toBe('');
    expect(parseMailboxAddress(spelling)).toBe(compared);
  });

  it('may have 254 characters and no more (RFC 5321 §4.5.3.1.3)', () => {
    const domain = '@corp.example';
    const longest = 'a'.repeat(254 - domain.length) + domain;
    expect(parseMailboxAddress(longest)).toBe(longest);
    expect(parseMailboxAddress(`SMTP:${longest}`)).toBe(longest);
    expect(parseMailboxAddress(`a${longest}`)).toBeUndefined();
  });

  it('counts octets, as the RFC does: 130 two-byte letters are too many', () => {
    expect(parseMailboxAddress(`${'ü'.repeat(130)}@corp.example`)).toBeUndefined();
  });

  it('comes apart at its @', () => {
    const address = parseMailboxAddress('SMTP:Anna.Meier@Sub.Corp.Example')!;
    expect([localPartOf(address), domainOf(address)]).toEqual(['anna.meier', 'sub.corp.example']);
  });

  it('stays itself when read again', () => {
    for (const [spelling] of lines('valid.txt')) {
      const once = parseMailboxAddress(spelling)!;
      expect(parseMailboxAddress(once)).toBe(once);
    }
  });
});

describe('text that can name no mailbox', () => {
  it.each(lines('invalid.txt'))('%j is refused', (spelling) => {
    expect(parseMailboxAddress(spelling)).toBeUndefined();
  });

  it('is refused quickly however long it is', () => {
    for (const part of ['a', '@', '.', '-', 'a@', 'ü', ' ', 'smtp:']) expect(parseMailboxAddress(part.repeat(1_000_000))).toBeUndefined();
  });
});

describe('whatever text comes', () => {
  const hostile = fc.string({ unit: fc.constantFrom(...'abZ09@@..//\\\\"\'&=+%?#<>:;,()[]{} \t\r\n\u0000\u007f\u0085\u00a0\u2028üÜ例\ud83d') });

  it('an accepted address has one @, two parts, no path, no blank, no control character and fits into a URL', () => {
    fc.assert(
      fc.property(fc.oneof(hostile, fc.string({ unit: 'binary' })), fc.constantFrom('', '@corp.example', '@b'), (text, tail) => {
        const address = parseMailboxAddress(text + tail);
        if (address === undefined) return;
        expect(address.split('@')).toHaveLength(2);
        expect(localPartOf(address)).not.toBe('');
        expect(domainOf(address)).not.toBe('');
        expect(address).toBe(address.toLowerCase());
        expect(address).not.toMatch(/[\s\p{Cc}/\\<>",;]|\.\./u);
        expect(() => encodeURIComponent(address)).not.toThrow();
      }),
      { numRuns: 3_000 },
    );
  });
});
