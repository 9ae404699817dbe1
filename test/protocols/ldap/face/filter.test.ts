import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../../src/core/limits.ts';
import type { DirectoryEntry } from '../../../../src/directory/entry.ts';
import { BerReader } from '../../../../src/protocols/ldap/ber-read.ts';
import { candidatesOf } from '../../../../src/protocols/ldap/face/candidates.ts';
import { entryAttributeFinder } from '../../../../src/protocols/ldap/face/entry-attributes.ts';
import { compileFilter } from '../../../../src/protocols/ldap/face/evaluate-filter.ts';
import { decodeFilter } from '../../../../src/protocols/ldap/face/filter.ts';
import type { Filter } from '../../../../src/protocols/ldap/face/filter.ts';
import { searchedLength } from '../../../../src/protocols/ldap/face/searched-length.ts';
import type { View } from '../../../../src/protocols/ldap/face/shown-entry.ts';
import { PEOPLE, directoryOf, requesterNamed } from './world.ts';

const view: View = { directory: directoryOf(PEOPLE), requester: requesterNamed('zimbra', 'sync'), base: 'dc=bridge', baseName: [[['dc', 'bridge']]] };
const find = entryAttributeFinder(view);
const equal = (attribute: string, value: string): Filter => ({ kind: 'equal', attribute, value });
const begins = (attribute: string, initial: string): Filter => ({ kind: 'substrings', attribute, initial, any: [] });
const holds = (attribute: string, ...any: readonly string[]): Filter => ({ kind: 'substrings', attribute, any });
const and = (...filters: readonly Filter[]): Filter => ({ kind: 'and', filters });
const or = (...filters: readonly Filter[]): Filter => ({ kind: 'or', filters });
const not = (filter: Filter): Filter => ({ kind: 'not', filter });
const present = (attribute: string): Filter => ({ kind: 'present', attribute });
const idOf = (address: string): string => PEOPLE.find((one) => one.address === address)!.id;
const names = (entries: readonly DirectoryEntry[]): readonly string[] => entries.map(({ address }) => address.split('@')[0]!);
const selected = (filter: Filter): readonly string[] => {
  const test = compileFilter(filter, find);
  return names(PEOPLE.filter((entry) => test({ entry, view }) === true));
};
const EVERYBODY = names(PEOPLE);

