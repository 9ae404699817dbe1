import type { Request, Response } from 'express';
import { BridgeError } from '../../core/errors.ts';
import { noteForLog } from '../../platform/http-server/request-scope.ts';
import { folderAt } from './face/folder.ts';
import type { OwnMailbox } from './face/own-mailbox.ts';
import { decodeFolderPropfind, encodeFolderMultistatus, foldersWithin, multistatus } from './face/propfind-folder.ts';
import { requestDocument } from './face/request-document.ts';
import { decodeSearchScopes } from './face/search-folder.ts';
import { facePathOf } from './face-path.ts';
import type { FacePath } from './face-path.ts';

const METHODS = 'OPTIONS, GET, HEAD, PROPFIND, SEARCH';

/**
 * WebDAV on the empty folders of whoever signed in. A folder of anybody else is not there, by any method.
 *
 * @param root the server's URL, without a slash at its end
 */
export async function answerFolder(path: FacePath, mailbox: OwnMailbox, root: string, request: Request, response: Response): Promise<void> {
  const folder = folderAt(path, mailbox);
  if (folder === undefined) throw new BridgeError('NOT_FOUND', 'no such folder');
  const { method } = request;
  if (method === 'PROPFIND') {
    noteForLog(request, { operation: 'propfind' });
    const folders = foldersWithin(folder, request.get('depth'));
    const wanted = decodeFolderPropfind(await requestDocument(request));
    sendMultistatus(response, encodeFolderMultistatus(folders, wanted, root, request.get('brief')?.trim().toLowerCase() === 't'));
  } else if (method === 'SEARCH') {
    noteForLog(request, { operation: 'search' });
    const scopes = decodeSearchScopes(await requestDocument(request));
    const areThere = scopes.every((scope) => scope === '' || folderAt(facePathOf(scope), mailbox) !== undefined);
    if (!areThere) throw new BridgeError('NOT_FOUND', 'no such folder');
    sendMultistatus(response, multistatus([]));
  } else if (method === 'OPTIONS') {
    noteForLog(request, { operation: 'options' });
    response.status(200).set({ 'MS-Author-Via': 'DAV', DAV: '1, 2', DASL: '<DAV:sql>', Allow: METHODS, Public: METHODS, 'Cache-Control': 'no-store' }).end();
  } else if (method === 'GET' || method === 'HEAD') {
    throw new BridgeError('NOT_FOUND', 'there is nothing here but commands');
  } else {
    response.status(405).set('Allow', METHODS).type('text/plain').send('method not allowed\n');
  }
}

function sendMultistatus(response: Response, body: string): void {
  // Not type(), not a string: Express would name the charset, and DavMail reads a SEARCH's answer only where the header is these eight characters.
  response.status(207).set('Cache-Control', 'no-store').setHeader('Content-Type', 'text/xml').send(Buffer.from(body));
}
