import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/core/limits.ts';
import { headerLines, headerOf } from '../../../src/protocols/sip/message.ts';
import { readDatagram, SipSyntaxError } from '../../../src/protocols/sip/read-message.ts';
import { StreamFramer } from '../../../src/protocols/sip/stream-framer.ts';
import { writeMessage } from '../../../src/protocols/sip/write-message.ts';

const bytes = (...lines: readonly string[]): Buffer => Buffer.from(lines.join('\r\n'));

/** RFC 3903 §15, message M2 (the server's 200 to an initial PUBLISH). */
const RFC_3903_M2 = bytes(
  'SIP/2.0 200 OK',
  'Via: SIP/2.0/UDP pua.example.com;branch=z9hG4bK652hsge',
  ' ;received=192.0.2.3',
  'To: <sip:presentity@example.com>;tag=1a2b3c4d',
  'From: <sip:presentity@example.com>;tag=1234wxyz',
  'Call-ID: 81818181@pua.example.com',
  'CSeq: 1 PUBLISH',
  'SIP-ETag: dx200xyz',
  'Expires: 1800',
  '',
  '',
);

/** After RFC 4475 §3.1.1.1, "a short tortuous INVITE", shortened: folds, compact names, odd case, blanks around colons, escapes in quotes, a header of nobody. */
const RFC_4475_TORTUOUS = bytes(
  'INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0',
  'TO :',
  ' sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n',
  'from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>',
  '  ;',
  '  tag = 98asjd8',
  'MaX-fOrWaRdS: 0068',
  'Call-ID: wsinv.ndaksdj@192.0.2.1',
  'Content-Length   : 5',
  'cseq: 0009',
  '  INVITE',
  'Via  : SIP  /   2.0',
  ' /UDP',
  '    192.0.2.2;branch=390skdjuw',
  's :',
  'NewFangledHeader:   newfangled value',
  ' continued newfangled value',
  'v:  SIP  / 2.0  / TCP     spindle.example.com   ;',
  '  branch  =   z9hG4bK9ikj8  ,',
  ' SIP  /    2.0   / UDP  192.168.255.111   ; branch=',
  ' z9hG4bK30239',
  'm:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam =',
  '      newvalue ;',
  '  secondparam ; q = 0.33',
  '',
  'hello',
);

describe('a SIP message', () => {
  it('of RFC 3903 is read: folded Via, no Content-Length', () => {
    const message = readDatagram(RFC_3903_M2);
    expect(message).toMatchObject({ kind: 'response', status: 200, reason: 'OK' });
    expect(headerOf(message, 'via')).toBe('SIP/2.0/UDP pua.example.com;branch=z9hG4bK652hsge ;received=192.0.2.3');
    expect(headerOf(message, 'sip-etag')).toBe('dx200xyz');
    expect(message.body).toHaveLength(0);
  });

  it('of the torture tests is read', () => {
    const message = readDatagram(RFC_4475_TORTUOUS);
    expect(message).toMatchObject({ kind: 'request', method: 'INVITE', uri: 'sip:vivekg@chair-dnrc.example.com;unknownparam' });
    expect(headerOf(message, 'cseq')).toBe('0009 INVITE');
    expect(headerLines(message, 'via')).toEqual(['SIP  /   2.0 /UDP 192.0.2.2;branch=390skdjuw', 'SIP  / 2.0  / TCP     spindle.example.com   ; branch  =   z9hG4bK9ikj8  , SIP  /    2.0   / UDP  192.168.255.111   ; branch= z9hG4bK30239']);
    expect(headerOf(message, 'subject')).toBe('');
    expect(headerOf(message, 'contact')).toContain('secondparam ; q = 0.33');
    expect(Buffer.from(message.body).toString()).toBe('hello');
  });

  it('that stands twice where it may stand once says nothing', () => {
    expect(headerOf(readDatagram(bytes('SIP/2.0 200 OK', 'SIP-ETag: a', 'SIP-ETag: b', '', '')), 'sip-etag')).toBeUndefined();
  });

  it('keeps UTF-8 in headers and any octets in the body; what follows the body in a datagram is dropped', () => {
    const message = readDatagram(Buffer.concat([bytes('SIP/2.0 486 Besetzt – später', 'l: 2', '', ''), Buffer.from([0xff, 0x00, 0x41])]));
    expect(message).toMatchObject({ reason: 'Besetzt – später' });
    expect([...message.body]).toEqual([0xff, 0x00]);
  });

  it.each([
    ['nothing', bytes('')],
    ['no end of the head', bytes('SIP/2.0 200 OK', 'Via: x')],
    ['another protocol', bytes('HTTP/1.1 200 OK', '', '')],
    ['another version', bytes('SIP/3.0 200 OK', '', '')],
    ['a status of seven hundred', bytes('SIP/2.0 700 OK', '', '')],
    ['a request without a URI', bytes('OPTIONS SIP/2.0', '', '')],
    ['two blanks in the first line', bytes('OPTIONS  sip:a@b SIP/2.0', '', '')],
    ['a header without a colon', bytes('SIP/2.0 200 OK', 'Via', '', '')],
    ['a header without a name', bytes('SIP/2.0 200 OK', ': x', '', '')],
    ['a blank in a name', bytes('SIP/2.0 200 OK', 'Content Length: 0', '', '')],
    ['a bare line feed', bytes('SIP/2.0 200 OK', 'Via: x\nSIP-ETag: y', '', '')],
    ['a bare carriage return', bytes('SIP/2.0 200 OK', 'Via: x\rSIP-ETag: y', '', '')],
    ['a zero octet', bytes('SIP/2.0 200 OK', 'Via: x\0', '', '')],
    ['no UTF-8', Buffer.concat([Buffer.from('SIP/2.0 200 OK\r\nVia: '), Buffer.from([0xc3, 0x28]), Buffer.from('\r\n\r\n')])],
    ['a length beyond the datagram', bytes('SIP/2.0 200 OK', 'Content-Length: 1', '', '')],
    ['a negative length', bytes('SIP/2.0 200 OK', 'Content-Length: -1', '', '')],
    ['two lengths', bytes('SIP/2.0 200 OK', 'Content-Length: 0', 'l: 0', '', '')],
    ['too many headers', bytes('SIP/2.0 200 OK', ...Array.from({ length: LIMITS.sipHeaders + 1 }, () => 'a: b'), '', '')],
    ['too large a head', bytes('SIP/2.0 200 OK', `a: ${'b'.repeat(LIMITS.sipHeadBytes)}`, '', '')],
    ['too large a message', Buffer.concat([bytes('SIP/2.0 200 OK', '', ''), Buffer.alloc(LIMITS.sipMessageBytes)])],
  ])('with %s is refused', (_what, datagram) => {
    expect(() => readDatagram(datagram)).toThrow(SipSyntaxError);
  });
});

