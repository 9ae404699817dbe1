import { describe, expect, it } from 'vitest';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import { deltaSeconds, quoted, readParameterized, splitValue, unquoted } from '../../../src/protocols/sip/header-value.ts';
import { hostText, sipUri } from '../../../src/protocols/sip/sip-uri.ts';

describe('a header’s value', () => {
  it('is cut outside quotes and brackets only (RFC 3261 §7.3.1)', () => {
    expect(splitValue('"Bell, Alexander \\", x" <sip:a.g.bell@bell-tel.com;method=a,b>;q=0.7, "Mr. Watson" <mailto:watson@bell-telephone.com> ;q=0.1', ',')).toEqual([
      '"Bell, Alexander \\", x" <sip:a.g.bell@bell-tel.com;method=a,b>;q=0.7',
      '"Mr. Watson" <mailto:watson@bell-telephone.com> ;q=0.1',
    ]);
  });

  it('does not lose itself in a quotation that does not end', () => {
    expect(splitValue('a, "b, c', ',')).toEqual(['a', '"b, c']);
    expect(splitValue('a, "b\\', ',')).toEqual(['a', '"b\\']);
  });

  it('has parameters with blanks around, quoted, empty, doubled', () => {
    const { value, parameters } = readParameterized('terminated ; REASON = "no\\"resource";expires=5;lr;expires=9');
    expect(value).toBe('terminated');
    expect([...parameters]).toEqual([['reason', 'no"resource'], ['expires', '5'], ['lr', '']]);
  });

  it('quotes and unquotes', () => {
    expect(quoted('a"b\\c')).toBe('"a\\"b\\\\c"');
    expect(unquoted('"a\\"b\\\\c"')).toBe('a"b\\c');
    expect(unquoted('"a')).toBe('"a');
  });

  it.each([
    ['3600', 3600],
    ['18000;duration=3600', 18_000],
    ['120 (I’m in a meeting)', 120],
    ['9999999999', 2 ** 32 - 1],
    ['99999999999', undefined],
    ['-1', undefined],
    ['5.5', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('seconds of %s are %s', (value, seconds) => {
    expect(deltaSeconds(value)).toBe(seconds);
  });
});

describe('a SIP URI', () => {
  it.each([
    ['anna@corp.example', 'sip:anna@corp.example'],
    ["o'neil+x=1&y$@corp.example", "sip:o'neil+x=1&y$@corp.example"],
    ['a%b#c?d{e}@corp.example', 'sip:a%25b%23c%3Fd%7Be%7D@corp.example'],
    ['jürgen@bücher.example', 'sip:j%C3%BCrgen@xn--bcher-kva.example'],
    ['😀@corp.example', 'sip:%F0%9F%98%80@corp.example'],
  ])('of %s is %s', (mailbox, uri) => {
    expect(sipUri(mailbox as MailboxAddress)).toBe(uri);
  });

  it('has IPv6 in brackets', () => {
    expect([hostText('::1'), hostText('192.0.2.1')]).toEqual(['[::1]', '192.0.2.1']);
  });
});
