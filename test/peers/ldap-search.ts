import { connect } from 'node:net';

/** An entry that was found: its attributes, names in lower case. */
export type LdapEntry = Readonly<Record<string, readonly string[]>>;

export interface LdapSearch {
  readonly username: string;
  readonly password: string;
  /** `attribute=value`, exactly. */
  readonly filter: readonly [attribute: string, value: string];
  /** `attribute=value*` instead. */
  readonly isBeginning?: boolean;
}

/**
 * Binds, searches `ou=people` and reads what is found (RFC 4511), in as much BER as that takes.
 *
 * @throws Error where the bind or the search is refused
 */
export async function ldapSearch(port: number, { username, password, filter, isBeginning = false }: LdapSearch): Promise<readonly LdapEntry[]> {
  const socket = connect(port, '127.0.0.1');
  const messages = (async function* () {
    let buffered: Buffer = Buffer.alloc(0);
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      buffered = Buffer.concat([buffered, chunk]);
      for (let end = tlvEnd(buffered); end !== undefined && end <= buffered.length; end = tlvEnd(buffered)) {
        yield children(children(buffered.subarray(0, end))[0]!.content)[1]!;
        buffered = buffered.subarray(end);
      }
    }
  })();
  try {
    // BindRequest: version 3, name, simple password.
    socket.write(message(1, tlv(0x60, integer(3), text(username), tlv(0x80, Buffer.from(password)))));
    succeeded((await messages.next()).value as Tlv | undefined, 'bind');
    // SearchRequest: base, the whole subtree, never dereferenced, at most 100 entries, no time limit, types and values, equalityMatch (or substrings, initial), all attributes.
    const [attribute, value] = filter;
    socket.write(message(2, tlv(0x63, text('ou=people'), enumerated(2), enumerated(0), integer(100), integer(0), tlv(0x01, Buffer.from([0])), isBeginning ? tlv(0xa4, text(attribute), tlv(0x30, tlv(0x80, Buffer.from(value)))) : tlv(0xa3, text(attribute), text(value)), tlv(0x30))));
    const entries: LdapEntry[] = [];
    for await (const found of messages) {
      if (found.tag !== 0x64) {
        succeeded(found, 'search');
        return entries;
      }
      const attributes = children(children(found.content)[1]!.content).map(({ content }) => children(content));
      entries.push(Object.fromEntries(attributes.map(([name, values]) => [String(name!.content).toLowerCase(), children(values!.content).map((one) => String(one.content))])));
    }
    throw new Error('the connection ended within the search');
  } finally {
    socket.destroy();
  }
}

interface Tlv {
  readonly tag: number;
  readonly content: Buffer;
}

function succeeded(answer: Tlv | undefined, what: string): void {
  const code = answer === undefined ? undefined : children(answer.content)[0]!.content[0];
  if (code !== 0) throw new Error(`${what}: result code ${code}`);
}

function message(id: number, operation: Buffer): Buffer {
  return tlv(0x30, integer(id), operation);
}

function integer(value: number): Buffer {
  return tlv(0x02, Buffer.from([value]));
}

function enumerated(value: number): Buffer {
  return tlv(0x0a, Buffer.from([value]));
}

function text(value: string): Buffer {
  return tlv(0x04, Buffer.from(value));
}

function tlv(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const length = body.length < 0x80 ? Buffer.from([body.length]) : Buffer.from([0x82, body.length >> 8, body.length & 0xff]);
  return Buffer.concat([Buffer.from([tag]), length, body]);
}

function children(bytes: Buffer): readonly Tlv[] {
  const found: Tlv[] = [];
  for (let at = 0; at < bytes.length; ) {
    const { start, end } = bounds(bytes, at)!;
    found.push({ tag: bytes[at]!, content: bytes.subarray(start, end) });
    at = end;
  }
  return found;
}

function tlvEnd(bytes: Buffer): number | undefined {
  return bounds(bytes, 0)?.end;
}

function bounds(bytes: Buffer, at: number): { readonly start: number; readonly end: number } | undefined {
  const first = bytes[at + 1];
  if (first === undefined) return undefined;
  if (first < 0x80) return { start: at + 2, end: at + 2 + first };
  const octets = first & 0x7f;
  if (bytes.length < at + 2 + octets) return undefined;
  const start = at + 2 + octets;
  return { start, end: start + bytes.readUIntBE(at + 2, octets) };
}
