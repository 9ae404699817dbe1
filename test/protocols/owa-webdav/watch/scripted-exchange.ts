import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { Happenings } from './happenings.ts';

export interface Seen {
  readonly method: string;
  readonly path: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Only so much of the body is sent, and the connection is cut. */
  readonly cutAfter?: number;
}

export interface ScriptedMailbox {
  /** As the server writes it into `calendar`; undefined: it does not say. */
  href: string | undefined;
  /** Paths that are there, percent-encoded. */
  folders: string[];
  /** `<a:response>` elements of a SEARCH. */
  items: string[];
}

export interface ScriptedSubscription {
  readonly id: string;
  readonly path: string;
  readonly callBack: string | undefined;
  hasFired: boolean;
}

export const USERNAME = 'CORP\\presence';
export const PASSWORD = 'p&ss +ü';

/**
 * An Exchange 2003 as exchange.md §2.3 to §2.7 and presence.md §B.4 describe it, on a bare socket, because Node's parser does not know POLL. By regular expressions: nothing of the bridge reads or writes here.
 */
export class ScriptedExchange {
  readonly seen = new Happenings<Seen>();
  readonly mailboxes = new Map<string, ScriptedMailbox>();
  readonly subscriptions = new Map<string, ScriptedSubscription>();
  auth: 'basic' | 'form' = 'basic';
  lifetime = '3600';
  /** Content-Location of a subscription; default: its folder's URL. */
  location: ((path: string) => string) | undefined;
  /** Answers in place of the server; undefined: it does its work. */
  script: (request: Seen) => Reply | 'silence' | undefined = () => undefined;
  readonly #server = createServer((socket) => this.#serve(socket));
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Set<string>();
  #lastId = 0;

