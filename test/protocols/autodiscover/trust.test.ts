import { describe, expect, it } from 'vitest';
import { Trust } from '../../../src/protocols/autodiscover/trust.ts';

const trust = (url?: string, hosts: readonly string[] = []): Trust => new Trust({ domain: 'corp.example', url: url === undefined ? undefined : new URL(url), hosts });

describe('who may learn the password', () => {
  it.each<[string, string | undefined, readonly string[], asked: boolean, ews: boolean]>([
    ['https://corp.example/x', undefined, [], true, true],
    ['https://a.b.corp.example/x', undefined, [], true, true],
    ['https://corp.example:8443/x', undefined, [], false, false],
    ['https://corp.example:8443/x', undefined, ['corp.example:8443'], true, true],
    ['https://xcorp.example/x', undefined, [], false, false],
    ['http://corp.example/x', undefined, ['corp.example'], false, false],
    ['https://user@corp.example/x', undefined, [], false, false],
    ['https://hoster.example/x', 'https://autodiscover.hoster.example/', [], false, true],
    ['https://mail.hoster.example/x', 'https://autodiscover.hoster.example/', [], false, true],
    ['https://mail.hoster.example/x', 'https://mail.hoster.example/', [], true, true],
    ['https://mail.hoster.example:444/x', 'https://mail.hoster.example/', [], false, false],
    ['https://mail.hoster.example:444/x', 'https://mail.hoster.example:444/', [], true, true],
    ['https://other.example/x', 'https://mail.example/', [], false, false],
    ['https://other.example/x', 'https://autodiscover.example/', [], false, false],
    ['http://127.0.0.1:8080/x', 'http://127.0.0.1:8081/', [], false, true],
    ['http://127.0.0.1:8081/x', 'http://127.0.0.1:8081/', [], true, true],
    ['http://127.0.0.1:8081/x', 'https://127.0.0.1:8081/', [], false, false],
    ['http://127.example.com/x', 'http://127.0.0.1:8081/', ['127.example.com'], false, false],
    ['http://10.0.0.1/x', 'http://10.0.0.1/', [], false, false],
    ['https://MAIL.Corp.Example/x', undefined, [], true, true],
    ['https://evil.example/x', undefined, ['EVIL.example'], true, true],
  ])('%s, with %s and %j', (url, configured, hosts, asked, ews) => {
    expect([trust(configured, hosts).mayBeAsked(new URL(url)), trust(configured, hosts).mayHoldEws(new URL(url))]).toEqual([asked, ews]);
  });

  it('knows a domain in letters of its own', () => {
    expect(new Trust({ domain: 'bücher.example', hosts: [] }).mayBeAsked(new URL('https://autodiscover.bücher.example/'))).toBe(true);
  });
});
