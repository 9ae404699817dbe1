import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasDavmail, startDavmail } from '../peers/davmail.ts';
import { ldapSearch } from '../peers/ldap-search.ts';
import { hasPeer } from '../peers/peer-world.ts';
import { addressesIn, apiFinds, galfind, ldap3Finds, ldapsearch, resolvesName, zimbraAdLdap, zimbraCompletes, zimbraGal, zimbraJson, zimbraLdap } from './directory-askers.ts';
import { ASKERS, adPerson, hasSlapd, openTwoDirectories, zimbraAccount } from './two-directories.ts';
import type { GalBridge, TwoDirectories } from './two-directories.ts';

const run = promisify(execFile);
const PYTHON = '/usr/bin/python3';
const { zimbra, exchange } = ASKERS;

/** Only in Zimbra's tree: Zoë, and somebody with a Chinese name. Only in AD's: the other names. */
const PEOPLE = [
  zimbraAccount('zoe', 'Zoë Żuk', 1, 'givenName: Zoë'),
  zimbraAccount('wang', '王小明', 2),
  adPerson('Percent Hundred', 'displayName: 100% Percent', 'mail: percent@corp.example'),
  adPerson('Peer Client', 'displayName: Peer Client', `mail: ${exchange.username}`),
].join('');

let world: TwoDirectories;
let bridge: GalBridge;

