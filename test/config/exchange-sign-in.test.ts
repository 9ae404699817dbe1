import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { ExchangeEwsConfig, SystemConfig } from '../../src/config/config.ts';
import { linesOf, load } from './temporary-bridge.ts';

const pem = (name: string) => readFile(new URL(`../../fixtures/config/tls/${name}.pem`, import.meta.url), 'utf8');
const ACCOUNT = 'username: CORP\\bridge, password: pw';
const OAUTH = 'tokenUrl: "https://login.example/token", clientId: abc';

const ews = (keys: string) => `systems:\n  x: { type: exchange-ews, domains: [corp.example], ${keys} }\n`;
const first = async (yaml: string, files: Readonly<Record<string, string>> = {}): Promise<SystemConfig> => (await load(yaml, {}, files)).systems[0]!;

describe('where an Exchange is', () => {
  it('several servers, each once, in the order given', async () => {
    const system = await first(ews(`url: ["https://a.example/EWS", "https://b.example/EWS", "https://A.example/EWS"], ${ACCOUNT}`));
    expect((system as ExchangeEwsConfig).servers.map(({ href }) => href)).toEqual(['https://a.example/EWS', 'https://b.example/EWS']);
    const webdav = await first('systems:\n  x: { type: exchange-webdav, domains: [corp.example], auth: ntlm, url: ["https://a.example", "https://b.example"], username: u, password: p }\n');
    expect(webdav).toMatchObject({ servers: [new URL('https://a.example'), new URL('https://b.example')], signIn: { kind: 'ntlm' } });
  });

  it.each([
    [`autodiscover: true, username: bridge@corp.example, password: pw`, { mailbox: 'bridge@corp.example', url: undefined }],
    [`autodiscover: true, mailboxes: [anna@corp.example], ${ACCOUNT}`, { mailbox: 'anna@corp.example', url: undefined }],
    [`autodiscover: { mailbox: Kim@corp.example, url: "https://d.example/autodiscover/autodiscover.xml" }, ${ACCOUNT}`, { mailbox: 'kim@corp.example', url: new URL('https://d.example/autodiscover/autodiscover.xml') }],
    [`autodiscover: false, url: "https://a.example/EWS", ${ACCOUNT}`, undefined],
  ])('%s', async (keys, autodiscover) => {
    expect((await first(ews(keys)) as ExchangeEwsConfig).autodiscover).toEqual(autodiscover);
  });

  it.each([
    [ews(ACCOUNT), ['systems.x.url: is missing; it should be the URL of the EWS service, or autodiscover: true']],
    [ews(`autodiscover: true, url: "https://a.example/EWS", username: b@corp.example, password: p`), ['systems.x.autodiscover: does not go with url; leave one of them out']],
    [ews(`autodiscover: true, ${ACCOUNT}`), ['systems.x.autodiscover: needs somebody whose server is sought: autodiscover: { mailbox: bridge@corp.example }']],
    [ews(`url: [], ${ACCOUNT}`), ['systems.x.url: is empty; it should have at least one entry']],
    [ews(`url: ["https://a.example/EWS", 7], ${ACCOUNT}`), ['systems.x.url[1]: should be the URL of the EWS service, e.g. https://ews.corp.example/EWS/Exchange.asmx, not a number; put it in quotes if it is meant as text']],
  ])('is refused in words: %s', async (yaml, lines) => {
    expect(await linesOf(yaml)).toEqual(lines);
  });
});

describe('how the bridge signs in', () => {
  const URL_KEY = 'url: "https://a.example/EWS"';

  it('with several accounts', async () => {
    const system = await first(ews(`${URL_KEY}, auth: ntlm, ${ACCOUNT}, accounts: [{ username: CORP\\second, password: pw2 }]`));
    expect(system).toMatchObject({ username: 'CORP\\bridge', signIn: { kind: 'ntlm', accounts: [{ username: 'CORP\\bridge' }, { username: 'CORP\\second' }] } });
  });

  it('by OAuth with a secret, or with certificate and key', async () => {
    expect(await first(ews(`${URL_KEY}, auth: oauth, impersonate: Bridge@corp.example, oauth: { ${OAUTH}, clientSecret: s }`))).toMatchObject({
      username: 'bridge@corp.example',
      impersonate: 'bridge@corp.example',
      signIn: { kind: 'oauth', oauth: { clientId: 'abc', scope: 'https://outlook.office365.com/.default', credential: { kind: 'secret' } } },
    });
    const files = { 'c.pem': await pem('cert'), 'k.pem': await pem('key') };
    expect(await first(ews(`${URL_KEY}, auth: oauth, oauth: { ${OAUTH}, certificate: c.pem, key: k.pem, scope: "api://x/.default" }`), files)).toMatchObject({ username: 'abc', signIn: { oauth: { scope: 'api://x/.default', credential: { kind: 'certificate' } } } });
  });

  it.each([
    [`${URL_KEY}`, ['systems.x.username: is missing; the bridge signs in with username and password, unless auth is oauth', 'systems.x.password: is missing; the bridge signs in with username and password, unless auth is oauth']],
    [`${URL_KEY}, auth: oauth`, ['systems.x.oauth: is missing; auth: oauth needs { tokenUrl, clientId, clientSecret or certificate and key }']],
    [`${URL_KEY}, auth: oauth, ${ACCOUNT}, oauth: { ${OAUTH}, clientSecret: s }`, [expect.stringContaining('systems.x.username: does not go with auth: oauth'), expect.stringContaining('systems.x.password: does not go with auth: oauth')]],
    [`${URL_KEY}, ${ACCOUNT}, oauth: { ${OAUTH}, clientSecret: s }`, ['systems.x.oauth: is never looked at: auth is not oauth']],
    [`${URL_KEY}, auth: oauth, oauth: { ${OAUTH} }`, ['systems.x.oauth.clientSecret: is missing; oauth has clientSecret, or certificate and key']],
    [`${URL_KEY}, ${ACCOUNT}, accounts: [{ username: corp\\BRIDGE, password: p }]`, ['systems.x.accounts[0].username: is there already; every account once (upper and lower case do not count)']],
  ])('%s is refused in words', async (keys, lines) => {
    expect(await linesOf(ews(keys))).toEqual(lines);
  });

  it('refuses a key of another certificate, and a certificate beside a secret', async () => {
    const files = { 'c.pem': await pem('cert'), 'k.pem': await pem('other-key') };
    expect(await linesOf(ews(`${URL_KEY}, auth: oauth, oauth: { ${OAUTH}, certificate: c.pem, key: k.pem }`), {}, files)).toEqual(['systems.x.oauth.key: the key does not belong to the certificate']);
    expect(await linesOf(ews(`${URL_KEY}, auth: oauth, oauth: { ${OAUTH}, clientSecret: s, certificate: c.pem }`), {}, files)).toEqual(['systems.x.oauth.certificate: does not go with clientSecret; leave one of them out']);
  });
});
