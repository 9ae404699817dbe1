import { describe, expect, it } from 'vitest';
import { mailStoresOf } from '../../../src/protocols/zimbra-soap/mail-stores.ts';

const ENDPOINT = new URL('https://mail.zimbra.example:7071/service/admin/soap/');
const listed = (...hosts: readonly string[]) => (url: URL): boolean => hosts.includes(url.hostname) || url.hostname === ENDPOINT.hostname;
const watched = (names: readonly string[], ...hosts: readonly string[]): unknown => {
  const { watched: urls, unlisted } = mailStoresOf(names, ENDPOINT, listed(...hosts));
  return { watched: urls.map(({ href }) => href), unlisted };
};
const at = (host: string): string => `https://${host}:7071/service/admin/soap/`;

describe('where WaitSets are made', () => {
  it('is adminUrl for a single mail store, whatever it calls itself', () => {
    expect(watched(['mbox1.internal'])).toEqual({ watched: [ENDPOINT.href], unlisted: [] });
    expect(watched([])).toEqual({ watched: [ENDPOINT.href], unlisted: [] });
  });

  it('is every store that is listed, at the port and path of adminUrl', () => {
    expect(watched(['mbox1.example', 'mbox2.example'], 'mbox1.example', 'mbox2.example')).toEqual({ watched: [at('mbox1.example'), at('mbox2.example')], unlisted: [] });
  });

  it('is adminUrl among them where one has its name', () => {
    expect(watched(['mail.zimbra.example', 'mbox2.example'], 'mbox2.example')).toEqual({ watched: [ENDPOINT.href, at('mbox2.example')], unlisted: [] });
  });

  it('is adminUrl as well where one may not be asked: it may be that one', () => {
    expect(watched(['mbox1.example', 'mbox2.example'], 'mbox2.example')).toEqual({ watched: [at('mbox2.example'), ENDPOINT.href], unlisted: ['mbox1.example'] });
  });

  it.each(['mbox2.example:9999', 'u@mbox2.example', 'mbox2.example/..', 'mbox2.example?', 'mbox2.example\\@evil.example', '[::1]', '-', '.', 'MBOX2.example ', `${'a'.repeat(300)}`, 'mbox2.example\r\nx: y', '2130706433', '０'])(
    'is never made of a name that is no plain host name: %j',
    (name) => {
      const { watched: urls, unlisted } = mailStoresOf([name, 'mail.zimbra.example'], ENDPOINT, () => true);
      expect(urls.map(({ href }) => href)).toEqual([ENDPOINT.href]);
      expect(unlisted).toHaveLength(1);
      expect(unlisted[0]).toMatch(/^[\w. -]+$/);
    },
  );
});
