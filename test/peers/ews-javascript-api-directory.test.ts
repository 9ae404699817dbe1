import ews from 'ews-javascript-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ewsEndpoint } from '../../src/protocols/ews/endpoint.ts';
import type { FaceUnderTest } from '../protocols/face-under-test.ts';
import { openDirectoryWorld } from './directory-world.ts';
import { exchangeService } from './ews-javascript-api-client.ts';

/** ews-javascript-api asks for names, members and rooms; it has no FindPeople. */
describe('ews-javascript-api in the address book', () => {
  let face: FaceUnderTest;
  beforeAll(async () => {
    face = await openDirectoryWorld(ewsEndpoint);
  });
  afterAll(() => face.close());

  const service = () => exchangeService(face.url, 'Basic', { zone: 'UTC' });
  const resolve = (text: string, full = true) => service().ResolveName(text, ews.ResolveNameSearchLocation.DirectoryOnly, full);
  const addresses = (found: ews.NameResolutionCollection) => found.GetEnumerator().map(({ Mailbox }) => Mailbox.Address);

  it.each([
    ['kim', ['kim@zimbra.example', 'kimberly@corp.example']],
    ['lee kim', ['kim@zimbra.example']],
    ['a.mueller@corp.example', ['anna@corp.example']],
    ['smtp:anna@corp.example', ['anna@corp.example']],
    ['EX:/o=Corp/ou=Group/cn=Recipients/cn=anna', ['anna@corp.example']],
    // The library does not escape what it sends.
    ['"Anna Müller" &lt;anna@corp.example&gt;', ['anna@corp.example']],
    ['ghost@corp.example', []],
    ['zzz', []],
  ])('finds by %s', async (text, wanted) => {
    const found = await resolve(text);
    expect([addresses(found), found.IncludesAllResolutions || wanted.length === 0]).toEqual([wanted, true]);
  });

  it('reads everything that is known', async () => {
    const { Contact: contact, Mailbox: mailbox } = (await resolve('anna'))._getItem(0);
    expect([mailbox.Name, mailbox.RoutingType, ews.MailboxType[mailbox.MailboxType]]).toEqual(['Anna Müller', 'SMTP', 'Mailbox']);
    expect([contact.DisplayName, contact.GivenName, contact.Surname, contact.Initials, contact.CompanyName, contact.Department, contact.JobTitle, contact.OfficeLocation]).toEqual(['Anna Müller', 'Anna', 'Müller', 'A.', 'Corp & Sons', 'Sales', 'Director', '3.14']);
    expect(contact.EmailAddresses._getItem(ews.EmailAddressKey.EmailAddress1).Address).toMatch(/anna@corp\.example$/);
    expect([contact.PhoneNumbers._getItem(ews.PhoneNumberKey.BusinessPhone), contact.PhoneNumbers._getItem(ews.PhoneNumberKey.MobilePhone)]).toEqual(['+49 30 1', '+49 170 1']);
    expect(contact.PhysicalAddresses._getItem(ews.PhysicalAddressKey.Business).City).toBe('Berlin');
  });

  it('is told that there are more than a hundred', async () => {
    const found = await resolve('extra', false);
    expect([found.Count, found.IncludesAllResolutions]).toEqual([100, false]);
  });

  it('expands a list', async () => {
    const { Members } = await service().ExpandGroup('team@corp.example');
    expect(Members.map((one) => [one.Address, ews.MailboxType[one.MailboxType]])).toEqual([['anna@corp.example', 'Mailbox'], ['kim@zimbra.example', 'Mailbox'], ['rooms@corp.example', 'PublicGroup']]);
    await expect(service().ExpandGroup('anna@corp.example')).rejects.toThrow(/No results were found/);
  });

  it('finds room lists and their rooms', async () => {
    const lists = await service().GetRoomLists();
    expect(lists.GetEnumerator().map(({ Address }) => Address)).toEqual(['rooms@corp.example']);
    expect((await service().GetRooms(new ews.EmailAddress('rooms@corp.example'))).map(({ Address }) => Address)).toEqual(['atlas@corp.example']);
  });
});
