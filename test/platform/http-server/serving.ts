import { connect } from 'node:net';
import { request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders, OutgoingHttpHeaders, RequestListener } from 'node:http';
import type { LogFields, Logger } from '../../../src/core/logger.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { Listener } from '../../../src/platform/http-server/listener.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Opens a listener on a free port of loopback. */
export async function serve(handler: RequestListener, logger: Logger = silentLogger): Promise<Listener> {
  return Listener.open(new URL('http://127.0.0.1:0'), undefined, handler, logger);
}

/** One request on a connection of its own; the target goes out as it stands. */
export async function ask(base: string, target: string, options: { readonly method?: string; readonly headers?: OutgoingHttpHeaders; readonly body?: string | Buffer } = {}): Promise<Answer> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: hostname, port, path: target, method: options.method ?? 'GET', headers: options.headers ?? {}, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
      response.once('error', reject);
    });
    request.once('error', reject);
    request.end(options.body);
  });
}

/** Sends bytes as they are; what came back until the server closed, and whether it did within `patienceMs`. */
export async function sendRaw(base: string, bytes: string | Buffer, options: { readonly patienceMs?: number; readonly keepOpen?: boolean } = {}): Promise<{ readonly text: string; readonly closed: boolean }> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: options.keepOpen === true }, () => socket.write(bytes));
    const finish = (closed: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text, closed });
    };
    const timer = setTimeout(() => finish(false), options.patienceMs ?? 3_000);
    socket.on('data', (chunk) => (text += chunk.toString('latin1')));
    socket.on('error', () => finish(true));
    socket.on('close', () => finish(true));
  });
}

/** A logger that keeps its lines. */
export function keepingLogger(): { readonly logger: Logger; readonly lines: (LogFields & { readonly level: string; readonly message: string })[] } {
  const lines: (LogFields & { readonly level: string; readonly message: string })[] = [];
  const at = (level: string) => (fields: LogFields, message: string): void => void lines.push({ ...fields, level, message });
  return { logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }, lines };
}

/** The log line of a request is written when its connection has told; a moment later. */
export async function settled(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 20));
}
