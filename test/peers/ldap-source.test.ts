import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import type { BridgeError } from '../../src/core/errors.ts';
import { LIMITS } from '../../src/core/limits.ts';
import type { LdapSourceOptions } from '../../src/protocols/ldap/source.ts';
import { Authority } from '../platform/certificates.ts';
import { keptLog } from '../platform/redis/real-redis.ts';
import { KeptEntries, ldapSource } from '../protocols/ldap/source/kept-entries.ts';
import { AD_BASE, SUFFIX, ZIMBRA_BASE, hasSlapd, startSlapd } from './slapd.ts';
import type { Slapd, SlapdOptions } from './slapd.ts';

let slapd: Slapd;
const start = async (options: SlapdOptions): Promise<Slapd> => (slapd = await startSlapd(options));
const source = (options: Partial<LdapSourceOptions> = {}): ReturnType<typeof ldapSource> => ldapSource({ url: slapd.url, base: slapd.base, bindDn: slapd.bindDn, password: slapd.password, ...options });
const kept = (options: Partial<LdapSourceOptions> = {}): KeptEntries => new KeptEntries(source(options));
const failure = async (work: Promise<unknown>): Promise<BridgeError> => work.then(() => Promise.reject(new Error('it went well')), (error: BridgeError) => error);

const STAFF = `ou=Staff,${AD_BASE}`;
const ANNA = `cn=Anna Alm,${STAFF}`;
const person = (cn: string, ...lines: readonly string[]): string => `dn: cn=${cn},${STAFF}\nobjectClass: user\nobjectClass: mailRecipient\ncn: ${cn}\nsn: ${cn}\n${lines.map((line) => `${line}\n`).join('')}\n`;

