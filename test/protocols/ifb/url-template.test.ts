import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import { parseMailboxAddress } from '../../../src/directory/smtp-address.ts';
import { expandUrlTemplate, parseUrlTemplate } from '../../../src/protocols/ifb/url-template.ts';

const WINDOW = { start: Date.parse('2026-11-21T00:00:00Z'), end: Date.parse('2026-12-01T12:30:00.500Z') };

const expand = (template: string, address: string): string | undefined => expandUrlTemplate(parseUrlTemplate(template), address as MailboxAddress, WINDOW)?.href;

describe('a URL template', () => {
  it('takes the example of configuration.md', () => {
    expect(expand('https://partner.example/freebusy/{address}.ifb', 'ann@partner.example')).toBe('https://partner.example/freebusy/ann%40partner.example.ifb');
  });

  it('fills every placeholder, start and end in whole seconds rounded outward', () => {
    expect(expand('http://h.example:8080/{domain}/{localPart}?u={address}&s={start}&e={end}', 'ann@p.example')).toBe(
      'http://h.example:8080/p.example/ann?u=ann%40p.example&s=20261121T000000Z&e=20261201T123001Z',
    );
  });

  it('knows whether it asks for a window', () => {
    expect(parseUrlTemplate('https://h.example/{address}').hasWindow).toBe(false);
    expect(parseUrlTemplate('https://h.example/{address}?from={start}').hasWindow).toBe(true);
  });

  it.each([
    ['a+b@p.example', 'a%2Bb'],
    ['a&u=boss@p.example', 'a%26u%3Dboss'],
    ['a#x@p.example', 'a%23x'],
    ['a?x=1@p.example', 'a%3Fx%3D1'],
    ['a%2f%2e%2e@p.example', 'a%252f%252e%252e'],
    ["o'hara!*@p.example", 'o%27hara%21%2A'],
    ['{domain}@p.example', '%7Bdomain%7D'],
    ['a/cn=ceo@p.example', 'a%2Fcn%3Dceo'],
    ['../ceo@p.example', '..%2Fceo'],
    ['müller@p.example', 'm%C3%BCller'],
    ['fb0xdomainx0fb@p.example', 'fb0xdomainx0fb'],
  ])('encodes %s so that it stays one path segment', (address, encoded) => {
    expect(expand('https://h.example/x/{localPart}.ifb', address)).toBe(`https://h.example/x/${encoded}.ifb`);
  });

  it.each(['.', '..'])('has no URL for the local part %s, which would be resolved away', (localPart) => {
    expect(expand('https://h.example/x/{localPart}/fb', `${localPart}@p.example`)).toBeUndefined();
  });

  it('has no URL for half a character', () => {
    expect(expand('https://h.example/{localPart}', '\ud800@p.example')).toBeUndefined();
  });

  it('never leaves its host, directory or query, whatever the address', () => {
    const template = parseUrlTemplate('https://h.example/a/{localPart}/b/{address}?q={domain}&k=1');
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (local, domain) => {
        const mailbox = parseMailboxAddress(`${local}@${domain}`) ?? (`${local}@x.example` as MailboxAddress);
        const url = expandUrlTemplate(template, mailbox, WINDOW);
        if (url === undefined) return;
        expect(url.origin).toBe('https://h.example');
        expect(url.pathname).toMatch(/^\/a\/[^/]*\/b\/[^/]*$/);
        expect([...url.searchParams.keys()]).toEqual(['q', 'k']);
        expect(url.hash).toBe('');
      }),
    );
  });

  it.each([
    ['https://{domain}/fb?u={address}', 'in the host'],
    ['https://h.example:{start}/{address}', 'in the port'],
    ['{localPart}://h.example/{address}', 'in the scheme'],
    ['https://h.example/{address}#{start}', 'in the fragment'],
    ['https://h.example/{adress}', 'misspelled'],
    ['https://h.example/{address', 'unclosed'],
    ['https://h.example/{address}}', 'closed twice'],
    ['https://user:secret@h.example/{address}', 'beside credentials'],
    ['ftp://h.example/{address}', 'in another protocol'],
    ['/freebusy/{address}', 'in half a URL'],
  ])('is refused as configuration: %s (%s)', (template) => {
    expect(() => parseUrlTemplate(template)).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }));
  });

  it('is not quoted when it is refused: its query is a secret', () => {
    expect(() => parseUrlTemplate('https://h.example/{adress}?key=s3cr3t')).toThrow(expect.objectContaining({ message: expect.not.stringContaining('s3cr3t') as string }));
  });
});
