import type { Requester } from '../../core/request-context.ts';
import { ownAddress } from '../../directory/own-address.ts';
import { parseMailboxAddress } from '../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';

/** The signed-in client as a principal (RFC 3744 §2). */
export interface Caller {
  /** Its segment in paths, and its display name. */
  readonly name: string;
  /** The mailbox that its user name names; undefined where that is none. */
  readonly mailbox: MailboxAddress | undefined;
  /** Its calendar user address, `mailto:…`; every principal has one, or Thunderbird asks about nobody. */
  readonly address: string;
}

/**
 * @param publicUrl where an address must be made up, it is at this host
 */
export function callerOf(requester: Requester, publicUrl: string): Caller {
  const name = requester.anonymous ? 'anonymous' : requester.name;
  const mailbox = requester.anonymous ? undefined : ownAddress(requester);
  return { name, mailbox, address: `mailto:${mailbox ?? madeUpAddress(name, publicUrl)}` };
}

function madeUpAddress(name: string, publicUrl: string): string {
  const localPart = name.toLowerCase().replace(/[^\p{L}\p{N}._-]+/gu, '-').replaceAll('..', '-');
  const { hostname } = new URL(publicUrl);
  return parseMailboxAddress(`${localPart}@${hostname}`) ?? parseMailboxAddress(`${localPart}@localhost`) ?? 'client@localhost';
}
