import type { Requester } from '../../../core/request-context.ts';
import { parseMailboxAddress } from '../../../directory/smtp-address.ts';

/** The mailbox of whoever signed in: it is empty, and the only one that can be opened. */
export interface OwnMailbox {
  /** By which it may be called in a URL, lower case. */
  readonly names: ReadonlySet<string>;
  /** The one we call it by: an address where there is one, because DavMail takes it for its user's (it guesses otherwise). */
  readonly name: string;
  /** Its folder's display name, which DavMail takes for the user's alias. */
  readonly displayName: string;
}

/**
 * A client has no calendar of its own, but DavMail looks for its folders before it asks anything.
 */
export function ownMailbox(requester: Requester): OwnMailbox {
  const names = [requester.name, requester.username ?? requester.name];
  const name = names.find((one) => parseMailboxAddress(one) !== undefined) ?? requester.name;
  return { names: new Set(names.map((one) => one.toLowerCase())), name, displayName: requester.name };
}

/** Whether this name in a URL means the mailbox. */
export function isOwn(mailbox: OwnMailbox, user: string | undefined): boolean {
  return user !== undefined && mailbox.names.has(user.toLowerCase());
}

/** The mailbox's path below the server's root, a slash at both ends. */
export function mailboxPath(mailbox: OwnMailbox): string {
  return `/exchange/${pathName(mailbox.name)}/`;
}

/** One name as a segment of a path. `@` stays: DavMail looks for it. */
export function pathName(name: string): string {
  return encodeURIComponent(name).replace(/%40/g, '@');
}
