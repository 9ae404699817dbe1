import type { IncomingMessage } from 'node:http';
import { LIMITS } from '../../core/limits.ts';
import type { Requester } from '../../core/request-context.ts';
import { noteForLog } from '../../platform/http-server/request-scope.ts';
import { PROPERTY } from '../schedule-plus/properties.ts';
import { ownerOfMessage } from '../schedule-plus/pushed-messages.ts';
import type { PushedMessages } from '../schedule-plus/pushed-messages.ts';
import { requestDocument } from './face/request-document.ts';
import { decodeMessageProppatch } from './proppatch-message.ts';
import { encodeProppatchResponse } from './proppatch-response.ts';

/**
 * Takes the push of a stock Zimbra for what it is worth: that the calendar of the message's owner has changed. Its content has the faults of
 * zimbra-measured.md §4 and is not used.
 *
 * Zimbra takes 207 for success whatever is in it, and any other status for a reason to try again for ever with its whole queue behind it
 * (zimbra.md §4.8). So only what another try may mend is refused: a mailbox that is nobody's gets a 207 with 404 in it, and a line in the log.
 *
 * @param path of the message; its DN counts where the body names none that is known
 * @returns the body of the 207
 * @throws BridgeError STORE_UNAVAILABLE, BODY_TOO_LARGE, INVALID_REQUEST where the body is no propertyupdate
 */
export async function takePushedMessage(
  pushed: PushedMessages,
  path: { readonly path: string; readonly legacyExchangeDn: string },
  requester: Requester,
  request: IncomingMessage,
): Promise<string> {
  const { raw, tags } = decodeMessageProppatch(await requestDocument(request, LIMITS.pushedMessageBytes));
  const { from } = requester;
  const mailbox = await ownerOfMessage(pushed, [raw.get(PROPERTY.legacyExchangeDn)?.[0]?.trim(), path.legacyExchangeDn], from);
  if (mailbox === undefined) {
    noteForLog(request, { system: from, code: 'MAILBOX_UNKNOWN', reason: 'the pushed message is of no mailbox that this client may speak about' });
    return encodeProppatchResponse(path.path, 404, []);
  }
  noteForLog(request, { system: from, mailbox });
  await pushed.changed(mailbox, from);
  return encodeProppatchResponse(path.path, 200, tags);
}