describe.skipIf(!hasSlapd)('entries of a slapd (skipped where none is installed)', () => {
  beforeAll(() => start({ tree: 'both' }));
  afterAll(() => slapd.close());

  it('of Active Directory: everything that an address book shows, with a GUID for an id', async () => {
    const book = kept({ base: AD_BASE, attributes: { id: 'objectGUID' } });
    expect((await book.read()).isWhole).toBe(true);
    expect(book.at('anna@corp.example')).toEqual({
      id: '33221100-5544-7766-8899-aabbccddeeff',
      address: 'anna@corp.example',
      name: 'Alm, Anna',
      kind: 'person',
      isMailbox: true,
      aliases: ['a.alm@corp.example'],
      legacyExchangeDn: '/o=Corp/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn=a1b2-anna',
      formerDns: ['/o=Old/ou=First/cn=Recipients/cn=anna'],
      ref: 'cn=anna alm,ou=staff,dc=corp,dc=example',
      givenName: 'Anna',
      surname: 'Alm',
      initials: 'AA',
      nickname: 'anna',
      title: 'Head of Things',
      department: 'Sales',
      company: 'Corp',
      office: 'B 1.17',
      phone: '+49 30 1',
      mobile: '+49 170 1',
      fax: '+49 30 2',
      street: 'Ring 1',
      city: 'Berlin',
      state: 'BE',
      postalCode: '10115',
      country: 'Germany',
    });
    expect(book.at('taro@corp.example')).toMatchObject({ name: '山田太郎', surname: '山田', givenName: '太郎', phoneticName: 'やまだ たろう' });
    expect(book.at('olga@corp.example')?.name).toBe('Ольга Смирнова');
    expect(book.all.map(({ address, kind, isMailbox, isHidden }) => `${address} ${kind}${isMailbox ? ' mailbox' : ''}${isHidden === true ? ' hidden' : ''}`)).toEqual([
      'anna@corp.example person mailbox',
      'bernd@corp.example person mailbox',
      'everybody@corp.example group mailbox',
      'hanna@corp.example person mailbox hidden',
      'kim@zimbra.example contact',
      'lee@corp.example contact',
      'olga@corp.example person mailbox',
      'projector@corp.example equipment mailbox',
      'room-blue@corp.example room mailbox',
      'sales@corp.example group mailbox',
      'taro@corp.example person mailbox',
    ]);
    expect(book.at('room-blue@corp.example')?.capacity).toBe('12');
    expect(book.at('lee@corp.example')?.targetAddress).toBe('lee@zimbra.example');
  });

  it('and the members of its groups are named as the entries name themselves, escaped or not', async () => {
    const book = kept({ base: AD_BASE });
    await book.read();
    const refs = new Map(book.all.map(({ ref, address }) => [ref, address]));
    const members = (address: string): unknown => book.at(address)?.members?.map((one) => refs.get(one) ?? one);
    expect(members('sales@corp.example')).toEqual(['anna@corp.example', 'everybody@corp.example']);
    expect(members('everybody@corp.example')).toEqual(['bernd@corp.example', 'kim@zimbra.example']);
  });

  it('of Zimbra: accounts, a room, equipment, a list by its own address, what is moved away, and no alias entries', async () => {
    const book = kept({ base: ZIMBRA_BASE });
    await book.read();
    expect(book.all.map(({ address, kind, isMailbox, isHidden }) => `${address} ${kind}${isMailbox ? ' mailbox' : ''}${isHidden === true ? ' hidden' : ''}`)).toEqual([
      'hal@zimbra.example person mailbox hidden',
      'kim@zimbra.example person mailbox',
      'lee@zimbra.example person mailbox',
      'moved@zimbra.example person',
      'red@zimbra.example room mailbox',
      'spam.x1@zimbra.example person mailbox hidden',
      'team@zimbra.example group mailbox',
      'van@zimbra.example equipment mailbox',
    ]);
    expect(book.at('kim@zimbra.example')).toMatchObject({ name: 'Kim Kranz', aliases: ['k.kranz@zimbra.example'], foreignPrincipal: 'kim', phone: '+49 40 7' });
    expect(book.at('team@zimbra.example')).toMatchObject({ aliases: ['all@zimbra.example'], members: ['kim@zimbra.example', 'anna@corp.example'] });
    expect(book.at('red@zimbra.example')?.capacity).toBe('8');
  });

  it('attributes of the configuration stand in place of those that are known', async () => {
    const book = kept({ base: AD_BASE, attributes: { name: 'cn', phone: 'mobile', title: '', id: 'mail' } });
    await book.read();
    const anna = book.at('anna@corp.example')!;
    expect([anna.id, anna.name, anna.phone, anna.title]).toEqual(['anna@corp.example', 'Anna Alm', '+49 170 1', undefined]);
  });

  it('a filter of the configuration is kept to, with and without parentheses', async () => {
    for (const filter of ['(sn=Alm)', 'sn=Alm', '(|(sn=Alm)(cn=Without Mail))']) {
      const book = kept({ base: AD_BASE, filter });
      await book.read();
      expect(book.addresses).toEqual(['anna@corp.example']);
    }
    expect(await failure(kept({ base: AD_BASE, filter: '(sn=Alm' }).read())).toMatchObject({ code: 'CONFIGURATION' });
  });

  it('plain inetOrgPerson, extensibleObject with attributes of Active Directory, and groupOfNames need nothing either', async () => {
    await slapd.add(`dn: ou=plain,${SUFFIX}
objectClass: organizationalUnit
ou: plain

dn: cn=Paula Plain,ou=plain,${SUFFIX}
objectClass: inetOrgPerson
cn: Paula Plain
sn: Plain
mail: paula@plain.example

dn: cn=Xaver Ext,ou=plain,${SUFFIX}
objectClass: inetOrgPerson
objectClass: extensibleObject
cn: Xaver Ext
sn: Ext
mail: xaver@plain.example
proxyAddresses: SMTP:xaver@plain.example
proxyAddresses: smtp:x@plain.example
msExchRecipientDisplayType: -2147483642
uSNChanged: 5

dn: cn=all,ou=plain,${SUFFIX}
objectClass: groupOfNames
objectClass: extensibleObject
cn: all
mail: all@plain.example
member: CN=Paula Plain , OU=plain,${SUFFIX}
`);
    const book = kept({ base: `ou=plain,${SUFFIX}` });
    await book.read();
    expect(book.all.map(({ address, name, kind, isMailbox, aliases, members }) => [address, name, kind, isMailbox, aliases, members])).toEqual([
      ['all@plain.example', 'all', 'group', true, undefined, ['cn=paula plain,ou=plain,dc=example']],
      ['paula@plain.example', 'Paula Plain', 'person', true, undefined, undefined],
      ['xaver@plain.example', 'Xaver Ext', 'person', false, ['x@plain.example'], undefined],
    ]);
  });

  it('two people with one address are both told; a name of 10,000 characters is cut, a telephone of 10,000 left out, each said once', async () => {
    const log = keptLog();
    const twice = (uid: string, mail: string, cn: string, phone = '1'): string => `dn: uid=${uid},ou=strange,${SUFFIX}\nobjectClass: inetOrgPerson\nuid: ${uid}\ncn: ${cn}\nsn: x\nmail: ${mail}\ntelephoneNumber: ${phone}\n\n`;
    await slapd.add(`dn: ou=strange,${SUFFIX}\nobjectClass: organizationalUnit\nou: strange\n\n${twice('a', 'one@strange.example', 'A')}${twice('b', 'one@strange.example', 'B')}${twice('c', 'long@strange.example', `${'x'.repeat(255)}😀${'y'.repeat(9_743)}`, '1'.repeat(10_000))}${twice('d', 'long2@strange.example', 'z'.repeat(10_000), '2'.repeat(10_000))}`);
    const book = kept({ base: `ou=strange,${SUFFIX}`, logger: log });
    await book.read();
    expect(book.addresses).toEqual(['long2@strange.example', 'long@strange.example', 'one@strange.example', 'one@strange.example']);
    expect(book.at('long@strange.example')).toMatchObject({ name: 'x'.repeat(255) });
    expect(book.at('long2@strange.example')).toMatchObject({ name: 'z'.repeat(256) });
    expect(book.at('long@strange.example')).not.toHaveProperty('phone');
    expect(log.lines.map((line) => line.split(',')[0])).toEqual(['debug a name that is too long is cut', 'debug a detail that is too long is left out']);
  });

  it('aliases beyond the bound are left out, with a warning', async () => {
    const log = keptLog();
    await slapd.add(person('Many', 'mail: many@corp.example', 'proxyAddresses: SMTP:many@corp.example', ...Array.from({ length: 250 }, (_, index) => `proxyAddresses: smtp:many${index}@corp.example`)));
    const book = kept({ base: AD_BASE, filter: '(cn=Many)', logger: log });
    await book.read();
    expect(book.at('many@corp.example')?.aliases).toHaveLength(LIMITS.entryAliases);
    expect(log.lines).toEqual([expect.stringMatching(/^warn aliases beyond the limit are left out, first at cn=Many/)]);
    await slapd.delete(`cn=Many,${STAFF}`);
  });

  it('a probe says what was tried', async () => {
    const findings = await source({ base: AD_BASE }).probe(AbortSignal.timeout(5_000));
    expect(findings.map(({ step, outcome }) => `${step}: ${outcome}`)).toEqual(['connection: ok', 'sign-in: ok', 'base: ok', 'right to read: ok', 'changes: ok']);
    expect(findings.at(-1)?.text).toContain('modifyTimestamp');
    const advised = async (options: Partial<LdapSourceOptions>): Promise<unknown> => (await source(options).probe(AbortSignal.timeout(5_000))).filter(({ outcome }) => outcome !== 'ok').map(({ step, outcome, advice }) => [step, outcome, advice]);
    expect(await advised({ base: AD_BASE, password: 'wrong' })).toEqual([['sign-in', 'fail', 'check bindDn and password, and whether the account is enabled']]);
    expect(await advised({ base: `ou=nowhere,${SUFFIX}` })).toEqual([
      ['base', 'warn', expect.stringContaining('check base')],
      ['right to read', 'fail', expect.stringContaining('check base')],
    ]);
    expect(await advised({ base: AD_BASE, filter: '(cn=Without Mail)' })).toEqual([['right to read', 'warn', expect.stringContaining('attributes: address')]]);
    expect(await advised({ base: AD_BASE, startTls: true })).toEqual([['connection', 'fail', expect.stringContaining('ldaps://')]]);
  });
});

