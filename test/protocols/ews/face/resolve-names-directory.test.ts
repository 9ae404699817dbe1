import { describe, expect, it } from 'vitest';
import { BridgeError } from '../../../../src/core/errors.ts';
import { attribute, child, childText, descend } from '../../../../src/platform/xml/element.ts';
import type { XmlElement } from '../../../../src/platform/xml/element.ts';
import { SCHEMA_VERSIONS } from '../../../../src/protocols/ews/face/schema-version.ts';
import { entryOf, memoryDirectory } from '../../../directory/memory-directory.ts';
import { ANNA_DN, BOOK, crowd, SEARCHING, SYNCING } from './address-book.ts';
import { ask, bodyOf } from './asked.ts';
import type { Asking } from './asked.ts';

const FULL = 'ReturnFullContactData="true" SearchScope="ActiveDirectory"';
const escaped = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
const resolve = (entry: string, asking: Asking = SEARCHING, attributes = FULL) => ask(bodyOf('ResolveNames', `<m:UnresolvedEntry>${escaped(entry)}</m:UnresolvedEntry>`, attributes), asking);

const setOf = (message: XmlElement | undefined): XmlElement | undefined => child(message, 'ResolutionSet');
const found = (message: XmlElement | undefined): readonly (string | undefined)[] => setOf(message)?.children.map((one) => childText(child(one, 'Mailbox'), 'EmailAddress')) ?? [];

