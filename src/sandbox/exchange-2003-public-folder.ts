import { childrenNamed } from '../platform/xml/element.ts';
import { readXml, XmlError } from '../platform/xml/read.ts';
import { xml } from '../platform/xml/write.ts';
import type { XmlText } from '../platform/xml/write.ts';
import type { Mailbox } from './calendar-store.ts';
import type { Exchange2003Context } from './exchange-2003.ts';
import { publish } from './published-message.ts';
import type { PublishedMessage } from './published-message.ts';
import { percentDecoded } from './raw-query.ts';
import type { StandInAnswer, StandInRequest } from './stand-in.ts';

const SOURCE = 'captures/exchange-webdav/FreeBusyPublicFolderResponse.xml';
const NOTHING: XmlText = xml``;

/** PROPFIND of `…/SCHEDULE+ FREE BUSY/EX:…/USER-….EML`: the published message of one mailbox (exchange.md §2.1, §2.3). */
export async function answerPropfind(request: StandInRequest, context: Exchange2003Context): Promise<StandInAnswer> {
  if (isFolder(request.path)) return answerFolder(request);
  const mailbox = mailboxOfPath(request.path, context);
  if (mailbox === undefined) return { status: 404, headers: { 'Content-Type': 'text/html' }, body: '<html><body>404 Resource Not Found</body></html>', source: 'exchange.md §2.2', mailboxes: 1 };
  const properties = propertiesOf(mailbox, publish(context.calendars.list(mailbox.address), context.now, context.publishMonths), context.organisation);
  let asked: readonly string[];
  try {
    asked = request.body.length === 0 ? CAPTURED_ORDER : await askedProperties(request.body);
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    return { status: 400, headers: { 'Content-Type': 'text/html' }, body: '<html><body>400 Bad Request</body></html>', source: 'sandbox: not in any source' };
  }
  const found = asked.map((name) => properties.get(name) ?? NOTHING);
  const missing = asked.filter((name) => !properties.has(name)).map((name) => xml`<e:${name}/>`);
  const secondPropstat = missing.length === 0 ? NOTHING : xml`<a:propstat><a:status>HTTP/1.1 404 Resource Not Found</a:status><a:prop>${missing}</a:prop></a:propstat>`;
  const href = `http://${request.headers.host ?? 'localhost'}${request.path}`;
  return {
    status: 207,
    headers: { 'Content-Type': 'text/xml' },
    body: xml`<?xml version="1.0"?><a:multistatus xmlns:b="urn:uuid:c2f41010-65b3-11d1-a29f-00aa00c14882/" xmlns:d="http://schemas.microsoft.com/mapi/" xmlns:c="xml:" xmlns:e="http://schemas.microsoft.com/mapi/proptag/" xmlns:a="DAV:"><a:response><a:href>${href}</a:href><a:propstat><a:status>HTTP/1.1 200 OK</a:status><a:prop>${found}</a:prop></a:propstat>${secondPropstat}</a:response></a:multistatus>`.text,
    source: SOURCE,
    mailboxes: 1,
  };
}

/** The tree and the folder of the messages: there, and that is all that anybody asks of them. */
function answerFolder(request: StandInRequest): StandInAnswer {
  const href = `http://${request.headers.host ?? 'localhost'}${request.path}`;
  const body = xml`<?xml version="1.0"?><a:multistatus xmlns:a="DAV:"><a:response><a:href>${href}</a:href><a:propstat><a:status>HTTP/1.1 200 OK</a:status><a:prop/></a:propstat></a:response></a:multistatus>`;
  return { status: 207, headers: { 'Content-Type': 'text/xml' }, body: body.text, source: 'exchange.md §2.3' };
}

function isFolder(path: string): boolean {
  const names = path.split('/').filter((one) => one !== '').map((segment) => percentDecoded(segment).toLowerCase());
  return ['public/non_ipm_subtree', 'public/non_ipm_subtree/schedule+ free busy'].includes(names.join('/'));
}

/** The properties of the capture in the order of the capture. */
const CAPTURED_ORDER = [
  'subject', 'x68501102', 'x684f1003', 'x68541102', 'x68531003', 'x68561102', 'x68551003', 'x68521102', 'x68511003', 'x68470003', 'x68480003', 'x68680040',
];

/** Asked names in lower case; Zimbra's `0x…` names mean the same as `x…` (exchange.md §2.2). */
async function askedProperties(body: Buffer): Promise<readonly string[]> {
  const asked = childrenNamed(await readXml(body), 'prop').flatMap((prop) => prop.children).map((one) => one.name.toLowerCase().replace(/^0x/, 'x'));
  return asked.length === 0 ? CAPTURED_ORDER : asked;
}

function propertiesOf(mailbox: Mailbox, message: PublishedMessage, organisation: string): ReadonlyMap<string, XmlText> {
  const legacyDn = `${organisation}/cn=Recipients/cn=${localPart(mailbox)}`;
  const subject = subjectOf(mailbox);
  const integers = (name: string, values: readonly number[]): [string, XmlText] => [name, xml`<e:${name} b:dt="mv.int">${values.map((one) => xml`<c:v>${one}</c:v>`)}</e:${name}>`];
  const binaries = (name: string, values: readonly string[]): [string, XmlText] => [
    name,
    xml`<e:${name} b:dt="mv.bin.base64">${values.map((one) => (one === '' ? xml`<c:v/>` : xml`<c:v>${one}</c:v>`))}</e:${name}>`,
  ];
  return new Map<string, XmlText>([
    ['subject', xml`<d:subject>${subject}</d:subject>`],
    ['x0e1d001f', xml`<e:x0e1d001f>${subject}</e:x0e1d001f>`],
    ['x6849001f', xml`<e:x6849001f>${legacyDn}</e:x6849001f>`],
    binaries('x68501102', message.merged.blocks),
    integers('x684f1003', message.merged.months),
    binaries('x68541102', message.busy.blocks),
    integers('x68531003', message.busy.months),
    binaries('x68561102', message.away.blocks),
    integers('x68551003', message.away.months),
    binaries('x68521102', message.tentative.blocks),
    integers('x68511003', message.tentative.months),
    ['x68470003', xml`<e:x68470003 b:dt="int">${message.startMinutes}</e:x68470003>`],
    ['x68480003', xml`<e:x68480003 b:dt="int">${message.endMinutes}</e:x68480003>`],
    ['x68680040', xml`<e:x68680040 b:dt="dateTime.tz">${new Date(message.publishedAt).toISOString()}</e:x68680040>`],
  ]);
}

/** The subject as Exchange writes it: all after the first `/cn`, in capitals. */
export function subjectOf(mailbox: Mailbox): string {
  return `USER-/CN=RECIPIENTS/CN=${localPart(mailbox).toUpperCase()}`;
}

function localPart(mailbox: Mailbox): string {
  return mailbox.address.slice(0, mailbox.address.lastIndexOf('@'));
}

/** In names a slash is written `_xF8FF_`; case does not matter (exchange.md §2.1). */
function mailboxOfPath(path: string, context: Exchange2003Context): Mailbox | undefined {
  const names = path.split('/').slice(1).map((segment) => percentDecoded(segment).replaceAll(/_xf8ff_/gi, '/').toLowerCase());
  const folder = ['public', 'non_ipm_subtree', 'schedule+ free busy', `ex:${context.organisation}`.toLowerCase()];
  if (names.length !== folder.length + 1 || folder.some((name, index) => names[index] !== name)) return undefined;
  return context.calendars.mailboxes().find((one) => names[folder.length] === `${subjectOf(one)}.eml`.toLowerCase());
}