describe('a stream of SIP messages', () => {
  const first = bytes('SIP/2.0 200 OK', 'Content-Length: 5', '', 'hello');
  const second = bytes('OPTIONS sip:a@b SIP/2.0', 'L: 0', '', '');
  const all = Buffer.concat([bytes('', '', ''), first, bytes('', ''), second, bytes('', '', '', '')]);
  const kinds = (pieces: readonly Buffer[]): readonly string[] => {
    const framer = new StreamFramer();
    return pieces.flatMap((piece) => framer.push(piece)).map((one) => `${one.kind} ${one.body.length}`);
  };

  it('is cut by Content-Length, wherever it is torn; empty lines between are passed over', () => {
    expect(kinds([all])).toEqual(['response 5', 'request 0']);
    for (let at = 1; at < all.length; at++) expect(kinds([all.subarray(0, at), all.subarray(at)])).toEqual(['response 5', 'request 0']);
    expect(kinds([...all].map((octet) => Buffer.of(octet)))).toEqual(['response 5', 'request 0']);
  });

  it('keeps bodies apart from what comes later', () => {
    const framer = new StreamFramer();
    const [message] = framer.push(first);
    framer.push(bytes('SIP/2.0 200 OK', 'Content-Length: 5', '', 'HELLO'));
    expect(Buffer.from(message!.body).toString()).toBe('hello');
  });

  it.each([
    ['without Content-Length', bytes('SIP/2.0 200 OK', 'Via: x', '', '')],
    ['that is too large', bytes('SIP/2.0 200 OK', `Content-Length: ${LIMITS.sipMessageBytes}`, '', '')],
    ['whose head does not end', Buffer.alloc(LIMITS.sipHeadBytes + 1, 'a')],
    ['that is none', bytes('GET / HTTP/1.1', '', '')],
  ])('a message %s ends it', (_what, chunk) => {
    expect(() => new StreamFramer().push(chunk)).toThrow(SipSyntaxError);
  });

  it('takes a head octet by octet in time that does not grow with its square', () => {
    const framer = new StreamFramer();
    const head = Buffer.alloc(LIMITS.sipHeadBytes - 100, 'a');
    for (const octet of head) framer.push(Buffer.of(octet));
    expect(() => framer.push(Buffer.alloc(200, 'a'))).toThrow(SipSyntaxError);
  });
});

describe('a message to be sent', () => {
  it('has its own Content-Length, in octets', () => {
    const body = Buffer.from('ü');
    expect(writeMessage({ kind: 'request', method: 'PUBLISH', uri: 'sip:a@b', headers: [{ name: 'Via', value: 'x' }, { name: 'Content-Length', value: '9' }], body }).toString()).toBe('PUBLISH sip:a@b SIP/2.0\r\nVia: x\r\nContent-Length: 2\r\n\r\nü');
  });

  it('is refused with a line break in it', () => {
    expect(() => writeMessage({ kind: 'request', method: 'PUBLISH', uri: 'sip:a@b\r\nVia: y', headers: [], body: new Uint8Array(0) })).toThrow(RangeError);
  });
});
