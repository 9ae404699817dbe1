import { BridgeError } from '../../core/errors.ts';
import { child } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { el } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { ACCOUNT_ATTRIBUTES, decodeAccount } from './account.ts';
import type { ZimbraAccount } from './account.ts';
import { ZIMBRA_ADMIN_NS } from './names.ts';

/** GetAccountRequest (urn:zimbraAdmin); `name` takes aliases too, calendar resources answer as accounts. */
export function encodeGetAccountRequest(by: 'id' | 'name', value: string): XmlNode {
  return el('GetAccountRequest', { xmlns: ZIMBRA_ADMIN_NS, attrs: ACCOUNT_ATTRIBUTES.join(',') }, el('account', { by }, value));
}

/**
 * @returns undefined where the account's name can name no mailbox
 * @throws BridgeError BACKEND_MALFORMED where there is no account in it, and as `decodeAccount`
 */
export function decodeGetAccountResponse(response: XmlElement | undefined): ZimbraAccount | undefined {
  const account = child(response, 'account') ?? child(response, 'calresource');
  if (response?.name !== 'GetAccountResponse' || account === undefined) throw new BridgeError('BACKEND_MALFORMED', 'the calendar system did not answer with an account');
  return decodeAccount(account);
}
