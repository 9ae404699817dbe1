import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Filter } from '../../../../src/protocols/ldap/face/filter.ts';
import { MessageFrames } from '../../../../src/protocols/ldap/face/message-frames.ts';
import { decodePagedControl } from '../../../../src/protocols/ldap/face/paged-results.ts';
import { decodeControls, decodeRequestMessage } from '../../../../src/protocols/ldap/face/request-message.ts';
import { decodeSearchRequest } from '../../../../src/protocols/ldap/face/search-request.ts';

const CASES = fileURLToPath(new URL('../../../../fixtures/ldap/search-request/', import.meta.url));

/** A filter as RFC 4515 writes it: what ldapsearch was given. */
function written(filter: Filter): string {
  const value = (text: string | undefined): string => (text ?? '?').replace(/[*()\\\0]/g, (one) => `\\${one.charCodeAt(0).toString(16).padStart(2, '0')}`);
  switch (filter.kind) {
    case 'and':
    case 'or':
      return `(${filter.kind === 'and' ? '&' : '|'}${filter.filters.map(written).join('')})`;
    case 'not':
      return `(!${written(filter.filter)})`;
    case 'present':
      return `(${filter.attribute}=*)`;
    case 'substrings':
      return `(${filter.attribute}=${[value(filter.initial ?? ''), ...filter.any.map(value), value(filter.final ?? '')].join('*')})`;
    case 'extensible':
      return `(${filter.attribute ?? ''}${filter.rule === undefined ? '' : `:${filter.rule}`}:=${value(filter.value)})`;
    case 'equal':
    case 'approx':
    case 'atLeast':
    case 'atMost':
      return `(${filter.attribute}${{ equal: '=', approx: '~=', atLeast: '>=', atMost: '<=' }[filter.kind]}${value(filter.value)})`;
  }
}

describe('a search as ldapsearch says it', () => {
  it.each(readdirSync(CASES))('%s', (name) => {
    const message = readFileSync(join(CASES, name, 'message'));
    const { content, controls } = decodeRequestMessage(message);
    const { filter, ...request } = decodeSearchRequest(content);
    const found = decodeControls(controls).map(({ type, isCritical, value }) => ({ type, isCritical, page: decodePagedControl(value).size }));
    expect({ ...request, filter: written(filter), controls: found }).toEqual(JSON.parse(readFileSync(join(CASES, name, 'expected.json'), 'utf8')));
  });

  it('is the same however its octets come', () => {
    const message = readFileSync(join(CASES, 'zimbra-ad', 'message'));
    const frames = new MessageFrames();
    const both = Buffer.concat([message, message]);
    const found: Buffer[] = [];
    for (const octet of both) {
      const taken = frames.take(Buffer.of(octet), 4096);
      expect(taken.taken).toBe(1);
      if (taken.message !== undefined) found.push(taken.message);
    }
    expect(found).toEqual([message, message]);
    expect(frames.isWithinMessage).toBe(false);
  });

  it('breaks off nowhere without being refused', () => {
    const message = readFileSync(join(CASES, 'zimbra-ad', 'message'));
    // Without its outermost length, which is the frame's.
    for (let length = 4; length < message.length; length++) {
      const body = message.subarray(4, length);
      const cut = Buffer.concat([Buffer.of(0x30, 0x82, body.length >> 8, body.length & 0xff), body]);
      const read = (): unknown => {
        const { content, controls } = decodeRequestMessage(cut);
        return [decodeSearchRequest(content), decodeControls(controls)];
      };
      // The control at the end may be missing as a whole.
      if (length === message.length - 37 || controlsBegin(message) === length) continue;
      expect(read, `after ${length} octets`).toThrow(/INVALID_REQUEST/);
    }
  });
});

function controlsBegin(message: Buffer): number {
  return message.lastIndexOf(0xa0, message.length - 30);
}
