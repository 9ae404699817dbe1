import { BridgeError } from '../../core/errors.ts';
import { domainOf, localPartOf } from '../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';

/** XEP-0106 §3, the characters of it that an address can have. */
const ESCAPES: Readonly<Record<string, string>> = { '&': '\\26', "'": '\\27' };

/** RFC 7622 §3.1, of each part. */
const PART_OCTETS = 1023;

/**
 * The bare JID of a mailbox: its address (the contract), with XEP-0106's escapes in the local part.
 *
 * A local part that a server could take for somebody else's is refused, because his activity would show this mailbox's meetings: servers fold JIDs in ways of their own (RFC 3920's
 * nodeprep makes `straße` to `strasse`, full-width letters to plain ones, and drops what cannot be seen).
 *
 * @throws BridgeError MAILBOX_REFUSED
 */
export function jidOf(mailbox: MailboxAddress): string {
  const problem = jidProblem(mailbox);
  if (problem !== undefined) throw new BridgeError('MAILBOX_REFUSED', problem);
  return `${escaped(localPartOf(mailbox))}@${domainOf(mailbox)}`;
}

function escaped(local: string): string {
  return local.replace(/[&']/g, (character) => ESCAPES[character]!);
}

function jidProblem(mailbox: MailboxAddress): string | undefined {
  const [local, domain] = [localPartOf(mailbox), domainOf(mailbox)];
  if (!isUnmistakable(local) || !isUnmistakable(domain)) return 'an XMPP server could take this address for another one';
  return Buffer.byteLength(escaped(local)) > PART_OCTETS ? 'the address is too long for XMPP' : undefined;
}

/** Whether `jidOf` has an answer. */
export function hasJid(mailbox: MailboxAddress): boolean {
  return jidProblem(mailbox) === undefined;
}

/** Whether no way of folding changes it. */
function isUnmistakable(text: string): boolean {
  if (/[\s\p{C}\p{Default_Ignorable_Code_Point}\u1806"/\\<>:@ς]/u.test(text)) return false;
  return text.toUpperCase().toLowerCase().normalize('NFKC') === text;
}

/** The same in two parts, as ejabberd's API wants it: `user` is the escaped local part. */
export interface Account {
  readonly user: string;
  readonly host: string;
}

/** @throws BridgeError MAILBOX_REFUSED as jidOf */
export function accountOf(mailbox: MailboxAddress): Account {
  const jid = jidOf(mailbox);
  const at = jid.lastIndexOf('@');
  return { user: jid.slice(0, at), host: jid.slice(at + 1) };
}

export function bareJid({ user, host }: Account): string {
  return `${user}@${host}`;
}
