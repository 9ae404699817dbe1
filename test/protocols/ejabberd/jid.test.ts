import { expect, it } from 'vitest';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import { accountOf, bareJid } from '../../../src/protocols/ejabberd/jid.ts';

/** XEP-0106 §4: the table, and the examples of §5 as far as an address may have such characters. */
it.each([
  ['anna@corp.example', 'anna@corp.example'],
  ['spa ce@corp.example', 'spa\\20ce@corp.example'],
  ['quote"d@corp.example', 'quote\\22d@corp.example'],
  ["d'artagnan@musketeers.lit", 'd\\27artagnan@musketeers.lit'],
  ['at&t@corp.example', 'at\\26t@corp.example'],
  ['here/there@corp.example', 'here\\2fthere@corp.example'],
  ['<a>:@corp.example', '\\3ca\\3e\\3a@corp.example'],
  // Only what would read as an escape is escaped (§4.2).
  ['c\\cool stuff@corp.example', 'c\\cool\\20stuff@corp.example'],
  ['c\\5cools@corp.example', 'c\\5c5cools@corp.example'],
  ['o\\27neil@corp.example', 'o\\5c27neil@corp.example'],
  ['jörg+x_y-z.w@bücher.example', 'jörg+x_y-z.w@bücher.example'],
])('%s', (address, jid) => {
  expect(bareJid(accountOf(address as MailboxAddress))).toBe(jid);
});
