import { child, childrenNamed } from '../platform/xml/element.ts';
import type { XmlElement } from '../platform/xml/element.ts';
import { readXml, XmlError } from '../platform/xml/read.ts';
import { xml } from '../platform/xml/write.ts';
import type { XmlText } from '../platform/xml/write.ts';
import type { Exchange2003Context } from './exchange-2003.ts';
import { readPublicPath } from './exchange-2003-path.ts';
import { DT } from './exchange-2003-properties.ts';
import { badRequest, hrefOf, isFolderMissing, notFound, ownMailboxNamed } from './exchange-2003-public-folder.ts';
import type { StandInAnswer, StandInRequest } from './stand-in.ts';
import type { Refusal } from './written-message.ts';
import { ID, KIND_OF_ID, kindOfTag } from './written-property.ts';
import type { PropertyKind, WrittenProperty } from './written-property.ts';
import { BUSY_MS, refusedByCommand } from './writing-mode.ts';

const DAV = 'DAV:';
const PROPTAG = 'http://schemas.microsoft.com/mapi/proptag/';
const MAPI = 'http://schemas.microsoft.com/mapi/';
const DATA_TYPES = 'urn:uuid:c2f41010-65b3-11d1-a29f-00aa00c14882/';
/** The namespace of `v`, whose name is literally this. */
const VALUES = 'xml:';

/** Creates or changes a free/busy message: everything is accepted or nothing is stored (exchange.md §2.2). */
export async function answerProppatch(request: StandInRequest, context: Exchange2003Context): Promise<StandInAnswer> {
  const path = readPublicPath(request.path);
  if (path?.kind !== 'message') return notFound();
  const refused = refuseWriter(context) ?? (ownMailboxNamed(path.name, context) === undefined ? undefined : forbidden('sandbox: nobody writes about the people of this Exchange'));
  if (refused !== undefined) return refused;
  if (isFolderMissing(path, context)) return plain(409, 'Conflict', 'exchange.md §2.2: the parent folder is missing');
  if (!/^(?:text|application)\/xml\b/i.test(request.headers['content-type'] ?? '')) return plain(415, 'Unsupported Media Type', 'exchange.md §2.2: text/xml');
  const isThere = context.folder.find(path.name) !== undefined;
  if (request.headers['if-match'] === '*' && !isThere) return plain(412, 'Precondition Failed', 'exchange.md §2.2');
  if (request.headers['if-none-match'] === '*' && isThere) return plain(412, 'Precondition Failed', 'exchange.md §2.2');

  let update: readonly Named[] | undefined;
  try {
    update = readUpdate(await readXml(request.body));
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
  }
  if (update === undefined) return badRequest('sandbox: no propertyupdate');

  const byCommand = refusedByCommand(context.writing);
  const refusals: Refusal[] = update.flatMap((one) => ('reason' in one ? [one] : one.id === byCommand ? [{ id: one.id, reason: 'refused by command' }] : []));
  const good = update.filter((one): one is Change & Name => !('reason' in one));
  if (refusals.length === 0) {
    const change = { set: good.flatMap((one) => one.property ?? []), remove: good.filter((one) => one.property === undefined).map((one) => one.id), subject: path.name };
    const stored = context.folder.write(path.name, change, 'PROPPATCH');
    if ('published' in stored) return answer(request, [[200, 'OK', update.map((one) => one.element)]], '', isThere ? undefined : 'HTTP/1.1 201 Created');
    refusals.push(...stored);
  }
  const wrong = update.filter((one) => refusals.some((refusal) => refusal === one || refusal.id === one.id));
  const absent = refusals.filter((refusal) => !update.some((one) => one.id === refusal.id)).map((refusal) => elementOfId(refusal.id));
  return answer(request, [
    [422, 'Unprocessable Entity', [...wrong.map((one) => one.element), ...absent]],
    [424, 'Failed Dependency', update.filter((one) => !wrong.includes(one)).map((one) => one.element)],
  ], refusals.map((one) => `${one.id.toString(16)}: ${one.reason}`).join('; '));
}

/** Takes a message away; 404 where there is none (exchange.md §2.2). */
export function answerDelete(request: StandInRequest, context: Exchange2003Context): StandInAnswer {
  const path = readPublicPath(request.path);
  const refused = refuseWriter(context);
  if (refused !== undefined) return refused;
  if (path?.kind === 'message' && ownMailboxNamed(path.name, context) !== undefined) return forbidden('sandbox: nobody removes the messages of the people of this Exchange');
  if (path?.kind !== 'message' || isFolderMissing(path, context) || !context.folder.remove(path.name, 'DELETE')) return notFound();
  return { status: 204, source: 'exchange.md §2.2', mailboxes: 1 };
}

/** What every writer meets in some modes. */
function refuseWriter({ writing }: Exchange2003Context): StandInAnswer | undefined {
  if (writing === 'denied') return forbidden('exchange.md §2.2: no rights');
  if (writing === 'locked') return plain(423, 'Locked', 'sandbox: a failure switched on by command');
  if (writing === 'full') return plain(507, 'Insufficient Space on Resource', 'sandbox: a failure switched on by command');
  if (writing === 'busy') return { ...plain(503, 'Service Unavailable', 'sandbox: a failure switched on by command'), headers: { 'Content-Type': 'text/html', 'Retry-After': String(BUSY_MS / 1_000) } };
  return undefined;
}

