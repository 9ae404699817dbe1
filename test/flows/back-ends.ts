import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/**
 * Small back ends written from the sheets (exchange.md §2.4, §3.2, §3.5; zimbra.md §1–§2; RFC 5545), which share no line with the bridge.
 * `honest` answers from a calendar; a test puts `override` in its place for the ways in which an answer can be none.
 */

export interface Meeting {
  readonly start: number;
  readonly end: number;
  readonly type: 'busy' | 'tentative' | 'oof';
  readonly subject?: string;
  readonly location?: string;
}
/** By lower-case address; who is not in it is unknown. */
export type Calendars = Readonly<Record<string, readonly Meeting[]>>;

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly at: number;
}

export interface Canned {
  readonly status?: number;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string | Buffer;
  /** Goes onto the socket as it stands, which is closed then. */
  readonly raw?: string | Buffer;
}

export type Answer = Canned | 'silent';
export type Override = (seen: Seen, honest: () => Canned) => Answer | Promise<Answer>;

export class BackEnd {
  readonly requests: Seen[] = [];
  override: Override | undefined;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** What the honest answers are about. */
  calendars: Calendars;

  private constructor(server: Server, calendars: Calendars) {
    this.#server = server;
    this.calendars = calendars;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  static async open(honest: (seen: Seen, calendars: Calendars) => Canned, calendars: Calendars = {}): Promise<BackEnd> {
    const server = createServer({ keepAliveTimeout: 2_000 });
    const backEnd = new BackEnd(server, calendars);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.once('end', () => {
        const seen: Seen = { method: request.method!, url: request.url!, headers: request.headers, body: Buffer.concat(chunks).toString('utf8'), at: Date.now() };
        backEnd.requests.push(seen);
        const canned = backEnd.override === undefined ? honest(seen, backEnd.calendars) : backEnd.override(seen, () => honest(seen, backEnd.calendars));
        void Promise.resolve(canned).then((answer) => send(answer, response));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return backEnd;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** As good as new: honest, and nothing seen. */
  reset(): void {
    this.override = undefined;
    this.requests.length = 0;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

function send(answer: Answer, response: ServerResponse): void {
  if (answer === 'silent') return;
  if (answer.raw !== undefined) {
    response.socket?.end(answer.raw);
    return;
  }
  const body = Buffer.from(answer.body ?? '');
  response.writeHead(answer.status ?? 200, { 'content-length': String(body.length), ...answer.headers }).end(body);
}

export function xmlAnswer(body: string, status = 200): Canned {
  return { status, headers: { 'content-type': 'text/xml; charset=utf-8' }, body };
}

/** A port that nobody listens on. */
export async function deadPort(): Promise<number> {
  const backEnd = await BackEnd.open(() => ({}));
  const { port } = backEnd;
  await backEnd.close();
  return port;
}

function meetingsOf(calendars: Calendars, address: string): readonly Meeting[] | undefined {
  return calendars[address.toLowerCase()];
}

const DIGIT = { tentative: '1', busy: '2', oof: '3' } as const;

/** One digit a slot; the highest status touching a slot wins. */
export function digitsOf(meetings: readonly Meeting[], start: number, end: number, minutes: number): string {
  const slots = Math.ceil((end - start) / (minutes * 60_000));
  return Array.from({ length: slots }, (_, index) => {
    const from = start + index * minutes * 60_000;
    const to = from + minutes * 60_000;
    return meetings.filter((one) => one.start < to && one.end > from).reduce((best, one) => (DIGIT[one.type] > best ? DIGIT[one.type] : best), '0');
  }).join('');
}

const escapeXml = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;');

// ── cmd=freebusy: exchange.md §2.4 ──────────────────────────────────────────────────────────────────────────────────
export interface OwaQuery {
  readonly addresses: readonly string[];
  readonly start: number;
  readonly end: number;
  readonly interval: number;
}

export function readOwaQuery(url: string): OwaQuery {
  const parameters = url.slice(url.indexOf('?') + 1).split('&').map((pair) => [pair.slice(0, pair.indexOf('=')), decodeURIComponent(pair.slice(pair.indexOf('=') + 1))] as const);
  const value = (name: string): string => parameters.find(([key]) => key === name)?.[1] ?? '';
  return {
    addresses: parameters.filter(([key]) => key === 'u').map(([, address]) => address.replace(/^smtp:/i, '')),
    start: Date.parse(value('start')),
    end: Date.parse(value('end')),
    interval: Number(value('interval')),
  };
}

export function owaItem(address: string, digits: string): string {
  return `<a:item><a:displayname>x</a:displayname><a:email type="SMTP">${escapeXml(address)}</a:email><a:type>1</a:type><a:fbdata>${digits}</a:fbdata></a:item>`;
}

export function owaResponse(items: string): Canned {
  return xmlAnswer(`<a:response xmlns:a="WM"><a:recipients><a:item><a:displayname>All Attendees</a:displayname><a:type>1</a:type><a:fbdata>0</a:fbdata></a:item>${items}</a:recipients></a:response>`);
}

export const owaQueryBackEnd = (calendars: Calendars = {}): Promise<BackEnd> =>
  BackEnd.open((seen, people) => {
    if (seen.headers.authorization === undefined && seen.headers.cookie === undefined) return { status: 401, headers: { 'www-authenticate': 'Basic realm="exchange"' } };
    const { addresses, start, end, interval } = readOwaQuery(seen.url);
    return owaResponse(
      addresses
        .map((address) => {
          const meetings = meetingsOf(people, address);
          return owaItem(address, meetings === undefined ? '4'.repeat(Math.ceil((end - start) / (interval * 60_000))) : digitsOf(meetings, start, end, interval));
        })
        .join(''),
    );
  }, calendars);

// ── The free/busy message: exchange.md §1.2, §1.3, §2.3, §3.5 ───────────────────────────────────────────────────────
const MINUTES_1601 = 11_644_473_600 / 60;

export interface Message {
  readonly publishStart: number;
  readonly publishEnd: number;
  /** Property id (four hex digits) → month numbers and base64 blocks. */
  readonly pairs: Readonly<Record<string, readonly (readonly [number, string])[]>>;
}

/** Only meetings inside one month; the truth of the tests is one. */
export function messageOf(meetings: readonly Meeting[], publishStart: number, publishEnd: number): Message {
  const ids = { tentative: '6851', busy: '6853', oof: '6855' } as const;
  const pairs: Record<string, (readonly [number, string])[]> = {};
  for (const type of ['tentative', 'busy', 'oof'] as const) {
    const byMonth = new Map<number, number[]>();
    for (const one of meetings.filter((meeting) => meeting.type === type)) {
      const date = new Date(one.start);
      const month = date.getUTCFullYear() * 16 + date.getUTCMonth() + 1;
      const first = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
      byMonth.set(month, [...(byMonth.get(month) ?? []), (one.start - first) / 60_000, (one.end - first) / 60_000]);
    }
    if (byMonth.size > 0) pairs[ids[type]] = [...byMonth].map(([month, minutes]) => [month, Buffer.from(new Uint16Array(minutes).buffer).toString('base64')] as const);
  }
  return { publishStart, publishEnd, pairs };
}

const hexPlusOne = (id: string): string => (Number.parseInt(id, 16) + 1).toString(16).toUpperCase();
const minutes1601 = (instant: number): number => Math.floor(instant / 60_000) + MINUTES_1601;

export function propfindResponse(message: Message, subject: string, href = '/x.EML'): string {
  const single = (tag: string, value: string | number): string => `<e:x${tag}>${value}</e:x${tag}>`;
  const multi = (tag: string, dt: string, values: readonly (string | number)[]): string => `<e:x${tag} b:dt="${dt}">${values.map((one) => `<c:v>${one}</c:v>`).join('')}</e:x${tag}>`;
  const pairs = Object.entries(message.pairs).map(([id, months]) => multi(`${id}1003`, 'mv.int', months.map(([month]) => month)) + multi(`${hexPlusOne(id)}1102`, 'mv.bin.base64', months.map(([, block]) => block)));
  return `<?xml version="1.0"?><a:multistatus xmlns:b="urn:uuid:c2f41010-65b3-11d1-a29f-00aa00c14882/" xmlns:e="http://schemas.microsoft.com/mapi/proptag/" xmlns:d="http://schemas.microsoft.com/mapi/" xmlns:c="xml:" xmlns:a="DAV:"><a:response><a:href>${href}</a:href><a:propstat><a:status>HTTP/1.1 200 OK</a:status><a:prop><d:subject>${escapeXml(subject)}</d:subject>${single('68470003', minutes1601(message.publishStart))}${single('68480003', minutes1601(message.publishEnd))}${pairs.join('')}</a:prop></a:propstat></a:response></a:multistatus>`;
}

const PUBLISHED = [Date.UTC(2026, 1, 1), Date.UTC(2026, 6, 1)] as const;

/** The local part after the last `cn=`, by which the tests' template names people. */
export function localPartOfPath(url: string): string {
  return /cn=([^/=]+?)\.EML$/i.exec(decodeURIComponent(url))?.[1]?.toLowerCase() ?? '';
}

export const owaMessageBackEnd = (calendars: Calendars = {}, domain = 'corp.example'): Promise<BackEnd> =>
  BackEnd.open((seen, people) => {
    const cn = localPartOfPath(seen.url);
    const meetings = meetingsOf(people, `${cn}@${domain}`);
    if (meetings === undefined) return { status: 404, body: 'Not Found' };
    return xmlAnswer(propfindResponse(messageOf(meetings, ...PUBLISHED), `USER-/CN=RECIPIENTS/CN=${cn.toUpperCase()}`), 207);
  }, calendars);

const EWS_NS = 'xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages" xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"';

export function ewsEnvelope(body: string): Canned {
  return xmlAnswer(
    `<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header><t:ServerVersionInfo xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types" MajorVersion="14" MinorVersion="3" MajorBuildNumber="123" MinorBuildNumber="4" Version="Exchange2010_SP2"/></s:Header><s:Body>${body}</s:Body></s:Envelope>`,
  );
}

export function ewsResponseMessages(operation: string, messages: readonly string[]): Canned {
  return ewsEnvelope(
    `<m:${operation}Response ${EWS_NS}><m:ResponseMessages>${messages.map((inner) => `<m:${operation}ResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>${inner}</m:${operation}ResponseMessage>`).join('')}</m:ResponseMessages></m:${operation}Response>`,
  );
}

export function ewsItem(message: Message, subject: string, id: string): string {
  const property = (tag: string, type: string, values: string): string => `<t:ExtendedProperty><t:ExtendedFieldURI PropertyTag="0x${tag}" PropertyType="${type}"/>${values}</t:ExtendedProperty>`;
  const many = (values: readonly (string | number)[]): string => `<t:Values>${values.map((one) => `<t:Value>${one}</t:Value>`).join('')}</t:Values>`;
  const pairs = Object.entries(message.pairs).map(
    ([tag, months]) => property(tag, 'IntegerArray', many(months.map(([month]) => month))) + property(hexPlusOne(tag), 'BinaryArray', many(months.map(([, block]) => block))),
  );
  return `<m:Items><t:PostItem><t:ItemId Id="${escapeXml(id)}" ChangeKey="CQAA"/><t:Subject>${escapeXml(subject)}</t:Subject>${property('6847', 'Integer', `<t:Value>${minutes1601(message.publishStart)}</t:Value>`)}${property('6848', 'Integer', `<t:Value>${minutes1601(message.publishEnd)}</t:Value>`)}${pairs.join('')}</t:PostItem></m:Items>`;
}

const unescapeXml = (text: string): string => text.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&quot;/g, '"').replace(/&amp;/g, '&');
const cnOf = (subject: string): string => /CN=([^/]+)$/i.exec(subject)?.[1]?.toLowerCase() ?? '';

/** GetFolder, FindFolder, FindItem, GetItem; ids are the names themselves. */
export const ewsMessageBackEnd = (calendars: Calendars = {}, domain = 'corp.example'): Promise<BackEnd> =>
  BackEnd.open((seen, people) => {
    if (seen.headers.authorization === undefined) return { status: 401, headers: { 'www-authenticate': 'Basic realm="ews"' } };
    const operation = /<m:(GetFolder|FindFolder|FindItem|GetItem)[\s>]/.exec(seen.body)?.[1];
    const constants = [...seen.body.matchAll(/<t:Constant Value="([^"]*)"/g)].map((match) => unescapeXml(match[1]!));
    if (operation === 'GetFolder') return ewsResponseMessages('GetFolder', ['<m:Folders><t:Folder><t:FolderId Id="ipm"/><t:ParentFolderId Id="pf-root"/></t:Folder></m:Folders>']);
    if (operation === 'FindFolder') {
      const name = constants[0]!;
      return ewsResponseMessages('FindFolder', [`<m:RootFolder TotalItemsInView="1" IncludesLastItemInRange="true"><t:Folders><t:Folder><t:FolderId Id="f-${escapeXml(name)}"/><t:DisplayName>${escapeXml(name)}</t:DisplayName></t:Folder></t:Folders></m:RootFolder>`]);
    }
    if (operation === 'FindItem') {
      const known = constants.filter((subject) => meetingsOf(people, `${cnOf(subject)}@${domain}`) !== undefined);
      return ewsResponseMessages('FindItem', [
        `<m:RootFolder TotalItemsInView="${known.length}" IncludesLastItemInRange="true"><t:Items>${known.map((subject) => `<t:PostItem><t:ItemId Id="${escapeXml(subject)}" ChangeKey="CQAA"/><t:Subject>${escapeXml(subject)}</t:Subject></t:PostItem>`).join('')}</t:Items></m:RootFolder>`,
      ]);
    }
    const ids = [...seen.body.matchAll(/<t:ItemId Id="([^"]*)"/g)].map((match) => unescapeXml(match[1]!));
    return ewsResponseMessages('GetItem', ids.map((id) => ewsItem(messageOf(meetingsOf(people, `${cnOf(id)}@${domain}`)!, ...PUBLISHED), id, id)));
  }, calendars);

// ── GetUserAvailability: exchange.md §3.2 ───────────────────────────────────────────────────────────────────────────
export interface EwsQuery {
  readonly addresses: readonly string[];
  readonly start: number;
  readonly end: number;
  readonly interval: number;
}

const utc = (text: string): number => Date.parse(/Z$|[+-]\d\d:?\d\d$/.test(text) ? text : `${text}Z`);

export function readEwsQuery(body: string): EwsQuery {
  const one = (name: string): string => new RegExp(`<t:${name}>([^<]*)<`).exec(body.slice(body.indexOf('FreeBusyViewOptions')))?.[1] ?? '';
  return {
    addresses: [...body.matchAll(/<t:Address>([^<]*)</g)].map((match) => unescapeXml(match[1]!)),
    start: utc(one('StartTime')),
    end: utc(one('EndTime')),
    interval: Number(one('MergedFreeBusyIntervalInMinutes')),
  };
}

const EWS_TYPE = { tentative: 'Tentative', busy: 'Busy', oof: 'OOF' } as const;
const naive = (instant: number): string => new Date(instant).toISOString().slice(0, 19);

export function ewsEvent(meeting: Meeting): string {
  const details = meeting.subject === undefined ? '' : `<t:CalendarEventDetails><t:ID>00</t:ID><t:Subject>${escapeXml(meeting.subject)}</t:Subject><t:Location>${escapeXml(meeting.location ?? '')}</t:Location><t:IsMeeting>true</t:IsMeeting><t:IsRecurring>false</t:IsRecurring><t:IsException>false</t:IsException><t:IsReminderSet>true</t:IsReminderSet><t:IsPrivate>false</t:IsPrivate></t:CalendarEventDetails>`;
  return `<t:CalendarEvent><t:StartTime>${naive(meeting.start)}</t:StartTime><t:EndTime>${naive(meeting.end)}</t:EndTime><t:BusyType>${EWS_TYPE[meeting.type]}</t:BusyType>${details}</t:CalendarEvent>`;
}

export function ewsView(meetings: readonly Meeting[], query: EwsQuery, type = 'DetailedMerged'): string {
  const inside = meetings.filter((one) => one.start < query.end && one.end > query.start);
  return `<m:FreeBusyView><t:FreeBusyViewType>${type}</t:FreeBusyViewType><t:MergedFreeBusy>${digitsOf(meetings, query.start, query.end, query.interval)}</t:MergedFreeBusy><t:CalendarEventArray>${inside.map(ewsEvent).join('')}</t:CalendarEventArray></m:FreeBusyView>`;
}

export function ewsSuccess(view: string): string {
  return `<m:FreeBusyResponse><m:ResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode></m:ResponseMessage>${view}</m:FreeBusyResponse>`;
}

export function ewsError(code: string, view = '<m:FreeBusyView><t:FreeBusyViewType>None</t:FreeBusyViewType></m:FreeBusyView>', responseClass = 'Error'): string {
  return `<m:FreeBusyResponse><m:ResponseMessage ResponseClass="${responseClass}"><m:MessageText>no</m:MessageText><m:ResponseCode>${code}</m:ResponseCode><m:DescriptiveLinkKey>0</m:DescriptiveLinkKey></m:ResponseMessage>${view}</m:FreeBusyResponse>`;
}

export function ewsAvailability(responses: string): Canned {
  return ewsEnvelope(`<m:GetUserAvailabilityResponse ${EWS_NS}><m:FreeBusyResponseArray>${responses}</m:FreeBusyResponseArray></m:GetUserAvailabilityResponse>`);
}

export const ewsQueryBackEnd = (calendars: Calendars = {}): Promise<BackEnd> =>
  BackEnd.open((seen, people) => {
    if (seen.headers.authorization === undefined) return { status: 401, headers: { 'www-authenticate': 'Basic realm="ews"' } };
    const query = readEwsQuery(seen.body);
    return ewsAvailability(
      query.addresses
        .map((address) => {
          const meetings = meetingsOf(people, address);
          return meetings === undefined ? ewsError('ErrorMailRecipientNotFound') : ewsSuccess(ewsView(meetings, query));
        })
        .join(''),
    );
  }, calendars);

// ── A Zimbra server: zimbra.md §1–§2 ────────────────────────────────────────────────────────────────────────────────
export function zimbraEnvelope(body: string): Canned {
  return xmlAnswer(`<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope"><soap:Header><context xmlns="urn:zimbra"/></soap:Header><soap:Body>${body}</soap:Body></soap:Envelope>`);
}

export function zimbraFault(code: string, status = 500): Canned {
  const envelope = `<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope"><soap:Header><context xmlns="urn:zimbra"/></soap:Header><soap:Body><soap:Fault><soap:Code><soap:Value>soap:Sender</soap:Value></soap:Code><soap:Reason><soap:Text>no</soap:Text></soap:Reason><soap:Detail><Error xmlns="urn:zimbra"><Code>${code}</Code><Trace>qtp1</Trace></Error></soap:Detail></soap:Fault></soap:Body></soap:Envelope>`;
  return xmlAnswer(envelope, status);
}

export interface ZimbraQuery {
  readonly ids: readonly string[];
  readonly start: number;
  readonly end: number;
}

export function readZimbraQuery(body: string): ZimbraQuery {
  const tag = /<(?:\w+:)?GetFreeBusyRequest[^>]*>/.exec(body)?.[0] ?? '';
  const attribute = (name: string): string => new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1] ?? '';
  const lists = ['uid', 'id', 'name'].flatMap((name) => attribute(name).split(','));
  const users = [...body.matchAll(/<(?:\w+:)?usr [^>]*(?:id|name)="([^"]*)"/g)].map((match) => match[1]!);
  return { ids: [...lists, ...users].filter((id) => id !== '').map(unescapeXml), start: Number(attribute('s')), end: Number(attribute('e')) };
}

const LETTER = { tentative: 't', busy: 'b', oof: 'u' } as const;

/** Slots that cover the window; the meetings must not overlap. */
export function zimbraSlots(meetings: readonly Meeting[], start: number, end: number): string {
  let at = start;
  let text = '';
  for (const one of [...meetings].sort((a, b) => a.start - b.start)) {
    const from = Math.max(one.start, start);
    const to = Math.min(one.end, end);
    if (from >= to) continue;
    if (at < from) text += `<f s="${at}" e="${from}"/>`;
    text += `<${LETTER[one.type]} s="${from}" e="${to}"/>`;
    at = to;
  }
  return at < end ? `${text}<f s="${at}" e="${end}"/>` : text;
}

export function zimbraUser(id: string, slots: string): string {
  return `<usr id="${escapeXml(id)}">${slots}</usr>`;
}

export function zimbraResponse(users: string): Canned {
  return zimbraEnvelope(`<GetFreeBusyResponse xmlns="urn:zimbraMail">${users}</GetFreeBusyResponse>`);
}

export const ZIMBRA_TOKEN = '0_5ecre7-t0ken-0f-zimbra_69';

export function isAuthRequest(seen: Seen): boolean {
  return /<(?:\w+:)?AuthRequest/.test(seen.body);
}

export const zimbraAuthResponse = (): Canned => zimbraEnvelope(`<AuthResponse xmlns="urn:zimbraAccount"><authToken>${ZIMBRA_TOKEN}</authToken><lifetime>172799999</lifetime><skin>harmony</skin></AuthResponse>`);

export const zimbraBackEnd = (calendars: Calendars = {}): Promise<BackEnd> =>
  BackEnd.open((seen, people) => {
    if (isAuthRequest(seen)) return zimbraAuthResponse();
    if (!seen.body.includes(ZIMBRA_TOKEN)) return zimbraFault('service.AUTH_REQUIRED');
    const { ids, start, end } = readZimbraQuery(seen.body);
    return zimbraResponse(
      ids
        .map((id) => {
          const meetings = meetingsOf(people, id);
          return zimbraUser(id, meetings === undefined ? `<n s="${start}" e="${end}"/>` : zimbraSlots(meetings, start, end));
        })
        .join(''),
    );
  }, calendars);

// ── Internet free/busy: RFC 5545 §3.6.4 ─────────────────────────────────────────────────────────────────────────────
const FBTYPE = { tentative: 'BUSY-TENTATIVE', busy: 'BUSY', oof: 'BUSY-UNAVAILABLE' } as const;
const stamp = (instant: number): string => new Date(instant).toISOString().replace(/[-:]|\.\d+/g, '');

export function ifbText(meetings: readonly Meeting[], start: number, end: number): string {
  const lines = meetings.map((one) => `FREEBUSY;FBTYPE=${FBTYPE[one.type]}:${stamp(one.start)}/${stamp(one.end)}`);
  return ['BEGIN:VCALENDAR', 'PRODID:-//x//x//EN', 'VERSION:2.0', 'METHOD:PUBLISH', 'BEGIN:VFREEBUSY', `DTSTAMP:${stamp(start)}`, `DTSTART:${stamp(start)}`, `DTEND:${stamp(end)}`, ...lines, 'END:VFREEBUSY', 'END:VCALENDAR', ''].join('\r\n');
}

export function ifbAnswer(text: string): Canned {
  return { headers: { 'content-type': 'text/calendar; charset=utf-8' }, body: text };
}

export const ifbBackEnd = (calendars: Calendars = {}): Promise<BackEnd> =>
  BackEnd.open((seen, people) => {
    const address = decodeURIComponent(/\/freebusy\/([^?]*)\.ifb/.exec(seen.url)?.[1] ?? '');
    const meetings = meetingsOf(people, address);
    return meetings === undefined ? { status: 404, body: 'no such user' } : ifbAnswer(ifbText(meetings, ...PUBLISHED));
  }, calendars);

// ── One of each ─────────────────────────────────────────────────────────────────────────────────────────────────────
export const KINDS = ['exchange-webdav', 'exchange-webdav public-folder', 'exchange-ews', 'exchange-ews public-folder', 'zimbra', 'ifb'] as const;
export type Kind = (typeof KINDS)[number];

const OPENERS: Readonly<Record<Kind, (calendars: Calendars, domain?: string) => Promise<BackEnd>>> = {
  'exchange-webdav': owaQueryBackEnd,
  'exchange-webdav public-folder': owaMessageBackEnd,
  'exchange-ews': ewsQueryBackEnd,
  'exchange-ews public-folder': ewsMessageBackEnd,
  zimbra: zimbraBackEnd,
  ifb: ifbBackEnd,
};

export function openBackEnd(kind: Kind, calendars: Calendars = {}, domain?: string): Promise<BackEnd> {
  return OPENERS[kind](calendars, domain);
}

export const DN_TEMPLATE = '/o=Corp/ou=First Administrative Group/cn=Recipients/cn={localPart}';

/** The `systems:` entry that leads to a back end. */
export function systemFor(kind: Kind, backEnd: { readonly url: string }, more: Record<string, unknown> = {}): Record<string, unknown> {
  const [type, lookup] = kind.split(' ');
  const folder = lookup === undefined ? {} : { lookup, legacyExchangeDn: DN_TEMPLATE };
  const path: Readonly<Record<string, string>> = { 'exchange-ews': '/EWS/Exchange.asmx', ifb: '/freebusy/{address}.ifb' };
  const account = type === 'ifb' ? {} : { username: type === 'zimbra' ? 'bridge@zimbra.example' : 'CORP\\bridge', password: 'pw-of-the-bridge' };
  return { type, url: backEnd.url + (path[type!] ?? ''), ...account, domains: ['corp.example'], cacheFor: '0s', ...folder, ...more };
}
