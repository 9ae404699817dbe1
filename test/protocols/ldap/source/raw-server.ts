import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** One element of BER, its length in as few octets as there may be. */
export function ber(tag: number, ...parts: readonly (Buffer | string)[]): Buffer {
  const content = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
  const { length } = content;
  const head = length < 0x80 ? [tag, length] : length < 0x1_00_00 ? [tag, 0x82, length >> 8, length & 0xff] : [tag, 0x83, length >> 16, (length >> 8) & 0xff, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

export const integer = (value: number, tag = 0x02): Buffer => ber(tag, value < 0x80 ? Buffer.from([value]) : Buffer.from([value >> 8, value & 0xff]));
export const octets = (value: Buffer | string): Buffer => ber(0x04, value);
export const message = (id: number, operation: Buffer, ...controls: readonly Buffer[]): Buffer => ber(0x30, integer(id), operation, ...(controls.length > 0 ? [ber(0xa0, ...controls)] : []));

/** SearchResultEntry. */
export const entry = (dn: string, attributes: Readonly<Record<string, readonly (string | Buffer)[]>>): Buffer =>
  ber(0x64, octets(dn), ber(0x30, ...Object.entries(attributes).map(([name, values]) => ber(0x30, octets(name), ber(0x31, ...values.map(octets))))));
/** LDAPResult under the tag of a response: 0x61 bind, 0x65 search, 0x78 extended. */
export const result = (tag: number, code = 0, text = ''): Buffer => ber(tag, integer(code, 0x0a), octets(''), octets(text));
export const reference = (url: string): Buffer => ber(0x73, octets(url));
/** Paged results control of an answer. */
export const paged = (cookie: string): Buffer => ber(0x30, octets('1.2.840.113556.1.4.319'), octets(ber(0x30, integer(0), octets(cookie))));

export interface Request {
  readonly id: number;
  /** 0x60 bind, 0x63 search, 0x77 extended, 0x42 unbind. */
  readonly operation: number;
  /** All of it. */
  readonly bytes: Buffer;
  /** Of this operation, from 0, over all connections. */
  readonly nth: number;
}

export interface RawServer {
  readonly url: URL;
  /** Requests it has read. */
  readonly requests: readonly Request[];
  close(): Promise<void>;
}

/** A server that says what a test says; without an answer it is silent. It answers nobody twice and hides nothing. */
export async function rawServer(answer: (request: Request, socket: Socket) => Buffer | readonly Buffer[] | undefined): Promise<RawServer> {
  const sockets = new Set<Socket>();
  const requests: Request[] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    let held = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => {
      held = Buffer.concat([held, chunk]);
      for (let length = lengthOf(held); length !== undefined && held.length >= length; length = lengthOf(held)) {
        const bytes = held.subarray(0, length);
        held = held.subarray(length);
        const request = read(bytes, requests);
        requests.push(request);
        const said = answer(request, socket);
        for (const one of said === undefined ? [] : Buffer.isBuffer(said) ? [said] : said) socket.write(one);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: new URL(`ldap://127.0.0.1:${(server.address() as AddressInfo).port}`),
    requests,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function lengthOf(bytes: Buffer): number | undefined {
  if (bytes.length < 2) return undefined;
  const first = bytes[1]!;
  if (first < 0x80) return 2 + first;
  return bytes.length < 2 + (first & 0x7f) ? undefined : 2 + (first & 0x7f) + bytes.readUIntBE(2, first & 0x7f);
}

function read(bytes: Buffer, before: readonly Request[]): Request {
  const at = bytes[1]! < 0x80 ? 2 : 2 + (bytes[1]! & 0x7f);
  const size = bytes[at + 1]!;
  const operation = bytes[at + 2 + size]!;
  return { id: bytes.readUIntBE(at + 2, size), operation, bytes, nth: before.filter((one) => one.operation === operation).length };
}
