import { convertId } from './convert-id.ts';
import { createItem } from './create-item.ts';
import { findFolder } from './find-folder.ts';
import { findItem } from './find-item.ts';
import { getFolder } from './get-folder.ts';
import { getItem } from './get-item.ts';
import { getServerTimeZones } from './get-server-time-zones.ts';
import type { EwsOperationFace } from './operation.ts';
import { resolveNames } from './resolve-names.ts';
import { syncFolderHierarchy, syncFolderItems } from './sync-folder.ts';
import { updateItem } from './update-item.ts';

/** The operations beside GetUserAvailability, by the local name of the element in the Body: what real clients were seen to insist on, and no more. */
export const FOLDER_OPERATIONS: ReadonlyMap<string, EwsOperationFace> = new Map<string, EwsOperationFace>([
  ['ConvertId', convertId],
  ['CreateItem', createItem],
  ['FindFolder', findFolder],
  ['FindItem', findItem],
  ['GetFolder', getFolder],
  ['GetItem', getItem],
  ['GetServerTimeZones', getServerTimeZones],
  ['ResolveNames', resolveNames],
  ['SyncFolderHierarchy', syncFolderHierarchy],
  ['SyncFolderItems', syncFolderItems],
  ['UpdateItem', updateItem],
]);
