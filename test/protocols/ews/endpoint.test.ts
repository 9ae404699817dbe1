import { gzipSync, deflateSync } from 'node:zlib';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { BridgeError, ERROR_CODES } from '../../../src/core/errors.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import { child, descend } from '../../../src/platform/xml/element.ts';
import { readXml } from '../../../src/platform/xml/read.ts';
import { encodeBridgeFault } from '../../../src/protocols/ews/face/faults.ts';
import { exchange } from '../../flows/raw-http.ts';
import { CAN_VALIDATE } from '../../shared.ts';
import { ASKER_BASIC } from '../face-under-test.ts';
import { availabilityRequest, envelope, ewsFace, MESSAGES, readFault, readResponses, send, SOAP, TYPES, UTC_XML } from './face-questions.ts';
import type { EwsAnswer, EwsFace } from './face-questions.ts';
import { schemaComplaints } from './face-schema.ts';

const CALENDARS = { 'anna@corp.example': { busy: [{ start: Date.UTC(2026, 2, 10, 9, 30), end: Date.UTC(2026, 2, 10, 10), busyType: 'busy' as const }] } };
const GOOD = availabilityRequest(['anna@corp.example']);

let face: EwsFace;
const emitted: string[] = [];
const start = async (options: Parameters<typeof ewsFace>[0] = {}): Promise<EwsFace> => (face = await ewsFace({ calendars: CALENDARS, ...options }));

afterEach(async () => {
  await face.close();
});

afterAll(() => {
  if (CAN_VALIDATE) expect(schemaComplaints(emitted)).toBe('');
});

async function digits(answer: EwsAnswer): Promise<string | undefined> {
  emitted.push(answer.text);
  expect([answer.status, answer.headers['content-type']]).toEqual([200, 'text/xml; charset=utf-8']);
  expect(answer.headers['content-length']).toBe(String(Buffer.byteLength(answer.text)));
  return (await readResponses(answer.text))[0]?.merged;
}

describe('who may ask', () => {
  it.each([
    ['POST', undefined],
    ['POST', 'Basic bm9ib2R5Om5vdGhpbmc='],
    ['GET', undefined],
    ['HEAD', undefined],
    ['PUT', undefined],
  ])('nobody by %s with %s: 401 with a challenge and no SOAP', async (method, authorization) => {
    const { port } = await start();
    const answer = await send(port, method, '/EWS/Exchange.asmx', authorization === undefined ? {} : { authorization }, method === 'POST' ? GOOD : undefined);
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, expect.stringMatching(/^Basic realm=/)]);
    expect(answer.text).not.toContain('<');
    expect(face.asked).toEqual([]);
  });

  it('is decided before the body is there', async () => {
    const { port } = await start();
    const { text } = await exchange(port, 'POST /EWS/Exchange.asmx HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nContent-Length: 4000000\r\n\r\n', { enough: (seen) => seen.includes('Unauthorized') });
    expect(text).toMatch(/^HTTP\/1\.1 401 .*WWW-Authenticate: Basic/s);
  });

  it('gets a page by GET and HEAD, and 405 by anything but POST', async () => {
    const { port } = await start();
    const headers = { authorization: ASKER_BASIC };
    const page = await send(port, 'GET', '/ews/exchange.asmx', headers);
    expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect((await send(port, 'HEAD', '/EWS/Exchange.asmx', headers)).status).toBe(200);
    const put = await send(port, 'PUT', '/EWS/Exchange.asmx', headers, GOOD);
    expect([put.status, put.headers['allow']]).toEqual([405, 'GET, HEAD, POST']);
  });

  it.each(['/EWS/Exchange.asmx', '/ews/exchange.asmx', '/eWs/EXCHANGE.ASMX', '/EWS/Exchange.asmx/', '//EWS/Exchange.asmx', '/EWS/Exchange.asmx?x=1', 'http://anywhere.example/EWS/Exchange.asmx?x=1'])('is found at %s', async (path) => {
    await start();
    expect(await digits(await face.post(GOOD, {}, path))).toBe('020000');
  });

  it.each(['/EWS/', '/EWS/Exchange.asmx/more', '/x/EWS/Exchange.asmx', '/EWS/Exchange.asmxx'])('is not at %s', async (path) => {
    await start();
    expect((await face.post(GOOD, {}, path)).status).toBe(404);
  });
});

