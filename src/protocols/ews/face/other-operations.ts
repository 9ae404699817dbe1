import { convertId } from './convert-id.ts';
import { createItem } from './create-item.ts';
import { expandDl } from './expand-dl.ts';
import { findFolder } from './find-folder.ts';
import { findItem } from './find-item.ts';
import { findPeople } from './find-people.ts';
import { getFolder } from './get-folder.ts';
import { getItem } from './get-item.ts';
import { getPersona } from './get-persona.ts';
import { getRoomLists, getRooms } from './get-rooms.ts';
import { getServerTimeZones } from './get-server-time-zones.ts';
import type { EwsOperationFace } from './operation.ts';
import { resolveNames } from './resolve-names.ts';
import { syncFolderHierarchy, syncFolderItems } from './sync-folder.ts';
import { updateItem } from './update-item.ts';

/** The operations beside GetUserAvailability, by the local name of the element in the Body: what real clients were seen to insist on, and no more. */
export const FOLDER_OPERATIONS: ReadonlyMap<string, EwsOperationFace> = new Map<string, EwsOperationFace>([
  ['ConvertId', convertId],
  ['CreateItem', createItem],
  ['ExpandDL', expandDl],
  ['FindFolder', findFolder],
  ['FindItem', findItem],
  ['FindPeople', findPeople],
  ['GetFolder', getFolder],
  ['GetItem', getItem],
  ['GetPersona', getPersona],
  ['GetRoomLists', getRoomLists],
  ['GetRooms', getRooms],
  ['GetServerTimeZones', getServerTimeZones],
  ['ResolveNames', resolveNames],
  ['SyncFolderHierarchy', syncFolderHierarchy],
  ['SyncFolderItems', syncFolderItems],
  ['UpdateItem', updateItem],
]);
