import { parseMailboxAddress } from '../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { Mistake, text } from './field.ts';
import type { Field } from './field.ts';

/** A mailbox's address, as the bridge compares it. */
export function mailbox(): Field<MailboxAddress> {
  return text('a mail address, e.g. anna@corp.example', parseMailboxAddress);
}

/** A mail domain, lower case. */
export function domain(): Field<string> {
  const right = 'a mail domain, e.g. corp.example';
  return text(right, (value) => {
    if (value.includes('@')) throw new Mistake(`should be ${right}, without @; single addresses belong under mailboxes`);
    // Exactly what an address can hold after its @, so that every domain listed can be met.
    return parseMailboxAddress(`x@${value}`) === `x@${value.toLowerCase()}` ? value.toLowerCase() : undefined;
  });
}
