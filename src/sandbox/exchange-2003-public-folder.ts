import { childrenNamed } from '../platform/xml/element.ts';
import { readXml, XmlError } from '../platform/xml/read.ts';
import { xml } from '../platform/xml/write.ts';
import type { XmlText } from '../platform/xml/write.ts';
import type { Mailbox } from './calendar-store.ts';
import type { Exchange2003Context } from './exchange-2003.ts';
import { readPublicPath } from './exchange-2003-path.ts';
import type { PublicPath } from './exchange-2003-path.ts';
import { CAPTURED_ORDER, shownOfOwn, shownOfWritten, subjectOf } from './exchange-2003-properties.ts';
import type { ShownProperties } from './exchange-2003-properties.ts';
import { publish } from './published-message.ts';
import type { StandInAnswer, StandInRequest } from './stand-in.ts';

const SOURCE = 'captures/exchange-webdav/FreeBusyPublicFolderResponse.xml';
const NOTHING: XmlText = xml``;

/** PROPFIND of `…/SCHEDULE+ FREE BUSY/EX:…/USER-….EML`: the message of one mailbox (exchange.md §2.1, §2.3); or of a folder above it. */
export async function answerPropfind(request: StandInRequest, context: Exchange2003Context): Promise<StandInAnswer> {
  const path = readPublicPath(request.path);
  if (path === undefined || isFolderMissing(path, context)) return notFound();
  if (path.kind !== 'message') return answerFolder(request, path.kind === 'schedule' && request.headers.depth === '1' ? foldersOf(context) : []);
  const properties = messageNamed(path.name, context);
  if (properties === undefined) return notFound();
  let asked: readonly string[];
  try {
    asked = request.body.length === 0 ? CAPTURED_ORDER : await askedProperties(request.body);
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    return badRequest('sandbox: not in any source');
  }
  return { ...multistatus([response(hrefOf(request), asked, properties)]), mailboxes: 1 };
}

/** SEARCH of the EX: folder for one subject, or for all messages (exchange.md §2.3). */
export async function answerSearch(request: StandInRequest, context: Exchange2003Context): Promise<StandInAnswer> {
  const path = readPublicPath(request.path);
  if (path?.kind !== 'folder' || isFolderMissing(path, context)) return notFound();
  const query = await readQuery(request.body);
  if (query === undefined) return badRequest('exchange.md §2.3: the rules of the SQL');
  const messages = everyMessage(context).filter((one) => query.subject === undefined || one.subject.toLowerCase() === query.subject.toLowerCase());
  const base = hrefOf(request).replace(/\/?$/, '/');
  const hrefs = messages.map((one) => `${base}${encodeURIComponent(one.subject.replaceAll('/', '_xF8FF_')).replaceAll('%3D', '=')}.EML`);
  return { ...multistatus(messages.map((one, index) => response(hrefs[index]!, query.names, one.properties))), mailboxes: messages.length };
}

/** Whether the folder of that path is not there, by its name or by command. */
export function isFolderMissing(path: PublicPath, context: Exchange2003Context): boolean {
  return path.kind !== 'tree' && path.kind !== 'schedule' && (context.writing === 'no-folder' || path.organisation !== context.folder.organisation.toLowerCase());
}

export function hrefOf(request: StandInRequest): string {
  return `http://${request.headers.host ?? 'localhost'}${request.path}`;
}

export function notFound(): StandInAnswer {
  return { status: 404, headers: { 'Content-Type': 'text/html' }, body: '<html><body>404 Resource Not Found</body></html>', source: 'exchange.md §2.2', mailboxes: 1 };
}

export function badRequest(source: string): StandInAnswer {
  return { status: 400, headers: { 'Content-Type': 'text/html' }, body: '<html><body>400 Bad Request</body></html>', source };
}

/** The person of Exchange's own whose message has that name. */
export function ownMailboxNamed(name: string, context: Exchange2003Context): Mailbox | undefined {
  return context.calendars.mailboxes().find((one) => subjectOf(one).toLowerCase() === name);
}

/** The names of the EX: folders that have a replica here, as segments of a URL. */
function foldersOf({ folder, writing }: Exchange2003Context): readonly string[] {
  return writing === 'no-folder' ? [] : [encodeURIComponent(`EX:${folder.organisation}`.replaceAll('/', '_xF8FF_')).replaceAll('%3A', ':').replaceAll('%3D', '=')];
}

