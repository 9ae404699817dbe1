import { xml } from '../../../platform/xml/write.ts';
import type { XmlText } from '../../../platform/xml/write.ts';
import { DAV } from '../names.ts';
import { SUBMISSION_NAME, WELL_KNOWN_FOLDERS } from './folder.ts';
import type { Folder } from './folder.ts';
import { pathName } from './own-mailbox.ts';

/** A property's name. */
export interface PropertyName {
  readonly ns: string;
  readonly name: string;
}

/** A property with its value; `type` is what the attribute `dt` says. */
export interface FolderProperty extends PropertyName {
  readonly value: string | XmlText;
  readonly type?: 'boolean' | 'int' | 'dateTime.tz' | undefined;
}

const EXCHANGE = 'http://schemas.microsoft.com/exchange/';
const HTTPMAIL = 'urn:schemas:httpmail:';
const REPL = 'http://schemas.microsoft.com/repl/';

/** DavMail makes ETags of this and of `contenttag`, and falls over a null where either is missing. An empty folder's are the same for ever. */
const NEVER_CHANGED = '2000-01-01T00:00:00.000Z';

/** Everything that is known of a folder; `root` is the server's URL without a slash at its end. */
export function folderProperties(folder: Folder, root: string): readonly FolderProperty[] {
  const href = root + folder.path;
  const flag = (ns: string, name: string, isSet: boolean): FolderProperty => ({ ns, name, value: isSet ? '1' : '0', type: 'boolean' });
  const none = (ns: string, name: string): FolderProperty => ({ ns, name, value: '0', type: 'int' });
  const hasFolders = folder.children.length > 0;
  return [
    { ns: DAV, name: 'displayname', value: folder.displayName },
    { ns: DAV, name: 'href', value: href },
    { ns: DAV, name: 'resourcetype', value: xml`<a:collection/>` },
    { ns: DAV, name: 'contentclass', value: `urn:content-classes:${folder.contentClass}` },
    flag(DAV, 'iscollection', true),
    flag(DAV, 'isfolder', true),
    flag(DAV, 'ishidden', false),
    flag(DAV, 'hassubs', hasFolders),
    flag(DAV, 'nosubs', true),
    none(DAV, 'objectcount'),
    none(DAV, 'visiblecount'),
    { ns: DAV, name: 'childcount', value: String(folder.children.length), type: 'int' },
    { ns: DAV, name: 'getlastmodified', value: NEVER_CHANGED, type: 'dateTime.tz' },
    { ns: DAV, name: 'creationdate', value: NEVER_CHANGED, type: 'dateTime.tz' },
    { ns: EXCHANGE, name: 'outlookfolderclass', value: folder.folderClass },
    { ns: EXCHANGE, name: 'permanenturl', value: href },
    none(HTTPMAIL, 'unreadcount'),
    { ns: REPL, name: 'contenttag', value: 'empty' },
    ...(hasFolders ? wellKnownUrls(folder, root) : []),
  ];
}

function wellKnownUrls(mailbox: Folder, root: string): readonly FolderProperty[] {
  const urls = WELL_KNOWN_FOLDERS.map(({ property, displayName }) => ({ ns: HTTPMAIL, name: property, value: root + mailbox.path + pathName(displayName) }));
  return [...urls, { ns: HTTPMAIL, name: 'sendmsg', value: `${root}${mailbox.path}${pathName(SUBMISSION_NAME)}/` }];
}
