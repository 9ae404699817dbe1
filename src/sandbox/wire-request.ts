import { Agent, request } from 'node:http';
import { gunzipSync, inflateSync } from 'node:zlib';

export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

/** One connection, kept for all its requests, whose request lines and headers go out byte for byte as given. */
export interface Wire {
  /** `headers` in the order in which they are sent: name, value, name, value. @throws Error when there is no answer in time. */
  send(method: string, target: string, headers: readonly string[], body?: string): Promise<WireAnswer>;
  close(): void;
}

/** Longer than any deadline of the bridge: only a bridge that hangs meets it. */
const PATIENCE_MS = 20_000;

/** The sandbox's own client: undici would sort and complete what must go out as a stock Zimbra sends it. */
export function openWire(origin: URL): Wire {
  if (origin.protocol !== 'http:') throw new Error('the sandbox asks over plain http on loopback only');
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    send: (method, target, headers, body = '') =>
      new Promise<WireAnswer>((resolve, reject) => {
        const sent = request({ host: origin.hostname, port: origin.port, agent, method, path: target, headers, timeout: PATIENCE_MS }, (answer) => {
          const parts: Buffer[] = [];
          answer.on('data', (part: Buffer) => parts.push(part));
          answer.on('error', reject);
          answer.on('end', () => {
            try {
              resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: decompressed(Buffer.concat(parts), answer.headers['content-encoding']) });
            } catch (error) {
              reject(error instanceof Error ? error : new Error('the body cannot be decompressed'));
            }
          });
        });
        sent.on('timeout', () => sent.destroy(new Error(`no answer within ${PATIENCE_MS} ms`)));
        sent.on('error', reject);
        sent.end(body);
      }),
    close: () => agent.destroy(),
  };
}

function decompressed(body: Buffer, encoding: string | undefined): Buffer {
  if (encoding === 'gzip') return gunzipSync(body);
  return encoding === 'deflate' ? inflateSync(body) : body;
}
