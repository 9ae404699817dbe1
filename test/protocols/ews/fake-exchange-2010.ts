import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach } from 'vitest';
import { attribute, child, childText, childrenNamed, descend } from '../../../src/platform/xml/element.ts';
import type { XmlElement } from '../../../src/platform/xml/element.ts';
import { readXml } from '../../../src/platform/xml/read.ts';

/**
 * The public folders of an Exchange 2010, written for these tests from exchange.md §3.5, §3.7 and Microsoft's schema; none of the room's own
 * encoders or decoders. It keeps items, refuses what Exchange refuses (all of a write or nothing), and lets a test step in before any answer.
 */
export interface FakeItem {
  readonly id: string;
  readonly folder: string;
  readonly itemClass: string;
  subject: string;
  changeKey: number;
  /** `0x6853 IntegerArray` → values. */
  readonly properties: Map<string, readonly string[]>;
}

export interface Asked {
  readonly operation: string;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
}

/** What a test may do to one request: answer itself, refuse by a code, or harm the connection. */
export type Mischief =
  | { readonly status: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>> }
  | { readonly code: string; readonly responseClass?: string; readonly messageXml?: string }
  /** `cut`: half of the right answer; `lost`: done, and the connection is gone before a word; `silent`: done, and nothing comes. */
  | 'cut'
  | 'lost'
  | 'silent';

const T = 'http://schemas.microsoft.com/exchange/services/2006/types';
const M = 'http://schemas.microsoft.com/exchange/services/2006/messages';
const NS = `xmlns:m="${M}" xmlns:t="${T}"`;
const KNOWN_TYPES = new Set(['Integer', 'IntegerArray', 'BinaryArray', 'Binary', 'Boolean', 'String', 'SystemTime']);

/** The message is the response code. */
class Refused extends Error {}