/** issue 5, done when: "A user who exists only in AD completes in a Zimbra autocomplete and the reverse". */
describe.skipIf(!hasSlapd)('one address book of both directories (skipped without slapd)', () => {
  beforeAll(async () => {
    world = await openTwoDirectories({ people: PEOPLE });
    bridge = await world.start();
  }, 60_000);
  afterAll(async () => {
    await bridge?.stop();
    await world?.close();
  });

  describe('who exists only in Active Directory', () => {
    it.each([
      ['b', 'bernd@corp.example'],
      ['mul', 'bernd@corp.example'],
      ['MÜL', 'bernd@corp.example'],
      ['müller, bernd', 'bernd@corp.example'],
      ['bernd mul', 'bernd@corp.example'],
      ['bernd@corp.exa', 'bernd@corp.example'],
      ['山', 'taro@corp.example'],
      ['太郎', 'taro@corp.example'],
      ['やまだ', 'taro@corp.example'],
      ['смирн', 'olga@corp.example'],
      ['ОЛЬГА С', 'olga@corp.example'],
      ['100%', 'percent@corp.example'],
    ])('completes in Zimbra’s compose window by %s, in JSON as its web client asks', async (text, address) => {
      expect(await zimbraCompletes(bridge.url, zimbra, text)).toContain(address);
      expect(await zimbraGal(bridge.url, zimbra, 'AutoCompleteGal', text)).toContain(address);
      expect(await zimbraGal(bridge.url, zimbra, 'SearchGal', text)).toContain(address);
    });

    // A star at either end Zimbra puts there itself.
    it.each(['mue', 'üller', 'ernd', '*', '%', 'b*d', '*)(mail=*', 'bernd zz'])('nobody completes by %s', async (text) => {
      expect(await zimbraCompletes(bridge.url, zimbra, text)).toEqual([]);
      expect(await apiFinds(bridge.url, zimbra, text)).toEqual([]);
    });

    it('is found by a stock Zimbra’s external GAL, with its own filters, in pages', async () => {
      for (const key of ['b', 'mul', 'Müller', 'bernd@']) expect(await zimbraLdap(bridge.ldapUrl, zimbra, key), key).toContain('bernd@corp.example');
      expect(await zimbraLdap(bridge.ldapUrl, zimbra, 'mue')).toEqual([]);
      expect(await zimbraLdap(bridge.ldapUrl, zimbra, '山田')).toEqual(['taro@corp.example']);
      expect(await zimbraLdap(bridge.ldapUrl, zimbra, 'Смир')).toEqual(['olga@corp.example']);
      // zimbraGalTokenizeAutoCompleteKey and.
      const both = await ldapsearch(bridge.ldapUrl, zimbra, `(&${['ber', 'mül'].map((key) => `(|(cn=${key}*)(sn=${key}*)(gn=${key}*)(mail=${key}*))`).join('')})`);
      expect(addressesIn(both)).toEqual(['bernd@corp.example']);
      expect(await zimbraAdLdap(bridge.ldapUrl, zimbra, 'mül')).toContain('bernd@corp.example');
      expect(await zimbraAdLdap(bridge.ldapUrl, zimbra, 'Sales')).toContain('sales@corp.example');
      expect(await zimbraAdLdap(bridge.ldapUrl, zimbra, 'Hidden')).toEqual([]);
    });

    it('comes with what Zimbra’s attribute map reads of an entry, once, and a room is a room', async () => {
      const { entries } = await ldapsearch(bridge.ldapUrl, zimbra, '(|(mail=anna@corp.example)(mail=room-blue@corp.example))', [], ['*', '+']);
      expect(entries).toHaveLength(2);
      const [anna, blue] = ['anna@corp.example', 'room-blue@corp.example'].map((address) => entries.find(({ mail }) => mail?.includes(address))!);
      expect(anna).toMatchObject({ displayname: ['Alm, Anna'], givenname: ['Anna'], sn: ['Alm'], mail: ['anna@corp.example'], title: ['Head of Things'], company: ['Corp'], telephonenumber: ['+49 30 1'], objectcategory: ['person'] });
      for (const name of ['modifytimestamp', 'createtimestamp']) expect(anna![name]![0], name).toMatch(/^\d{14}(?:\.\d+)?Z$/);
      expect(blue).toMatchObject({ msexchresourcesearchproperties: expect.arrayContaining(['Room']) as unknown, msexchresourcecapacity: ['12'] });
    });

    it('is in Zimbra’s list of rooms where it is a room', async () => {
      const { body } = await zimbraJson(bridge.url, zimbra, { SearchCalendarResourcesRequest: { _jsns: 'urn:zimbraAccount', attrs: 'fullName,email,zimbraCalResType', searchFilter: { conds: { cond: [{ attr: 'zimbraCalResType', op: 'eq', value: 'Location' }] } } } });
      expect(JSON.stringify(body)).toContain('room-blue@corp.example');
      expect(JSON.stringify(body)).toContain('red@zimbra.example');
      expect(JSON.stringify(body)).not.toContain('bernd@corp.example');
    });
  });

  describe('who exists only in Zimbra', () => {
    it.each([
      ['z', 'zoe@zimbra.example'],
      ['zoe', 'zoe@zimbra.example'],
      ['Zuk Z', 'zoe@zimbra.example'],
      ['żuk', 'zoe@zimbra.example'],
      ['zoe@zimbra.example', 'zoe@zimbra.example'],
      ['王', 'wang@zimbra.example'],
      ['小明', 'wang@zimbra.example'],
    ])('is resolved by %s for Outlook (ews-javascript-api), found by OWA and by JSON', async (text, address) => {
      expect(await resolvesName(bridge.url, text)).toContain(address);
      expect(await apiFinds(bridge.url, exchange, text)).toContain(address);
      expect(await galfind(bridge.url, exchange, text, text.includes('@') ? 'EM' : 'DN')).toContain(address);
    });

    it.each(['*', '%', 'uk', '"'])('nobody is found by %s', async (text) => {
      expect(await resolvesName(bridge.url, text)).toEqual([]);
      expect(await galfind(bridge.url, exchange, text)).toEqual([]);
      expect(await apiFinds(bridge.url, exchange, text)).toEqual([]);
    });

    it('stands before the other side’s people for its own side, among equals', async () => {
      // Kim of Zimbra and of nobody else; Room Blue of Exchange and Room Red of Zimbra are equals.
      expect(await apiFinds(bridge.url, zimbra, 'room')).toEqual(['red@zimbra.example', 'room-blue@corp.example']);
      expect(await apiFinds(bridge.url, exchange, 'room')).toEqual(['room-blue@corp.example', 'red@zimbra.example']);
    });

    it('stands there once, as the mailbox and not as the contact that stands for it', async () => {
      expect(await apiFinds(bridge.url, zimbra, 'kim')).toEqual(['kim@zimbra.example']);
      expect(await apiFinds(bridge.url, zimbra, 'lee@corp.example')).toEqual(['lee@zimbra.example']);
      expect(await zimbraLdap(bridge.ldapUrl, zimbra, 'kim')).toEqual(['kim@zimbra.example']);
    });

    it.skipIf(!hasPeer(PYTHON, '-c', 'import ldap3'))('is found by python3-ldap3, in pages of two', async () => {
      const found = await ldap3Finds(bridge.ldapUrl, exchange, ['zo', 'Zuk', '王', 'mue', '*', '%', 'room', '']);
      expect(found.slice(0, 6)).toEqual([['zoe@zimbra.example'], ['zoe@zimbra.example'], ['wang@zimbra.example'], [], [], []]);
      expect([...found[6]!].sort()).toEqual(['red@zimbra.example', 'room-blue@corp.example']);
    });

    it.skipIf(!hasPeer(PYTHON, '-c', 'import exchangelib'))('is found by exchangelib’s ResolveNames', async () => {
      const script = `
import json, sys
from exchangelib import DELEGATE, Account, Configuration, Credentials
from exchangelib.transport import BASIC
url, user, password = sys.argv[1:4]
config = Configuration(service_endpoint=url, credentials=Credentials(username=user, password=password), auth_type=BASIC)
account = Account(primary_smtp_address=user, config=config, autodiscover=False, access_type=DELEGATE)
print(json.dumps([[str(m.email_address) for m in account.protocol.resolve_names([text]) if not isinstance(m, Exception)] for text in sys.argv[4:]]))`;
      const { stdout } = await run(PYTHON, ['-c', script, `${bridge.url}/EWS/Exchange.asmx`, exchange.username, exchange.password, 'zoe', 'mul', 'mue'], { timeout: 60_000 });
      expect(JSON.parse(stdout)).toEqual([['zoe@zimbra.example'], ['bernd@corp.example'], []]);
    }, 60_000);

    it.skipIf(!hasDavmail)('is found by an LDAP client of DavMail, whose Exchange the bridge is', async () => {
      const davmail = await startDavmail({ mode: 'EWS', url: `${bridge.url}/EWS/Exchange.asmx` });
      try {
        for (const [value, mail] of [['zo', 'zoe@zimbra.example'], ['mül', 'bernd@corp.example']] as const) {
          const found = await ldapSearch(davmail.ldapPort, { ...exchange, filter: ['cn', value], isBeginning: true });
          expect(found.map((one) => one['mail']?.[0]), davmail.log()).toEqual([mail]);
        }
      } finally {
        await davmail.stop();
      }
    }, 120_000);
  });
});
