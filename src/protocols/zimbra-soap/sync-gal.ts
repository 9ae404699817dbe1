import { BridgeError } from '../../core/errors.ts';
import { attribute, childrenNamed } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { el } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { flag } from './face/member.ts';
import { ZIMBRA_ACCOUNT_NS } from './names.ts';

/** SyncGalRequest (zimbra.md §6.1). @param token undefined: from the beginning */
export function encodeSyncGalRequest(token: string | undefined, limit: number): XmlNode {
  return el('SyncGalRequest', { xmlns: ZIMBRA_ACCOUNT_NS, token, limit: String(limit) });
}

/** A page of what has changed; the entries are still to be read. */
export interface SyncGalPage {
  readonly contacts: readonly XmlElement[];
  /** Ids of `cn`s that are gone. */
  readonly deleted: readonly string[];
  /** Empty where the server gave none. */
  readonly token: string;
  readonly more: boolean;
  /** Too many others are reading: nothing was told, the token is the old one. */
  readonly isThrottled: boolean;
  readonly fullSyncRecommended: boolean;
}

/** @throws BridgeError BACKEND_MALFORMED where it is no such answer */
export function decodeSyncGalResponse(response: XmlElement | undefined): SyncGalPage {
  if (response?.name !== 'SyncGalResponse') throw new BridgeError('BACKEND_MALFORMED', 'the calendar system did not answer with its address list');
  return {
    contacts: childrenNamed(response, 'cn'),
    deleted: childrenNamed(response, 'deleted').flatMap((one) => attribute(one, 'id')?.trim() ?? []),
    token: attribute(response, 'token') ?? '',
    more: flag(response, 'more'),
    isThrottled: flag(response, 'throttled'),
    fullSyncRecommended: flag(response, 'fullSyncRecommended'),
  };
}

/** Of which GAL synchronisation accounts a token speaks: `timestamp:accountId:changeId…` (GalSyncToken.java). None: of LDAP alone, where nobody hears of deletions. */
export function accountsOfToken(token: string): readonly string[] {
  return token.split(':').slice(1).filter((_part, index) => index % 2 === 0);
}
