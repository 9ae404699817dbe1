import { describe, expect, it } from 'vitest';
import { parseMailboxAddress } from '../../../src/directory/smtp-address.ts';
import { legacyExchangeDnFromTemplate, locateMessage, mailboxOfLegacyExchangeDn } from '../../../src/protocols/schedule-plus/legacy-exchange-dn.ts';
import { messageUrl } from '../../../src/protocols/schedule-plus/message-url.ts';

const address = (text: string) => parseMailboxAddress(text)!;
const TEMPLATE = '/o=Corp/ou=First Administrative Group/cn=Recipients/cn={localPart}';

describe('legacyExchangeDN', () => {
  it('a DN is split at its first /cn', () => {
    expect(locateMessage('/o=Contoso/ou=First Administrative Group/cn=Recipients/cn=jdoe')).toEqual({
      folder: 'EX:/o=Contoso/ou=First Administrative Group',
      subject: 'USER-/CN=RECIPIENTS/CN=JDOE',
    });
    expect(locateMessage('/O=CORP/OU=SITE/CN=Old Container/CN=Ann').subject).toBe('USER-/CN=OLD CONTAINER/CN=ANN');
  });

  it.each(['', 'jdoe', '/o=Contoso', 'cn=jdoe', '/cn=jdoe', 'o=Contoso/cn=jdoe'])('%j names no message', (dn) => {
    expect(() => locateMessage(dn)).toThrow(expect.objectContaining({ code: 'NO_DATA' }));
  });

  it('the template is filled as it stands', () => {
    expect(legacyExchangeDnFromTemplate(TEMPLATE, address('Kim.Lee+x@corp.example'))).toBe(
      '/o=Corp/ou=First Administrative Group/cn=Recipients/cn=kim.lee+x',
    );
    expect(legacyExchangeDnFromTemplate('/o={domain}/cn=x/cn={address}', address('kim@corp.example'))).toBe('/o=corp.example/cn=x/cn=kim@corp.example');
  });

  it('dollar signs in an address are not read as replacement patterns', () => {
    expect(legacyExchangeDnFromTemplate(TEMPLATE, address("a$&b$'c@corp.example"))).toBe("/o=Corp/ou=First Administrative Group/cn=Recipients/cn=a$&b$'c");
  });

  it.each(['a=b@corp.example', 'cn=ceo@corp.example'])('%s is refused, not escaped', (text) => {
    expect(() => legacyExchangeDnFromTemplate(TEMPLATE, address(text))).toThrow(expect.objectContaining({ code: 'NO_DATA' }));
  });

  it.each(['a/cn=ceo@corp.example', 'a\\b@corp.example', 'a..b@corp.example', 'a\u0007b@corp.example'])('%j is refused even when it slips in', (text) => {
    expect(() => legacyExchangeDnFromTemplate(TEMPLATE, text as ReturnType<typeof address>)).toThrow(expect.objectContaining({ code: 'NO_DATA' }));
  });

  it('a template that names nobody or something unknown is a mistake in the configuration', () => {
    for (const template of ['/o=Corp/cn=all', '/o=Corp/cn={domain}', '/o=Corp/cn={localPart}{secret}']) {
      expect(() => legacyExchangeDnFromTemplate(template, address('a@corp.example'))).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }));
    }
  });

  it('the template is read backwards without regard to case', () => {
    expect(mailboxOfLegacyExchangeDn(TEMPLATE, '/O=CORP/OU=FIRST ADMINISTRATIVE GROUP/CN=RECIPIENTS/CN=KIM')).toEqual({ localPart: 'kim', domain: undefined });
    expect(mailboxOfLegacyExchangeDn('/o={domain}/cn=x/cn={address}', '/o=corp.example/cn=x/cn=Kim@corp.example')).toEqual({ localPart: 'kim', domain: 'corp.example' });
  });

  it.each([
    '/o=Other/ou=First Administrative Group/cn=Recipients/cn=kim',
    '/o=Corp/ou=First Administrative Group/cn=Recipients/cn=kim/cn=ceo',
    '/o=Corp/ou=First Administrative Group/cn=Recipients/cn=',
    '/o=Corp/ou=First Administrative Group/cn=Recipients/cn=a=b',
    'x/o=Corp/ou=First Administrative Group/cn=Recipients/cn=kim',
    '',
  ])('%j is nobody by the template', (dn) => {
    expect(mailboxOfLegacyExchangeDn(TEMPLATE, dn)).toBeUndefined();
  });

  it('signs of regular expressions in a template stand for themselves', () => {
    const template = '/o=Ex & Co/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn={localPart}';
    expect(mailboxOfLegacyExchangeDn(template, template.replace('{localPart}', 'Kim'))).toEqual({ localPart: 'kim', domain: undefined });
    expect(mailboxOfLegacyExchangeDn('/o=a.c/cn=r/cn={localPart}', '/o=abc/cn=r/cn=kim')).toBeUndefined();
  });
});

describe('the URL of a message', () => {
  it('is the one the sheet gives', () => {
    const url = messageUrl(new URL('https://mail.exch.example'), locateMessage('/o=Contoso/ou=First Administrative Group/cn=Recipients/cn=jdoe'));
    expect(url.href).toBe(
      'https://mail.exch.example/public/NON_IPM_SUBTREE/SCHEDULE%2B%20FREE%20BUSY/EX:_xF8FF_o=Contoso_xF8FF_ou=First%20Administrative%20Group/USER-_xF8FF_CN=RECIPIENTS_xF8FF_CN=JDOE.EML',
    );
  });

  it('names with the characters of a path stay names', () => {
    const url = messageUrl(new URL('https://mail.exch.example/'), locateMessage('/o=A & B?/ou=x#y~z%41/cn=r/cn=a+b\\c'));
    expect(url.pathname).toBe(
      '/public/NON_IPM_SUBTREE/SCHEDULE%2B%20FREE%20BUSY/EX:_xF8FF_o=A%20%26%20B_x003F__xF8FF_ou=x%23y_x007E_z%2541/USER-_xF8FF_CN=R_xF8FF_CN=A%2BB_xF8FE_C.EML',
    );
  });
});
