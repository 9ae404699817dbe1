import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseMailboxAddress } from '../../../src/directory/smtp-address.ts';
import type { BusyInterval } from '../../../src/freebusy/free-busy.ts';
import { readXml } from '../../../src/platform/xml/read.ts';
import { decodeDeleteResponse } from '../../../src/protocols/owa-webdav/delete-response.ts';
import { decodeMessageProppatch, encodeMessageProppatch } from '../../../src/protocols/owa-webdav/proppatch-message.ts';
import { decodeProppatchResponse, encodeProppatchResponse } from '../../../src/protocols/owa-webdav/proppatch-response.ts';
import { encodeFreeBusyMessage } from '../../../src/protocols/schedule-plus/encode-free-busy-message.ts';

const FIXTURES = new URL('../../../fixtures/owa-webdav/', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, FIXTURES), 'utf8');
const json = <T>(path: string): T => JSON.parse(read(path)) as T;
const cases = (operation: string): readonly string[] => readdirSync(new URL(`${operation}/`, FIXTURES));

const jdoe = parseMailboxAddress('jdoe@contoso.example')!;
const at = (month: number, day: number, hour = 0, minute = 0) => Date.UTC(2026, month - 1, day, hour, minute);
/** exchange.md §1.5. */
const WORKED: readonly BusyInterval[] = [
  { start: at(3, 10, 9), end: at(3, 10, 10, 30), busyType: 'busy' },
  { start: at(3, 18, 13, 15), end: at(3, 18, 14), busyType: 'tentative' },
  { start: at(3, 31, 22), end: at(4, 1, 2), busyType: 'busy' },
];
const AWAY: BusyInterval = { start: at(4, 6), end: at(4, 11), busyType: 'oof' };

const written = (busy: readonly BusyInterval[], dn = '/o=Contoso/ou=First Administrative Group/cn=Recipients/cn=jdoe') =>
  encodeMessageProppatch(encodeFreeBusyMessage(dn, { mailbox: jdoe, window: { start: at(3, 1), end: at(6, 1) }, busy }, Date.UTC(2026, 1, 27, 12, 34, 56)));
/** The sheet breaks lines for its readers; on the wire there are none. */
const unbroken = (text: string): string => text.replace(/>\s+</g, '><').replace(/\s+xmlns/g, ' xmlns').trim();

describe('the PROPPATCH that is written', () => {
  it('is the one the sheet prints, but for its line breaks', () => {
    expect(written([...WORKED, AWAY])).toBe(unbroken(read('proppatch-message/worked-example/message.xml')));
  });

  it('removes the pair of a type that has nothing', () => {
    expect(written(WORKED)).toBe(unbroken(read('proppatch-message/nobody-away/message.xml')));
  });

  it('names with the characters of XML stay what they are', async () => {
    const dn = `/o=A & B <x> "q" 'p'/ou=x/cn=r/cn=a&amp;b`;
    const { raw } = decodeMessageProppatch(await readXml(written([], dn)));
    expect(raw.get(0x6849)).toEqual([dn]);
  });
});

describe('a PROPPATCH that is read', () => {
  it.each(cases('proppatch-message'))('fixture %s', async (name) => {
    const expected = json<{ raw?: Record<string, string[]>; removed?: string[]; error?: string }>(`proppatch-message/${name}/expected.json`);
    const root = await readXml(read(`proppatch-message/${name}/message.xml`));
    if (expected.error !== undefined) {
      expect(() => decodeMessageProppatch(root)).toThrow(expect.objectContaining({ code: expected.error }));
      return;
    }
    const { raw, removed } = decodeMessageProppatch(root);
    expect(raw).toEqual(new Map(Object.entries(expected.raw!).map(([id, values]) => [Number(id), values])));
    expect([...removed]).toEqual(expected.removed!.map(Number));
  });
});

describe('the answer to a PROPPATCH', () => {
  it.each(cases('proppatch-response'))('fixture %s', async (name) => {
    interface Expected {
      readonly sent: { readonly set: readonly string[]; readonly removed: readonly string[] };
      readonly refused?: readonly (readonly [string | null, number])[];
      readonly error?: string;
    }
    const { sent, refused, error } = json<Expected>(`proppatch-response/${name}/expected.json`);
    const message = { set: sent.set.map((tag) => ({ tag: Number(tag), values: [] })), removed: sent.removed.map(Number) };
    const root = await readXml(read(`proppatch-response/${name}/message.xml`));
    if (error === undefined) expect(decodeProppatchResponse(root, message)).toEqual(refused!.map(([property, status]) => ({ property: property ?? undefined, status })));
    else expect(() => decodeProppatchResponse(root, message)).toThrow(expect.objectContaining({ code: error, details: expect.objectContaining({ status: 207 }) as unknown }));
  });

  it('that we give names every property that was sent, Zimbra’s 0x names as legal ones', () => {
    expect(encodeProppatchResponse('/public/a&b.EML', 200, [0x0037001f, 0x68541102])).toBe(
      '<?xml version="1.0" encoding="utf-8"?><a:multistatus xmlns:a="DAV:" xmlns:d="http://schemas.microsoft.com/mapi/" xmlns:e="http://schemas.microsoft.com/mapi/proptag/">' +
        '<a:response><a:href>/public/a&amp;b.EML</a:href><a:propstat><a:status>HTTP/1.1 200 OK</a:status><a:prop><d:subject/><e:x68541102/></a:prop></a:propstat></a:response></a:multistatus>',
    );
    expect(encodeProppatchResponse('/x', 404, [])).toContain('<a:href>/x</a:href><a:status>HTTP/1.1 404 Not Found</a:status>');
  });
});

describe('the answer to a DELETE', () => {
  const response = (inner: string) => `<D:multistatus xmlns:D="DAV:"><D:response><D:href>/x</D:href>${inner}</D:response></D:multistatus>`;

  it.each([
    ['<D:status>HTTP/1.1 204 No Content</D:status>', []],
    ['<D:status>HTTP/1.1 404 Not Found</D:status>', []],
    // RFC 4918 §9.6.2.1.
    ['<D:status>HTTP/1.1 423 Locked</D:status>', [423]],
    ['<D:propstat><D:status>HTTP/1.1 403 Forbidden</D:status></D:propstat>', [403]],
  ])('%s', async (inner, statuses) => {
    expect(decodeDeleteResponse(await readXml(response(inner))).map((one) => one.status)).toEqual(statuses);
  });

  it.each([response(''), response('<D:status>gone</D:status>'), '<D:multistatus xmlns:D="DAV:"/>', '<html/>'])('%s says nothing', async (text) => {
    const root = await readXml(text);
    expect(() => decodeDeleteResponse(root)).toThrow(expect.objectContaining({ code: 'BACKEND_MALFORMED' }));
  });
});
