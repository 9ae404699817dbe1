import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../../src/core/limits.ts';
import { ENTRY_DETAILS } from '../../../../src/directory/entry.ts';
import type { SourceEntry } from '../../../../src/directory/entry-source.ts';
import { LDAP_ATTRIBUTE_NAMES, attributeNames, attributesToRead, filterOf } from '../../../../src/protocols/ldap/source/attribute-names.ts';
import { Complaints } from '../../../../src/protocols/ldap/source/complaints.ts';
import { decodeEntry } from '../../../../src/protocols/ldap/source/decode-entry.ts';
import { rawEntryOf } from '../../../../src/protocols/ldap/source/raw-entry.ts';
import { keptLog } from '../../../platform/redis/real-redis.ts';

const log = keptLog();
const decode = (attributes: Record<string, string | Buffer | string[] | Buffer[]>, overrides: Record<string, string> = {}): SourceEntry | undefined => {
  log.lines.length = 0;
  return decodeEntry(rawEntryOf({ dn: 'cn=a,dc=x', ...attributes }), attributeNames(overrides), new Complaints(log, 'ad'));
};

describe('the addresses of an entry', () => {
  it.each([
    ['the primary proxy, though mail differs', { mail: 'old@x.example', proxyAddresses: ['smtp:alias@x.example', 'SMTP:New@x.example'] }, 'new@x.example', ['alias@x.example', 'old@x.example']],
    ['mail where no proxy is primary', { mail: 'a@x.example', proxyAddresses: ['smtp:b@x.example', 'sip:c@x.example', 'X400:c=de;a= ;p=corp', 'EUM:123;phone-context=x'] }, 'a@x.example', ['b@x.example']],
    ['of several primary ones that which is mail', { mail: 'b@x.example', proxyAddresses: ['SMTP:a@x.example', 'SMTP:b@x.example'] }, 'b@x.example', ['a@x.example']],
    ['of several mails the first', { mail: ['b@x.example', 'a@x.example'] }, 'b@x.example', ['a@x.example']],
    ["Zimbra's delivery address before mail", { mail: ['b@x.example', 'a@x.example'], zimbraMailDeliveryAddress: 'a@x.example', zimbraMailAlias: 'c@x.example' }, 'a@x.example', ['c@x.example', 'b@x.example']],
    ['names of attributes in any case', { MAIL: 'a@x.example', PROXYADDRESSES: 'smtp:b@x.example' }, 'a@x.example', ['b@x.example']],
  ])('%s', (_what, attributes, address, aliases) => {
    expect(decode(attributes)).toMatchObject({ address, aliases });
  });

  it.each([
    ['none', {}],
    ['none that could be one', { mail: ['anna', 'a b@x.example', '@x.example', '<a@x.example>'] }],
    ['only an empty one', { mail: [''] }],
    ['only proxies of other kinds', { proxyAddresses: ['X500:/o=x', 'sip:a@x.example'] }],
    ['only an alias', { zimbraMailAlias: 'a@x.example' }],
  ])('with %s: no entry', (_what, attributes) => {
    expect(decode(attributes)).toBeUndefined();
  });

  it('a value that cannot be one is said', () => {
    decode({ mail: 'a@x.example', proxyAddresses: ['smtp:no address'] });
    expect(log.lines).toEqual(['debug a value that can be no address is left out, first at cn=a,dc=x {"system":"ad","protocol":"ldap","reason":"a value that can be no address is left out"}']);
  });
});

