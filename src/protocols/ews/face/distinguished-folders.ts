import { encodeStoreId, isOrganisation } from './store-id.ts';
import type { StoreId } from './store-id.ts';

/** A folder as the face shows it: always there, always empty. */
export interface Folder {
  readonly id: StoreId;
  /** Absent for the roots. */
  readonly parent?: StoreId;
  /** Element of the types namespace, without a prefix. */
  readonly element: 'Folder' | 'CalendarFolder' | 'ContactsFolder' | 'TasksFolder';
  /** PR_CONTAINER_CLASS; absent for the roots. */
  readonly folderClass?: string;
  readonly displayName: string;
  readonly childFolders: number;
  /** Its name among the distinguished ones, where it has one. */
  readonly distinguished?: string;
  readonly isPublic: boolean;
  /** Whether messages may be put into it. */
  readonly takesMessages: boolean;
}

type Row = readonly [element: Folder['element'], folderClass: string, displayName: string, parent: string];

/** Folders of every mailbox, with the names of an English Exchange. */
const MAILBOX_FOLDERS: Readonly<Record<string, Row>> = {
  root: ['Folder', '', 'Root', ''],
  msgfolderroot: ['Folder', '', 'Top of Information Store', 'root'],
  searchfolders: ['Folder', '', 'Finder', 'root'],
  inbox: ['Folder', 'IPF.Note', 'Inbox', 'msgfolderroot'],
  outbox: ['Folder', 'IPF.Note', 'Outbox', 'msgfolderroot'],
  sentitems: ['Folder', 'IPF.Note', 'Sent Items', 'msgfolderroot'],
  deleteditems: ['Folder', 'IPF.Note', 'Deleted Items', 'msgfolderroot'],
  drafts: ['Folder', 'IPF.Note', 'Drafts', 'msgfolderroot'],
  junkemail: ['Folder', 'IPF.Note', 'Junk Email', 'msgfolderroot'],
  calendar: ['CalendarFolder', 'IPF.Appointment', 'Calendar', 'msgfolderroot'],
  contacts: ['ContactsFolder', 'IPF.Contact', 'Contacts', 'msgfolderroot'],
  tasks: ['TasksFolder', 'IPF.Task', 'Tasks', 'msgfolderroot'],
  journal: ['Folder', 'IPF.Journal', 'Journal', 'msgfolderroot'],
  notes: ['Folder', 'IPF.StickyNote', 'Notes', 'msgfolderroot'],
};

/** The public folder tree down to the free/busy folders; the topmost has no distinguished name (zimbra-measured.md §5: Zimbra takes it from ParentFolderId). */
const PUBLIC_FOLDERS: Readonly<Record<string, Row>> = {
  publicroot: ['Folder', '', 'Public Root', ''],
  publicfoldersroot: ['Folder', '', 'IPM_SUBTREE', 'publicroot'],
  nonipmsubtree: ['Folder', '', 'NON_IPM_SUBTREE', 'publicroot'],
  schedulefreebusy: ['Folder', 'IPF.Note', 'SCHEDULE+ FREE BUSY', 'nonipmsubtree'],
};

const FOLDERS: ReadonlyMap<string, Folder> = new Map([...rowsOf(MAILBOX_FOLDERS, false), ...rowsOf(PUBLIC_FOLDERS, true)]);

function rowsOf(rows: Readonly<Record<string, Row>>, isPublic: boolean): (readonly [string, Folder])[] {
  return Object.entries(rows).map(([name, [element, folderClass, displayName, parent]]) => [
    name,
    {
      id: { kind: 'folder', name },
      ...(parent === '' ? {} : { parent: { kind: 'folder', name: parent } }),
      element,
      ...(folderClass === '' ? {} : { folderClass }),
      displayName,
      // A mailbox's own lists are empty on purpose: nobody is to look for mail or appointments here.
      childFolders: isPublic ? Object.values(rows).filter((row) => row[3] === name).length : 0,
      ...(isPublic && name !== 'publicfoldersroot' ? {} : { distinguished: name }),
      isPublic,
      takesMessages: false,
    },
  ]);
}

/** The folder of an id; undefined where there is none, as for a message. */
export function folderOf(id: StoreId): Folder | undefined {
  if (id.kind === 'folder') return FOLDERS.get(id.name);
  return id.kind === 'organisation' ? organisationFolder(id.organisation) : undefined;
}

/** The folder with that distinguished name; undefined where this server has none (archives, and what later versions added). */
export function distinguishedFolder(name: string): Folder | undefined {
  const folder = FOLDERS.get(name);
  return folder?.distinguished === undefined ? undefined : folder;
}

/** The folder in which the free/busy messages of one organisation lie. Every organisation has one: whose message it is shows when it comes. */
export function organisationFolder(organisation: string): Folder | undefined {
  if (!isOrganisation(organisation)) return undefined;
  return {
    id: { kind: 'organisation', organisation },
    parent: { kind: 'folder', name: 'schedulefreebusy' },
    element: 'Folder',
    folderClass: 'IPF.Note',
    displayName: `EX:${organisation}`,
    childFolders: 0,
    isPublic: true,
    takesMessages: true,
  };
}

/** The folders right below one that have a fixed name; none below a mailbox's. */
export function childrenOf(folder: Folder): readonly Folder[] {
  if (!folder.isPublic) return [];
  const id = encodeStoreId(folder.id);
  return [...FOLDERS.values()].filter((one) => one.parent !== undefined && encodeStoreId(one.parent) === id);
}
