import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, exchange } from '../../flows/raw-http.ts';
import { ASKER_BASIC } from '../face-under-test.ts';
import type { FaceUnderTest } from '../face-under-test.ts';
import { EWS_URL, mailbox, openFace, outline, postPox, postSoap, poxRequest, soapRequest, texts, userSettings } from './face.ts';

const POX = poxRequest(mailbox('zoe@zimbra.example'));
const SOAP = soapRequest(userSettings(['zoe@zimbra.example'], ['ExternalEwsUrl']));

let face: FaceUnderTest;
beforeAll(async () => {
  face = await openFace();
});
afterAll(async () => face.close());

const utf16 = (text: string): Buffer => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]);

describe('both protocols read what honest clients send in odd ways', () => {
  it.each<[string, (text: string) => Buffer, Record<string, string>]>([
    ['a byte order mark', (text) => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(text)]), {}],
    ['UTF-16', utf16, { 'content-type': 'text/xml; charset=utf-16' }],
    ['gzip', (text) => gzipSync(text), { 'content-encoding': 'gzip' }],
    ['chunks', (text) => Buffer.from(text), { 'transfer-encoding': 'chunked' }],
    ['charset in capitals and quotes', (text) => Buffer.from(text), { 'content-type': 'text/xml; charset="UTF-8"' }],
    ['no content type', (text) => Buffer.from(text), { 'content-type': '' }],
    ['comments, CDATA and processing instructions', (text) => Buffer.from(text.replace('zoe@zimbra.example', '<!-- who? --><![CDATA[zoe@]]>zimbra.example<?x y?>')), {}],
    ['an XML declaration', (text) => Buffer.from(`<?xml version="1.0" encoding="utf-8"?>\r\n${text}`), {}],
  ])('%s', async (_what, encode, headers) => {
    expect(await texts((await postPox(face, encode(POX), headers)).body, 'ASUrl')).toContain(EWS_URL);
    expect(await texts((await postSoap(face, encode(SOAP), headers)).body, 'Value')).toEqual([EWS_URL]);
  });

  it('prefixes that nobody uses', async () => {
    const odd = POX.replace('<Autodiscover xmlns=', '<q:Autodiscover xmlns:q=').replace(/<(\/?)(Request|EMailAddress|AcceptableResponseSchema|Autodiscover)>/g, '<$1q:$2>');
    expect(await texts((await postPox(face, odd)).body, 'Action')).toEqual(['settings']);
    const inner = SOAP.replace(/a:(?=[A-Z])/g, '').replace('<GetUserSettingsRequestMessage>', '<GetUserSettingsRequestMessage xmlns="http://schemas.microsoft.com/exchange/2010/Autodiscover">');
    expect(await texts((await postSoap(face, inner)).body, 'Value')).toEqual([EWS_URL]);
  });
});

describe('both protocols refuse in their own form what nobody honest sends', () => {
  const bomb = (root: string): string => `<!DOCTYPE b [<!ENTITY a "${'a'.repeat(1_000)}"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>${root}`;

  it.each<[string, (text: string) => Buffer, Record<string, string>]>([
    ['an entity bomb', (text) => Buffer.from(bomb(text.replace('zoe', '&b;'))), {}],
    ['an external entity', (text) => Buffer.from(`<!DOCTYPE x SYSTEM "file:///etc/passwd">${text}`), {}],
    ['5 MB', (text) => Buffer.from(text.replace('zoe', 'z'.repeat(5_000_000))), {}],
    ['5 MB in 5 KB of gzip', (text) => gzipSync(text.replace('zoe', 'z'.repeat(5_000_000))), { 'content-encoding': 'gzip' }],
    ['broken gzip', () => Buffer.from('no gzip'), { 'content-encoding': 'gzip' }],
    ['an unknown encoding', (text) => Buffer.from(text), { 'content-encoding': 'rot13' }],
    ['10,000 elements deep', (text) => Buffer.from('<x>'.repeat(10_000) + text), {}],
    ['200,000 elements', (text) => Buffer.from(text.replace('<', `<x>${'<y/>'.repeat(200_000)}</x><`)), {}],
    ['bytes that are no UTF-8', (text) => Buffer.from(text.replace('zoe', 'z\xff'), 'latin1'), {}],
  ])('%s', async (_what, encode, headers) => {
    const pox = await postPox(face, encode(POX), headers);
    expect([pox.status, await texts(pox.body, 'ErrorCode')]).toEqual([200, ['600']]);
    const soap = await postSoap(face, encode(SOAP), headers);
    expect([soap.status, await texts(soap.body, 'faultcode')]).toEqual([500, ['s:Client']]);
    expect(pox.body + soap.body).not.toContain('root:');
  });

  it('an address of everything is echoed without breaking the document', async () => {
    const hostile = '&lt;/a&gt;&amp;&quot;&apos;]]&gt;@elsewhere.example';
    const { body } = await postSoap(face, soapRequest(userSettings([hostile], ['ExternalEwsUrl'])));
    expect((await outline(body)).filter(([path]) => path.endsWith('UserResponse/ErrorMessage')).map(([, , text]) => text)).toEqual([`Invalid user: '</a>&"']]>@elsewhere.example'`]);
  });

  it('Content-Length beside Transfer-Encoding is 400 and the end of the connection', async () => {
    const head = `POST /autodiscover/autodiscover.xml HTTP/1.1\r\nHost: x\r\nAuthorization: ${ASKER_BASIC}\r\nContent-Type: text/xml\r\n`;
    const { text, closed } = await exchange(face.port, `${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`);
    expect(text).toMatch(/^HTTP\/1\.1 400/);
    expect(closed).toBe(true);
  });

  it('a body that breaks off leaves the face as it was', async () => {
    const head = `POST /autodiscover/autodiscover.svc HTTP/1.1\r\nHost: x\r\nAuthorization: ${ASKER_BASIC}\r\nContent-Type: text/xml\r\nContent-Length: 5000\r\n\r\n<s:`;
    await exchange(face.port, head, { timeoutMs: 100 });
    expect((await postSoap(face, SOAP)).status).toBe(200);
  });

  it('nobody behind us is asked', async () => {
    await ask(face.url, '/autodiscover/autodiscover.json?Email=zoe@zimbra.example&Protocol=Ews', { headers: { authorization: ASKER_BASIC } });
    expect(face.asked).toEqual([]);
  });
});
