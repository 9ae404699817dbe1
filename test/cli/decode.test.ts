import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decode, describeDocument } from '../../src/cli/decode/decode.ts';
import { SHARED } from '../shared.ts';
import { capturedTerminal } from './captured-terminal.ts';
import { run } from './running.ts';

const FIXTURES = join(import.meta.dirname, '..', '..', 'fixtures');
let folder = '';
beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'decode-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

async function decoded(content: string | Uint8Array): Promise<{ exit: number; printed: readonly string[]; complained: readonly string[] }> {
  const file = join(folder, `${Math.random()}.xml`);
  await writeFile(file, content);
  return run(['decode', file]);
}

const read = (path: string): string => readFileSync(join(FIXTURES, path), 'utf8');
const lines = (path: string): readonly string[] => read(path).trimEnd().split('\n');

const DAV = 'xmlns:D="DAV:" xmlns:p="http://schemas.microsoft.com/mapi/proptag/" xmlns:c="xml:"';
const MARCH = '<p:x68470003>223613280</p:x68470003><p:x68480003>223745760</p:x68480003>';
const propfindAnswer = (properties: string): string =>
  `<D:multistatus ${DAV}><D:response><D:href>/x</D:href><D:propstat><D:status>HTTP/1.1 200 OK</D:status><D:prop>${properties}</D:prop></D:propstat></D:response></D:multistatus>`;
const pair = (months: string, blocks: string, month: number, block: string): string =>
  `<p:${months}><c:v>${month}</c:v></p:${months}><p:${blocks}><c:v>${block}</c:v></p:${blocks}>`;

