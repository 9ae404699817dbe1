import { BridgeError } from '../../core/errors.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { decodeFreeBusyMessage } from '../schedule-plus/free-busy-message.ts';
import type { FreeBusyMessage } from '../schedule-plus/free-busy-message.ts';
import type { MessageLocation } from '../schedule-plus/legacy-exchange-dn.ts';
import { decodeFindFolder, encodeFindFolder } from './find-folder.ts';
import { decodeFindItem, encodeFindItem } from './find-item.ts';
import type { EwsId } from './folder-id.ts';
import { decodeGetFolderParent, encodeGetPublicFoldersRoot } from './get-folder.ts';
import { decodeGetItem, encodeGetItem } from './get-item.ts';
import type { EwsOperation } from './names.ts';

/** Sends one request and gives the Body of the answer; throws BridgeError, Faults included. */
export type EwsCall = (operation: EwsOperation, body: XmlNode) => Promise<XmlElement>;

/** From the root of the public folder tree to the folder of the `EX:` folders. */
export const SCHEDULE_PLUS_PATH = ['NON_IPM_SUBTREE', 'SCHEDULE+ FREE BUSY'] as const;

/**
 * What the server says about an id that it does not know (any more): a dead connection, a missing right or a refused property is no
 * reason to look for folders again, or to write twice.
 */
const ABOUT_AN_ID = /NotFound$|PublicFolder|^ErrorInvalid(?:Id|FolderId|ParentFolder|ChangeKey)|^ErrorInternalServerError$/;

/**
 * Finds the folders of the free/busy messages (exchange.md §3.5) and remembers their ids for the life of the process: finding
 * one costs four requests. An id that the server refuses is forgotten with all others, and looked for once more.
 */
export class FreeBusyFolders {
  readonly #ids = new Map<string, EwsId>();

  /**
   * Runs `use` with the id of an `EX:…` folder.
   *
   * @throws BridgeError NO_DATA where there is no such folder; whatever `use` throws
   */
  async withFolder<T>(name: string, call: EwsCall, use: (folder: EwsId) => Promise<T>): Promise<T> {
    const hadIds = this.#ids.size > 0;
    try {
      return await use(await this.#find(name, call));
    } catch (error) {
      if (!(error instanceof BridgeError) || !ABOUT_AN_ID.test(String(error.details['responseCode']))) throw error;
      this.#ids.clear();
      if (!hadIds || error.temporary) throw error;
      return await use(await this.#find(name, call));
    }
  }

  async #find(name: string, call: EwsCall): Promise<EwsId> {
    const top = await this.#remember('', async () => decodeGetFolderParent(await call('GetFolder', encodeGetPublicFoldersRoot())));
    let parent = top;
    for (const step of [...SCHEDULE_PLUS_PATH, name]) {
      const above = parent;
      parent = await this.#remember(step.toLowerCase(), async () => {
        const found = decodeFindFolder(await call('FindFolder', encodeFindFolder(above, step)), step);
        if (found !== undefined) return found;
        throw new BridgeError('NO_DATA', 'the folder of the free/busy messages is missing', { details: { folder: step } });
      });
    }
    return parent;
  }

  async #remember(key: string, find: () => Promise<EwsId>): Promise<EwsId> {
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const found = await find();
    this.#ids.set(key, found);
    return found;
  }
}

/**
 * Reads the free/busy messages at `locations`, all in one folder, in two requests: one result each, in order. A message that
 * is not there is MAILBOX_UNKNOWN, one that is there twice is no data; neither is ever free.
 *
 * @throws BridgeError where the folder or the request as a whole failed
 */
export async function readMessages(
  folders: FreeBusyFolders,
  call: EwsCall,
  locations: readonly MessageLocation[],
): Promise<readonly (FreeBusyMessage | BridgeError)[]> {
  const subjects = locations.map((one) => one.subject.toUpperCase());
  const found = await folders.withFolder(locations[0]!.folder, call, async (folder) =>
    decodeFindItem(await call('FindItem', encodeFindItem(folder, [...new Set(subjects)]))),
  );
  const wanted = [...new Set(subjects)].filter((subject) => found.get(subject)?.length === 1);
  const ids = wanted.map((subject) => found.get(subject)![0]!.id);
  const items = ids.length === 0 ? [] : decodeGetItem(await call('GetItem', encodeGetItem(ids)), ids.length);
  return subjects.map((subject) => {
    const hits = found.get(subject)?.length ?? 0;
    if (hits === 0) return new BridgeError('MAILBOX_UNKNOWN', 'the mailbox has no free/busy message');
    if (hits > 1) return new BridgeError('NO_DATA', 'the mailbox has several free/busy messages', { details: { messages: hits } });
    const item = items[wanted.indexOf(subject)]!;
    if ('error' in item) return item.error;
    if (item.subject.toUpperCase() !== subject) return new BridgeError('NO_DATA', 'the server gave another message than was asked for');
    return decodeFreeBusyMessage(item.properties);
  });
}