describe.skipIf(!hasSlapd)('changes of a slapd', () => {
  let book: KeptEntries;
  beforeEach(async () => {
    await start({ tree: 'ad' });
    book = kept();
    await book.read();
  });
  afterEach(() => slapd.close());

  it('an entry that is added, changed, renamed, moved, loses its mail or is deleted is followed with the next reading, without reading everybody', async () => {
    const settled = book.addresses;
    await slapd.add(person('New', 'mail: new@corp.example'));
    await book.read();
    expect(book.addresses).toEqual([...settled, 'new@corp.example'].sort());
    expect(book.last?.isWhole).toBe(true);

    const { id } = book.at('anna@corp.example')!;
    await slapd.modify(ANNA, 'replace: title', 'title: Boss');
    await book.read();
    expect(book.at('anna@corp.example')).toMatchObject({ id, title: 'Boss' });

    await slapd.modrdn(ANNA, 'cn=Anna Berg');
    await slapd.modify(`cn=Anna Berg,${STAFF}`, 'replace: mail', 'mail: berg@corp.example', '-', 'replace: proxyAddresses', 'proxyAddresses: SMTP:berg@corp.example', 'proxyAddresses: smtp:anna@corp.example');
    await book.read();
    expect(book.at('berg@corp.example')).toMatchObject({ id, aliases: ['anna@corp.example'], ref: 'cn=anna berg,ou=staff,dc=corp,dc=example' });
    expect(book.addresses).not.toContain('anna@corp.example');

    await slapd.modrdn(`cn=Anna Berg,${STAFF}`, 'cn=Anna Berg', `ou=Resources,${AD_BASE}`);
    await book.read();
    expect(book.at('berg@corp.example')).toMatchObject({ id, ref: 'cn=anna berg,ou=resources,dc=corp,dc=example' });

    await slapd.modify(`cn=Bernd Müller,${STAFF}`, 'delete: mail', '-', 'delete: proxyAddresses');
    await slapd.delete(`cn=New,${STAFF}`);
    await book.read();
    expect(book.addresses).toEqual([...settled.filter((one) => !/^(?:anna|bernd)@/.test(one)), 'berg@corp.example'].sort());
  });

  it('an address that cannot be one any more is told as removed', async () => {
    const { id } = book.at('bernd@corp.example')!;
    await slapd.modify(`cn=Bernd Müller,${STAFF}`, 'replace: mail', 'mail: not an address', '-', 'delete: proxyAddresses');
    await book.read();
    expect(book.last?.removed).toEqual([id]);
    expect(book.last?.present).not.toContain(id);
  });

  it('two changes within one second are both seen, read between them or not', async () => {
    for (let round = 0; round < 4; round++) {
      await slapd.modify(ANNA, 'replace: title', `title: ${round}`);
      await book.read();
      expect(book.at('anna@corp.example')?.title).toBe(String(round));
      await slapd.modify(`cn=Bernd Müller,${STAFF}`, 'replace: title', `title: ${round}`);
    }
    await book.read();
    expect(book.at('bernd@corp.example')?.title).toBe('3');
  });

  it('who did not change for long is told by its id only', async () => {
    await slapd.close();
    const ldif = join(tmpdir(), `old-${process.pid}.ldif`);
    writeFileSync(ldif, `${person('Old', 'mail: old@corp.example', 'modifyTimestamp: 20260101000000Z')}${person('Newer', 'mail: newer@corp.example')}`);
    await start({ tree: 'ad', ldif });
    rmSync(ldif);
    book = kept({ filter: '(|(cn=Old)(cn=Newer))' });
    await book.read();
    const { id } = book.at('old@corp.example')!;
    await book.read();
    expect(book.last).toEqual({ entries: [book.at('newer@corp.example')!.id], removed: [], present: [id], isWhole: true });
    // The latest change goes: nothing says since when to ask, so everybody is read.
    await slapd.delete(`cn=Newer,${STAFF}`);
    await book.read();
    expect(book.last).toEqual({ entries: [id], removed: [], present: [], isWhole: true });
  });

  it('when a container is renamed, the DNs below it follow, though none of the entries changed', async () => {
    await slapd.close();
    const ldif = join(tmpdir(), `below-${process.pid}.ldif`);
    writeFileSync(ldif, person('Old', 'mail: old@corp.example', 'modifyTimestamp: 20260101000000Z'));
    await start({ tree: 'ad', ldif });
    rmSync(ldif);
    book = kept();
    await book.read();
    await book.read();
    expect(book.last?.entries).not.toContain(book.at('old@corp.example')!.id);
    await slapd.modrdn(STAFF, 'ou=People');
    await book.read();
    expect(book.at('old@corp.example')?.ref).toBe('cn=old,ou=people,dc=corp,dc=example');
  });

  it('a restart of the bridge goes on from the cursor; other settings begin anew', async () => {
    const next = kept();
    await next.read({ cursor: book.cursor! });
    expect(next.last?.isWhole).toBe(true);
    const other = kept({ filter: '(objectClass=user)' });
    await other.read({ cursor: book.cursor! });
    expect(other.addresses).toContain('anna@corp.example');
    await other.read({ cursor: 'of another life' });
    expect(other.last?.entries).toContain(other.at('anna@corp.example')!.id);
  });

  it('a slapd that dies half-way makes the reading throw; what was told holds, and when it is back nothing is missing', async () => {
    const people = Array.from({ length: 2 * LIMITS.ldapPageEntries }, (_, index) => person(`P${index}`, `mail: p${index}@corp.example`)).join('');
    await slapd.add(people);
    const fresh = kept();
    const error = await failure(fresh.read({ onBatch: () => slapd.stop('SIGKILL') }));
    expect([error.code, error.temporary]).toEqual(['BACKEND_UNREACHABLE', true]);
    expect(fresh.all).toHaveLength(LIMITS.ldapPageEntries);
    expect((await failure(fresh.read())).code).toBe('BACKEND_UNREACHABLE');
    await slapd.start();
    await fresh.read();
    expect(fresh.all).toHaveLength(2 * LIMITS.ldapPageEntries + 11);
  });

  it('a signal ends a reading at once, from a slapd that hangs too', async () => {
    slapd.signal('SIGSTOP');
    const startedAt = performance.now();
    const error = await failure(book.read({ signal: AbortSignal.timeout(200) }));
    expect(error.code).toBe('DEADLINE');
    expect(performance.now() - startedAt).toBeLessThan(1_500);
    slapd.signal('SIGCONT');
    await book.read();
  });

  it('a server that was set back to an older state is read anew', async () => {
    const ahead = JSON.parse(book.cursor!) as { position: { since: number } };
    ahead.position.since += 3_600_000;
    await book.read({ cursor: JSON.stringify(ahead) });
    expect(book.last?.entries).toContain(book.at('anna@corp.example')!.id);
    expect(book.addresses).toHaveLength(11);
  });

  it('entries that are known by their DN only are all read every time, and the probe warns', async () => {
    const blind = kept({ attributes: { id: '' } });
    expect(await blind.read()).toEqual({ cursor: undefined, isWhole: true });
    expect(blind.at('anna@corp.example')?.id).toBe('cn=anna alm,ou=staff,dc=corp,dc=example');
    await slapd.modrdn(ANNA, 'cn=Anna Berg');
    await blind.read();
    expect(blind.at('anna@corp.example')?.id).toBe('cn=anna berg,ou=staff,dc=corp,dc=example');
    expect((await source({ attributes: { id: '' } }).probe(AbortSignal.timeout(5_000))).at(-1)).toMatchObject({ step: 'changes', outcome: 'warn', text: expect.stringContaining('everybody is read every 15 s') as string });
  });

  it('a bind that may not read the operational attributes is the same', async () => {
    await slapd.close();
    // Before the rule that lets it read everything; entry and children are asked for by slapd itself.
    await start({ tree: 'ad', access: [`access to attrs=entryUUID,modifyTimestamp,objectGUID by dn.exact="cn=bridge,${SUFFIX}" none by * none`] });
    const blind = kept();
    expect(await blind.read()).toEqual({ cursor: undefined, isWhole: true });
    expect(blind.at('anna@corp.example')?.id).toBe('cn=anna alm,ou=staff,dc=corp,dc=example');
  });
});

