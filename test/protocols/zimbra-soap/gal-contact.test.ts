import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readXml } from '../../../src/platform/xml/read.ts';
import { decodeEnvelope } from '../../../src/protocols/soap/envelope.ts';
import { decodeContact } from '../../../src/protocols/zimbra-soap/gal-contact.ts';
import type { HomeMailboxes } from '../../../src/directory/home-mailboxes.ts';
import { accountsOfToken, decodeSyncGalResponse } from '../../../src/protocols/zimbra-soap/sync-gal.ts';

const FOLDER = new URL('../../../fixtures/zimbra-soap/gal-contact/', import.meta.url);

describe('a contact of an address list', () => {
  for (const name of readdirSync(FOLDER)) {
    it(`is read in the case ${name} as its expected.json says`, async () => {
      const { asked, contact } = JSON.parse(readFileSync(new URL(`${name}/expected.json`, FOLDER), 'utf8')) as { asked: HomeMailboxes; contact?: unknown };
      const { contacts } = decodeSyncGalResponse(decodeEnvelope(await readXml(readFileSync(new URL(`${name}/message.xml`, FOLDER)))).body.children[0]);
      expect(contacts.map((one) => decodeContact(one, asked))).toEqual([contact]);
    });
  }
});

describe('SyncGalResponse', () => {
  it('is refused where another element stands in its place', async () => {
    expect(() => decodeSyncGalResponse(undefined)).toThrow(expect.objectContaining({ code: 'BACKEND_MALFORMED' }));
    const element = await readXml('<AuthResponse xmlns="urn:zimbraAccount"/>');
    expect(() => decodeSyncGalResponse(element)).toThrow(expect.objectContaining({ code: 'BACKEND_MALFORMED' }));
  });

  it('has a token that names the synchronisation accounts, or is of LDAP alone (zimbra.md §6.2)', () => {
    expect(accountsOfToken('20261129120000Z')).toEqual([]);
    expect(accountsOfToken('20261129120000Z_1_0_20261129120000Z')).toEqual([]);
    expect(accountsOfToken('20261129120000Z:a:1:b:2')).toEqual(['a', 'b']);
    expect(accountsOfToken('')).toEqual([]);
  });
});