describe('ResolveNames with an address book', () => {
  it('compares a whole name as the address book folds it', async () => {
    const entries = [entryOf('l@corp.example', { name: 'Łukasz Weiß' })];
    const directory = { ...memoryDirectory(entries), search: () => ({ entries, more: false }) };
    const { messages } = await resolve('=lukasz weiss', { ...SEARCHING, directory });
    expect(found(messages[0])).toEqual(['l@corp.example']);
  });

  it.each([
    ['a first name', 'anna', ['anna@corp.example']],
    ['a surname', 'MÜLLER', ['anna@corp.example']],
    ['both, in another order', 'mül anna', ['anna@corp.example']],
    ['several people', 'kim', ['kim@zimbra.example', 'kimberly@corp.example']],
    ['an address', 'kim@zimbra.example', ['kim@zimbra.example']],
    ['an alias', 'A.Mueller@corp.example', ['anna@corp.example']],
    ['the beginning of an address', 'kim@', ['kim@zimbra.example']],
    ['a whole address that is the beginning of another', 'kim@zimbra.ex', ['kim@zimbra.example']],
    ['SMTP:', 'SMTP:am@corp.example', ['anna@corp.example']],
    ['smtp: and the beginning of an address', 'smtp:ki', ['kim@zimbra.example', 'kimberly@corp.example']],
    ['=smtp:', '=smtp:kim@zimbra.example', ['kim@zimbra.example']],
    ['exactly a name', '=kim lee', ['kim@zimbra.example']],
    ['exactly an alias that two have', '=kim', ['kim@zimbra.example', 'kimberly@corp.example']],
    ['exactly a part of a name', '=ki', []],
    ['exactly a part of an address', '=smtp:kim@zimbra', []],
    ['EX: and a legacyExchangeDN', `EX:${ANNA_DN.toUpperCase()}`, ['anna@corp.example']],
    ['a bare legacyExchangeDN', ANNA_DN, ['anna@corp.example']],
    ['nobody\'s legacyExchangeDN', `${ANNA_DN}x`, []],
    ['what a mail program shows', '"Kim Lee" <kim@zimbra.example>', ['kim@zimbra.example']],
    ['a quoted name', '"Kim Lee"', ['kim@zimbra.example']],
    ['nobody', 'zoe', []],
    ['an address that nobody has, of a domain that may be asked about', 'zoe@corp.example', []],
    ['a room', 'atlas', ['room@corp.example']],
  ])('finds by %s', async (_how, entry, wanted) => {
    const { messages, codes } = await resolve(entry);
    expect(found(messages[0])).toEqual(wanted);
    const [code, responseClass] = wanted.length === 0 ? ['ErrorNameResolutionNoResults', 'Error'] : wanted.length === 1 ? ['NoError', 'Success'] : ['ErrorNameResolutionMultipleResults', 'Warning'];
    expect([codes, attribute(messages[0], 'ResponseClass')]).toEqual([[code], responseClass]);
    if (wanted.length > 0) expect([attribute(setOf(messages[0]), 'TotalItemsInView'), attribute(setOf(messages[0]), 'IncludesLastItemInRange')]).toEqual([String(wanted.length), 'true']);
  });

  it('tells everything that is known, in the order of the schema', async () => {
    const { messages } = await resolve('anna', SEARCHING, `${FULL} ContactDataShape="AllProperties"`);
    const contact = descend(messages[0], 'ResolutionSet', 'Resolution', 'Contact')!;
    const entries = (name: string) => child(contact, name)?.children.map((one) => [attribute(one, 'Key'), one.text]);
    expect(contact.children.map(({ name }) => name)).toEqual(
      'DisplayName GivenName Initials CompanyName EmailAddresses PhysicalAddresses PhoneNumbers ContactSource Department JobTitle OfficeLocation Surname PhoneticFullName Alias'.split(' '),
    );
    expect(entries('EmailAddresses')).toEqual([['EmailAddress1', 'SMTP:anna@corp.example'], ['EmailAddress2', 'smtp:a.mueller@corp.example'], ['EmailAddress3', 'smtp:am@corp.example']]);
    expect(entries('PhoneNumbers')).toEqual([['BusinessFax', '+49 30 2'], ['BusinessPhone', '+49 30 1'], ['MobilePhone', '+49 170 1']]);
    expect(child(contact, 'PhysicalAddresses')?.children[0]?.children.map((one) => one.text)).toEqual(['Unter den Linden 1', 'Berlin', 'BE', 'Germany', '10117']);
    expect([childText(contact, 'DisplayName'), childText(contact, 'ContactSource'), childText(contact, 'Alias')]).toEqual(['Anna Müller', 'ActiveDirectory', 'anna']);
  });

  it('tells it only when asked, and no more than the shape wants', async () => {
    expect((await resolve('anna', SEARCHING, 'ReturnFullContactData="false"')).text).not.toContain('Contact>');
    expect(descend((await resolve('anna', SEARCHING, `${FULL} ContactDataShape="IdOnly"`)).messages[0], 'ResolutionSet', 'Resolution', 'Contact')?.children).toEqual([]);
    expect((await resolve('anna')).text).not.toContain('<t:Alias>');
  });

  it('marks groups and contacts, and takes markup in a name for a name', async () => {
    const { messages } = await resolve('guest');
    expect(childText(descend(messages[0], 'ResolutionSet', 'Resolution', 'Mailbox'), 'MailboxType')).toBe('Contact');
    const types = await Promise.all(['team', 'room atlas', 'kim lee'].map(async (entry) => childText(descend((await resolve(entry)).messages[0], 'ResolutionSet', 'Resolution', 'Mailbox'), 'MailboxType')));
    expect(types).toEqual(['PublicDL', 'Mailbox', 'Mailbox']);
    expect(childText(descend((await resolve('kimberly')).messages[0], 'ResolutionSet', 'Resolution', 'Mailbox'), 'Name')).toBe('Kimberly <Smith> & "Co"');
  });

  it('gives a hundred of more, and says that there are others', async () => {
    const { messages, codes } = await resolve('person', { ...SEARCHING, directory: memoryDirectory(crowd(150)) });
    expect([found(messages[0]).length, codes, attribute(setOf(messages[0]), 'IncludesLastItemInRange'), attribute(setOf(messages[0]), 'TotalItemsInView')]).toEqual([100, ['ErrorNameResolutionMultipleResults'], 'false', '100']);
  });

  it('finds an address behind a hundred names that begin alike', async () => {
    const [late, ...others] = crowd(250).reverse();
    const { messages } = await resolve('smtp:x', { ...SEARCHING, directory: memoryDirectory([...others.map((one) => ({ ...one, name: `X ${one.name}` })), { ...late!, address: 'x@corp.example' as never }]) });
    expect(found(messages[0])).toEqual(['x@corp.example']);
  });

  it.each(SCHEMA_VERSIONS)('answers %s', async (version) => {
    expect((await resolve('kim', { ...SYNCING, version })).codes).toEqual(['ErrorNameResolutionMultipleResults']);
  });

  it('finds nobody among the client\'s own contacts', async () => {
    expect((await resolve('anna', SEARCHING, 'ReturnFullContactData="true" SearchScope="Contacts"')).codes).toEqual(['ErrorNameResolutionNoResults']);
    expect((await resolve('anna', SEARCHING, 'ReturnFullContactData="true" SearchScope="ContactsActiveDirectory"')).codes).toEqual(['NoError']);
  });

  it.each([
    ['an asterisk', '*'],
    ['a percent sign', '%'],
    ['an LDAP filter', '*)(mail=*'],
    ['brackets', '<>'],
    ['quotes', '""'],
    ['an equals sign', '='],
    ['smtp: alone', 'smtp:'],
    ['=smtp: alone', '=smtp:'],
    ['EX: alone', 'EX:'],
    ['a slash', '/'],
    ['ten thousand letters', 'a'.repeat(10_000)],
    ['ten thousand brackets', '<'.repeat(10_000) + '>'.repeat(10_000)],
    ['a DN of ten thousand', `/o=${'x'.repeat(10_000)}`],
    ['ten thousand words', 'anna '.repeat(10_000)],
    ['invisible letters', '\u200b\u202e'],
  ])('finds nobody by %s', async (_what, entry) => {
    const { codes, text } = await resolve(entry);
    expect(codes).toEqual(['ErrorNameResolutionNoResults']);
    expect(text.length).toBeLessThan(1_000);
  });

  it('passes on that a client has asked too much', async () => {
    const tooMuch = { ...BOOK, search: () => { throw new BridgeError('TOO_MANY_ATTEMPTS', 'too many searches', { retryAfterMs: 1_000 }); } };
    await expect(resolve('anna', { ...SEARCHING, directory: tooMuch })).rejects.toMatchObject({ code: 'TOO_MANY_ATTEMPTS' });
  });

  it.each([
    ['a client without the right', { directory: BOOK, requester: { gal: 'none' } }],
    ['a client of which nothing is said', { directory: BOOK }],
    ['an address book that is not kept', { directory: { ...BOOK, isKept: false }, requester: { gal: 'sync' } }],
    ['no address book', { requester: { gal: 'sync' } }],
  ] satisfies [string, Asking][])('answers as without one for %s', async (_who, asking) => {
    expect((await resolve('anna', asking)).codes).toEqual(['ErrorNameResolutionNoResults']);
    expect(found((await resolve('nobody@corp.example', asking)).messages[0])).toEqual(['nobody@corp.example']);
  });

  it('cannot be asked with a NUL, which no XML holds', async () => {
    await expect(ask(bodyOf('ResolveNames', '<m:UnresolvedEntry>an&#0;na</m:UnresolvedEntry>', FULL), SEARCHING)).rejects.toThrow();
  });

  it('holds a ContactDataShape against the schema', async () => {
    await expect(resolve('anna', SEARCHING, 'ReturnFullContactData="true" ContactDataShape="Some"')).rejects.toMatchObject({ code: 'ErrorSchemaValidation' });
  });
});