describe('an entry', () => {
  it('has blanks and control characters made one blank, and is named by displayName before cn', () => {
    expect(decode({ mail: 'a@x.example', cn: 'cn', displayName: ' Alm,\r\n \u0000 Anna ', streetAddress: 'Ring 1\r\nHouse B' })).toMatchObject({ name: 'Alm, Anna', street: 'Ring 1 House B' });
    expect(decode({ mail: 'a@x.example', cn: 'cn', displayName: '\u0000' })).not.toHaveProperty('name');
  });

  it('is hidden by any of the attributes for it', () => {
    for (const name of ['msExchHideFromAddressLists', 'zimbraHideInGal', 'zimbraIsSystemResource']) expect(decode({ mail: 'a@x.example', [name]: 'TRUE' })?.isHidden).toBe(true);
    expect(decode({ mail: 'a@x.example', zimbraHideInGal: 'FALSE' })).not.toHaveProperty('isHidden');
    expect(decode({ mail: 'a@x.example', secret: 'yes', zimbraHideInGal: 'TRUE' }, { hidden: 'secret' })?.isHidden).toBe(true);
    expect(decode({ mail: 'a@x.example', zimbraHideInGal: 'TRUE' }, { hidden: 'secret' })).not.toHaveProperty('isHidden');
  });

  it('has a foreign principal of the kind ad: only', () => {
    expect(decode({ mail: 'a@x.example', zimbraForeignPrincipal: ['kerberos5:a@X', 'ad:/o=Corp/cn=a'] })?.foreignPrincipal).toBe('/o=Corp/cn=a');
    expect(decode({ mail: 'a@x.example', zimbraForeignPrincipal: ['kerberos5:a@X', 'ad:'] })).not.toHaveProperty('foreignPrincipal');
  });

  it('keeps the members of a group only, DNs normalised and addresses as addresses, no more than are counted', () => {
    expect(decode({ mail: 'a@x.example', member: ['CN=B,DC=X'] })).not.toHaveProperty('members');
    expect(decode({ mail: 'a@x.example', objectClass: 'group', member: ['CN=B , DC=X', 'cn=b,dc=x', 'cn=c,dc=x'] })?.members).toEqual(['cn=b,dc=x', 'cn=c,dc=x']);
    const many = decode({ mail: 'a@x.example', objectClass: 'group', member: Array.from({ length: LIMITS.groupMembers + 5 }, (_, index) => `cn=${index},dc=x`) });
    expect(many?.members).toHaveLength(LIMITS.groupMembers);
    expect(log.lines).toEqual([expect.stringMatching(/^warn members beyond the limit are left out/)]);
  });

  it('whose details are too long, or no digits where these are wanted, has none of them', () => {
    const found = decode({ mail: 'a@x.example', title: 'x'.repeat(257), department: 'x'.repeat(256), msExchResourceCapacity: 'many', legacyExchangeDN: `/o=${'x'.repeat(LIMITS.legacyExchangeDnCharacters)}` });
    expect(found).not.toHaveProperty('title');
    expect(found?.department).toHaveLength(256);
    expect(found).not.toHaveProperty('capacity');
    expect(found).not.toHaveProperty('legacyExchangeDn');
    expect(log.lines).toHaveLength(2);
  });

  it('with a DN of 5,000 characters has an id and a ref that hold', () => {
    const dn = `cn=${'x'.repeat(5_000)},dc=x`;
    const found = decodeEntry(rawEntryOf({ dn, mail: 'a@x.example' }), attributeNames({}), new Complaints(log, ''));
    expect(found?.id).toMatch(/^dn-sha256:[0-9a-f]{64}$/);
  });
});

describe('the names of attributes', () => {
  it('are ours: those of an entry and of its details', () => {
    expect(LDAP_ATTRIBUTE_NAMES).toEqual(expect.arrayContaining(['id', 'address', 'name', 'aliases', 'legacyExchangeDn', 'targetAddress', 'foreignPrincipal', 'hidden', 'members', 'kind', ...ENTRY_DETAILS]));
  });

  it('are asked for once each, with what the configuration names', () => {
    const asked = attributesToRead(attributeNames({ phone: 'homePhone', address: 'mailPrimary' }));
    expect(asked).toContain('homePhone');
    expect(asked).not.toContain('telephoneNumber');
    expect(new Set(asked).size).toBe(asked.length);
  });

  it('make the filter, together with that of the configuration', () => {
    expect(filterOf(undefined, attributeNames({}))).toBe('(|(proxyAddresses=*)(zimbraMailDeliveryAddress=*)(mail=*))');
    expect(filterOf(' sn=x ', attributeNames({ address: 'm' }))).toBe('(&(sn=x)(|(m=*)))');
  });
});