describe('requests in odd clothes', () => {
  it('carries the version of the server in every answer and every fault', async () => {
    await start();
    for (const body of [GOOD, GOOD.replace('Exchange2010', 'Exchange1999'), '<x', envelope('<m:MakeCoffee/>')]) {
      const info = descend(await readXml((await face.post(body)).text), 'Header', 'ServerVersionInfo');
      expect(info?.ns).toBe(TYPES);
      expect(Object.fromEntries(info!.attributes.map(({ name, value }) => [name, value]))).toMatchObject({ MajorVersion: '15', MinorVersion: '1', Version: 'Exchange2016' });
    }
  });

  it.each([
    ['without SOAPAction', {}],
    ['with an empty SOAPAction', { soapaction: '""' }],
    ['with the SOAPAction of something else', { soapaction: `"${MESSAGES}/ResolveNames"` }],
    ['without a charset', { 'content-type': 'text/xml' }],
    ['with a charset in capitals and quotes', { 'content-type': 'text/xml; Charset="UTF-8"' }],
    ['as application/soap+xml', { 'content-type': 'application/soap+xml' }],
  ])('%s', async (_name, headers) => {
    await start();
    expect(await digits(await face.post(GOOD, headers))).toBe('020000');
  });

  const inner = GOOD.replaceAll('<m:', '<')
    .replaceAll('</m:', '</')
    .replaceAll('<t:', '<')
    .replaceAll('</t:', '</')
    .replace('<RequestServerVersion', `<RequestServerVersion xmlns="${TYPES}"`)
    .replace('<GetUserAvailabilityRequest>', `<GetUserAvailabilityRequest xmlns="${MESSAGES}">`)
    .replace(/<(TimeZone|FreeBusyViewOptions|MailboxData)>/g, `<$1 xmlns="${TYPES}">`);
  const PREFIXES: Readonly<Record<string, string>> = { s: 'sóap', t: '_', m: 'q.1' };
  const strange = GOOD.replace(/(<\/?|xmlns:)([stm])(?=[:=])/g, (_all, before: string, prefix: string) => before + PREFIXES[prefix]!);
  it.each([
    ['default namespaces inside', inner],
    ['prefixes never seen', strange],
    ['blanks and comments everywhere', GOOD.replaceAll('><', '> \n<!-- x --> <').replace('> \n<!-- x --> <s:Envelope', '><s:Envelope')],
    ['CDATA and references in the text', GOOD.replace('anna@corp.example', '<![CDATA[anna]]>&#64;corp&#x2e;example')],
    ['a processing instruction', GOOD.replace('?>', '?><?order alphabetical?>')],
    ['XML 1.0 without a declaration', GOOD.replace(/^<\?xml.*?\?>/, '')],
  ])('with %s', async (_name, body) => {
    expect(body).not.toBe(GOOD);
    await start();
    expect(await digits(await face.post(body))).toBe('020000');
  });

  const utf16 = (text: string, mark: boolean, bigEndian: boolean): Buffer => {
    const bytes = Buffer.from((mark ? '\uFEFF' : '') + text, 'utf16le');
    return bigEndian ? bytes.swap16() : bytes;
  };
  const declared = GOOD.replace('encoding="utf-8"', 'encoding="utf-16"');
  it.each<[string, Buffer, Record<string, string>]>([
    ['UTF-8 with a byte order mark', Buffer.from(`\uFEFF${GOOD}`), {}],
    ['UTF-16, little-endian, with its mark, called UTF-8', utf16(declared, true, false), {}],
    ['UTF-16, big-endian, with its mark', utf16(declared, true, true), { 'content-type': 'text/xml; charset=utf-16' }],
    ['UTF-16, little-endian, without a mark', utf16(declared, false, false), { 'content-type': 'text/xml; charset=utf-16' }],
    ['UTF-16, big-endian, without a mark', utf16(declared, false, true), { 'content-type': 'text/xml; charset=utf-16' }],
    ['UTF-16 without a mark or a charset', utf16(declared, false, false), { 'content-type': 'text/xml' }],
    ['ISO-8859-1, declared inside', Buffer.from(GOOD.replace('utf-8', 'iso-8859-1'), 'latin1'), { 'content-type': 'text/xml' }],
    ['gzip', gzipSync(GOOD), { 'content-encoding': 'gzip' }],
    ['deflate', deflateSync(GOOD), { 'content-encoding': 'deflate' }],
    ['chunks', Buffer.from(GOOD), { 'transfer-encoding': 'chunked' }],
    ['Expect: 100-continue', Buffer.from(GOOD), { expect: '100-continue' }],
  ])('in %s', async (_name, body, headers) => {
    await start();
    expect(await digits(await face.post(body, headers))).toBe('020000');
  });

  it('answers subjects outside ASCII in UTF-8, with their length in bytes', async () => {
    await start({ calendars: { 'anna@corp.example': { events: [{ start: Date.UTC(2026, 2, 10, 9), end: Date.UTC(2026, 2, 10, 10), busyType: 'busy', subject: 'Größe 漢字 𝄞 \u0001', location: 'Ä' }] } } });
    const answer = await face.post(GOOD);
    expect(await digits(answer)).toBe('220000');
    expect((await readResponses(answer.text))[0]!.events![0]!.details).toMatchObject({ Subject: 'Größe 漢字 𝄞 ', Location: 'Ä' });
  });

  it('takes ten questions on one connection', async () => {
    const { port } = await start();
    const one = `POST /EWS/Exchange.asmx HTTP/1.1\r\nHost: x\r\nAuthorization: ${ASKER_BASIC}\r\nContent-Type: text/xml\r\nContent-Length: ${Buffer.byteLength(GOOD)}\r\n\r\n${GOOD}`;
    const { text } = await exchange(port, one.repeat(10), { enough: (seen) => seen.split('</s:Envelope>').length > 10 });
    expect(text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(10);
  });

  it('has no interest in a body with two lengths (400)', async () => {
    const { port } = await start();
    const head = `POST /EWS/Exchange.asmx HTTP/1.1\r\nHost: x\r\nAuthorization: ${ASKER_BASIC}\r\nContent-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n`;
    expect((await exchange(port, `${head}0\r\n\r\n`)).text).toMatch(/^HTTP\/1\.1 400 /);
    expect(face.asked).toEqual([]);
  });
});

describe('headers', () => {
  const withHeader = (header: string): string => availabilityRequest(['anna@corp.example'], { header });
  const understand = 's:mustUnderstand="1"';
  it.each([
    ['one nobody knows', '<x:Own xmlns:x="urn:own">1</x:Own>'],
    ['one nobody knows and nobody must', '<x:Own xmlns:x="urn:own" s:mustUnderstand="0"/>'],
    ['one for somebody further on', `<x:Own xmlns:x="urn:own" ${understand} s:actor="urn:next-door"/>`],
    ['ProxyRequestTypeHeader', `<t:ProxyRequestTypeHeader ${understand}><t:RequestType>CrossForest</t:RequestType></t:ProxyRequestTypeHeader>`],
    ['RequestTypeHeader', `<t:RequestTypeHeader ${understand}><t:RequestType>CrossSite</t:RequestType></t:RequestTypeHeader>`],
    ['MailboxCulture', `<t:MailboxCulture ${understand}>de-DE</t:MailboxCulture>`],
    ['DateTimePrecision', `<t:DateTimePrecision ${understand}>Milliseconds</t:DateTimePrecision>`],
    ['ManagementRole', `<t:ManagementRole ${understand}/>`],
    ['ExchangeImpersonation, which changes nothing', `<t:ExchangeImpersonation ${understand}><t:ConnectingSID><t:PrimarySmtpAddress>boss@corp.example</t:PrimarySmtpAddress></t:ConnectingSID></t:ExchangeImpersonation>`],
    ['those of WS-Addressing', `<a:Action xmlns:a="http://www.w3.org/2005/08/addressing" ${understand}>x</a:Action><a:To xmlns:a="http://www.w3.org/2005/08/addressing" ${understand}>y</a:To>`],
  ])('%s may be there', async (_name, header) => {
    await start();
    expect(await digits(await face.post(withHeader(header)))).toBe('020000');
  });

  it.each([
    ['in a namespace of its own', `<x:Own xmlns:x="urn:own" ${understand}/>`],
    ['in the types\' namespace', `<t:Own s:mustUnderstand="true"/>`],
    ['for the next actor, which we are', `<x:Own xmlns:x="urn:own" ${understand} s:actor="http://schemas.xmlsoap.org/soap/actor/next"/>`],
  ])('one that must be understood and is not, %s, is SOAP\'s own fault', async (_name, header) => {
    await start();
    const { status, text } = await face.post(withHeader(header));
    expect([status, await readFault(text)]).toEqual([500, expect.objectContaining({ faultCode: 's:MustUnderstand', code: undefined })]);
    expect(face.asked).toEqual([]);
  });
});

describe('what is no request of ours', () => {
  const fault = async (body: string | Buffer, headers: Record<string, string> = {}): Promise<readonly [number, string | undefined, string | undefined]> => {
    const { status, text, headers: got } = await face.post(body, headers);
    expect([got['content-type'], got['content-length']]).toEqual(['text/xml; charset=utf-8', String(Buffer.byteLength(text))]);
    const read = await readFault(text);
    expect(face.asked).toEqual([]);
    return [status, read?.faultCode, read?.code];
  };
  const SCHEMA = [500, 'a:ErrorSchemaValidation', 'ErrorSchemaValidation'];
  const INVALID = [500, 'a:ErrorInvalidRequest', 'ErrorInvalidRequest'];
  const bomb = `<!DOCTYPE s [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>`;

  it.each<[string, string | Buffer, readonly unknown[]]>([
    ['nothing', '', SCHEMA],
    ['no XML', 'hello', SCHEMA],
    ['JSON', '{"a": 1}', SCHEMA],
    ['a request cut off', GOOD.slice(0, -20), SCHEMA],
    ['a request cut off in the middle', GOOD.slice(0, GOOD.length / 2), SCHEMA],
    ['two documents', GOOD + GOOD, SCHEMA],
    ['an entity bomb', GOOD.replace('?>', `?>${bomb}`).replace('anna@', '&b;@'), SCHEMA],
    ['an external entity', GOOD.replace('?>', '?><!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]>').replace('anna@', '&x;@'), SCHEMA],
    ['an entity nobody declared', GOOD.replace('anna@', '&nbsp;@'), SCHEMA],
    ['a reference to a character XML forbids', GOOD.replace('anna@', '&#1;@'), SCHEMA],
    ['a prefix nobody declared', GOOD.replaceAll('<t:', '<u:').replaceAll('</t:', '</u:'), SCHEMA],
    ['bytes that are not UTF-8', Buffer.concat([Buffer.from(GOOD.slice(0, -80)), Buffer.from([0xff, 0xfe, 0xff]), Buffer.from(GOOD.slice(-80))]), SCHEMA],
    ['ten thousand elements deep', envelope('<m:x>'.repeat(10_000) + '</m:x>'.repeat(10_000)), SCHEMA],
    ['a hundred attributes', envelope(`<m:x ${Array.from({ length: 100 }, (_, index) => `a${index}=""`).join(' ')}/>`), SCHEMA],
    ['200,000 elements', envelope(`<m:x>${'<m:y/>'.repeat(200_000)}</m:x>`), SCHEMA],
    ['an envelope without a body', `<s:Envelope xmlns:s="${SOAP}"/>`, SCHEMA],
    ['two bodies', GOOD.replace('<s:Body>', '<s:Body/><s:Body>'), SCHEMA],
    ['another document', '<html><body>x</body></html>', SCHEMA],
    ['two operations', GOOD.replace(/(<m:GetUserAvailabilityRequest>.*<\/m:GetUserAvailabilityRequest>)/, '$1$1'), SCHEMA],
    ['an empty body', envelope(''), INVALID],
    ['an operation nobody knows', envelope('<m:MakeCoffee/>'), INVALID],
    ['an operation of EWS that we do not serve', envelope('<m:GetRoomLists/>'), INVALID],
    ['the operation without "Request"', envelope('<m:GetUserAvailability/>'), INVALID],
    ['the operation in the types\' namespace', GOOD.replaceAll('m:GetUserAvailabilityRequest', 't:GetUserAvailabilityRequest'), INVALID],
    ['the operation in https:', GOOD.replace('xmlns:m="http:', 'xmlns:m="https:'), INVALID],
    ['the operation in no namespace', GOOD.replaceAll('m:GetUserAvailabilityRequest', 'GetUserAvailabilityRequest'), INVALID],
    ['a name of the object prototype as operation', envelope('<m:constructor/>'), INVALID],
    ['an empty request', envelope('<m:GetUserAvailabilityRequest/>'), SCHEMA],
    ['a time zone and nothing else', envelope(`<m:GetUserAvailabilityRequest>${UTC_XML}</m:GetUserAvailabilityRequest>`), SCHEMA],
    ['SOAP 1.2', GOOD.replace(SOAP, 'http://www.w3.org/2003/05/soap-envelope'), [500, 's:VersionMismatch', undefined]],
    ['an envelope in https:', GOOD.replace('http://schemas.xmlsoap', 'https://schemas.xmlsoap'), [500, 's:VersionMismatch', undefined]],
  ])('%s', async (_name, body, expected) => {
    await start();
    expect(await fault(body)).toEqual(expected);
    // And the process goes on.
    expect(await digits(await face.post(GOOD))).toBe('020000');
  });

  it('a charset nobody has, and a body that is not what it says', async () => {
    await start();
    expect(await fault(GOOD, { 'content-type': 'text/xml; charset=klingon' })).toEqual(SCHEMA);
    expect(await fault(GOOD, { 'content-encoding': 'gzip' })).toEqual(INVALID);
    expect(await fault(gzipSync(GOOD).subarray(0, 100), { 'content-encoding': 'gzip' })).toEqual(INVALID);
    expect(await fault(GOOD, { 'content-encoding': 'zopfli' })).toEqual(INVALID);
  });

  it('too much of it, plain or packed', async () => {
    await start();
    const large = GOOD.replace('?>', `?><!--${' '.repeat(LIMITS.requestBodyBytes)}-->`);
    const tooLarge = [413, 'a:ErrorMessageSizeExceeded', 'ErrorMessageSizeExceeded'];
    expect(await fault(gzipSync(large), { 'content-encoding': 'gzip' })).toEqual(tooLarge);
    const { port } = face;
    const { text } = await exchange(port, `POST /EWS/Exchange.asmx HTTP/1.1\r\nHost: x\r\nAuthorization: ${ASKER_BASIC}\r\nContent-Length: ${large.length}\r\n\r\n`, { enough: (seen) => seen.includes('</s:Envelope>') });
    expect(text).toMatch(/^HTTP\/1\.1 413 .*ErrorMessageSizeExceeded/s);
  });

  it('tells what is wrong with the form as Exchange does', async () => {
    await start();
    const { text } = await face.post(GOOD.replace('<t:Month>10<', '<t:Moon>10<').replace('</t:Month><t:DayOfWeek>Sunday</t:DayOfWeek></t:StandardTime>', '</t:Moon><t:DayOfWeek>Sunday</t:DayOfWeek></t:StandardTime>'));
    const read = await readFault(text);
    expect(read).toMatchObject({ code: 'ErrorSchemaValidation', message: 'The request failed schema validation.' });
    expect(Object.keys(read!.values)).toEqual(['LineNumber', 'LinePosition', 'Violation']);
    expect(read!.faultString).toBe(`The request failed schema validation: ${read!.values['Violation']}`);
    expect(read!.values['Violation']).toContain("invalid child element 'Moon'");
  });
});

describe('faults', () => {
  it('there is one for every reason, with a status of its own kind and no word of the reason', () => {
    for (const code of ERROR_CODES) {
      const { status, fault } = encodeBridgeFault(new BridgeError(code, 'PRIVATE', { details: { host: 'secret' } }));
      expect([code, status]).toEqual([code, expect.toSatisfy((one: number) => [401, 413, 429, 500].includes(one))]);
      expect(fault.text).toMatch(/^<s:Fault><faultcode xmlns:a="[^"]+">a:Error\w+<\/faultcode>/);
      expect(fault.text).not.toMatch(/PRIVATE|secret/);
    }
  });

  it('says how long to stay away where the server is busy', async () => {
    const { status, fault } = encodeBridgeFault(new BridgeError('TOO_MANY_ATTEMPTS', 'x', { retryAfterMs: 4_500 }));
    const root = await readXml(`<r xmlns:s="${SOAP}">${fault.text}</r>`);
    const values = descend(root, 'Fault', 'detail', 'MessageXml');
    expect([status, values?.ns, child(values, 'Value')]).toMatchObject([429, TYPES, { text: '4500', attributes: [{ name: 'Name', value: 'BackOffMilliseconds' }] }]);
    const codes = descend(root, 'Fault', 'detail', 'ResponseCode');
    expect([codes?.ns, codes?.text]).toEqual(['http://schemas.microsoft.com/exchange/services/2006/errors', 'ErrorServerBusy']);
  });
});