describe.skipIf(!hasSlapd)('changes of an Active Directory (a slapd with its root DSE)', () => {
  const rootDse = (usn: number, host = 'dc1.corp.example'): readonly string[] => [`highestCommittedUSN: ${usn}`, 'supportedCapabilities: 1.2.840.113556.1.4.800', `dnsHostName: ${host}`, `dsServiceName: cn=NTDS Settings,${AD_BASE}`];
  const again = async (lines: readonly string[]): Promise<void> => {
    await slapd.stop();
    slapd.setRootDse(lines);
    await slapd.start();
  };
  let book: KeptEntries;
  beforeEach(async () => {
    await start({ tree: 'ad', rootDse: rootDse(1012) });
    await slapd.add(`dn: cn=NTDS Settings,${AD_BASE}\nobjectClass: organizationalRole\nobjectClass: mailRecipient\ncn: NTDS Settings\ninvocationId:: ABEiM0RVZneImaq7zN3u/w==\n`);
    book = kept({ attributes: { id: 'objectGUID' } });
    await book.read();
  });
  afterEach(() => slapd.close());

  it('are asked for by uSNChanged, and who is gone by a pass over the GUIDs', async () => {
    await slapd.modify(ANNA, 'replace: title', 'title: Boss', '-', 'replace: uSNChanged', 'uSNChanged: 1013');
    // Changed, and not numbered: no domain controller does that. It shows that nothing but the numbers counts.
    await slapd.modify(`cn=Bernd Müller,${STAFF}`, 'replace: title', 'title: Unseen');
    await slapd.delete(`cn=Projector,ou=Resources,${AD_BASE}`);
    await again(rootDse(1013));
    await book.read();
    expect(book.at('anna@corp.example')).toMatchObject({ id: '33221100-5544-7766-8899-aabbccddeeff', title: 'Boss' });
    expect(book.at('bernd@corp.example')?.title).toBeUndefined();
    expect(book.addresses).not.toContain('projector@corp.example');
    expect(book.last?.isWhole).toBe(true);
    await again(rootDse(1020));
    await book.read();
    expect(book.last?.entries).toEqual([book.at('anna@corp.example')!.id]);
    await book.read();
    expect(book.last?.entries).toEqual([]);
  });

  it('another domain controller, one that was restored, or a rebuilt database is read from the beginning; coming back to the first is not', async () => {
    const everybody = async (): Promise<number | undefined> => (await book.read(), book.last?.entries.length);
    await again(rootDse(77, 'dc2.corp.example'));
    expect(await everybody()).toBe(11);
    expect(await everybody()).toBe(11); // Its numbers are below those of the entries here, so all are "since".
    await again(rootDse(2000));
    expect(await everybody()).toBe(1);
    await again(rootDse(1500));
    expect(await everybody()).toBe(11);
    await slapd.modify(`cn=NTDS Settings,${AD_BASE}`, 'replace: invocationId', 'invocationId:: /xEiM0RVZneImaq7zN3u/w==');
    expect(await everybody()).toBe(11);
  });

  it('its probe says so', async () => {
    expect((await source().probe(AbortSignal.timeout(5_000))).at(-1)?.text).toContain('uSNChanged');
  });
});

