import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from './bridge-process.ts';
import { addressesIn, apiFinds, curl, galfind, ldapsearch, zimbraCompletes, zimbraGal, zimbraJson } from './directory-askers.ts';
import type { JsonSoap } from './directory-askers.ts';
import { ASKERS, STAFF, adPerson, hasSlapd, killed, openTwoDirectories, startAgain } from './two-directories.ts';
import type { Asker, GalBridge, TwoDirectories } from './two-directories.ts';

const { zimbra, exchange, sync, none } = ASKERS;
/** May take one answer of three for two letters and more. */
const BOUNDS = { minimumLength: 2, results: 3, perMinute: 600 };

const DN = '/o=Corp/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn=';
/** Hidden in every way that somebody could be found by; `nobod` is as long and does not exist. */
const HIDDEN = 'sarah';
const UNKNOWN = 'nobod';
const PEOPLE = [
  adPerson(HIDDEN, `mail: ${HIDDEN}@corp.example`, `proxyAddresses: SMTP:${HIDDEN}@corp.example`, `mailNickname: ${HIDDEN}`, `legacyExchangeDN: ${DN}${HIDDEN}`, 'msExchHideFromAddressLists: TRUE'),
  ...[1, 2, 3, 4, 5].map((number) => adPerson(`Crowd ${number}`, `displayName: Crowd ${number}`, `mail: crowd${number}@corp.example`)),
  `dn: cn=${HIDDEN}-list,${STAFF}\nobjectClass: group\nobjectClass: mailRecipient\ncn: ${HIDDEN}-list\nmail: ${HIDDEN}-list@corp.example\nmsExchHideFromAddressLists: TRUE\nmember: cn=Anna Alm,${STAFF}\n\n`,
  `dn: cn=Mixed,${STAFF}\nobjectClass: group\nobjectClass: mailRecipient\ncn: Mixed\nmail: mixed@corp.example\nmsExchRecipientDisplayType: 1\nmember: cn=${HIDDEN},${STAFF}\nmember: cn=Anna Alm,${STAFF}\n\n`,
].join('');

const ewsEnvelope = (body: string): string =>
  `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types" xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"><s:Header><t:RequestServerVersion Version="Exchange2013"/></s:Header><s:Body>${body}</s:Body></s:Envelope>`;
const resolveNames = (text: string): string => ewsEnvelope(`<m:ResolveNames ReturnFullContactData="true"><m:UnresolvedEntry>${text}</m:UnresolvedEntry></m:ResolveNames>`);
const askEws = async (base: string, asker: Asker, body: string): Promise<string> => (await curl(base, '/EWS/Exchange.asmx', asker, { data: body, type: 'text/xml; charset=utf-8' })).body;

const soapCode = ({ body }: JsonSoap): string | undefined => (body['Fault'] as { readonly Detail: { readonly Error: { readonly Code: string } } } | undefined)?.Detail.Error.Code;
const account = (request: Record<string, unknown>): Record<string, unknown> => ({ _jsns: 'urn:zimbraAccount', ...request });

