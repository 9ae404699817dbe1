import { describe, expect, it } from 'vitest';
import { readLdapFilter } from '../../src/sandbox/ldap-filter.ts';

const KIM = { zimbraId: 'a1', mail: 'kim@zimbra.example', displayName: 'Kim (Berlin)*' };

describe('a filter of RFC 4515', () => {
  it.each([
    ['', true],
    ['(mail=KIM@zimbra.example)', true],
    ['(MAIL=*)', true],
    ['(fax=*)', false],
    ['(mail=kim*example)', true],
    ['(mail=*zimbra*)', true],
    ['(mail=kim@zimbra.example*kim@zimbra.example)', false],
    ['(mail=*.example*.example)', false],
    ['(displayName=Kim \\28Berlin\\29\\2a)', true],
    ['(&(mail=kim*)(zimbraId=a1))', true],
    ['(&(mail=kim*)(zimbraId=a2))', false],
    ['(|(zimbraId=a2)(!(fax=*)))', true],
    ['(!(zimbraId=a1))', false],
  ])('%s is %s of Kim', (text, fits) => {
    expect(readLdapFilter(text)?.(KIM)).toBe(fits);
  });

  it.each(['mail=kim', '(mail=kim', '(mail=kim))', '()', '(&)', '(!)', '(!(a=b)(c=d))', '(=x)', '(a=b)(c=d)', `${'(!'.repeat(100)}(a=b)${')'.repeat(100)}`])('%s cannot be read', (text) => {
    expect(readLdapFilter(text)).toBeUndefined();
  });
});
