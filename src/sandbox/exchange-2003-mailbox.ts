import { xml } from '../platform/xml/write.ts';
import type { XmlText } from '../platform/xml/write.ts';
import { childrenNamed } from '../platform/xml/element.ts';
import { readXml, XmlError } from '../platform/xml/read.ts';
import type { CalendarStore, Mailbox } from './calendar-store.ts';
import { multistatusOf, propertyResponse } from './exchange-2003-multistatus.ts';
import type { PropertyName } from './exchange-2003-multistatus.ts';
import { badRequest, hrefOf, notFound } from './exchange-2003-public-folder.ts';
import { percentDecoded } from './raw-query.ts';
import type { StandInAnswer, StandInRequest } from './stand-in.ts';

const SOURCE = 'presence.md §B.4';
const HTTPMAIL = 'urn:schemas:httpmail:';

/** Who asks: the service account with Receive-As on every mailbox, or somebody with a mailbox of their own only. */
export interface Visitor {
  readonly hasReceiveAs: boolean;
  /** The visitor's own mailbox. */
  readonly address: string | undefined;
}

/** What a path below `/exchange/` names. */
export interface MailboxPath {
  readonly mailbox: Mailbox;
  /** Undefined: the root; `calendar`: the calendar folder by its present name; `other`: any other folder or item. */
  readonly folder: undefined | 'calendar' | 'other';
}

/** What the folders beside the calendar are called, by their httpmail property. */
const OTHER_FOLDERS: Readonly<Record<string, string>> = {
  contacts: 'Contacts', deleteditems: 'Deleted Items', drafts: 'Drafts', inbox: 'Inbox', journal: 'Journal', notes: 'Notes', outbox: 'Outbox', sentitems: 'Sent Items', tasks: 'Tasks',
};

/** The names of the calendar folders: each in the language of its owner, and they can change. */
export interface CalendarNames {
  of(address: string): string;
  rename(address: string, name: string): void;
}

export function createCalendarNames(initial: Readonly<Record<string, string>>): CalendarNames {
  const names = new Map(Object.entries(initial).map(([address, name]) => [address.toLowerCase(), name]));
  return {
    of: (address) => names.get(address.toLowerCase()) ?? 'Calendar',
    rename: (address, name) => void names.set(address.toLowerCase(), name),
  };
}

/** By alias or by whole address, as the captured answers have it; undefined for a path that names no mailbox. */
export function readMailboxPath(path: string, calendars: CalendarStore, names: CalendarNames): MailboxPath | undefined {
  const [root, user = '', ...folders] = path.replace(/\/$/, '').split('/').slice(1).map((segment) => percentDecoded(segment).toLowerCase().normalize('NFC'));
  if (root !== 'exchange') return undefined;
  const mailbox = calendars.mailboxes().find(({ address }) => address.toLowerCase() === user || aliasOf(address) === user);
  if (mailbox === undefined) return undefined;
  const isCalendar = folders.length === 1 && folders[0] === names.of(mailbox.address).toLowerCase().normalize('NFC');
  return { mailbox, folder: folders.length === 0 ? undefined : isCalendar ? 'calendar' : 'other' };
}

/** Whether the visitor may look into the mailbox. */
export function mayOpen(visitor: Visitor, mailbox: Mailbox): boolean {
  return visitor.hasReceiveAs || visitor.address?.toLowerCase() === mailbox.address.toLowerCase();
}

/** The address of a calendar folder as the server writes it: without a slash at the end, its name percent-encoded. */
export function calendarUrl(request: StandInRequest, mailbox: Mailbox, names: CalendarNames): string {
  return `${rootUrl(request, mailbox)}/${encodeURIComponent(names.of(mailbox.address))}`;
}

/** PROPFIND, Depth 0: of the mailbox root the folders by their httpmail properties, of the calendar its name and class. */
export async function answerMailboxPropfind(request: StandInRequest, path: MailboxPath, names: CalendarNames): Promise<StandInAnswer> {
  if (path.folder === 'other') return notFound();
  if (request.headers.depth !== '0') return badRequest('sandbox: only Depth 0 is asked here');
  const asked = await askedNames(request.body);
  if (asked === undefined) return badRequest('sandbox: not in any source');
  const known = path.folder === 'calendar' ? calendarProperty(request, path.mailbox, names) : rootProperty(request, path.mailbox, names);
  const all = path.folder === 'calendar' ? CALENDAR_PROPERTIES : [...Object.keys(OTHER_FOLDERS), 'calendar', 'msgfolderroot', 'sendmsg'].map((name) => ({ ns: HTTPMAIL, name }));
  return { ...multistatusOf(asked.length === 0 ? all : asked, (prefixOf) => [propertyResponse(hrefOf(request), asked.length === 0 ? all : asked, known, prefixOf)], SOURCE), mailboxes: 1 };
}

const CALENDAR_PROPERTIES: readonly PropertyName[] = ['contentclass', 'displayname', 'isfolder'].map((name) => ({ ns: 'DAV:', name }));

function calendarProperty(request: StandInRequest, mailbox: Mailbox, names: CalendarNames): (name: PropertyName, element: string) => XmlText | undefined {
  return ({ ns, name }, element) => {
    if (ns !== 'DAV:') return undefined;
    if (name === 'displayname') return xml`<${element}>${names.of(mailbox.address)}</${element}>`;
    if (name === 'contentclass') return xml`<${element}>urn:content-classes:calendarfolder</${element}>`;
    if (name === 'isfolder') return xml`<${element} b:dt="boolean">1</${element}>`;
    return name === 'href' ? xml`<${element}>${calendarUrl(request, mailbox, names)}</${element}>` : undefined;
  };
}

function rootProperty(request: StandInRequest, mailbox: Mailbox, names: CalendarNames): (name: PropertyName, element: string) => XmlText | undefined {
  const root = rootUrl(request, mailbox);
  return ({ ns, name }, element) => {
    if (ns === 'DAV:' && name === 'displayname') return xml`<${element}>${mailbox.displayName}</${element}>`;
    if (ns !== HTTPMAIL) return undefined;
    if (name === 'calendar') return xml`<${element}>${calendarUrl(request, mailbox, names)}</${element}>`;
    if (name === 'msgfolderroot') return xml`<${element}>${root}/</${element}>`;
    if (name === 'sendmsg') return xml`<${element}>${root}/%23%23DavMailSubmissionURI%23%23/</${element}>`;
    const folder = Object.hasOwn(OTHER_FOLDERS, name) ? OTHER_FOLDERS[name] : undefined;
    return folder === undefined ? undefined : xml`<${element}>${root}/${encodeURIComponent(folder)}</${element}>`;
  };
}

function rootUrl(request: StandInRequest, { address }: Mailbox): string {
  return `http://${request.headers.host ?? 'localhost'}/exchange/${encodeURIComponent(aliasOf(address))}`;
}

function aliasOf(address: string): string {
  return address.slice(0, address.lastIndexOf('@')).toLowerCase();
}

/** Undefined: no propfind at all; empty: everything is wanted. */
async function askedNames(body: Buffer): Promise<readonly PropertyName[] | undefined> {
  if (body.length === 0) return [];
  try {
    const root = await readXml(body);
    if (root.ns !== 'DAV:' || root.name !== 'propfind') return undefined;
    return childrenNamed(root, 'prop').flatMap((prop) => prop.children).map(({ ns, name }) => ({ ns, name }));
  } catch (error) {
    if (error instanceof XmlError) return undefined;
    throw error;
  }
}
