import { BridgeError } from '../../core/errors.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { el } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { TYPES_NS } from './names.ts';

/** `t:ExchangeImpersonation`: the request is made as the mailbox's owner (exchange.md §3.6). PrimarySmtpAddress, which 2007 knows too. */
export function encodeImpersonation(mailbox: MailboxAddress): XmlNode {
  return el('t:ExchangeImpersonation', { 'xmlns:t': TYPES_NS }, el('t:ConnectingSID', undefined, el('t:PrimarySmtpAddress', undefined, mailbox)));
}

const ROLE =
  'the account needs the role: New-ManagementRoleAssignment -Role ApplicationImpersonation -User ACCOUNT (Exchange Online: the RBAC role "Application EWS.AccessAsApp"; 2007: the extended rights ms-Exch-EPI-Impersonation and ms-Exch-EPI-May-Impersonate); it may take a quarter of an hour';
const ADDRESS = 'impersonate must name the primary address of a mailbox of this organisation';

/** What an administrator does about each refusal of impersonation. */
export const IMPERSONATION_ADVICE: ReadonlyMap<string, string> = new Map([
  ['ErrorImpersonateUserDenied', ROLE],
  ['ErrorImpersonationDenied', ROLE],
  ['ErrorImpersonationFailed', 'sign in with an account of the directory: user@domain or DOMAIN\\user'],
  ['ErrorInvalidExchangeImpersonationHeaderData', ADDRESS],
  ['ErrorNonExistentMailbox', ADDRESS],
]);

/** Where a request was made in the name of `impersonate`: its refusal is a refusal of our account, with what to do; every other error stays itself. */
export function impersonationError(error: BridgeError): BridgeError {
  const responseCode = String(error.details['responseCode']);
  const hint = IMPERSONATION_ADVICE.get(responseCode);
  if (hint === undefined) return error;
  return new BridgeError('BACKEND_AUTH', 'the calendar system does not let the bridge act for its mailbox', { details: { responseCode, hint }, cause: error });
}