describe.skipIf(!hasSlapd)('the way to a slapd', () => {
  const authority = new Authority('ldap tests');
  const stranger = new Authority('another one');
  beforeAll(() => start({ tree: 'ad', tls: authority.issue('/CN=directory', 'IP:127.0.0.1', 10), directives: [`limits dn.exact="cn=bridge,${SUFFIX}" size=unlimited size.prtotal=unlimited`] }));
  afterAll(async () => {
    await slapd.close();
    authority.remove();
    stranger.remove();
  });
  const ca = [authority.certificate];

  it('is ldaps or STARTTLS, both verified', async () => {
    for (const options of [{ url: slapd.ldapsUrl, ca }, { startTls: true, ca }]) {
      const book = kept(options);
      await book.read();
      await book.read();
      expect(book.addresses).toHaveLength(11);
    }
  });

  it('ends at a certificate of a stranger, or for another name', async () => {
    const byName = (url: URL): URL => new URL(url.href.replace('127.0.0.1', 'localhost'));
    for (const options of [{ url: slapd.ldapsUrl }, { startTls: true }, { url: slapd.ldapsUrl, ca: [stranger.certificate] }, { startTls: true, ca: [stranger.certificate] }]) {
      expect(await failure(kept(options).read())).toMatchObject({ code: 'BACKEND_TLS', temporary: false, details: { reason: expect.stringMatching(/^(?:UNABLE_TO_|SELF_SIGNED)/) as string } });
    }
    for (const options of [{ url: byName(slapd.ldapsUrl), ca }, { url: byName(slapd.url), startTls: true, ca }]) {
      expect(await failure(kept(options).read())).toMatchObject({ code: 'BACKEND_TLS', details: { reason: 'ERR_TLS_CERT_ALTNAME_INVALID' } });
    }
    // A port that speaks TLS asked without, and the reverse.
    expect(['BACKEND_UNREACHABLE', 'BACKEND_MALFORMED']).toContain((await failure(kept({ url: new URL(slapd.ldapsUrl.href.replace('ldaps', 'ldap')) }).read())).code);
    expect(['BACKEND_TLS', 'BACKEND_UNREACHABLE']).toContain((await failure(kept({ url: new URL(slapd.url.href.replace('ldap', 'ldaps')), ca }).read())).code);
  });

  it('wants the right name and password; one without a password is not sent at all', async () => {
    expect(await failure(kept({ password: 'wrong' }).read())).toMatchObject({ code: 'BACKEND_AUTH', temporary: false });
    expect(await failure(kept({ bindDn: `cn=nobody,${SUFFIX}` }).read())).toMatchObject({ code: 'BACKEND_AUTH' });
    expect(await failure(kept({ password: '' }).read())).toMatchObject({ code: 'CONFIGURATION' });
    expect((await failure(kept({ bindDn: undefined, password: undefined }).read())).details['status']).toBe(32);
    expect(JSON.stringify(await failure(kept({ password: 'S3cr3t' }).read()))).not.toContain('S3cr3t');
  });

  it('leads to nobody where no server listens', async () => {
    expect(await failure(kept({ url: new URL('ldap://127.0.0.1:1') }).read())).toMatchObject({ code: 'BACKEND_UNREACHABLE', temporary: true, details: { reason: 'ECONNREFUSED' } });
  });

  it('ends for good with close', async () => {
    const one = source();
    await one.close();
    await one.close();
    expect((await failure(one.read(undefined, () => Promise.resolve(), AbortSignal.timeout(1_000)))).code).toBe('DEADLINE');
  });
});