function forbidden(source: string): StandInAnswer {
  return plain(403, 'Forbidden', source);
}

function plain(status: number, phrase: string, source: string): StandInAnswer {
  return { status, headers: { 'Content-Type': 'text/html' }, body: `<html><body>${status} ${phrase}</body></html>`, source, mailboxes: 1 };
}

interface Name {
  /** As it goes into the answer. */
  readonly element: XmlText;
}

interface Change {
  readonly id: number;
  /** Absent: it is to be removed. */
  readonly property?: WrittenProperty;
}

type Named = (Change | Refusal) & Name;

/** Undefined where it is not a propertyupdate with at least one property. */
function readUpdate(root: XmlElement): readonly Named[] | undefined {
  if (root.name !== 'propertyupdate' || root.ns !== DAV || root.children.some((one) => one.ns !== DAV || !['set', 'remove'].includes(one.name) || child(one, 'prop')?.ns !== DAV)) return undefined;
  const update: Named[] = [];
  for (const instruction of root.children) {
    for (const element of childrenNamed(instruction, 'prop').flatMap((prop) => prop.children)) {
      const read = readProperty(element, instruction.name === 'remove');
      update.push(update.some((one) => one.id === read.id) ? { ...read, reason: 'named twice' } : read);
    }
  }
  return update.length === 0 ? undefined : update;
}

function readProperty(element: XmlElement, isRemoval: boolean): Named {
  const named = readName(element);
  const echo = named === undefined ? xml`<z:${element.name} xmlns:z="${element.ns}"/>` : named.element;
  if (named === undefined) return { id: -1, reason: `no property of a free/busy message: ${element.name}`, element: echo };
  const { id, kind } = named;
  if (isRemoval) return { id, element: echo };
  const dt = element.attributes.find((one) => one.name === 'dt');
  const isTyped = dt === undefined ? kind === 'string' : dt.ns === DATA_TYPES && dt.value === DT[kind];
  if (!isTyped) return { id, reason: `dt ${dt?.value ?? 'is missing'}, ${DT[kind]} is wanted`, element: echo };
  const isList = kind === 'integers' || kind === 'strings' || kind === 'binaries';
  const isShaped = isList ? element.children.every((one) => one.name === 'v' && one.ns === VALUES && one.children.length === 0) && element.text.trim() === '' : element.children.length === 0;
  if (!isShaped) return { id, reason: 'values are v elements of the namespace xml:, for lists only', element: echo };
  return { id, property: { id, kind, values: isList ? element.children.map((one) => one.text) : [element.text] }, element: echo };
}

/** `x68541102` and Zimbra's `0x68541102` are the same; `subject` of the MAPI namespace is 0x0037. */
function readName(element: XmlElement): (Name & { readonly id: number; readonly kind: PropertyKind }) | undefined {
  if (element.ns === MAPI && element.name === 'subject') return { id: ID.subject, kind: 'string', element: xml`<d:subject/>` };
  const tag = element.ns === PROPTAG ? /^0?x([0-9a-f]{8})$/i.exec(element.name)?.[1]?.toLowerCase() : undefined;
  const kind = tag === undefined ? undefined : kindOfTag(Number.parseInt(tag, 16));
  if (tag === undefined || kind === undefined) return undefined;
  return { id: Number.parseInt(tag.slice(0, 4), 16), kind, element: xml`<e:${`x${tag}`}/>` };
}

const TYPE_OF_KIND: Readonly<Record<PropertyKind, string>> = { integer: '0003', boolean: '000b', string: '001f', time: '0040', binary: '0102', integers: '1003', strings: '101f', binaries: '1102' };

/** For a property that the request lacks. */
function elementOfId(id: number): XmlText {
  if (id === ID.subject) return xml`<d:subject/>`;
  return xml`<e:${`x${id.toString(16).padStart(4, '0')}${TYPE_OF_KIND[KIND_OF_ID.get(id) ?? 'string']}`}/>`;
}

type Propstat = readonly [status: number, phrase: string, properties: readonly XmlText[]];

/** In the captured style: status before prop, one propstat for each status. `reason` is for whoever reads a trace. */
function answer(request: StandInRequest, propstats: readonly Propstat[], reason: string, created?: string): StandInAnswer {
  const groups = propstats.filter(([, , properties]) => properties.length > 0);
  const shown = groups.map(([status, phrase, properties]) => xml`<a:propstat><a:status>HTTP/1.1 ${status} ${phrase}</a:status><a:prop>${properties}</a:prop></a:propstat>`);
  const status = created === undefined ? xml`` : xml`<a:status>${created}</a:status>`;
  return {
    status: 207,
    headers: { 'Content-Type': 'text/xml', ...(reason === '' ? {} : { 'X-Sandbox-Reason': reason.replace(/[^\x20-\x7e]/g, '?').slice(0, 1_000) }) },
    body: xml`<?xml version="1.0"?><a:multistatus xmlns:b="urn:uuid:c2f41010-65b3-11d1-a29f-00aa00c14882/" xmlns:d="http://schemas.microsoft.com/mapi/" xmlns:c="xml:" xmlns:e="http://schemas.microsoft.com/mapi/proptag/" xmlns:a="DAV:"><a:response><a:href>${hrefOf(request)}</a:href>${status}${shown}</a:response></a:multistatus>`.text,
    source: 'exchange.md §2.2',
    mailboxes: 1,
  };
}
