import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** The client's port: one a connection. */
  readonly port: number | undefined;
}

/** What a test lets go wrong: an answer, or `drop` in the middle of one. */
export type Fault = { readonly status: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>> } | 'drop-mid-body' | 'silence';

export interface FakeExchange {
  readonly url: URL;
  readonly seen: Seen[];
  /** Messages by lower-case path; values as text, by the name of the property. */
  readonly messages: Map<string, Map<string, readonly string[]>>;
  /** Asked before anything else; undefined: the server does its work. */
  fault: (request: Seen) => Fault | undefined;
  readonly close: () => Promise<void>;
}

export interface FakeExchangeOptions {
  /** `EX:…` folders, as their DNs have them. */
  readonly folders: readonly string[];
  readonly auth?: 'basic' | 'form';
  /** Last segments of the folders' URLs as the server lists them; default: as they are addressed. */
  readonly spelled?: readonly string[];
}

export const USERNAME = 'CORP\\bridge';
export const PASSWORD = 'p&ss +ü';

/**
 * A raw server that keeps free/busy messages as exchange.md §2.1 to §2.6 describe an Exchange 2003: written for these tests, by regular
 * expressions, so that nothing of the bridge reads or writes here.
 */
export async function startFakeExchange(options: FakeExchangeOptions): Promise<FakeExchange> {
  const seen: Seen[] = [];
  const messages = new Map<string, Map<string, readonly string[]>>();
  const sessions = new Set<string>();
  const fake = { fault: (_request: Seen): Fault | undefined => undefined };
  const tree = '/public/non_ipm_subtree/schedule+ free busy/';
  const folders = new Set(options.folders.map((one) => tree + one.replaceAll('/', '_xf8ff_').toLowerCase()));

  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const one: Seen = { method: request.method!, path: request.url!, headers: request.headers, body: Buffer.concat(chunks).toString('utf8'), port: request.socket.remotePort };
      seen.push(one);
      const fault = fake.fault(one);
      if (fault === 'silence') return;
      if (fault === 'drop-mid-body') {
        response.writeHead(207, { 'content-type': 'text/xml', 'content-length': '5000' });
        response.write('<a:multistatus xmlns:a="DAV:"><a:response>');
        setTimeout(() => response.destroy(), 20);
        return;
      }
      const { status, body = '', headers = {} } = fault ?? work(one);
      response.writeHead(status, { 'content-type': 'text/xml', 'ms-webstorage': '6.5.7226', 'content-length': String(Buffer.byteLength(body)), ...headers });
      response.end(body);
    });
  });

  function work(request: Seen): Exclude<Fault, string> {
    if (options.auth === 'form') {
      if (request.path === '/exchweb/bin/auth/owaauth.dll') {
        const form = new URLSearchParams(request.body);
        const isRight = form.get('username') === USERNAME && form.get('password') === PASSWORD;
        if (!isRight) return { status: 302, headers: { location: '/exchweb/bin/auth/owalogon.asp?url=/public/&reason=2' } };
        const session = `s${sessions.size + 1}`;
        sessions.add(session);
        return { status: 302, headers: { location: '/public/', 'set-cookie': `sessionid=${session}; path=/` } };
      }
      const session = /sessionid=([^;]+)/.exec(request.headers.cookie ?? '')?.[1];
      if (session === undefined || !sessions.has(session)) return { status: 440, headers: { connection: 'close' } };
    } else if (request.headers.authorization !== `Basic ${Buffer.from(`${USERNAME}:${PASSWORD}`).toString('base64')}`) {
      return { status: 401, headers: { 'www-authenticate': 'Basic realm="mail"' } };
    }
    const path = decodeURIComponent(request.path).toLowerCase().replace(/\/$/, '');
    const folder = path.slice(0, path.lastIndexOf('/'));
    if (request.method === 'PROPPATCH') {
      if (!folders.has(folder)) return { status: 409 };
      return patch(request, path);
    }
    if (request.method === 'DELETE') return messages.delete(path) ? { status: 204 } : { status: 404 };
    if (request.method === 'GET' && path.startsWith('/public/?cmd=freebusy')) return { status: 200, body: '<a:response xmlns:a="WM"><a:recipients/></a:response>' };
    if (request.method !== 'PROPFIND') return { status: 501 };
    if (request.headers['depth'] === '1' && `${path}/` === tree) return { status: 207, body: listOf(request.path, options.spelled ?? options.folders.map((one) => encodeURIComponent(one.replaceAll('/', '_xF8FF_')))) };
    if (folders.has(path) || `${path}/` === tree) return { status: 207, body: multistatus(request.path, '<a:propstat><a:status>HTTP/1.1 404 Resource Not Found</a:status><a:prop><e:x68470003/></a:prop></a:propstat>') };
    const message = messages.get(path);
    if (message === undefined) return { status: 404 };
    const properties = [...message].map(([name, values]) => `<${name}>${values.length > 1 || name.endsWith('02') || name.endsWith('1003') ? values.map((one) => `<c:v>${one}</c:v>`).join('') : values.join('')}</${name}>`);
    return { status: 207, body: multistatus(request.path, `<a:propstat><a:status>HTTP/1.1 200 OK</a:status><a:prop>${properties.join('')}</a:prop></a:propstat>`) };
  }

  function patch(request: Seen, path: string): Exclude<Fault, string> {
    const message = messages.get(path) ?? new Map<string, readonly string[]>();
    messages.set(path, message);
    const [set = '', removal = ''] = request.body.split('<D:remove>');
    const names: string[] = [];
    for (const [, prefix, name, content] of set.matchAll(/<([pm]):(x[0-9A-F]{8}|subject)(?: [^>]*)?>(.*?)<\/\1:\2>/g)) {
      const values = [...content!.matchAll(/<x:v>(.*?)<\/x:v>/g)].map((one) => one[1]!);
      const own = `${prefix === 'm' ? 'd' : 'e'}:${name!}`;
      message.set(own, values.length > 0 ? values : [content!]);
      names.push(own);
    }
    for (const [, name] of removal.matchAll(/<p:(x[0-9A-F]{8})\/>/g)) {
      message.delete(`e:${name!}`);
      names.push(`e:${name!}`);
    }
    return { status: 207, body: multistatus(request.path, `<a:propstat><a:status>HTTP/1.1 200 OK</a:status><a:prop>${names.map((one) => `<${one}/>`).join('')}</a:prop></a:propstat>`) };
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(fake, {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    seen,
    messages,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  });
}

/** Depth 1: the folder itself, and what is in it; hosts as in the capture. */
function listOf(path: string, segments: readonly string[]): string {
  const hrefs = [`http://localhost${path}`, ...segments.map((one) => `http://localhost${path}${one}/`)];
  return `<?xml version="1.0"?><a:multistatus xmlns:a="DAV:">${hrefs.map((one) => `<a:response><a:href>${one}</a:href><a:propstat><a:status>HTTP/1.1 200 OK</a:status><a:prop><a:isfolder>1</a:isfolder></a:prop></a:propstat></a:response>`).join('')}</a:multistatus>`;
}

export function multistatus(href: string, inner: string): string {
  return `<?xml version="1.0"?><a:multistatus xmlns:a="DAV:" xmlns:c="xml:" xmlns:d="http://schemas.microsoft.com/mapi/" xmlns:e="http://schemas.microsoft.com/mapi/proptag/"><a:response><a:href>${href}</a:href>${inner}</a:response></a:multistatus>`;
}
