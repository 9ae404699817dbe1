import { describe, expect, it } from 'vitest';
import { bindNameOf, usernameOf } from '../../../../src/protocols/ldap/face/bind-name.ts';
import { dnKey, escapeDnValue, parseDn } from '../../../../src/protocols/ldap/face/distinguished-name.ts';

describe('distinguished names', () => {
  /** RFC 4514 §4. */
  it.each([
    ['UID=jsmith,DC=example,DC=net', [[['uid', 'jsmith']], [['dc', 'example']], [['dc', 'net']]]],
    ['OU=Sales+CN=J.  Smith,DC=example,DC=net', [[['ou', 'Sales'], ['cn', 'J.  Smith']], [['dc', 'example']], [['dc', 'net']]]],
    ['CN=James \\"Jim\\" Smith\\, III,DC=example,DC=net', [[['cn', 'James "Jim" Smith, III']], [['dc', 'example']], [['dc', 'net']]]],
    ['CN=Before\\0dAfter,DC=example,DC=net', [[['cn', 'Before\rAfter']], [['dc', 'example']], [['dc', 'net']]]],
    ['1.3.6.1.4.1.1466.0=#04024869', [[['1.3.6.1.4.1.1466.0', 'Hi']]]],
    ['CN=Lu\\C4\\8Di\\C4\\87', [[['cn', 'Lučić']]]],
    ['', []],
    [' cn = "a, b" ; dc = bridge ', [[['cn', 'a, b']], [['dc', 'bridge']]]],
    ['cn=a\\ ,dc=bridge', [[['cn', 'a ']], [['dc', 'bridge']]]],
    ['cn=,dc=bridge', [[['cn', '']], [['dc', 'bridge']]]],
    ['cn=😀', [[['cn', '😀']]]],
  ])('%s', (text, name) => expect(parseDn(text)).toEqual(name));

  it.each(['anna', 'cn', 'cn=a,', 'cn=a,,dc=b', '=a', 'cn=a\\', 'cn=a\\zz', 'cn=\\ff', 'cn="a', 'cn="a"b', 'cn=a\0b', 'cn=#zz', 'cn=#0405', 'cn=a<b', '-=x', '😀=x', 'cn=a+', '\0\0'])('%j is none', (text) => expect(parseDn(text)).toBeUndefined());

  it('the same ones have the same key', () => {
    expect(dnKey(parseDn('CN=Anna  Lee, DC=Bridge')!)).toBe(dnKey(parseDn('2.5.4.3=anna lee,dc=bridge')!));
    expect(dnKey(parseDn('a=1+b=2')!)).toBe(dnKey(parseDn('B=2+A=1')!));
    expect(dnKey(parseDn('a=1,b=2')!)).not.toBe(dnKey(parseDn('a=1+b=2')!));
    expect(dnKey(parseDn('a=1\\,b=2')!)).not.toBe(dnKey(parseDn('a=1,b=2')!));
  });

  it('a long one is read in time that grows with its length', () => {
    const start = performance.now();
    expect(parseDn(Array.from({ length: 40_000 }, () => 'cn=a').join(','))).toHaveLength(40_000);
    expect(parseDn('cn='.repeat(60_000))).toEqual([[['cn', 'cn='.repeat(59_999)]]]);
    expect(performance.now() - start).toBeLessThan(2_000);
  });

  it('what is escaped is read back', () => {
    for (const value of ['CORP\\bridge', 'lee, kim', ' a ', '#1', 'a+b;c<d>e"f', 'nul\0', '😀', ' ']) expect(parseDn(`cn=${escapeDnValue(value)},dc=bridge`)![0]).toEqual([['cn', value]]);
  });
});

describe('the name of a bind', () => {
  const base = parseDn('dc=bridge')!;
  it.each([
    ['cn=zimbra,dc=bridge', 'zimbra'],
    ['CN = Zimbra , DC = BRIDGE', 'Zimbra'],
    ['cn=CORP\\\\bridge,dc=bridge', 'CORP\\bridge'],
    ['cn=CORP\\5cbridge,dc=bridge', 'CORP\\bridge'],
    ['cn=CORP\\bridge,dc=bridge', 'CORP\\bridge'],
    ['cn=CORP\\adam,dc=bridge', 'CORP\\adam'],
    ['cn=lee\\, kim,dc=bridge', 'lee, kim'],
    ['zimbra', 'zimbra'],
    ['CORP\\bridge', 'CORP\\bridge'],
    ['peer@corp.example', 'peer@corp.example'],
    // Nobody: taken for user names, which nobody has.
    ['uid=zimbra,dc=bridge', 'uid=zimbra,dc=bridge'],
    ['cn=zimbra,dc=other', 'cn=zimbra,dc=other'],
    ['cn=zimbra+uid=x,dc=bridge', 'cn=zimbra+uid=x,dc=bridge'],
    ['cn=zimbra', 'cn=zimbra'],
  ])('%s is %s', (name, username) => expect(usernameOf(name, base)).toBe(username));

  it('is written so that it is read back', () => expect(usernameOf(bindNameOf('CORP\\lee, kim', 'dc=bridge'), base)).toBe('CORP\\lee, kim'));
});
