import { noteForLog } from '../../../platform/http-server/request-scope.ts';
import { PROPERTY } from '../../schedule-plus/properties.ts';
import type { RawProperties } from '../../schedule-plus/properties.ts';
import { ownerOfMessage } from '../../schedule-plus/pushed-messages.ts';
import { publicFolders } from './folder-reference.ts';
import type { EwsCall } from './operation.ts';
import { isSubject } from './store-id.ts';

/** What a free/busy message says of whose it is. */
export interface PushedItem {
  /** Of the folder it lies in, where that is known. */
  readonly organisation: string | undefined;
  readonly subject: string | undefined;
  readonly properties: RawProperties;
}

/** Whether an item is a free/busy message: by its subject, or by a legacyExchangeDN in it. */
export function isFreeBusyMessage({ subject, properties }: PushedItem): boolean {
  return isSubject(subject ?? '') || properties.has(PROPERTY.legacyExchangeDn);
}

/**
 * Takes a stock Zimbra's push over EWS for what it is worth: that the calendar of the message's owner has changed. Its content (zimbra-measured.md §4)
 * is not used. The owner is whoever the legacyExchangeDN in it names, else whoever folder and subject name.
 *
 * Zimbra looks at no response code and tries again only after a Fault (zimbra.md §4.7), so a message that is nobody's is taken and logged.
 *
 * @throws BridgeError STORE_UNAVAILABLE: a Fault, so that Zimbra tries again
 */
export async function hearPushedItem(item: PushedItem, call: EwsCall): Promise<void> {
  const { from } = call.requester;
  const pushed = publicFolders(call);
  const named = item.properties.get(PROPERTY.legacyExchangeDn)?.[0]?.trim();
  const byPlace = item.organisation === undefined || !isSubject(item.subject ?? '') ? undefined : item.organisation + item.subject!.slice('USER-'.length);
  const mailbox = pushed === undefined ? undefined : await ownerOfMessage(pushed, [named, byPlace], from);
  if (pushed === undefined || mailbox === undefined) {
    noteForLog(call.request, { system: from, code: 'MAILBOX_UNKNOWN', reason: 'the pushed message is of no mailbox that this client may speak about' });
    return;
  }
  noteForLog(call.request, { operation: 'push', system: from, mailbox });
  await pushed.changed(mailbox, from);
}
