import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ewsEndpoint } from '../../src/protocols/ews/endpoint.ts';
import { owaWebdavEndpoint } from '../../src/protocols/owa-webdav/endpoint.ts';
import type { FaceUnderTest } from '../protocols/face-under-test.ts';
import { hasDavmail, startDavmail } from './davmail.ts';
import type { Davmail } from './davmail.ts';
import { openDirectoryWorld } from './directory-world.ts';
import { ldapSearch } from './ldap-search.ts';
import { PEER } from './peer-world.ts';

const MODES = [
  { mode: 'EWS', make: ewsEndpoint, path: '/EWS/Exchange.asmx' },
  { mode: 'WebDav', make: owaWebdavEndpoint, path: '/exchange/' },
] as const;

/** DavMail (Debian's package, 6.0.1) as an LDAP server over our address book: its clients are Thunderbird and the like. */
describe.skipIf(!hasDavmail).each(MODES)('an LDAP client of DavMail in $mode mode (skipped without the Debian package davmail)', ({ mode, make, path }) => {
  let face: FaceUnderTest;
  let davmail: Davmail;
  beforeAll(async () => {
    face = await openDirectoryWorld(make);
    davmail = await startDavmail({ mode, url: face.url + path });
  }, 90_000);
  afterAll(async () => {
    await davmail?.stop();
    await face?.close();
  }, 30_000);

  const search = (attribute: string, value: string, isBeginning: boolean) => ldapSearch(davmail.ldapPort, { ...PEER, filter: [attribute, value], isBeginning });
  const mails = async (attribute: string, value: string, isBeginning = true) => (await search(attribute, value, isBeginning)).map(({ mail }) => mail?.[0]).sort();

  it('finds by the beginning of a name, two of the same alias too', async () => {
    expect(await mails('cn', 'kim'), davmail.log()).toEqual(['kim@zimbra.example', 'kimberly@corp.example']);
    expect(await mails('cn', 'anna m')).toEqual(['anna@corp.example']);
    expect(await mails('cn', 'zzz')).toEqual([]);
  }, 60_000);

  it('finds by surname and by given name', async () => {
    expect(await mails('sn', 'le'), davmail.log()).toEqual(['kim@zimbra.example']);
    expect(await mails('givenName', 'ann'), davmail.log()).toEqual(['anna@corp.example']);
  }, 60_000);

  it('sees everything that is known', async () => {
    const [anna] = await search('cn', 'anna', true);
    expect(anna, davmail.log()).toMatchObject({ cn: ['Anna Müller'], mail: ['anna@corp.example'], givenname: ['Anna'], sn: ['Müller'], st: ['BE'], street: ['Unter den Linden 1'], postalcode: ['10117'] });
  }, 60_000);

  it('is told that a crowd is too large', async () => {
    // LDAP's sizeLimitExceeded: DavMail has as many as the client takes at most.
    await expect(mails('cn', 'extra')).rejects.toThrow('search: result code 4');
  }, 60_000);

  // `*` alone DavMail makes questions of its own of.
  it.each(['%', '*)(mail=*'])('finds nobody by %s', async (value) => {
    expect(await mails('cn', value)).toEqual([]);
  }, 60_000);

  it.runIf(mode === 'WebDav')('has a uid of his own for each: the alias where nobody shares it, else the address', async () => {
    const uids = async (value: string) => (await search('cn', value, true)).map(({ uid }) => uid?.[0]).sort();
    expect(await uids('kim'), davmail.log()).toEqual(['kim@zimbra.example', 'kimberly@corp.example']);
    expect(await uids('anna')).toEqual(['amueller']);
    expect(await mails('uid', 'amueller', false)).toEqual(['anna@corp.example']);
    expect(await mails('uid', 'kim@zimbra.example', false)).toEqual(['kim@zimbra.example']);
  }, 60_000);
});