const escaped = (text: string): string => text.replace(/[&<>"]/g, (one) => `&#${one.charCodeAt(0)};`);

export class FakeExchange2010 {
  /** Path → present; ids follow from the path and the replica. */
  readonly folders = new Set(['NON_IPM_SUBTREE', 'NON_IPM_SUBTREE/SCHEDULE+ FREE BUSY']);
  readonly items = new Map<string, FakeItem>();
  readonly asked: Asked[] = [];
  /** `major.minor.build.build`, or nothing where answers say no version. */
  version: string | undefined = '14.3.123.4';
  /** Tags that UpdateItem and CreateItem refuse, as `0x6854`. */
  refusedTags = new Set<string>();
  /** Addresses and legacyExchangeDNs that ResolveNames finds. */
  directory = new Set<string>();
  mayWrite = true;
  mayDelete = true;
  /** Asked before every answer. */
  mischief: (asked: Asked) => Mischief | undefined = () => undefined;
  url = new URL('http://127.0.0.1/');
  #replica = 1;
  #next = 1;
  #server: Server | undefined;

  static async start(...exFolders: readonly string[]): Promise<FakeExchange2010> {
    const fake = new FakeExchange2010();
    for (const name of exFolders) fake.folders.add(`NON_IPM_SUBTREE/SCHEDULE+ FREE BUSY/${name.replaceAll('/', '|')}`);
    const server = createServer((request, response) => void fake.#serve(request, response));
    fake.#server = server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    fake.url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/EWS/Exchange.asmx`);
    open.push(fake);
    return fake;
  }

  /** The folders move to another replica: every id from before is unknown. */
  moveReplica(): void {
    this.#replica++;
  }

  operations(): string[] {
    return this.asked.map((one) => one.operation);
  }

  put(exFolder: string, subject: string, properties: Readonly<Record<string, readonly string[]>> = {}): FakeItem {
    const item = { id: `item-${this.#next++}`, folder: `NON_IPM_SUBTREE/SCHEDULE+ FREE BUSY/${exFolder.replaceAll('/', '|')}`, itemClass: 'IPM.Post', subject, changeKey: 1, properties: new Map(Object.entries(properties)) };
    this.items.set(item.id, item);
    return item;
  }

  /** Items of an `EX:` folder by subject. */
  inFolder(exFolder: string, subject: string): FakeItem[] {
    return [...this.items.values()].filter((one) => one.folder.endsWith(`/${exFolder.replaceAll('/', '|')}`) && one.subject.toLowerCase() === subject.toLowerCase());
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise<void>((resolve) => (this.#server === undefined ? resolve() : this.#server.close(() => resolve())));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString('utf8');
    const operation = /\/messages\/(\w+)"$/.exec(String(request.headers['soapaction']))?.[1] ?? '';
    const asked = { operation, body, headers: request.headers };
    this.asked.push(asked);
    const mischief = this.mischief(asked);
    if (typeof mischief === 'object' && 'status' in mischief) return void response.writeHead(mischief.status, { ...mischief.headers }).end(mischief.body ?? '');
    const answer =
      typeof mischief === 'object'
        ? this.#envelope(`<m:${operation}Response ${NS}><m:ResponseMessages>${message(operation, mischief.code, mischief.messageXml ?? '', mischief.responseClass)}</m:ResponseMessages></m:${operation}Response>`)
        : await this.#answer(operation, body);
    if (mischief === 'lost') return void request.socket.destroy();
    if (mischief === 'silent') return;
    response.writeHead(200, { 'content-type': 'text/xml; charset=utf-8', 'content-length': Buffer.byteLength(answer) });
    if (mischief !== 'cut') return void response.end(answer);
    response.write(answer.slice(0, answer.length / 2), () => request.socket.destroy());
  }

  #envelope(body: string): string {
    const [major, minor, build, last] = (this.version ?? '').split('.');
    const header = this.version === undefined ? '' : `<s:Header><h:ServerVersionInfo xmlns:h="${T}" xmlns="${T}" MajorVersion="${major}" MinorVersion="${minor}" MajorBuildNumber="${build}" MinorBuildNumber="${last}" Version="Exchange2010_SP2"/></s:Header>`;
    return `<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">${header}<s:Body>${body}</s:Body></s:Envelope>`;
  }

  async #answer(operation: string, text: string): Promise<string> {
    const request = descend(await readXml(text), 'Body', operation)!;
    const answers = this.#do(operation, request);
    return this.#envelope(`<m:${operation}Response ${NS}><m:ResponseMessages>${answers.join('')}</m:ResponseMessages></m:${operation}Response>`);
  }

  #do(operation: string, request: XmlElement): readonly string[] {
    const one = (work: () => string): string => {
      try {
        return message(operation, 'NoError', work());
      } catch (error) {
        if (error instanceof Refused) return message(operation, error.message, '');
        throw error;
      }
    };
    switch (operation) {
      case 'GetFolder':
        return [one(() => `<m:Folders><t:Folder><t:FolderId Id="${this.#idOf('IPM_SUBTREE')}" ChangeKey="AQ"/><t:ParentFolderId Id="${this.#idOf('')}" ChangeKey="AQ"/><t:DisplayName>IPM_SUBTREE</t:DisplayName></t:Folder></m:Folders>`)];
      case 'FindFolder':
        return [one(() => this.#findFolder(request))];
      case 'FindItem':
        return [one(() => this.#findItem(request))];
      case 'GetItem':
        return idsOf(request).map((id) => one(() => `<m:Items>${withProperties(this.#item(id))}</m:Items>`));
      case 'CreateItem':
        return [one(() => this.#create(request))];
      case 'UpdateItem':
        return [one(() => this.#update(request))];
      case 'ResolveNames':
        return [one(() => this.#resolve(childText(request, 'UnresolvedEntry')))];
      case 'DeleteItem':
        return idsOf(request).map((id) => one(() => this.#delete(id, attribute(request, 'DeleteType'))));
      default:
        throw new Error(`unexpected ${operation}`);
    }
  }

  #resolve(entry: string | undefined): string {
    if (!this.directory.has(entry ?? '')) throw new Refused('ErrorNameResolutionNoResults');
    return `<m:ResolutionSet TotalItemsInView="1" IncludesLastItemInRange="true"><t:Resolution><t:Mailbox><t:Name>x</t:Name></t:Mailbox></t:Resolution></m:ResolutionSet>`;
  }

  #idOf(path: string): string {
    return `AQEu${this.#replica}:${Buffer.from(path).toString('base64')}`;
  }

  #pathOf(id: string | undefined): string {
    const [replica, path = ''] = (id ?? '').split(':');
    if (replica !== `AQEu${this.#replica}`) throw new Refused('ErrorFolderNotFound');
    return Buffer.from(path, 'base64').toString('utf8');
  }

  #findFolder(request: XmlElement): string {
    const parent = this.#pathOf(attribute(descend(request, 'ParentFolderIds', 'FolderId'), 'Id'));
    const name = constantOf(request);
    const path = `${parent === '' ? '' : `${parent}/`}${name.replaceAll('/', '|')}`;
    const hit = [...this.folders].find((one) => one.toLowerCase() === path.toLowerCase());
    const folder = hit === undefined ? '' : `<t:Folder><t:FolderId Id="${this.#idOf(hit)}" ChangeKey="AQ"/><t:DisplayName>${escaped(name)}</t:DisplayName></t:Folder>`;
    return `<m:RootFolder TotalItemsInView="${hit === undefined ? 0 : 1}" IncludesLastItemInRange="true"><t:Folders>${folder}</t:Folders></m:RootFolder>`;
  }

  #findItem(request: XmlElement): string {
    const folder = this.#pathOf(attribute(descend(request, 'ParentFolderIds', 'FolderId'), 'Id'));
    const subject = constantOf(request).toLowerCase();
    const hits = [...this.items.values()].filter((one) => one.folder === folder && one.subject.toLowerCase() === subject);
    const items = hits.map((one) => `<t:PostItem>${itemId(one)}<t:Subject>${escaped(one.subject)}</t:Subject></t:PostItem>`);
    return `<m:RootFolder TotalItemsInView="${hits.length}" IncludesLastItemInRange="true"><t:Items>${items.join('')}</t:Items></m:RootFolder>`;
  }

  #item(id: string): FakeItem {
    const item = this.items.get(id);
    if (item === undefined) throw new Refused('ErrorItemNotFound');
    return item;
  }

  #create(request: XmlElement): string {
    const folder = this.#pathOf(attribute(descend(request, 'SavedItemFolderId', 'FolderId'), 'Id'));
    if (!this.mayWrite) throw new Refused('ErrorCreateItemAccessDenied');
    if (attribute(request, 'MessageDisposition') !== 'SaveOnly') throw new Refused('ErrorMessageDispositionRequired');
    const post = descend(request, 'Items', 'PostItem');
    if (post === undefined) throw new Refused('ErrorSchemaValidation');
    const properties = new Map(childrenNamed(post, 'ExtendedProperty').map((one) => this.#property(one)));
    const item = { id: `item-${this.#next++}`, folder, itemClass: childText(post, 'ItemClass') ?? '', subject: childText(post, 'Subject') ?? '', changeKey: 1, properties };
    this.items.set(item.id, item);
    return `<m:Items><t:PostItem>${itemId(item)}</t:PostItem></m:Items>`;
  }

  #update(request: XmlElement): string {
    const change = descend(request, 'ItemChanges', 'ItemChange');
    const item = this.#item(attribute(child(change, 'ItemId'), 'Id') ?? '');
    if (!this.mayWrite) throw new Refused('ErrorAccessDenied');
    if (attribute(request, 'ConflictResolution') !== 'AlwaysOverwrite' && attribute(child(change, 'ItemId'), 'ChangeKey') !== `CK${item.changeKey}`) throw new Refused('ErrorIrresolvableConflict');
    const changed = new Map(item.properties);
    for (const field of child(change, 'Updates')?.children ?? []) {
      const key = this.#field(child(field, 'ExtendedFieldURI'));
      if (field.name === 'DeleteItemField') changed.delete(key);
      else {
        const [name, values] = this.#property(descend(field, 'PostItem', 'ExtendedProperty')!);
        if (name !== key) throw new Refused('ErrorUpdatePropertyMismatch');
        changed.set(name, values);
      }
    }
    item.properties.clear();
    for (const [name, values] of changed) item.properties.set(name, values);
    item.changeKey++;
    return `<m:Items><t:PostItem>${itemId(item)}</t:PostItem></m:Items><m:ConflictResults><t:Count>0</t:Count></m:ConflictResults>`;
  }

  #delete(id: string, type: string | undefined): string {
    this.#item(id);
    if (!this.mayDelete || type !== 'HardDelete') throw new Refused('ErrorCannotDeleteObject');
    this.items.delete(id);
    return '';
  }

  #field(uri: XmlElement | undefined): string {
    const tag = attribute(uri, 'PropertyTag') ?? '';
    const type = attribute(uri, 'PropertyType') ?? '';
    if (!/^0x[0-9A-F]{4}$/.test(tag) || Number(tag) >= 0x8000 || !KNOWN_TYPES.has(type)) throw new Refused('ErrorInvalidExtendedProperty');
    if (this.refusedTags.has(tag)) throw new Refused('ErrorInvalidExtendedProperty');
    return `${tag} ${type}`;
  }

  #property(property: XmlElement): [string, readonly string[]] {
    const key = this.#field(child(property, 'ExtendedFieldURI'));
    const values = childrenNamed(key.endsWith('Array') ? child(property, 'Values') : property, 'Value').map((one) => one.text);
    const isFine = key.endsWith('Array') ? values.length > 0 : values.length === 1;
    if (!isFine || values.some((one) => !FORMS[key.split(' ')[1]!.replace('Array', '')]!.test(one))) throw new Refused('ErrorInvalidExtendedPropertyValue');
    return [key, values];
  }
}

const FORMS: Readonly<Record<string, RegExp>> = {
  Integer: /^-?\d{1,10}$/,
  Boolean: /^(?:true|false)$/,
  String: /^/,
  SystemTime: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,7})?Z$/,
  Binary: /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/,
};

function message(operation: string, code: string, content: string, responseClass = code === 'NoError' ? 'Success' : 'Error'): string {
  return `<m:${operation}ResponseMessage ResponseClass="${responseClass}">${code === 'NoError' ? '' : '<m:MessageText>no</m:MessageText>'}<m:ResponseCode>${code}</m:ResponseCode>${content}</m:${operation}ResponseMessage>`;
}

function itemId(item: FakeItem): string {
  return `<t:ItemId Id="${item.id}" ChangeKey="CK${item.changeKey}"/>`;
}

function withProperties(item: FakeItem): string {
  const properties = [...item.properties].map(([key, values]) => {
    const [tag, type] = key.split(' ') as [string, string];
    const inner = values.map((one) => `<t:Value>${escaped(one)}</t:Value>`).join('');
    return `<t:ExtendedProperty><t:ExtendedFieldURI PropertyTag="${tag.toLowerCase()}" PropertyType="${type}"/>${type.endsWith('Array') ? `<t:Values>${inner}</t:Values>` : inner}</t:ExtendedProperty>`;
  });
  return `<t:PostItem>${itemId(item)}<t:Subject>${escaped(item.subject)}</t:Subject>${properties.join('')}</t:PostItem>`;
}

function constantOf(request: XmlElement): string {
  return attribute(descend(request, 'Restriction', 'IsEqualTo', 'FieldURIOrConstant', 'Constant'), 'Value') ?? '';
}

function idsOf(request: XmlElement): readonly string[] {
  return (child(request, 'ItemIds')?.children ?? []).map((one) => attribute(one, 'Id') ?? '');
}

const open: FakeExchange2010[] = [];
afterEach(async () => {
  for (const fake of open.splice(0)) await fake.stop();
});