  static async start(): Promise<ScriptedExchange> {
    const exchange = new ScriptedExchange();
    await new Promise<void>((resolve) => exchange.#server.listen(0, '127.0.0.1', resolve));
    return exchange;
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`);
  }

  /** A mailbox whose calendar has this name. */
  add(address: string, name = 'Calendar', items: string[] = []): ScriptedMailbox {
    const path = `/exchange/${address}/${encodeURIComponent(name)}/`;
    const mailbox = { href: `${this.url.origin}${path}`, folders: [path], items };
    this.mailboxes.set(address, mailbox);
    return mailbox;
  }

  /** The sessions of a form logon are forgotten. */
  forgetSessions(): void {
    this.#sessions.clear();
  }

  /** Something has changed in a folder: every subscription to it fires, and is told by a datagram. */
  async touch(path: string): Promise<void> {
    for (const one of this.subscriptions.values()) {
      if (one.path !== path) continue;
      one.hasFired = true;
      if (one.callBack !== undefined) await sendDatagram(one.callBack, `NOTIFY ${one.callBack} HTTP/1.1\r\nSubscription-id: ${one.id}\r\n\r\n`);
    }
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => undefined);
    let pending = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      for (;;) {
        const end = pending.indexOf('\r\n\r\n');
        if (end === -1) return;
        const [line = '', ...lines] = pending.subarray(0, end).toString('latin1').split('\r\n');
        const headers = Object.fromEntries(lines.map((one) => [one.slice(0, one.indexOf(':')).toLowerCase(), one.slice(one.indexOf(':') + 1).trim()]));
        const length = Number(headers['content-length'] ?? 0);
        if (pending.length < end + 4 + length) return;
        const body = pending.subarray(end + 4, end + 4 + length).toString('utf8');
        pending = pending.subarray(end + 4 + length);
        const [method = '', path = ''] = line.split(' ');
        const request = { method, path, headers, body };
        const reply = this.script(request) ?? this.#work(request);
        this.seen.add(request);
        if (reply !== 'silence') write(socket, reply);
      }
    });
  }

  #work(request: Seen): Reply {
    const refused = this.#signIn(request);
    if (refused !== undefined) return refused;
    if (request.path.startsWith('/public/?cmd=freebusy')) return { status: 200, body: freeBusyAnswer(request.path) };
    if (request.method === 'PROPFIND') return this.#propfind(request.path);
    const owner = [...this.mailboxes.values()].find(({ folders }) => folders.includes(request.path));
    if (request.method === 'SUBSCRIBE') return this.#subscribe(request, owner !== undefined);
    if (request.method === 'POLL' || request.method === 'UNSUBSCRIBE') return this.#aboutSubscriptions(request);
    if (owner === undefined) return { status: 404 };
    if (request.method === 'SEARCH') return { status: 207, body: multistatus(owner.items.join('')) };
    return { status: 501 };
  }

  #signIn(request: Seen): Reply | undefined {
    if (this.auth === 'basic') {
      return request.headers['authorization'] === `Basic ${Buffer.from(`${USERNAME}:${PASSWORD}`).toString('base64')}` ? undefined : { status: 401, headers: { 'www-authenticate': 'Basic realm="mail"' } };
    }
    if (request.path === '/exchweb/bin/auth/owaauth.dll') {
      const form = new URLSearchParams(request.body);
      if (form.get('username') !== USERNAME || form.get('password') !== PASSWORD) return { status: 302, headers: { location: '/exchweb/bin/auth/owalogon.asp?url=/public/&reason=2' } };
      const session = `s${Math.random()}`;
      this.#sessions.add(session);
      return { status: 302, headers: { location: '/public/', 'set-cookie': `sessionid=${session}; path=/` } };
    }
    return this.#sessions.has(/sessionid=([^;]+)/.exec(request.headers['cookie'] ?? '')?.[1] ?? '') ? undefined : { status: 440 };
  }

  #propfind(path: string): Reply {
    for (const [address, mailbox] of this.mailboxes) {
      if (mailbox.folders.includes(path)) return { status: 207, body: multistatus(`<a:response><a:href>${path}</a:href><a:propstat><a:status>HTTP/1.1 404 Resource Not Found</a:status><a:prop><h:calendar/></a:prop></a:propstat></a:response>`) };
      if (path !== `/exchange/${address}/`) continue;
      const found = mailbox.href === undefined ? ['404 Resource Not Found', '<h:calendar/>'] : ['200 OK', `<h:calendar>${mailbox.href}</h:calendar>`];
      return { status: 207, body: multistatus(`<a:response><a:href>${path}</a:href><a:propstat><a:status>HTTP/1.1 ${found[0]!}</a:status><a:prop>${found[1]!}</a:prop></a:propstat></a:response>`), headers: { 'ms-webstorage': '6.5.7226' } };
    }
    return { status: 404 };
  }

  #subscribe({ path, headers }: Seen, isThere: boolean): Reply {
    const ids = headers['subscription-id']?.split(',').map((one) => one.trim());
    if (ids !== undefined) {
      if (['call-back', 'notification-type', 'depth'].some((name) => headers[name] !== undefined)) return { status: 400 };
      const known = ids.filter((id) => this.subscriptions.has(id));
      if (known.length === 0) return { status: 412 };
      if (known.length < ids.length) return { status: 207, body: statuses(ids.map((id) => [known.includes(id) ? '200 OK' : '412 Precondition Failed', id])) };
      return { status: 200, headers: { 'subscription-id': ids.join(','), 'subscription-lifetime': this.lifetime } };
    }
    if (!isThere) return { status: 404 };
    if (headers['notification-type'] !== 'update' || headers['depth'] !== '1') return { status: 400 };
    const id = String(++this.#lastId);
    this.subscriptions.set(id, { id, path, callBack: headers['call-back'], hasFired: false });
    return { status: 200, headers: { 'subscription-id': id, 'content-location': this.location?.(path) ?? `${this.url.origin}${path}`, 'subscription-lifetime': this.lifetime } };
  }

  #aboutSubscriptions({ method, headers }: Seen): Reply {
    const ids = (headers['subscription-id'] ?? '').split(',').map((one) => one.trim());
    if (ids.some((id) => !this.subscriptions.has(id))) return { status: 412 };
    const rows = ids.map((id): readonly [string, string] => {
      const one = this.subscriptions.get(id)!;
      const status = method === 'UNSUBSCRIBE' || one.hasFired ? '200 OK' : '204 No Content';
      one.hasFired = false;
      if (method === 'UNSUBSCRIBE') this.subscriptions.delete(id);
      return [status, id];
    });
    return { status: 207, body: statuses(rows) };
  }
}

/** The shape of exchange.md §2.7. */
export function statuses(rows: readonly (readonly [status: string, id: string])[]): string {
  const of = rows.map(([status, id]) => `<a:response><a:href>http://127.0.0.1/</a:href><a:status>HTTP/1.1 ${status}</a:status><b:subscriptionID><li>${id}</li></b:subscriptionID></a:response>`);
  return `<?xml version="1.0"?><a:multistatus xmlns:a="DAV:" xmlns:b="http://schemas.microsoft.com/Exchange/">${of.join('')}</a:multistatus>`;
}

export function multistatus(responses: string): string {
  return `<?xml version="1.0"?><a:multistatus xmlns:a="DAV:" xmlns:b="urn:uuid:c2f41010-65b3-11d1-a29f-00aa00c14882/" xmlns:d="urn:schemas:calendar:" xmlns:e="http://schemas.microsoft.com/exchange/" xmlns:h="urn:schemas:httpmail:">${responses}</a:multistatus>`;
}

/** One item of a SEARCH; undefined properties are not found. */
export function item(properties: Readonly<Record<string, string | undefined>>): string {
  const found = Object.entries({ instancetype: '0', busystatus: 'BUSY', ...properties }).filter(([, value]) => value !== undefined);
  return `<a:response><a:href>http://127.0.0.1/x.EML</a:href><a:propstat><a:status>HTTP/1.1 200 OK</a:status><a:prop>${found.map(([name, value]) => `<d:${name}>${value}</d:${name}>`).join('')}</a:prop></a:propstat></a:response>`;
}

/** Sends one datagram to the host and port of a call-back URL; resolves when it has gone. */
export async function sendDatagram(url: string, text: string | Buffer): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = createSocket('udp4');
  await new Promise<void>((resolve, reject) => socket.send(text, Number(port), hostname, (error) => (error === null ? resolve() : reject(error))));
  socket.close();
}

/** Busy for everybody who is asked about, slot for slot. */
function freeBusyAnswer(path: string): string {
  const query = new URLSearchParams(path.slice(path.indexOf('?')));
  const slots = (Date.parse(query.get('end')!) - Date.parse(query.get('start')!)) / 60_000 / Number(query.get('interval'));
  const items = query.getAll('u').map((one) => `<a:item><a:displayname>x</a:displayname><a:email type="SMTP">${one.replace('SMTP:', '')}</a:email><a:type>1</a:type><a:fbdata>${'2'.repeat(slots)}</a:fbdata></a:item>`);
  return `<a:response xmlns:a="WM"><a:recipients>${items.join('')}</a:recipients></a:response>`;
}

function write(socket: Socket, { status, body = '', headers = {}, cutAfter }: Reply): void {
  const all = { 'content-type': 'text/xml', date: new Date(NOW).toUTCString(), 'content-length': String(Buffer.byteLength(body)), ...headers };
  const head = `HTTP/1.1 ${status} Said\r\n${Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
  if (cutAfter === undefined) socket.write(head + body);
  else socket.end(head + body.slice(0, cutAfter));
}

export const NOW = Date.UTC(2026, 2, 2, 9);
