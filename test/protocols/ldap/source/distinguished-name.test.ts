import { describe, expect, it } from 'vitest';
import { addressOfDn, normalisedDn, parentDn } from '../../../../src/protocols/ldap/source/distinguished-name.ts';

describe('a DN as it is compared', () => {
  it.each([
    // RFC 4514 §4, and how OpenLDAP and Active Directory write the same names.
    ['UID=jsmith,DC=example,DC=net', 'uid=jsmith,dc=example,dc=net'],
    ['uid = jsmith , DC= example,dc =net ', 'uid=jsmith,dc=example,dc=net'],
    ['CN=James \\"Jim\\" Smith\\, III,DC=example,DC=net', 'cn=james \\"jim\\" smith\\, iii,dc=example,dc=net'],
    ['CN=James \\22Jim\\22 Smith\\2C III,DC=example,DC=net', 'cn=james \\"jim\\" smith\\, iii,dc=example,dc=net'],
    ['CN=Before\\0dAfter,DC=example', 'cn=before after,dc=example'],
    ['CN=Lu\\C4\\8Di\\C4\\87', 'cn=lučić'],
    ['OU=Sales+CN=J.  Smith,DC=example', 'cn=j. smith+ou=sales,dc=example'],
    ['CN=J. Smith+OU=Sales,DC=example', 'cn=j. smith+ou=sales,dc=example'],
    ['1.3.6.1.4.1.1466.0=\\23x,DC=example', '1.3.6.1.4.1.1466.0=\\#x,dc=example'],
    ['cn=trailing\\\\ ,dc=x', 'cn=trailing\\\\,dc=x'],
    ['cn=a=b,dc=x', 'cn=a\\=b,dc=x'],
    ['cn=山田太郎,ou=Ünïts', 'cn=山田太郎,ou=ünïts'],
    ['cn=,dc=x', 'cn=,dc=x'],
    // None of them; they equal themselves.
    ['', ''],
    ['No DN', 'no dn'],
    ['cn=a,', 'cn=a,'],
    ['cn=a,,dc=x', 'cn=a,,dc=x'],
    [',', ','],
  ])('%j is %j', (text, normalised) => {
    expect(normalisedDn(text)).toBe(normalised);
  });

  it('is read in no time, whatever it is', () => {
    const startedAt = performance.now();
    for (const text of ['\\'.repeat(100_000), `cn=${' '.repeat(100_000)}x`, `cn=${' '.repeat(100_000)}`, 'cn=a,'.repeat(20_000), `cn=${'\\20'.repeat(30_000)}`, `cn=${'a '.repeat(50_000)}`, '='.repeat(100_000), `cn${' '.repeat(100_000)}`]) normalisedDn(text);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  it('has another one above it', () => {
    expect(parentDn('CN=Smith\\, J,OU = Staff,dc=x')).toBe('ou=staff,dc=x');
    expect([parentDn('dc=x'), parentDn(''), parentDn('none')]).toEqual(['', '', '']);
  });

  it('in a Zimbra gives an address', () => {
    expect(addressOfDn('uid=Team,ou=people,dc=zimbra,dc=example')).toBe('team@zimbra.example');
    expect([addressOfDn('cn=a,dc=x'), addressOfDn('uid=a,ou=people'), addressOfDn('')]).toEqual([undefined, undefined, undefined]);
  });
});
