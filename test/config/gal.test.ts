import { describe, expect, it } from 'vitest';
import { linesOf, load, MINIMAL } from './temporary-bridge.ts';

const CLIENT = 'clients: [{ name: c, username: c, password: p, gal: sync }]\n';
const source = (keys: string): string => `${MINIMAL}${CLIENT}gal: { sources: [{ ${keys} }] }`;
const LDAP = 'type: ldap, url: ldaps://dc.corp.example, base: "dc=corp,dc=example"';

describe('gal:', () => {
  it('is empty where it is left out: no address book, default bounds of a search', async () => {
    const { gal, warnings } = await load(MINIMAL);
    expect(gal).toEqual({ sources: [], ldap: undefined, search: { minimumLength: 1, results: 200, perMinute: 12_000 } });
    expect(warnings.filter((line) => line.startsWith('gal'))).toEqual([]);
  });

  it('takes all three kinds of sources, in their order, with what is left out filled in', async () => {
    const { gal, clients } = await load(
      `${MINIMAL}${CLIENT}gal:
  sources:
    - { system: exchange }
    - { ${LDAP}, bindDn: 'CORP\\bridge', password: p, home: exchange, attributes: { address: rfc822Mailbox, phone: pager } }
    - { type: ldap, url: "ldap://[::1]:3389/", base: dc=x, startTls: true, filter: (mail=*) }
    - { type: file, path: extra.ldif, home: exchange }
  ldap: { listen: ldap://127.0.0.1:3890 }
  search: { minimumLength: 2, results: 50, perMinute: 600 }
`,
    );
    expect(gal.sources).toMatchObject([
      { kind: 'system', system: 'exchange' },
      { kind: 'ldap', url: { protocol: 'ldaps', host: 'dc.corp.example', port: 636 }, base: 'dc=corp,dc=example', bindDn: 'CORP\\bridge', startTls: false, home: 'exchange', attributes: { address: 'rfc822Mailbox', phone: 'pager' } },
      { kind: 'ldap', url: { protocol: 'ldap', host: '::1', port: 3389, isLoopback: true }, startTls: true, filter: '(mail=*)', attributes: {} },
      { kind: 'file', path: expect.stringMatching(/\/extra\.ldif$/) as string, home: 'exchange' },
    ]);
    expect(gal.sources[1]?.kind === 'ldap' && gal.sources[1].password?.reveal()).toBe('p');
    expect(gal.ldap).toEqual({ listen: { protocol: 'ldap', host: '127.0.0.1', port: 3890, isLoopback: true }, base: 'dc=bridge' });
    expect(gal.search).toEqual({ minimumLength: 2, results: 50, perMinute: 600 });
    expect(clients[0]?.gal).toBe('sync');
  });

  it('takes what the LDAP face and Zimbra call the same for our names; ours are stronger, and displayName than cn', async () => {
    const attributesOf = async (map: string): Promise<unknown> => (await load(source(`${LDAP}, attributes: { ${map} }`))).gal.sources[0];
    expect(await attributesOf('mail: rfc822Mailbox, cn: commonName, sn: familyName, telephoneNumber: pager')).toMatchObject({
      attributes: { address: 'rfc822Mailbox', name: 'commonName', surname: 'familyName', phone: 'pager' },
    });
    expect(await attributesOf('cn: commonName, displayName: label, email: inbox, address: rfc822Mailbox')).toHaveProperty('attributes', { address: 'rfc822Mailbox', name: 'label' });
  });

  it.each([
    ['a system that is not there', source('system: exchnage'), 'gal.sources[0].system: no system named "exchnage", did you mean exchange?; systems: exchange'],
    ['a home that is not there', source(`${LDAP}, home: nowhere`), 'gal.sources[0].home: no system named "nowhere"; systems: exchange'],
    ['an unknown type', source('type: ldpa'), 'gal.sources[0].type: "ldpa" is not known, did you mean ldap?; there are: ldap, file'],
    ['neither system nor type', source('path: x'), 'gal.sources[0].type: is missing; it should be one of ldap, file'],
    ['a password without a DN', source(`${LDAP}, password: p`), 'gal.sources[0].bindDn: is missing; bindDn and password go together'],
    ['StartTLS over ldaps', source(`${LDAP}, startTls: true`), 'gal.sources[0].startTls: does not go with ldaps://, which speaks TLS from the beginning; leave it out, or write ldap://'],
    ['an attribute of ours that is none', source(`${LDAP}, attributes: { adress: mail }`), 'gal.sources[0].attributes.adress: there is no such key; did you mean address?'],
    ['an http URL', source('type: ldap, url: "http://x", base: dc=x'), 'gal.sources[0].url: should be ldap:// or ldaps:// with host and port and nothing else, e.g. ldaps://dc.corp.example'],
    ['a filter that is none', source(`${LDAP}, filter: mail`), 'gal.sources[0].filter: should be an LDAP filter in parentheses, e.g. (mail=*)'],
    ['a source twice', `${MINIMAL}gal: { sources: [{ system: exchange }, { system: exchange }] }`, 'gal.sources[1]: is there already; every source once'],
    ['a face of an empty address book', `${MINIMAL}gal: { ldap: { listen: "ldap://127.0.0.1:3890" } }`, 'gal.ldap: needs gal.sources: without any the address book is empty'],
    ['plain ldap beyond loopback', `${source('system: exchange').slice(0, -2)}, ldap: { listen: "ldap://0.0.0.0:3890" } }`.replace('}, ldap', '}], ldap'), 'gal.ldap.listen: is plain ldap beyond loopback: clients sign in only after StartTLS, which needs tls: { certificate, key }; or use ldaps'],
    ['a system without a directory', 'systems: { p: { type: ifb, url: "https://x.example/{address}", domains: [x.example] } }\ngal: { sources: [{ system: p }] }', 'gal.sources[0].system: p is of type ifb, which has no directory; use type: ldap or type: file with home: p'],
  ])('refuses %s', async (_what, yaml, line) => {
    expect(await linesOf(yaml)).toEqual([line]);
  });

  it('warns of a password that travels readable, and of a right to an address book that is not there', async () => {
    const { warnings } = await load(source('type: ldap, url: ldap://dc.corp.example, base: dc=x, bindDn: cn=x, password: p'));
    expect(warnings).toContain('gal.sources[0].url: is plain ldap: the password travels readable by everyone on the way; use ldaps, or startTls: true');
    expect((await load(`${MINIMAL}${CLIENT}`)).warnings).toContain('clients[0].gal: there is no address book: list directories under gal.sources');
  });
});
