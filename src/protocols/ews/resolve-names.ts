import { BridgeError } from '../../core/errors.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { el } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { onlyResponseMessage } from './folder-id.ts';
import { messageElement } from './names.ts';

/** Asks whether the directory knows an address or a legacyExchangeDN (exchange.md §3.3). Without SearchScope, which 2007 does not know. */
export function encodeResolveNames(entry: string): XmlNode {
  return messageElement('ResolveNames', { ReturnFullContactData: 'false' }, el('m:UnresolvedEntry', undefined, entry));
}

/** Whether somebody was found; several are somebody, and so is one without a mailbox (a mail contact). @throws BridgeError whatever else went wrong */
export function decodeResolveNames(body: XmlElement): boolean {
  try {
    onlyResponseMessage(body, 'ResolveNames');
    return true;
  } catch (error) {
    const code = error instanceof BridgeError ? error.details['responseCode'] : undefined;
    if (code === 'ErrorNameResolutionNoResults') return false;
    if (code === 'ErrorNameResolutionMultipleResults' || code === 'ErrorNameResolutionNoMailbox') return true;
    throw error;
  }
}