describe('a filter selects', () => {
  const at = (kind: 'atLeast' | 'atMost', attribute: string, value: string): Filter => ({ kind, attribute, value });
  it.each<[string, Filter, readonly string[]]>([
    ['by a beginning, without case and diacritics', begins('SN', 'mul'), ['anna']],
    ['no Müller by `mue`', begins('sn', 'mue'), []],
    ['by gn, the other name of givenName', begins('gn', 'ANN'), ['anna']],
    ['by an OID', begins('2.5.4.3', 'anna'), ['anna']],
    ['everybody by objectClass', present('objectClass'), EVERYBODY],
    ['groups', equal('objectclass', 'GROUP'), ['sales']],
    ['groups by category', equal('objectCategory', 'group'), ['sales']],
    ['by Active Directory’s long category', equal('objectCategory', 'CN=Group,CN=Schema,CN=Configuration,DC=corp'), ['sales']],
    ['rooms', equal('msExchResourceSearchProperties', 'Room'), ['blue']],
    ['by a star that is meant', holds('cn', '*'), ['kim']],
    ['nobody by %', holds('cn', '%'), []],
    ['nobody by NUL', holds('cn', '\0'), []],
    ['Chinese', begins('cn', '王'), ['wang']],
    ['Korean while it is typed', begins('cn', '기'), ['kim']],
    ['parts in their order only', holds('cn', 'a', 'l', 'r'), ['anna']],
    ['parts that do not overlap', { kind: 'substrings', attribute: 'cn', initial: 'beame', any: [], final: 'mer' }, []],
    ['by an alias in proxyAddresses', equal('proxyAddresses', 'SMTP:A.Mueller@corp.example'), ['anna']],
    ['nobody by an alias in mail', equal('mail', 'a.mueller@corp.example'), []],
    ['a telephone number however it is grouped', equal('telephoneNumber', '+4930-12345'), ['anna']],
    ['what changed since', at('atLeast', 'modifyTimeStamp', '20261129120000Z'), ['anna']],
    ['… in Active Directory’s form', at('atLeast', 'whenChanged', '20261129120000.0Z'), ['anna']],
    ['nobody later', at('atLeast', 'modifyTimestamp', '20261129120001Z'), []],
    ['Undefined for a time that is none', not(at('atLeast', 'modifyTimestamp', 'yesterday')), []],
    ['members of a group', equal('memberOf', `uid=${idOf('sales@corp.example')},DC=Bridge`), ['anna', 'kim']],
    ['nobody of what is no group', equal('memberOf', 'cn=x,dc=bridge'), []],
    ['by ambiguous names', equal('anr', 'mull ann'), ['anna']],
    ['nobody by an unknown attribute', equal('foo', 'x'), []],
    ['nobody by its negation: Undefined stays so', not(equal('foo', 'x')), []],
    ['everybody who is not hidden by an attribute that nobody has', not(equal('msExchHideFromAddressLists', 'TRUE')), EVERYBODY],
    ['True or Undefined is True', or(equal('foo', 'x'), begins('cn', 'blue')), ['blue']],
    ['True and Undefined is Undefined', not(and(equal('foo', 'x'), present('cn'))), []],
    ['False and Undefined is False', not(and(equal('foo', 'x'), equal('cn', 'nobody'))), EVERYBODY],
    ['(&) is true', and(), EVERYBODY],
    ['(|) is false', or(), []],
    ['bits of an attribute that nobody has', not({ kind: 'extensible', rule: '1.2.840.113556.1.4.803', attribute: 'userAccountControl', value: '2' }), EVERYBODY],
    ['nobody by an unknown rule', not({ kind: 'extensible', rule: '1.2.3', attribute: 'cn', value: 'x' }), []],
    ['by a rule alone nobody', not({ kind: 'extensible', rule: 'caseIgnoreMatch', attribute: undefined, value: 'x' }), []],
    ['by a rule that is equality', { kind: 'extensible', rule: 'caseIgnoreMatch', attribute: 'cn', value: 'BLUE  room' }, ['blue']],
    ['by a legacyExchangeDN', equal('legacyExchangeDN', '/O=corp/ou=first/cn=recipients/cn=ANNA'), ['anna']],
    ['by entryUUID', equal('entryUUID', idOf('blue@corp.example').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')), ['blue']],
    ['Undefined for a value that is no UTF-8', not({ kind: 'equal', attribute: 'cn', value: undefined }), []],
  ])('%s', (_what, filter, expected) => expect(selected(filter)).toEqual(expected));
});

describe('whom a filter can mean', () => {
  const zimbra = (key: string): Filter => or(begins('cn', key), begins('sn', key), begins('gn', key), begins('mail', key));
  it.each<[string, Filter, { readonly texts?: readonly string[]; readonly entries?: readonly string[]; readonly isWhole: boolean }]>([
    ['Zimbra’s auto complete is one question', zimbra('mul'), { texts: ['mul'], isWhole: true }],
    ['two tokens are one question', and(zimbra('ann'), zimbra('lee')), { texts: ['ann lee'], isWhole: true }],
    ['classes narrow nothing', and(equal('objectClass', 'person'), zimbra('ann')), { texts: ['ann'], isWhole: true }],
    ['an unknown attribute means nobody', and(equal('foo', 'x'), zimbra('ann')), { texts: [], isWhole: true }],
    ['an unknown alternative adds nobody', or(present('foo'), zimbra('ann')), { texts: ['ann'], isWhole: true }],
    ['a substring may be anywhere: the likeliest first', holds('cn', 'ann'), { texts: ['ann'], isWhole: false }],
    ['members', and(equal('memberOf', `uid=${idOf('sales@corp.example')},dc=bridge`), zimbra('ann')), { entries: ['anna', 'kim'], isWhole: true }],
    ['an exact id', equal('uid', idOf('blue@corp.example')), { entries: ['blue'], texts: [idOf('blue@corp.example')], isWhole: true }],
    ['everybody but', not(zimbra('ann')), { isWhole: false }],
    ['everybody', present('objectClass'), { isWhole: false }],
    ['proxy addresses', begins('proxyAddresses', 'smtp:a.m'), { texts: ['a.m'], isWhole: true }],
    ['half of `smtp:` is everybody’s', begins('proxyAddresses', 'smt'), { isWhole: false }],
  ])('%s', (_what, filter, { texts = [], entries = [], isWhole }) => {
    const candidates = candidatesOf(filter, find, view);
    expect({ texts: candidates.texts, entries: names(candidates.entries), isWhole: candidates.isWhole }).toEqual({ texts, entries, isWhole });
  });

  it('never leaves out anybody whom the filter selects', () => {
    const starts = ['a', 'an', 'anna m', 'Mül', 'b', '(b', 'smtp:a', 'blue r', '王', '기', 'SALES', 'kim (', '*', 'corp', ' anna', 'anna ', 'a.mueller@'];
    const attributes = ['cn', 'displayName', 'gn', 'sn', 'mail', 'proxyAddresses', 'mailNickname', 'uid', 'anr', 'memberOf', 'title', 'foo'];
    let narrowed = 0;
    for (const attribute of attributes) {
      for (const start of starts) {
        for (const filter of [begins(attribute, start), equal(attribute, start), and(begins(attribute, start), present('cn')), or(begins(attribute, start), equal('mail', 'blue@corp.example'))]) {
          const { texts, entries, isWhole } = candidatesOf(filter, find, view);
          if (!isWhole) continue;
          narrowed += 1;
          const meant = new Set([...entries, ...texts.flatMap((text) => view.directory.search({ text, limit: 100 }, view.requester).entries)].map(({ address }) => address.split('@')[0]!));
          expect(selected(filter).filter((one) => !meant.has(one)), JSON.stringify(filter)).toEqual([]);
        }
      }
    }
    expect(narrowed).toBeGreaterThan(400);
  });
});

describe('what somebody must have typed', () => {
  it.each<[Filter, number]>([
    [begins('cn', 'an'), 2],
    [or(begins('cn', 'anna'), begins('sn', 'a')), 1],
    [and(begins('cn', 'anna'), equal('objectClass', 'inetOrgPerson')), 4],
    [equal('objectClass', 'inetOrgPerson'), 0],
    [present('cn'), 0],
    [or(begins('cn', 'anna'), present('mail')), 0],
    [or(begins('cn', 'anna'), present('foo')), 4],
    [not(begins('cn', 'anna')), 0],
    [begins('foo', 'anna'), Infinity],
  ])('%j', (filter, length) => expect(searchedLength(filter, find)).toBe(length));
});

describe('a filter’s bounds', () => {
  const nested = (depth: number): Buffer => {
    let bytes: Buffer = Buffer.from('87026d63', 'hex');
    const layers: Buffer[] = [];
    for (let length = bytes.length, count = 1; count < depth; count++) {
      const head = length < 128 ? Buffer.of(0xa2, length) : length < 65_536 ? Buffer.of(0xa2, 0x82, length >> 8, length & 0xff) : Buffer.of(0xa2, 0x83, length >> 16, (length >> 8) & 0xff, length & 0xff);
      layers.push(head);
      length += head.length;
    }
    bytes = Buffer.concat([...layers.reverse(), bytes]);
    return bytes;
  };

  it('takes a depth of 64, and refuses one more, and 10,000, without falling over', () => {
    expect(() => decodeFilter(new BerReader(nested(LIMITS.ldapFilterDepth)))).not.toThrow();
    expect(() => decodeFilter(new BerReader(nested(LIMITS.ldapFilterDepth + 1)))).toThrow(/INVALID_REQUEST/);
    expect(() => decodeFilter(new BerReader(nested(10_000)))).toThrow(/INVALID_REQUEST/);
  });

  it('takes 1,000 items and refuses more', () => {
    const many = (count: number): Buffer => {
      const items = Buffer.concat(Array.from({ length: count }, () => Buffer.from('87026d63', 'hex')));
      return Buffer.concat([Buffer.of(0xa1, 0x82, items.length >> 8, items.length & 0xff), items]);
    };
    expect(() => decodeFilter(new BerReader(many(LIMITS.ldapFilterItems - 1)))).not.toThrow();
    expect(() => decodeFilter(new BerReader(many(LIMITS.ldapFilterItems)))).toThrow(/BODY_TOO_LARGE/);
  });

  it.each(['a4060402636e3000', '860100', 'a303040161', 'a4090402636e30038303ff'])('%s is no filter', (hex) => expect(() => decodeFilter(new BerReader(Buffer.from(hex, 'hex')))).toThrow(/INVALID_REQUEST/));
});