describe('decode prints', () => {
  it('the worked example of exchange.md §1.5, from the PROPPATCH with its HTTP head', async () => {
    const { exit, printed, complained } = await run(['decode', join(FIXTURES, 'cli/decode/worked-example/message.http')]);
    expect(printed).toEqual(lines('cli/decode/worked-example/expected.txt'));
    expect([exit, complained]).toEqual([0, []]);
  });

  it('an UpdateItem without an envelope: what it takes away, what it leaves, and a merged that disagrees', async () => {
    const { exit, printed } = await run(['decode', join(FIXTURES, 'cli/decode/ews-update/message.xml')]);
    expect(printed).toEqual(lines('cli/decode/ews-update/expected.txt'));
    expect(exit).toBe(0);
  });

  it('a PROPFIND answer, also as JSON with times in ISO 8601', async () => {
    const { exit, printed } = await run(['decode', join(FIXTURES, 'sandbox/public-folder/worked-example/message.xml'), '--json']);
    const [message] = JSON.parse(printed.join('\n')) as { published: unknown; pairs: { busy: { intervals: unknown; months: unknown } } }[];
    expect(exit).toBe(0);
    expect(message!.published).toEqual({ start: '2026-03-01T00:00:00.000Z', end: '2026-06-01T00:00:00.000Z' });
    expect(message!.pairs.busy.months).toEqual(['2026-03', '2026-04', '2026-05']);
    expect(message!.pairs.busy.intervals).toEqual([
      { start: '2026-03-10T09:00:00.000Z', end: '2026-03-10T10:30:00.000Z' },
      { start: '2026-03-31T22:00:00.000Z', end: '2026-04-01T00:00:00.000Z' },
      { start: '2026-04-01T00:00:00.000Z', end: '2026-04-01T02:00:00.000Z' },
    ]);
  });

  it('every message of an answer with several', async () => {
    const one = propfindAnswer(`${MARCH}<p:x6849001F>/o=A/ou=B/cn=r/cn=one</p:x6849001F>`);
    const response = /<D:response>.*<\/D:response>/.exec(one)![0];
    const { exit, printed } = await decoded(one.replace(response, response + response.replace('cn=one', 'cn=two')));
    expect(exit).toBe(0);
    expect(printed.filter((line) => line.startsWith('legacyExchangeDN'))).toEqual(['legacyExchangeDN  /o=A/ou=B/cn=r/cn=one', 'legacyExchangeDN  /o=A/ou=B/cn=r/cn=two']);
  });

  it('a property that is taken away and set again in one document as set, and the other way round as taken away (RFC 4918 §9.2: in document order)', async () => {
    const busy = pair('x68531003', 'x68541102', 32419, 'vDQWNQ==');
    const remove = '<D:remove><D:prop><p:x68531003/><p:x68541102/></D:prop></D:remove>';
    const set = `<D:set><D:prop>${MARCH}${busy}</D:prop></D:set>`;
    expect((await decoded(`<D:propertyupdate ${DAV}>${remove}${set}</D:propertyupdate>`)).printed).toContain('    2026-03-10 09:00–10:30');
    expect((await decoded(`<D:propertyupdate ${DAV}>${set}${remove}</D:propertyupdate>`)).printed).toContain('busy      nothing: what was there is taken away');
  });

  it('what a reader would stumble over', async () => {
    const odd = async (properties: string): Promise<readonly string[]> => (await decoded(propfindAnswer(properties))).printed.filter((line) => line.startsWith('oddity'));
    // 10 March 09:00–10:30 in busy and nothing in merged.
    expect(await odd(MARCH + pair('x68531003', 'x68541102', 32419, 'vDQWNQ=='))).toEqual(['oddity: merged disagrees with busy ∪ away: 90 minutes less']);
    // 18 March 13:15–14:00 tentative, and in merged: as Zimbra 8 does it.
    expect(await odd(MARCH + pair('x68511003', 'x68521102', 32419, 'u2LoYg==') + pair('x684F1003', 'x68501102', 32419, 'u2LoYg=='))).toEqual([
      'oddity: merged disagrees with busy ∪ away: 45 minutes more, all of them tentative',
    ]);
    expect(await odd('<p:x68470003>5</p:x68470003><p:x68480003>5</p:x68480003>')).toEqual(['oddity: the published window is empty: a reader takes everything for no data']);
    expect(await odd('<p:x6849001F>/o=A/ou=B/cn=r/cn=one</p:x6849001F>')).toEqual(['oddity: no published window: a reader takes everything for no data']);
    expect(await odd(`${MARCH}<p:x6849001F>/o=A/ou=B/cn=r/cn=one</p:x6849001F><p:x0E1D001F>USER-/CN=R/CN=TWO</p:x0E1D001F>`)).toEqual(['oddity: the subject is another than that of the legacyExchangeDN']);
    // February 2026 (32418) is before the window: a leftover.
    expect(await odd(MARCH + pair('x68511003', 'x68521102', 32418, 'u2LoYg=='))).toEqual(['oddity: tentative: time outside the published window, which readers pass over']);
    // 13:15–14:00, then 09:00–10:30.
    expect(await odd(MARCH + pair('x68511003', 'x68521102', 32419, 'u2LoYrw0FjU='))).toEqual(['oddity: tentative: intervals overlap or are out of order']);
  });

  it('what cannot be read as such, never as nothing', async () => {
    const broken = await decoded(propfindAnswer(`${MARCH}<p:x68531003><c:v>32419</c:v><c:v>32420</c:v></p:x68531003><p:x68541102><c:v>vDQWNQ==</c:v></p:x68541102>`));
    expect(broken.printed).toContain('busy      cannot be read');
    const noBase64 = await decoded(propfindAnswer(MARCH + pair('x68531003', 'x68541102', 32419, '***')));
    expect(noBase64.printed).toContain('    2026-03-01 00:00–2026-04-01 00:00 cannot be read');
  });

  it('nothing that a terminal would obey', async () => {
    const { printed } = await decoded(propfindAnswer(`${MARCH}<p:x6849001F>/o=\u009b31mred&#x9b;\u202e/cn=x</p:x6849001F>`));
    expect(printed.join('\n')).not.toMatch(/[\u0080-\u009f\u202e]/);
    expect(printed).toContain('legacyExchangeDN  /o=�31mred��/cn=x');
  });

  it('the message of a dry run', async () => {
    expect((await describeDocument(read('cli/decode/worked-example/message.http'))).slice(0, 3)).toEqual(lines('cli/decode/worked-example/expected.txt').slice(0, 3));
  });
});

