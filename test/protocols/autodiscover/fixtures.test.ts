import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packVersion } from '../../../src/protocols/autodiscover/claimed-version.ts';
import { SHARED } from '../../shared.ts';
import type { FaceUnderTest } from '../face-under-test.ts';
import { mailbox, openFace, outline, post, postPox, poxRequest } from './face.ts';

const FIXTURES = join(import.meta.dirname, '../../../fixtures/autodiscover');
const PATHS: Readonly<Record<string, string>> = { pox: '/autodiscover/autodiscover.xml', soap: '/autodiscover/autodiscover.svc' };
const CAPTURE = join(SHARED, 'captures/ews-server/autodiscover-pox.xml');

let face: FaceUnderTest;
beforeAll(async () => {
  face = await openFace();
});
afterAll(async () => face.close());

describe.each(Object.keys(PATHS))('the sheet and the reference, %s', (protocol) => {
  it.each(readdirSync(join(FIXTURES, protocol)))('%s', async (name) => {
    const read = (file: string): string => readFileSync(join(FIXTURES, protocol, name, file), 'utf8');
    const expected = JSON.parse(read('expected.json')) as readonly (readonly [string, string, string])[];
    const answer = await post(face, PATHS[protocol]!, read('message.xml'));
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('text/xml; charset=utf-8');
    const rows = await outline(answer.body);
    // A star stands for any text but none.
    expect(rows.map(([path, ns, text], index) => [path, ns, expected[index]?.[2] === '*' && text !== '' ? '*' : text])).toEqual(expected);
  });
});

describe("a real server's answer (grommunio 3.10)", () => {
  it.skipIf(!existsSync(CAPTURE))('has every element that ours has for the user, EXCH and EXPR, in the same namespaces', async () => {
    const theirs = new Set((await outline(readFileSync(CAPTURE, 'utf8'))).map(([path, ns]) => `${ns} ${path}`));
    const ours = await outline((await postPox(face, poxRequest(mailbox('zoe@zimbra.example')))).body);
    // Its WEB protocol is missing: it has no web client to tell of.
    const missing = ours.filter(([path, ns]) => !theirs.has(`${ns} ${path}`)).map(([path]) => path);
    expect([...new Set(missing.map((path) => path.split('/').slice(0, 5).join('/')))]).toEqual(['Autodiscover/Response/Account/Protocol/External']);
  });
});

describe('ServerVersion', () => {
  it('packs as the sheet and grommunio have it', () => {
    expect(packVersion(15, 0, 847)).toBe('73C0834F');
  });
});
