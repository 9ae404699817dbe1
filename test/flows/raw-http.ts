import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  readonly tookMs: number;
}

export interface RawQuestion {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
  readonly timeoutMs?: number;
  /** The address to come from; all of 127.0.0.0/8 is this machine. */
  readonly from?: string;
}

/** One request on a connection of its own; `target` goes on the wire as it stands. */
export async function ask(base: string, target: string, question: RawQuestion = {}): Promise<RawAnswer> {
  const { hostname, port } = new URL(base);
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const request = httpRequest({ hostname, port, path: target, method: question.method ?? 'GET', headers: question.headers, localAddress: question.from, agent: false, timeout: question.timeoutMs ?? 15_000 }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('end', () => resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks).toString('utf8'), tookMs: performance.now() - started }));
      response.once('error', reject);
    });
    request.once('timeout', () => request.destroy(new Error(`no answer to ${target.slice(0, 80)}`)));
    request.once('error', reject);
    request.end(question.body);
  });
}

export function basic(username: string, password: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
}

export interface Exchange {
  readonly text: string;
  /** The bridge closed its side. */
  readonly closed: boolean;
}

/** Writes bytes to a port and reads for as long as `enough` says no, the other side keeps the connection, and time remains. */
export async function exchange(port: number, bytes: string | Buffer, options: { readonly enough?: (text: string) => boolean; readonly timeoutMs?: number } = {}): Promise<Exchange> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1');
    const finish = (closed: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text, closed });
    };
    const timer = setTimeout(() => finish(false), options.timeoutMs ?? 5_000);
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (options.enough?.(text) === true) finish(false);
    });
    // A reset after the answer is a way to close as well.
    socket.on('error', () => finish(true));
    socket.on('close', () => finish(true));
    socket.write(bytes);
  });
}

export const WINDOW = { start: Date.UTC(2026, 2, 2, 8), end: Date.UTC(2026, 2, 2, 12) } as const;

export interface JsonResult {
  readonly mailbox: string;
  readonly busy?: readonly { readonly start: string; readonly end: string; readonly type: string; readonly subject?: string; readonly location?: string }[];
  readonly error?: { readonly code: string; readonly message: string };
  readonly asOf?: string;
  readonly stale?: boolean;
}

const iso = (instant: number): string => new Date(instant).toISOString();

/** GET /api/v1/freebusy. */
export async function askJson(base: string, headers: Record<string, string>, mailboxes: readonly string[], window: { start: number; end: number } = WINDOW): Promise<RawAnswer & { readonly results: readonly JsonResult[] }> {
  const query = mailboxes.map((mailbox) => `mailbox=${encodeURIComponent(mailbox)}`).join('&');
  const answer = await ask(base, `/api/v1/freebusy?${query}&start=${iso(window.start)}&end=${iso(window.end)}`, { headers });
  const results = answer.status === 200 ? (JSON.parse(answer.body) as { results: readonly JsonResult[] }).results : [];
  return { ...answer, results };
}

/** The OWA question; gives digits by lower-case address. */
export async function askOwa(base: string, headers: Record<string, string>, mailboxes: readonly string[], window: { start: number; end: number } = WINDOW, interval = 15): Promise<RawAnswer & { readonly digits: Readonly<Record<string, string>> }> {
  const time = (instant: number): string => iso(instant).replace('.000Z', '+00:00');
  const target = `/public/?cmd=freebusy&start=${time(window.start)}&end=${time(window.end)}&interval=${interval}${mailboxes.map((one) => `&u=SMTP:${one}`).join('')}`;
  const answer = await ask(base, target, { headers });
  const digits: Record<string, string> = {};
  for (const [, item] of answer.body.matchAll(/<(?:\w+:)?item>(.*?)<\/(?:\w+:)?item>/gs)) {
    const email = /<(?:\w+:)?email[^>]*>([^<]*)</.exec(item!)?.[1];
    if (email !== undefined) digits[email.toLowerCase()] = /<(?:\w+:)?fbdata>([^<]*)</.exec(item!)?.[1] ?? '';
  }
  return { ...answer, digits };
}

export interface SoapSlot {
  readonly letter: string;
  readonly start: number;
  readonly end: number;
}

export function soapEnvelope(body: string, context = ''): string {
  return `<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope"><soap:Header><context xmlns="urn:zimbra">${context}</context></soap:Header><soap:Body>${body}</soap:Body></soap:Envelope>`;
}

export async function postSoap(base: string, headers: Record<string, string>, body: string): Promise<RawAnswer> {
  return ask(base, '/service/soap/', { method: 'POST', headers: { 'content-type': 'application/soap+xml; charset=utf-8', ...headers }, body });
}

/** GetFreeBusyRequest; gives slots by id. */
export async function askSoap(base: string, headers: Record<string, string>, mailboxes: readonly string[], window: { start: number; end: number } = WINDOW): Promise<RawAnswer & { readonly slots: Readonly<Record<string, readonly SoapSlot[]>> }> {
  const answer = await postSoap(base, headers, soapEnvelope(`<GetFreeBusyRequest xmlns="urn:zimbraMail" s="${window.start}" e="${window.end}" name="${mailboxes.join(',')}"/>`));
  const slots: Record<string, readonly SoapSlot[]> = {};
  for (const [, id, inner] of answer.body.matchAll(/<(?:\w+:)?usr id="([^"]*)">(.*?)<\/(?:\w+:)?usr>/gs)) {
    slots[id!] = [...inner!.matchAll(/<(?:\w+:)?([ftbun]) s="(\d+)" e="(\d+)"/g)].map(([, letter, s, e]) => ({ letter: letter!, start: Number(s), end: Number(e) }));
  }
  return { ...answer, slots };
}

/** The code in a Zimbra fault; undefined where the body is none. */
export function faultCode(body: string): string | undefined {
  return /<(?:\w+:)?Fault[\s>]/.test(body) ? /<(?:\w+:)?Code>([a-z]+\.[A-Z_]+)</.exec(body)?.[1] : undefined;
}
