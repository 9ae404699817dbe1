import type { SipHeader, SipMessage } from './message.ts';
import { SIP_VERSION } from './names.ts';

/**
 * A message as it goes over the wire (RFC 3261 §7); Content-Length is added. Values come from configuration, from addresses (escaped before) and, in responses, from a request that was read
 * strictly: none holds a line break, and one that did would be refused here.
 *
 * @throws RangeError for a line break in a header
 */
export function writeMessage(message: SipMessage): Buffer {
  const start = message.kind === 'request' ? `${message.method} ${message.uri} ${SIP_VERSION}` : `${SIP_VERSION} ${message.status} ${message.reason}`;
  const headers = message.headers.filter((one) => one.name.toLowerCase() !== 'content-length');
  const lines = [start, ...headers.map(lineOf), `Content-Length: ${message.body.length}`];
  if (lines.some((line) => /[\r\n\0]/.test(line))) throw new RangeError('a line break in a header');
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), message.body]);
}

function lineOf({ name, value }: SipHeader): string {
  return `${name}: ${value}`;
}