describe('decode of what is no message', () => {
  it.each([
    ['an empty file', ''],
    ['a page', '<!DOCTYPE html><html><body>440 Login Timeout</body></html>'],
    ['bytes', Uint8Array.from({ length: 4096 }, (_one, index) => (index * 197) & 255)],
    ['an appointment', propfindAnswer('<p:x001a001f>IPM.Appointment</p:x001a001f>')],
    ['another SOAP message', '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><FindFolder/></s:Body></s:Envelope>'],
  ])('%s: says so, exit 1', async (_what, content) => {
    const { exit, printed, complained } = await decoded(content);
    expect([exit, printed]).toEqual([1, []]);
    expect(complained.at(-1)).toContain('no free/busy message');
  });

  it.each([
    ['cut off', propfindAnswer(MARCH).slice(0, -40), /cannot be read: /],
    ['with a DOCTYPE', `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]>${propfindAnswer(`<p:x6849001F>&a;</p:x6849001F>${MARCH}`)}`, /DOCTYPE/],
    ['with a mistake in it', propfindAnswer('<p:x68470003>1</p:x68480003>'), /cannot be read: /],
    ['too deep', propfindAnswer('<p:x>'.repeat(200) + '</p:x>'.repeat(200)), /64 deep/],
    ['no message there', propfindAnswer(MARCH).replace('200 OK', '404 Not Found'), /has published no free\/busy/],
    ['an answer to a PROPPATCH', propfindAnswer('<p:x68470003/>').replace('200 OK', '422 Unprocessable Entity'), /refused were x68470003 \(HTTP\/1\.1 422/],
    ['an EWS error', '<m:GetItemResponse xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"><m:ResponseMessages><m:GetItemResponseMessage ResponseClass="Error"><m:ResponseCode>ErrorAccessDenied</m:ResponseCode></m:GetItemResponseMessage></m:ResponseMessages></m:GetItemResponse>', /ErrorAccessDenied/],
  ])('a document %s: says why, exit 1', async (_what, content, words) => {
    const { exit, complained } = await decoded(content);
    expect(exit).toBe(1);
    expect(complained.join('\n')).toMatch(words);
  });

  it('a file that is not there, or a folder: exit 1; no file at all: exit 2', async () => {
    expect(await run(['decode', join(folder, 'nowhere.xml')])).toMatchObject({ exit: 1, complained: [expect.stringContaining('ENOENT')] });
    expect(await run(['decode', folder])).toMatchObject({ exit: 1, complained: [expect.stringContaining('EISDIR')] });
    expect((await run(['decode'])).exit).toBe(2);
  });

  it('more than the largest answer that is ever read: exit 1', async () => {
    const terminal = capturedTerminal();
    const endless = (async function* () {
      for (;;) yield Buffer.alloc(1024 * 1024, 0x20);
    })();
    expect(await decode('-', {}, terminal, endless)).toBe(1);
    expect(terminal.complained).toEqual(['the standard input cannot be read: it is larger than 33554432 bytes']);
  });

  it('a good message beside a bad one is printed, exit 1', async () => {
    const { exit, printed, complained } = await decoded(`${propfindAnswer('<p:oops>')}\n\n${propfindAnswer(MARCH)}`);
    expect(exit).toBe(1);
    expect(printed).toContain('published         2026-03-01 00:00 to 2026-06-01 00:00 UTC');
    expect(complained).toHaveLength(1);
  });
});

describe('decode of the standard input', () => {
  it('takes UTF-16, as a redirection under Windows writes it, and other text byte by byte', async () => {
    const text = propfindAnswer(MARCH);
    for (const bytes of [Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]), Buffer.from(text.replace('/x', '/\u00fc'), 'latin1')]) {
      const terminal = capturedTerminal();
      const input = (async function* () {
        yield bytes.subarray(0, 11);
        yield bytes.subarray(11);
      })();
      expect(await decode('-', {}, terminal, input)).toBe(0);
      expect(terminal.printed).toContain('published         2026-03-01 00:00 to 2026-06-01 00:00 UTC');
    }
  });
});

describe.runIf(existsSync(join(SHARED, 'captures')))('decode of captures', () => {
  const captured = (name: string): Promise<{ exit: number; printed: readonly string[] }> => run(['decode', join(SHARED, 'captures', name)]);

  it('what an Exchange 2003 answered', async () => {
    const { exit, printed } = await captured('exchange-webdav/FreeBusyPublicFolderResponse.xml');
    expect(exit).toBe(0);
    // exchange.md §1.4 and §1.5: the window, and the blocks (15630,15660) … and (2490,2520) of the published vectors.
    for (const line of ['subject           USER-/CN=RECIPIENTS/CN=PHONEY', 'published         2007-12-01 08:00 to 2008-03-01 08:00 UTC, written 2007-12-30 05:19:07 UTC', '    2007-12-11 20:30–21:00', '    2008-01-02 17:30–18:00']) {
      expect(printed).toContain(line);
    }
  });

  it('what Zimbra pushes over WebDAV, every request of the log: names with 0x, a window in hexadecimal, an end behind its month', async () => {
    const { exit, printed } = await captured('zimbra/webdav-basic-8.8.15.txt');
    expect(exit).toBe(0);
    expect(printed.filter((line) => line === 'published         2026-03-01 00:00 to 2026-04-30 00:00 UTC').length).toBeGreaterThan(1);
    expect(printed).toContain('    2026-03-31 22:00–2026-04-01 02:00');
    expect(printed).toContain('oddity: away: an end behind its month');
  });

  it.each(['ews-push-new-item.txt', 'ews-push-existing-item.txt'])('what Zimbra pushes over EWS, between requests that hold no message: %s', async (name) => {
    const { exit, printed } = await captured(`zimbra/${name}`);
    expect(exit).toBe(0);
    expect(printed).toContain('    2026-03-02 09:00–10:30');
    expect(printed).toContain('legacyExchangeDN  /o=First Organization/ou=First Administrative Group/cn=RECIPIENTS/cn=james');
  });

  it('phantom months of a Zimbra are named', async () => {
    expect((await captured('zimbra/webdav-form-and-timezones.txt')).printed).toContain('oddity: tentative: a month that does not exist');
  });
});
