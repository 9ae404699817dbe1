import { BridgeError } from '../../../core/errors.ts';

/** What the connection has to know of a message before ldapts reads it. */
export interface MessageShape {
  readonly kind: 'entry' | 'reference' | 'result' | 'other';
  /** Of the paged results control (RFC 2696) of a search's result; empty: that was the last page. */
  readonly cookie?: Buffer;
}

/** The one control that is read: 1.2.840.113556.1.4.319. */
export const PAGED_RESULTS = '1.2.840.113556.1.4.319';

/**
 * Reads the frame of one message from a server (RFC 4511 §4.1.1) down to its last octet.
 *
 * ldapts 8.2 reads what it is given without looking whether an element ends where the one around it does, and a value that is said to be longer than its entry
 * keeps its loop going for ever. So nothing reaches it that is not exactly of the shape that it expects.
 *
 * @param message one whole message, as MessageFrames gives it
 * @throws BridgeError BACKEND_MALFORMED
 */
export function readMessageShape(message: Buffer): MessageShape {
  const whole = element(message, 0, message.length);
  const id = expected(message, INTEGER, whole.start, whole.end, 4);
  const operation = element(message, id.end, whole.end);
  const kind = KINDS[operation.tag] ?? 'other';
  if (kind === 'entry') readEntry(message, operation);
  else if (kind === 'reference') readAll(message, operation, OCTETS);
  else if (kind === 'result' || operation.tag === BIND_RESULT || operation.tag === EXTENDED_RESULT) readResult(message, operation);
  if (operation.end === whole.end) return { kind };
  const controls = expected(message, CONTROLS, operation.end, whole.end);
  if (controls.end !== whole.end) throw malformed();
  const cookie = readControls(message, controls);
  return kind === 'result' && cookie !== undefined ? { kind, cookie } : { kind };
}

const INTEGER = 0x02;
const OCTETS = 0x04;
const ENUMERATED = 0x0a;
const BOOLEAN = 0x01;
const SEQUENCE = 0x30;
const SET = 0x31;
const CONTROLS = 0xa0;
const BIND_RESULT = 0x61;
const EXTENDED_RESULT = 0x78;
const KINDS: Readonly<Record<number, MessageShape['kind']>> = { 0x64: 'entry', 0x65: 'result', 0x73: 'reference' };

interface Element {
  readonly tag: number;
  /** Of its content. */
  readonly start: number;
  readonly end: number;
}

function element(bytes: Buffer, at: number, limit: number): Element {
  if (at + 2 > limit) throw malformed();
  const tag = bytes[at]!;
  const first = bytes[at + 1]!;
  const octets = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || octets > 4 || at + 2 + octets > limit) throw malformed();
  const start = at + 2 + octets;
  const end = start + (octets === 0 ? first : bytes.readUIntBE(at + 2, octets));
  if (end > limit) throw malformed();
  return { tag, start, end };
}

function expected(bytes: Buffer, tag: number, at: number, limit: number, most = Infinity): Element {
  const found = element(bytes, at, limit);
  if (found.tag !== tag || found.end - found.start > most) throw malformed();
  return found;
}

function readAll(bytes: Buffer, { start, end }: Element, tag: number): void {
  for (let at = start; at < end; ) at = expected(bytes, tag, at, end).end;
}

/** A name, and attributes: each a name and a set of values; nothing behind them. */
function readEntry(bytes: Buffer, { start, end }: Element): void {
  const attributes = expected(bytes, SEQUENCE, expected(bytes, OCTETS, start, end).end, end);
  if (attributes.end !== end) throw malformed();
  for (let at = attributes.start; at < end; ) {
    const attribute = expected(bytes, SEQUENCE, at, end);
    const values = expected(bytes, SET, expected(bytes, OCTETS, attribute.start, attribute.end).end, attribute.end);
    if (values.end !== attribute.end) throw malformed();
    readAll(bytes, values, OCTETS);
    at = attribute.end;
  }
}

/** Code, matched DN, text; then what an operation adds (referrals, a name), which nobody reads. */
function readResult(bytes: Buffer, { start, end }: Element): void {
  const code = expected(bytes, ENUMERATED, start, end, 4);
  for (let at = expected(bytes, OCTETS, expected(bytes, OCTETS, code.end, end).end, end).end; at < end; ) at = element(bytes, at, end).end;
}

function readControls(bytes: Buffer, { start, end }: Element): Buffer | undefined {
  let cookie: Buffer | undefined;
  for (let at = start; at < end; ) {
    const control = expected(bytes, SEQUENCE, at, end);
    const type = expected(bytes, OCTETS, control.start, control.end);
    let next = type.end;
    if (next < control.end && bytes[next] === BOOLEAN) next = element(bytes, next, control.end).end;
    if (next < control.end) {
      const value = expected(bytes, OCTETS, next, control.end);
      if (value.end !== control.end) throw malformed();
      if (bytes.toString('latin1', type.start, type.end) === PAGED_RESULTS) cookie = readCookie(bytes, value);
    }
    at = control.end;
  }
  return cookie;
}

function readCookie(bytes: Buffer, value: Element): Buffer {
  const paged = expected(bytes, SEQUENCE, value.start, value.end);
  const size = expected(bytes, INTEGER, paged.start, paged.end, 4);
  const cookie = expected(bytes, OCTETS, size.end, paged.end);
  return Buffer.from(bytes.subarray(cookie.start, cookie.end));
}

function malformed(): BridgeError {
  return new BridgeError('BACKEND_MALFORMED', 'the directory sent a message that is none of LDAP', { temporary: true });
}