/** issue 5: "a client has gal: none | search | sync; hidden entries stay hidden; minimum length, limits and rates for search". */
describe.skipIf(!hasSlapd)('who may see how much of the address book (skipped without slapd)', () => {
  let world: TwoDirectories;
  let bridge: GalBridge;
  beforeAll(async () => {
    world = await openTwoDirectories({ people: PEOPLE });
    bridge = await world.start();
  }, 60_000);
  afterAll(async () => {
    await bridge?.stop();
    await world?.close();
  });

  it('gal: none sees nobody: 403, LDAP’s 50, PERM_DENIED, and names that it may ask about as before', async () => {
    for (const target of ['/api/v1/directory?q=anna', '/api/v1/directory?q=', '/api/v1/directory', '/api/v1/directory/anna@corp.example', `/api/v1/directory/${UNKNOWN}@corp.example`]) {
      expect(await curl(bridge.url, target, none), target).toMatchObject({ status: 403, body: expect.stringContaining('ACCESS_DENIED') as unknown });
    }
    for (const filter of ['(mail=anna@corp.example)', '(objectClass=*)', '(cn=zzz*)']) expect(await ldapsearch(bridge.ldapUrl, none, filter), filter).toMatchObject({ code: 50, entries: [] });
    const asked = [
      { SearchGalRequest: account({ name: 'anna' }) },
      { AutoCompleteGalRequest: account({ name: 'anna' }) },
      { SyncGalRequest: account({}) },
      { GetDistributionListMembersRequest: account({ dl: { _content: 'sales@corp.example' } }) },
    ];
    for (const request of asked) expect(soapCode(await zimbraJson(bridge.url, none, request)), Object.keys(request)[0]).toBe('service.PERM_DENIED');
    expect(await zimbraCompletes(bridge.url, none, 'anna')).toEqual([]);
    // An exact address of a domain that it may ask about is itself, whoever has it; a name is nobody.
    for (const [text, found] of [['anna@corp.example', true], [`${UNKNOWN}@corp.example`, true], ['anna', false], ['anna@elsewhere.example', false]] as const) {
      expect((await askEws(bridge.url, none, resolveNames(text))).includes(`>${text}</t:EmailAddress>`), text).toBe(found);
    }
    expect(await galfind(bridge.url, none, 'anna')).toEqual([]);
  });

  it('gal: search finds, and does not take everything', async () => {
    expect(await apiFinds(bridge.url, zimbra, 'anna')).toEqual(['anna@corp.example']);
    expect(soapCode(await zimbraJson(bridge.url, zimbra, { SyncGalRequest: account({}) }))).toBe('service.PERM_DENIED');
    const { body } = await zimbraJson(bridge.url, sync, { SyncGalRequest: account({}) });
    const addresses = (body['SyncGalResponse'] as { readonly cn: readonly { readonly _attrs: { readonly email: string } }[] }).cn.map(({ _attrs: { email } }) => email);
    expect(addresses).toEqual(expect.arrayContaining(['anna@corp.example', 'red@zimbra.example', 'mixed@corp.example']));
    for (const hidden of [`${HIDDEN}@corp.example`, 'hanna@corp.example', 'hal@zimbra.example', 'spam.x1@zimbra.example']) expect(addresses).not.toContain(hidden);
    const everybody = await ldapsearch(bridge.ldapUrl, sync, '(&(objectClass=*)(mail=*))', ['-E', 'pr=4/noprompt']);
    expect([...addressesIn(everybody)].sort()).toEqual([...addresses].sort());
  });

  it('a stranger binds with 49, nobody without a password, and without a bind there is nothing', async () => {
    for (const who of [{ username: 'zimbra', password: 'wrong' }, { username: 'stranger', password: 'pw' }]) expect((await ldapsearch(bridge.ldapUrl, who, '(mail=*)')).code).toBe(49);
    expect((await ldapsearch(bridge.ldapUrl, { username: 'zimbra', password: '' }, '(mail=*)')).code).toBe(53);
  });

  describe('who is hidden looks like nobody', () => {
    // Compared as they come, but for the name itself and the moment of the answer.
    const normal = (text: string): string => text.replaceAll(HIDDEN, '•').replaceAll(UNKNOWN, '•').replaceAll(/\b\d{4}-\d\d-\d\dT[\d:.]+Z/g, '(time)').replaceAll(/"change(?:Id|Token)":[^,}]*/g, '').replaceAll(/(?:Trace|requestId)[">:]+[^<",]*/gi, '');
    const soap = (operation: string, of: (name: string) => Record<string, unknown>) => async (name: string): Promise<unknown> => zimbraJson(bridge.url, sync, { [`${operation}Request`]: of(name) });
    const http = (target: (name: string) => string, asker: Asker = sync) => async (name: string): Promise<unknown> => curl(bridge.url, target(name), asker);
    const ews = (body: (name: string) => string, asker: Asker = sync) => async (name: string): Promise<unknown> => askEws(bridge.url, asker, body(name));
    const ldap = (filter: (name: string) => string) => async (name: string): Promise<unknown> => ldapsearch(bridge.ldapUrl, sync, filter(name), [], ['*', '+']);
    const autodiscover = (asker: Asker) => async (name: string): Promise<unknown> =>
      curl(bridge.url, '/autodiscover/autodiscover.xml', asker, {
        type: 'text/xml',
        data: `<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"><Request><EMailAddress>${name}@corp.example</EMailAddress><AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>`,
      });

    it.each<readonly [string, (name: string) => Promise<unknown>]>([
      ['JSON search', http((name) => `/api/v1/directory?q=${name}`)],
      ['JSON search by address', http((name) => `/api/v1/directory?q=${name}@corp.example`)],
      ['JSON entry', http((name) => `/api/v1/directory/${name}@corp.example`)],
      ['LDAP by mail', ldap((name) => `(mail=${name}@corp.example)`)],
      ['LDAP by proxyAddresses', ldap((name) => `(proxyAddresses=smtp:${name}@corp.example)`)],
      ['LDAP by legacyExchangeDN', ldap((name) => `(legacyExchangeDN=${DN.replaceAll('(', '\\28').replaceAll(')', '\\29')}${name})`)],
      ['LDAP by alias', ldap((name) => `(mailNickname=${name}*)`)],
      ['SearchGal', soap('SearchGal', (name) => account({ name }))],
      ['AutoCompleteGal', soap('AutoCompleteGal', (name) => account({ name }))],
      ['AutoComplete', soap('AutoComplete', (name) => ({ _jsns: 'urn:zimbraMail', name: { _content: `${name}@corp` } }))],
      ['GetDistributionListMembers', soap('GetDistributionListMembers', (name) => account({ dl: { _content: `${name}-list@corp.example` } }))],
      ['ResolveNames', ews((name) => resolveNames(name))],
      ['ResolveNames by address', ews((name) => resolveNames(`${name}@corp.example`))],
      ['ResolveNames by DN', ews((name) => resolveNames(`EX:${DN}${name}`))],
      ['ResolveNames of a client without the right', ews((name) => resolveNames(`${name}@corp.example`), none)],
      ['ExpandDL', ews((name) => ewsEnvelope(`<m:ExpandDL><m:Mailbox><t:EmailAddress>${name}-list@corp.example</t:EmailAddress></m:Mailbox></m:ExpandDL>`))],
      ['FindPeople', ews((name) => ewsEnvelope(`<m:FindPeople><m:PersonaShape><t:BaseShape>Default</t:BaseShape></m:PersonaShape><m:IndexedPageItemView BasePoint="Beginning" MaxEntriesReturned="10" Offset="0"/><m:ParentFolderId><t:DistinguishedFolderId Id="directory"/></m:ParentFolderId><m:QueryString>${name}</m:QueryString></m:FindPeople>`))],
      ['galfind by alias', http((name) => `/public/?cmd=galfind&AN=${name}`)],
      ['galfind by address', http((name) => `/public/?cmd=galfind&EM=${name}@corp.example`)],
      ['galfind of a client without the right', http((name) => `/public/?cmd=galfind&AN=${name}@corp.example`, none)],
      ['gallookup', http((name) => `/public/?cmd=gallookup&ADDR=${name}@corp.example`)],
      ['Autodiscover', autodiscover(sync)],
      ['Autodiscover of a client without the right', autodiscover(none)],
      ['CalDAV principals', http((name) => `/principals/users/${name}@corp.example/`)],
    ])('%s', async (_what, ask) => {
      const [hidden, unknown] = [await ask(HIDDEN), await ask(UNKNOWN)];
      expect(normal(JSON.stringify(hidden))).toBe(normal(JSON.stringify(unknown)));
    });

    it('as a member of a group too', async () => {
      const { body } = await curl(bridge.url, '/api/v1/directory/mixed@corp.example', sync);
      expect(JSON.parse(body)).toMatchObject({ kind: 'group', members: ['anna@corp.example'] });
      const members = await zimbraJson(bridge.url, sync, { GetDistributionListMembersRequest: account({ dl: { _content: 'mixed@corp.example' } }) });
      expect(members.body['GetDistributionListMembersResponse']).toMatchObject({ total: 1, dlm: [{ _content: 'anna@corp.example' }] });
      const expanded = await askEws(bridge.url, sync, ewsEnvelope('<m:ExpandDL><m:Mailbox><t:EmailAddress>mixed@corp.example</t:EmailAddress></m:Mailbox></m:ExpandDL>'));
      expect([...expanded.matchAll(/<t:EmailAddress>([^<]*)</g)].map(([, address]) => address)).toEqual(['anna@corp.example']);
      expect(expanded).toContain('TotalItemsInView="1"');
      const { entries } = await ldapsearch(bridge.ldapUrl, sync, '(mail=mixed@corp.example)', [], ['*', '+']);
      expect(JSON.stringify(entries)).not.toContain(HIDDEN);
    });
  });

  describe('bounds of a search', () => {
    let bounded: GalBridge;
    beforeAll(async () => {
      const gal = world.config()['gal'] as Record<string, unknown>;
      bounded = await world.start({ gal: { ...gal, search: BOUNDS } });
    }, 60_000);
    afterAll(() => bounded?.stop());

    it('one letter is not enough, however it is asked; two are', async () => {
      expect([await apiFinds(bounded.url, zimbra, 'c'), await zimbraCompletes(bounded.url, zimbra, 'c'), await zimbraGal(bounded.url, zimbra, 'SearchGal', 'c'), await galfind(bounded.url, exchange, 'c')]).toEqual([[], [], [], []]);
      for (const filter of ['(cn=c*)', '(|(cn=c*)(sn=c*)(gn=c*)(mail=c*))', '(cn=*)', '(objectClass=*)', '(!(cn=zz))', '(mail=*@corp.example)']) {
        const found = await ldapsearch(bounded.ldapUrl, zimbra, filter);
        expect(found.entries.filter(({ mail }) => mail !== undefined).length, filter).toBeLessThanOrEqual(filter.includes('@') ? 3 : 0);
      }
      expect(await askEws(bounded.url, exchange, resolveNames('c'))).toContain('ErrorNameResolutionNoResults');
      expect(await apiFinds(bounded.url, zimbra, 'cr')).toHaveLength(3);
      // Not of whoever may take everything.
      expect((await apiFinds(bounded.url, sync, 'c')).length).toBeGreaterThanOrEqual(5);
    });

    it('no more than three in an answer, which says that there are others, in each protocol’s own way', async () => {
      expect(JSON.parse((await curl(bounded.url, '/api/v1/directory?q=crowd&limit=500', zimbra)).body)).toMatchObject({ results: { length: 3 }, more: true });
      expect((await zimbraJson(bounded.url, zimbra, { SearchGalRequest: account({ name: 'crowd', limit: 500 }) })).body['SearchGalResponse']).toMatchObject({ more: true, cn: { length: 3 } });
      expect((await zimbraJson(bounded.url, zimbra, { AutoCompleteRequest: { _jsns: 'urn:zimbraMail', name: { _content: 'crowd' } } })).body['AutoCompleteResponse']).toMatchObject({ canBeCached: false, match: { length: 3 } });
      const inLdap = await ldapsearch(bounded.ldapUrl, zimbra, '(cn=crowd*)');
      expect([inLdap.code, inLdap.entries.length]).toEqual([4, 3]);
      const paged = await ldapsearch(bounded.ldapUrl, zimbra, '(cn=crowd*)', ['-E', 'pr=2/noprompt']);
      expect([paged.code, paged.entries.length]).toEqual([4, 3]);
      const resolved = await askEws(bounded.url, exchange, resolveNames('crowd'));
      expect([resolved.match(/<t:Resolution>/g)?.length, resolved.includes('IncludesLastItemInRange="false"')]).toEqual([3, true]);
      expect((await curl(bounded.url, '/public/?cmd=galfind&DN=crowd', exchange)).body).toMatch(/<a:error>/);
    });

    it('no more than so many a minute, over all faces together; each says so in its own way', async () => {
      const gal = world.config()['gal'] as Record<string, unknown>;
      await bounded.write(world.config({ gal: { ...gal, search: { ...BOUNDS, perMinute: 1 } } }));
      expect(await runCommand(['reload', '--config', bounded.file])).toMatchObject({ code: 0 });
      expect((await curl(bounded.url, '/api/v1/directory?q=crowd', exchange)).status).toBe(200);
      expect((await curl(bounded.url, '/api/v1/directory?q=crowd', exchange)).status).toBe(429);
      expect((await curl(bounded.url, '/api/v1/directory/anna@corp.example', exchange)).status).toBe(429);
      expect((await ldapsearch(bounded.ldapUrl, exchange, '(cn=crowd*)')).code).toBe(51);
      expect(soapCode(await zimbraJson(bounded.url, exchange, { SearchGalRequest: account({ name: 'crowd' }) }))).toBe('service.TEMPORARILY_UNAVAILABLE');
      expect(await askEws(bounded.url, exchange, resolveNames('crowd'))).toContain('ErrorServerBusy');
      expect((await curl(bounded.url, '/public/?cmd=galfind&DN=crowd', exchange)).status).toBe(429);
      // Another client has its own.
      expect(await apiFinds(bounded.url, zimbra, 'crowd')).toHaveLength(3);
    });
  });

  it('a SyncGal token outlives the bridge; one of another life begins anew, and says so', async () => {
    const syncGal = async (base: string, token: string): Promise<{ readonly token: string; readonly cn?: readonly unknown[]; readonly fullSyncRecommended?: boolean }> =>
      (await zimbraJson(base, sync, { SyncGalRequest: account({ token }) })).body['SyncGalResponse'] as { readonly token: string; readonly cn?: readonly unknown[]; readonly fullSyncRecommended?: boolean };
    const { token, cn: everybody } = await syncGal(bridge.url, '');
    const other = await world.start();
    const { token: foreign } = await syncGal(other.url, '');
    await other.stop();
    for (const strange of [foreign, token.replace(/^./, (first) => (first === 'f' ? '0' : 'f')), '20261129120000Z', '99999999999', `${token}x`]) {
      const answer = await syncGal(bridge.url, strange);
      expect([answer.cn?.length, answer.fullSyncRecommended], strange).toEqual([everybody!.length, true]);
    }
    await killed(bridge.process);
    const again = await startAgain(bridge);
    try {
      expect(await syncGal(again.url, token)).not.toHaveProperty('cn');
      expect(await syncGal(again.url, foreign)).toMatchObject({ fullSyncRecommended: true });
    } finally {
      await again.process.stop();
    }
  }, 60_000);
});
