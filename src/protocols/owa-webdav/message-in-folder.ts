import { BridgeError } from '../../core/errors.ts';
import type { MessageLocation } from '../schedule-plus/legacy-exchange-dn.ts';
import { messageUrl } from '../schedule-plus/message-url.ts';

/** The URL of a message in a folder whose URL, with a slash at its end, is the server's own spelling. */
export function messageIn(folder: URL, location: MessageLocation): URL {
  const path = messageUrl(folder, location).pathname;
  const url = new URL(folder.href);
  url.pathname += path.slice(path.lastIndexOf('/') + 1);
  return url;
}

/** None of the servers that were asked has the EX: folder itself. */
export function folderMissing(folder: string, status: number): BridgeError {
  return new BridgeError('NO_DATA', 'the free/busy folder of the administrative group is not on the server', {
    details: { status, folder, hint: `the folder ${folder} does not exist on this server: no replica of it, or it was never created. List a server under \`servers\` that has one, or compare the legacyExchangeDN` },
  });
}
