import { describe, expect, it } from 'vitest';
import { parseMailboxAddress } from '../../../src/directory/smtp-address.ts';
import { legacyExchangeDnFromTemplate, legacyExchangeDnOf, locateMessage, mailboxOfLegacyExchangeDn } from '../../../src/protocols/schedule-plus/legacy-exchange-dn.ts';
import { folderUrl, legacyExchangeDnOfPath, messageUrl } from '../../../src/protocols/schedule-plus/message-url.ts';

const address = (text: string) => parseMailboxAddress(text)!;
const TEMPLATE = '/o=Corp/ou=First Administrative Group/cn=Recipients/cn={localPart}';

describe('legacyExchangeDN', () => {
  it('a DN is split at its first /cn', () => {
    expect(locateMessage('/o=Contoso/ou=First Administrative Group/cn=Recipients/cn=jdoe')).toEqual({
      folder: 'EX:/o=Contoso/ou=First Administrative Group',
      subject: 'USER-/CN=RECIPIENTS/CN=JDOE',
    });
    expect(locateMessage('/O=CORP/OU=SITE/CN=Old Container/CN=Ann').subject).toBe('USER-/CN=OLD CONTAINER/CN=ANN');
    // A letter that has no upper case of its own stays: two letters would be another name.
    expect(locateMessage('/o=Corp/cn=Straße/cn=jörg').subject).toBe('USER-/CN=STRAßE/CN=JÖRG');
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

describe('under which DN a mailbox is published', () => {
  const kim = address('kim@corp.example');
  const of = (foreignPrincipal: string | undefined, template = TEMPLATE, mailbox = kim) => legacyExchangeDnOf(template, { mailbox, foreignPrincipal });

  it('without a foreign principal the template decides', () => {
    expect(of(undefined)).toBe('/o=Corp/ou=First Administrative Group/cn=Recipients/cn=kim');
    expect(legacyExchangeDnOf(TEMPLATE, { mailbox: kim })).toBe('/o=Corp/ou=First Administrative Group/cn=Recipients/cn=kim');
  });

  it.each([
    ['k.lee', TEMPLATE, '/o=Corp/ou=First Administrative Group/cn=Recipients/cn=k.lee'],
    [' K Lee (EU) ', TEMPLATE, '/o=Corp/ou=First Administrative Group/cn=Recipients/cn=K Lee (EU)'],
    ['{localPart} $& $1', TEMPLATE, '/o=Corp/ou=First Administrative Group/cn=Recipients/cn={localPart} $& $1'],
    ['klee', '/o={domain}/ou=x/CN=Recipients/CN={localPart}', '/o=corp.example/ou=x/CN=Recipients/CN=klee'],
    ['klee', '/o=Corp/cn=r/cn=zimbra-{localPart}', '/o=Corp/cn=r/cn=klee'],
    ['Jörg', TEMPLATE, '/o=Corp/ou=First Administrative Group/cn=Recipients/cn=Jörg'],
  ])('%j stands in place of the value of the last cn of the template', (principal, template, dn) => {
    expect(of(principal, template)).toBe(dn);
  });

  // Each beside a name with the same upper case, or the same lower case, and not both.
  it.each(['k\u0131m', 'ki\u017f', '\u212aim', '\u212bsa', '\u0130lker', '\u00b5', '\u1e9e', '\u24c0', '\u03ba\u03bf\u03c3'])('%j is refused: by its case it could be another identity with the same message', (principal) => {
    expect(() => of(principal)).toThrow(expect.objectContaining({ code: 'NO_DATA' }));
    expect(() => of(`/o=${principal}/cn=Recipients/cn=kim`)).toThrow(expect.objectContaining({ code: 'NO_DATA' }));
  });

  it.each(['Åsa', 'Ömer', 'straße', 'Νίκος', 'ΝΊΚΟΣ', 'Ёлка', '李'])('%j is a name like others', (principal) => {
    expect(of(principal)).toBe(`/o=Corp/ou=First Administrative Group/cn=Recipients/cn=${principal}`);
  });

  it('two that are accepted have the same message only with the same identity', () => {
    const accepted = Array.from({ length: 0x10000 }, (_, code) => String.fromCharCode(code)).flatMap((letter) => {
      if (!/[\p{L}\p{N}\p{S}]/u.test(letter)) return [];
      try {
        return [of(`a${letter}b`)];
      } catch {
        return [];
      }
    });
    expect(accepted.length).toBeGreaterThan(40_000);
    const subjects = new Set(accepted.map((dn) => locateMessage(dn).subject));
    const identities = new Set(accepted.map((dn) => dn.toLowerCase()));
    const both = new Set(accepted.map((dn) => `${locateMessage(dn).subject} ${dn.toLowerCase()}`));
    expect([subjects.size, identities.size]).toEqual([both.size, both.size]);
  });

  it('one that begins with a slash is the whole DN', () => {
    expect(of('/o=Old/ou=Site/cn=Container/cn=KLee')).toBe('/o=Old/ou=Site/cn=Container/cn=KLee');
  });

  it.each(['', ' ', 'a/b', 'a/cn=ceo', 'cn=ceo', 'a\\b', '..', 'a..b', 'a\u0000b', 'a\nb', 'a\u202eb', 'a\uf8ffb', 'a\ud800', 'a_xF8FF_cn', 'a_x002f_b', 'x'.repeat(1_100)])(
    '%j names nobody: it could name another’s message',
    (principal) => {
      expect(() => of(principal)).toThrow(expect.objectContaining({ code: 'NO_DATA' }));
    },
  );

  it.each(['/', '/o=Old', '/cn=kim', '/o=Old//cn=kim', '/o=Old/cn=', '/o=Old/kim', '/o=Old/cn=../cn=kim', '/o=Old/cn=a\\b', '/o=Old/cn=a\u0000', `/o=Old/cn=${'x'.repeat(1_100)}`, '/o=Old_xF8FF_/cn=a'])(
    '%j is no DN',
    (principal) => {
      expect(() => of(principal)).toThrow(expect.objectContaining({ code: 'NO_DATA' }));
    },
  );

  it('an address that Exchange would read as another name is refused', () => {
    expect(() => of(undefined, TEMPLATE, address('a_xf8ff_b@corp.example'))).toThrow(expect.objectContaining({ code: 'NO_DATA' }));
  });

  it('an address that cannot stand in a DN does not matter where the principal stands there', () => {
    expect(of('kim', TEMPLATE, address('a=b@corp.example'))).toBe('/o=Corp/ou=First Administrative Group/cn=Recipients/cn=kim');
    expect(() => of('kim', '/o={address}/cn=r/cn={localPart}', address('a=b@corp.example'))).toThrow(expect.objectContaining({ code: 'NO_DATA' }));
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

  it('an address in it keeps its @, as Exchange writes it', () => {
    const url = messageUrl(new URL('https://mail.exch.example/'), locateMessage('/o=A/cn=r/cn=kim@corp.example'));
    expect(url.pathname).toMatch(/\/USER-_xF8FF_CN=R_xF8FF_CN=KIM@CORP\.EXAMPLE\.EML$/);
  });

  it('never leaves its folder, whatever the names are', () => {
    const root = new URL('https://mail.exch.example/base/');
    for (const folder of ['EX:/o=..', 'EX:/../../x', 'EX:..%2f..', 'EX:/o=a\\..\\b', 'EX:?#']) {
      for (const subject of ['USER-/CN=/../../../etc', 'USER-..', 'USER-%2e%2e%2f', 'USER-\\..\\', 'USER-#x?y', 'USER-;a=b']) {
        const url = messageUrl(root, { folder, subject });
        const below = folderUrl(root, { folder }).pathname;
        expect(below).toMatch(/^\/base\/public\/NON_IPM_SUBTREE\/SCHEDULE%2B%20FREE%20BUSY\/EX:[^/\\]*\/$/);
        expect(url.pathname.startsWith(below)).toBe(true);
        expect(url.pathname.slice(below.length)).toMatch(/^USER-[^/\\]*\.EML$/);
        expect([url.search, url.hash]).toEqual(['', '']);
      }
    }
  });
});

describe('the path of a message, read backwards', () => {
  const dn = '/o=First Organization/ou=First Administrative Group/cn=RECIPIENTS/cn=james';
  const tail = 'EX:_xF8FF_o=First%20Organization_xF8FF_ou=First%20Administrative%20Group/USER-_xF8FF_cn=RECIPIENTS_xF8FF_cn=james.EML';

  it.each([
    // zimbra-measured.md §3: 8.8.12 and 8.8.15.
    [`/public/NON_IPM_SUBTREE/SCHEDULE%2B%20FREE%20BUSY/${tail}`, dn],
    [`/public/NON_IPM_SUBTREE/SCHEDULE+%20FREE%20BUSY/${tail}`, dn],
    [`//public//NON_IPM_SUBTREE/SCHEDULE%2b%20FREE%20BUSY/${tail}`, dn],
    [`/PUBLIC/non_ipm_subtree/schedule+%20free%20busy/${tail}`, dn],
    // A slash inside the cn stays a separator; ampersands and parentheses are raw.
    [`/public/NON_IPM_SUBTREE/SCHEDULE+%20FREE%20BUSY/EX:_xF8FF_o=A&B(x)/USER-_xF8FF_cn=r_xF8FF_cn=a/b.EML`, '/o=A&B(x)/cn=r/cn=a/b'],
    [`/public/NON_IPM_SUBTREE/SCHEDULE+%20FREE%20BUSY/EX:_xf8ff_o=A_x003f_/USER-_xf8ff_cn=r_xf8fe_.eml`, '/o=A?/cn=r\\'],
  ])('%s', (path, expected) => {
    expect(legacyExchangeDnOfPath(path)).toBe(expected);
  });

  it.each([
    '/public/',
    '/public/NON_IPM_SUBTREE/',
    '/public/NON_IPM_SUBTREE/SCHEDULE+%20FREE%20BUSY/',
    '/public/NON_IPM_SUBTREE/SCHEDULE+%20FREE%20BUSY/EX:_xF8FF_o=x/',
    '/public/NON_IPM_SUBTREE/SCHEDULE+%20FREE%20BUSY/EX:_xF8FF_o=x/other.EML',
    '/public/NON_IPM_SUBTREE/SCHEDULE+%20FREE%20BUSY/EX:_xF8FF_o=x/USER-a',
    '/public/NON_IPM_SUBTREE/SCHEDULE+%20FREE%20BUSY/EX:/USER-.EML',
    '/public/NON_IPM_SUBTREE/OFFLINE%20ADDRESS%20BOOK/EX:_xF8FF_o=x/USER-_xF8FF_cn=a.EML',
    '/exchange/NON_IPM_SUBTREE/SCHEDULE+%20FREE%20BUSY/EX:_xF8FF_o=x/USER-_xF8FF_cn=a.EML',
    '',
  ])('%j names no message', (path) => {
    expect(legacyExchangeDnOfPath(path)).toBeUndefined();
  });

  it('what we write we read', () => {
    const own = '/o=A & B?/ou=x#y~z%41/cn=r/cn=A+B\\C';
    expect(legacyExchangeDnOfPath(messageUrl(new URL('https://mail.exch.example/'), locateMessage(own)).pathname)?.toLowerCase()).toBe(own.toLowerCase());
  });
});
