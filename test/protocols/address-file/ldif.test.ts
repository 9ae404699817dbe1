import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mistakesOf, readText } from './read-text.ts';

const ANNA = 'dn: cn=anna\nmail: anna@corp.example\n';

describe('LDIF', () => {
  it('knows contacts, rooms, equipment, groups and hidden ones by the attributes of Active Directory and of Zimbra', async () => {
    const entry = (name: string, ...lines: readonly string[]): string => `dn: cn=${name}\nmail: ${name}@corp.example\n${lines.join('\n')}\n`;
    const { entries } = await readText(
      'a.ldif',
      [
        entry('contact', 'objectClass: contact', 'targetAddress: SMTP:kim@zimbra.example', 'proxyAddresses: SMTP:contact@corp.example', 'proxyAddresses: X500:/o=Old/cn=c', 'mailNickname: con', 'legacyExchangeDN: /o=Corp/cn=contact'),
        entry('room', 'msExchRecipientDisplayType: 7', 'msExchResourceCapacity: 8'),
        entry('beamer', 'msExchRecipientDisplayType: 8', 'msExchHideFromAddressLists: TRUE'),
        entry('remote', 'msExchRecipientDisplayType: -2147483642', 'targetAddress: SMTP:remote@cloud.example'),
        entry('red', 'zimbraCalResType: Location', 'zimbraMailDeliveryAddress: red@zimbra.example', 'zimbraMailAlias: rot@corp.example', 'zimbraForeignPrincipal: ad:kim', 'zimbraHideInGal: FALSE'),
        entry('list', 'objectClass: zimbraDistributionList', 'zimbraMailForwardingAddress: Kim@Zimbra.example'),
      ].join('\n'),
    );
    expect(entries.map(({ kind, isMailbox, isHidden }) => [kind, isMailbox, isHidden])).toEqual([
      ['contact', false, undefined],
      ['room', true, undefined],
      ['equipment', true, true],
      ['person', false, undefined],
      ['room', true, undefined],
      ['group', true, undefined],
    ]);
    expect(entries[0]).toMatchObject({ targetAddress: 'kim@zimbra.example', formerDns: ['/o=Old/cn=c'], legacyExchangeDn: '/o=Corp/cn=contact', nickname: 'con' });
    expect(entries[0]).not.toHaveProperty('aliases');
    expect(entries[4]).toMatchObject({ aliases: ['red@zimbra.example', 'rot@corp.example'], foreignPrincipal: 'kim' });
    expect(entries[5]!.members).toEqual(['kim@zimbra.example']);
  });

  it('a contact without an address of its own is known by the one it stands for', async () => {
    expect((await readText('a.ldif', 'dn: cn=c\nobjectClass: contact\ntargetAddress: SMTP:Kim@Zimbra.example\n')).entries).toMatchObject([{ address: 'kim@zimbra.example', targetAddress: 'kim@zimbra.example' }]);
  });

  it('takes CRLF, several blank lines, a byte order mark and UTF-16', async () => {
    for (const bytes of [Buffer.from(ANNA.replaceAll('\n', '\r\n')), Buffer.from(`\ufeff\n\n${ANNA}\n\n\n`), Buffer.from(`\ufeff${ANNA}`, 'utf16le')]) expect((await readText('a.ldif', bytes)).entries).toMatchObject([{ address: 'anna@corp.example' }]);
  });

  it.each([
    ['dn: cn=a\nmail: a@corp.exam', '2: the file ends in the middle of a line: it is cut off, or still being written'],
    [`${ANNA}title: a`, '3: the file ends in the middle of a line: it is cut off, or still being written'],
    ['mail: a@corp.example\n', '1: an entry begins with its dn'],
    ['dn:\nmail: a@corp.example\n', '1: the dn is empty'],
    ['dn:: /w==\nmail: a@corp.example\n', '1: the dn is no UTF-8'],
    [`${ANNA}nonsense\n`, '3: this is no line of LDIF: attribute, colon, value'],
    [`${ANNA}-\n`, '3: this is no line of LDIF: attribute, colon, value'],
    [`${ANNA}cn:: not base64!\n`, '3: the value is no base64'],
    [`${ANNA}cn:: YQ=\n`, '3: the value is no base64'],
    [`${ANNA}jpegPhoto:< file:///etc/passwd\n`, '3: values by URL are not fetched'],
    ['dn: cn=a\nchangetype: delete\n', '2: changetype: this file holds changes, not entries'],
    ['version: 2\n\ndn: cn=a\n', '1: only version 1 of LDIF is known'],
    [' begins with a fold\n', '1: a line is continued where none stands before it'],
    [`dn: cn=a\nsearch: 2\n\nsearch: 2\nresult: 32 No such object\n`, '4: the search of which this is the answer did not end well: 32 No such object'],
  ])('%j is a mistake', async (text, mistake) => {
    expect(await mistakesOf('a.ldif', text)).toEqual([mistake]);
  });

  it('goes on behind a mistake, and stops after a few', async () => {
    expect(await mistakesOf('a.ldif', `dn: cn=a\nx\n\n${ANNA}\ndn: cn=b\ny\n`)).toEqual(['2: this is no line of LDIF: attribute, colon, value', '8: this is no line of LDIF: attribute, colon, value']);
    expect(await mistakesOf('a.ldif', 'dn: cn=a\nx\n\n'.repeat(100_000))).toHaveLength(5);
  });

  it('an entry of millions of characters is refused, and said how many it may have', async () => {
    expect(await mistakesOf('a.ldif', `${ANNA}jpegPhoto:: ${'AAAA'.repeat(600_000)}\n`)).toEqual(['3: an entry has more than 1048576 characters']);
    expect(await mistakesOf('a.ldif', `${ANNA}title: a\n${' b\n'.repeat(2_200_000)}`)).toEqual(['3: an entry has more than 1048576 characters']);
  });

  it('whatever comes, every entry is one, and nothing throws', async () => {
    const line = fc.oneof(fc.constantFrom('dn: cn=a', 'mail: a@b.c', 'mail:: YUBiLmM=', '', ' fold', '#', 'version: 1', 'cn:: ', 'cn:<x', 'member: cn=a', 'objectClass: group'), fc.string());
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 20 }), fc.constantFrom('\n', '\r\n'), async (lines, end) => {
        const { entries } = await readText('a.ldif', `#${lines.join(end)}`);
        for (const { id, address, isMailbox, kind } of entries) expect([id !== '', address.includes('@'), isMailbox && kind === 'contact']).toEqual([true, true, false]);
      }),
      { numRuns: 500 },
    );
  });
});
