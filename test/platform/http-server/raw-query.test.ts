import { describe, expect, it } from 'vitest';
import { firstRaw, formDecode, percentDecode, rawParameters, rawQueryOf } from '../../../src/platform/http-server/raw-query.ts';

describe('a raw query', () => {
  it.each([
    ['/x', []],
    ['/x?', []],
    ['/x?a=1&b=2&A=3', [['a', '1'], ['b', '2'], ['a', '3']]],
    ['/x?start=2026-03-02T09:00:00+01:00', [['start', '2026-03-02T09:00:00+01:00']]],
    ['/x?u=SMTP:o%27brien%40corp.example&u=r%26d@corp.example', [['u', 'SMTP:o%27brien%40corp.example'], ['u', 'r%26d@corp.example']]],
    ['/x?a=b=c&d&=e&&', [['a', 'b=c'], ['d', ''], ['', 'e']]],
    ['/x?%61=1&%zz=2', [['a', '1'], ['%zz', '2']]],
    ['/x?a=1?b=2', [['a', '1?b=2']]],
    ['/x?__proto__=1&a[b]=2', [['__proto__', '1'], ['a[b]', '2']]],
  ])('%s comes apart, in order, its values as they were sent', (target, pairs) => {
    expect(rawParameters(rawQueryOf(target)).map((one) => [one.name, one.value])).toEqual(pairs);
  });

  it('loses none of ten thousand', () => {
    expect(rawParameters('u=a&'.repeat(10_000))).toHaveLength(10_000);
  });

  it('the first of a name counts', () => {
    expect(firstRaw(rawParameters('start=1&START=2'), 'start')).toBe('1');
    expect(firstRaw(rawParameters('a=1'), 'start')).toBeUndefined();
  });
});

describe('decoding', () => {
  it.each([
    ['a%40b', 'a@b', 'a@b'],
    ['a+b', 'a+b', 'a b'],
    ['a%2Bb', 'a+b', 'a+b'],
    ['%C3%BC', 'ü', 'ü'],
    // Raw UTF-8, as node hands it over: one character a byte.
    [Buffer.from('jürgen').toString('latin1'), 'jürgen', 'jürgen'],
    [`${Buffer.from('ü').toString('latin1')}%40b`, 'ü@b', 'ü@b'],
    ['100%', '100%', '100%'],
    ['%', '%', '%'],
    ['%ff', '%ff', '%ff'],
    ['%zz%40', '%zz%40', '%zz%40'],
    ['%2540', '%40', '%40'],
    ['', '', ''],
  ])('%j', (text, plain, form) => {
    expect([percentDecode(text), formDecode(text)]).toEqual([plain, form]);
  });
});
