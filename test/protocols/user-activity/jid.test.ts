import { describe, expect, it } from 'vitest';
import { parseMailboxAddress } from '../../../src/directory/smtp-address.ts';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import { accountOf, bareJid, hasJid, jidOf } from '../../../src/protocols/user-activity/jid.ts';

describe('the JID of a mailbox', () => {
  it.each([
    ['anna@corp.example', 'anna@corp.example'],
    ['Anna.B+tag@Corp.Example', 'anna.b+tag@corp.example'],
    // XEP-0106 §4, its own examples as far as they can be an address.
    ["d'artagnan@musketeers.lit", 'd\\27artagnan@musketeers.lit'],
    ['treville&o@musketeers.lit', 'treville\\26o@musketeers.lit'],
    ['müller@corp.example', 'müller@corp.example'],
    ['山田@corp.example', '山田@corp.example'],
  ])('%s is %s', (address, jid) => {
    expect(jidOf(parseMailboxAddress(address)!)).toBe(jid);
  });

  it.each([
    ['ａｌｉｃｅ@corp.example', 'full-width letters become plain ones'],
    ['straße@corp.example', 'nodeprep makes it strasse'],
    ['ﬁnn@corp.example', 'a ligature becomes two letters'],
    ['οδος@corp.example', 'a final sigma becomes a sigma'],
    ['ali\u034fce@corp.example', 'what cannot be seen is dropped'],
    ['ali\ufe00ce@corp.example', 'a variation selector is dropped'],
    ['ali\u1806ce@corp.example', 'nodeprep drops it'],
    ['e\u0301ve@corp.example', 'not composed'],
    ['alice@ｃorp.example', 'a domain, too'],
    ['al ice@corp.example', 'a blank'],
    ['al/ice@corp.example', 'a resource'],
    ['al\u0000ice@corp.example', 'a control character'],
    ['al<ice@corp.example', 'markup'],
    ['a@b@corp.example', 'two signs'],
    [`${'&'.repeat(400)}@corp.example`, 'too long when escaped'],
  ])('%s is refused: %s', (address) => {
    expect(() => jidOf(address as MailboxAddress)).toThrow(expect.objectContaining({ code: 'MAILBOX_REFUSED', temporary: false }) as Error);
    expect(hasJid(address as MailboxAddress)).toBe(false);
  });
});

it('in two parts, for who wants them so', () => {
  expect(accountOf("d'artagnan@musketeers.lit" as MailboxAddress)).toEqual({ user: 'd\\27artagnan', host: 'musketeers.lit' });
  expect(bareJid(accountOf('at&t@corp.example' as MailboxAddress))).toBe('at\\26t@corp.example');
  expect(() => accountOf('a/b@corp.example' as MailboxAddress)).toThrow();
});