/** The tree and its folders: there, and that is all that anybody asks of them. */
function answerFolder(request: StandInRequest, below: readonly string[]): StandInAnswer {
  const base = hrefOf(request).replace(/\/?$/, '/');
  const row = (href: string): XmlText => xml`<a:response><a:href>${href}</a:href><a:propstat><a:status>HTTP/1.1 200 OK</a:status><a:prop/></a:propstat></a:response>`;
  const body = xml`<?xml version="1.0"?><a:multistatus xmlns:a="DAV:">${row(hrefOf(request))}${below.map((name) => row(`${base}${name}/`))}</a:multistatus>`;
  return { status: 207, headers: { 'Content-Type': 'text/xml' }, body: body.text, source: 'exchange.md §2.3' };
}

function messageNamed(name: string, context: Exchange2003Context): ShownProperties | undefined {
  const own = ownMailboxNamed(name, context);
  if (own !== undefined) return shownOfMailbox(own, context);
  const written = context.folder.find(name);
  return written === undefined ? undefined : shownOfWritten(written.properties);
}

function everyMessage(context: Exchange2003Context): readonly { readonly subject: string; readonly properties: ShownProperties }[] {
  const own = context.calendars.mailboxes().map((one) => ({ subject: subjectOf(one), properties: shownOfMailbox(one, context) }));
  return [...own, ...context.folder.all().map((one) => ({ subject: one.published.subject, properties: shownOfWritten(one.properties) }))];
}

function shownOfMailbox(mailbox: Mailbox, context: Exchange2003Context): ShownProperties {
  return shownOfOwn(mailbox, publish(context.calendars.list(mailbox.address), context.now, context.publishMonths), context.folder.organisation);
}

function response(href: string, asked: readonly string[], properties: ShownProperties): XmlText {
  const found = asked.map((name) => (name === 'href' ? xml`<a:href>${href}</a:href>` : properties(name)));
  const missing = asked.filter((_, index) => found[index] === undefined).map((name) => xml`<e:${name}/>`);
  const secondPropstat = missing.length === 0 ? NOTHING : xml`<a:propstat><a:status>HTTP/1.1 404 Resource Not Found</a:status><a:prop>${missing}</a:prop></a:propstat>`;
  return xml`<a:response><a:href>${href}</a:href><a:propstat><a:status>HTTP/1.1 200 OK</a:status><a:prop>${found.map((one) => one ?? NOTHING)}</a:prop></a:propstat>${secondPropstat}</a:response>`;
}

function multistatus(responses: readonly XmlText[]): StandInAnswer {
  return {
    status: 207,
    headers: { 'Content-Type': 'text/xml' },
    body: xml`<?xml version="1.0"?><a:multistatus xmlns:b="urn:uuid:c2f41010-65b3-11d1-a29f-00aa00c14882/" xmlns:d="http://schemas.microsoft.com/mapi/" xmlns:c="xml:" xmlns:e="http://schemas.microsoft.com/mapi/proptag/" xmlns:a="DAV:">${responses}</a:multistatus>`.text,
    source: SOURCE,
  };
}

/** Asked names in lower case; Zimbra's `0x…` names mean the same as `x…` (exchange.md §2.2). */
async function askedProperties(body: Buffer): Promise<readonly string[]> {
  const asked = childrenNamed(await readXml(body), 'prop').flatMap((prop) => prop.children).map((one) => one.name.toLowerCase().replace(/^0x/, 'x'));
  return asked.length === 0 ? CAPTURED_ORDER : asked;
}

interface Query {
  /** Local names in lower case. */
  readonly names: readonly string[];
  readonly subject: string | undefined;
}

/** Names in double quotes, the literal in single ones, doubled where it has one; undefined for what is no such query. */
async function readQuery(body: Buffer): Promise<Query | undefined> {
  let sql: string;
  try {
    sql = childrenNamed(await readXml(body), 'sql')[0]?.text ?? '';
  } catch (error) {
    if (error instanceof XmlError) return undefined;
    throw error;
  }
  const parts = /^\s*select\s+((?:"[^"]+"\s*,\s*)*"[^"]+")\s+from\s+(?:scope\s*\([^)]*\)|"[^"]*")(?:\s+where\s+"http:\/\/schemas\.microsoft\.com\/mapi\/subject"\s*=\s*'((?:[^']|'')*)')?\s*$/i.exec(sql);
  if (parts === null) return undefined;
  const names = [...parts[1]!.matchAll(/"([^"]+)"/g)].map((match) => match[1]!.slice(Math.max(match[1]!.lastIndexOf('/'), match[1]!.lastIndexOf(':')) + 1).toLowerCase());
  return { names, subject: parts[2]?.replaceAll("''", "'") };
}