describe.skipIf(!hasSlapd)('a slapd with a size limit', () => {
  afterEach(() => slapd.close());
  const reader = `limits dn.exact="cn=bridge,${SUFFIX}"`;

  it('that gives only a part makes the reading throw, with advice', async () => {
    for (const directives of [[`${reader} size=5`], [`${reader} size.soft=5 size.hard=5 size.pr=5 size.prtotal=5`], [`${reader} size.soft=5 size.hard=5 size.prtotal=disabled`]]) {
      await start({ tree: 'ad', directives });
      const error = await failure(kept().read());
      expect([directives, error.code, error.details['advice']]).toEqual([directives, 'BACKEND_TOO_LARGE', expect.stringContaining('size.prtotal=unlimited')]);
      await slapd.close();
    }
  });

  it('does not matter while everybody fits', async () => {
    await start({ tree: 'ad', directives: [`${reader} size=500`] });
    const book = kept();
    await book.read();
    expect(book.addresses).toHaveLength(11);
  });
});

describe.skipIf(!hasSlapd)('a pass over the ids', () => {
  afterEach(() => slapd.close());

  it('goes with every reading while it is short, and late but in time where it is long', async () => {
    await start({ tree: 'ad' });
    let now = systemClock.now();
    let isSlow = false;
    // Between two looks at the clock 2 s go by in a slow directory.
    const clock = { now: () => (now += isSlow ? 2_000 : 0) };
    const book = kept({ clock });
    const passes: boolean[] = [];
    const round = async (): Promise<void> => {
      now += LIMITS.ldapPauseMs;
      await book.read();
      passes.push(book.last!.isWhole);
    };
    await book.read();
    for (let index = 0; index < 3; index++) await round();
    isSlow = true;
    for (let index = 0; index < 5; index++) await round();
    expect(passes.slice(0, 4)).toEqual([true, true, true, true]);
    expect(passes.slice(4)).toEqual([false, true, false, true]);
  });
});
