import type { FacePath } from '../face-path.ts';
import type { OwnMailbox } from './own-mailbox.ts';
import { isOwn, mailboxPath, pathName } from './own-mailbox.ts';

/** A folder that is there and has nothing in it but, at most, folders. */
export interface Folder {
  /** Below the server's root, escaped, a slash at both ends. */
  readonly path: string;
  readonly displayName: string;
  /** `DAV:contentclass` without `urn:content-classes:`. */
  readonly contentClass: string;
  /** `outlookfolderclass`. */
  readonly folderClass: string;
  readonly children: readonly Folder[];
}

interface WellKnownFolder {
  /** The property of `urn:schemas:httpmail:` that holds its URL. */
  readonly property: string;
  readonly displayName: string;
  readonly contentClass: string;
  readonly folderClass: string;
}

/** Exchange 2003's default folders in English, as DavMail asks for them. */
export const WELL_KNOWN_FOLDERS: readonly WellKnownFolder[] = [
  { property: 'calendar', displayName: 'Calendar', contentClass: 'calendarfolder', folderClass: 'IPF.Appointment' },
  { property: 'contacts', displayName: 'Contacts', contentClass: 'contactfolder', folderClass: 'IPF.Contact' },
  { property: 'deleteditems', displayName: 'Deleted Items', contentClass: 'mailfolder', folderClass: 'IPF.Note' },
  { property: 'drafts', displayName: 'Drafts', contentClass: 'mailfolder', folderClass: 'IPF.Note' },
  { property: 'inbox', displayName: 'Inbox', contentClass: 'mailfolder', folderClass: 'IPF.Note' },
  { property: 'outbox', displayName: 'Outbox', contentClass: 'mailfolder', folderClass: 'IPF.Note' },
  { property: 'sentitems', displayName: 'Sent Items', contentClass: 'mailfolder', folderClass: 'IPF.Note' },
  { property: 'tasks', displayName: 'Tasks', contentClass: 'taskfolder', folderClass: 'IPF.Task' },
];

/** Where Exchange takes mail to be sent: a property of the mailbox, no folder. */
export const SUBMISSION_NAME = '##DavMailSubmissionURI##';

/** The public tree's root; what is below it is not shown. */
const PUBLIC_FOLDERS: Folder = { path: '/public/', displayName: 'Public Folders', contentClass: 'folder', folderClass: 'IPF.Note', children: [] };

/**
 * The folder that a path names. Undefined for everybody else's mailbox, whether there is one or not, and for what is not in one's own.
 */
export function folderAt(path: FacePath | undefined, mailbox: OwnMailbox): Folder | undefined {
  if (path?.kind === 'public') return PUBLIC_FOLDERS;
  if (path?.kind !== 'mailbox' || !isOwn(mailbox, path.user)) return undefined;
  const root = rootFolder(mailbox);
  const [name, ...further] = path.below;
  if (name === undefined) return root;
  return further.length > 0 ? undefined : root.children.find((one) => one.displayName.toLowerCase() === name.toLowerCase());
}

function rootFolder(mailbox: OwnMailbox): Folder {
  const path = mailboxPath(mailbox);
  const children = WELL_KNOWN_FOLDERS.map((one) => ({ ...one, path: `${path}${pathName(one.displayName)}/`, children: [] }));
  return { path, displayName: mailbox.displayName, contentClass: 'folder', folderClass: 'IPF.Note', children };
}
