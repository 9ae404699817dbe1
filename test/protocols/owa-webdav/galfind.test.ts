import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { childText } from '../../../src/platform/xml/element.ts';
import type { XmlElement } from '../../../src/platform/xml/element.ts';
import { readXml } from '../../../src/platform/xml/read.ts';
import { owaWebdavEndpoint } from '../../../src/protocols/owa-webdav/endpoint.ts';
import { ASKER, ASKER_BASIC, faceUnderTest } from '../face-under-test.ts';
import type { FaceUnderTest } from '../face-under-test.ts';

let face: FaceUnderTest;
beforeAll(async () => {
  const other = { ...ASKER, name: 'other', mayAsk: new Set<string>() };
  face = await faceUnderTest(owaWebdavEndpoint, {
    accounts: [
      { requester: ASKER, credentials: { username: 'asker', password: 'pw-of-asker' } },
      { requester: other, credentials: { username: 'other', password: 'pw-of-other' } },
    ],
  });
});
afterAll(() => face.close());

/** Elements of that name at any depth, as DavMail and Evolution look for them. */
function all(element: XmlElement, name: string): readonly XmlElement[] {
  return [...(element.name === name ? [element] : []), ...element.children.flatMap((one) => all(one, name))];
}

async function ask(query: string, path = '/public/', authorization = ASKER_BASIC) {
  const response = await fetch(`${face.url}${path}?${query}`, { headers: { authorization } });
  const body = await response.text();
  expect([response.status, response.headers.get('content-type')], query).toEqual([200, 'text/xml; charset=utf-8']);
  const root = await readXml(body);
  expect([root.ns, root.name]).toEqual(['WM', 'response']);
  return { items: all(root, 'item').map((one) => [childText(one, 'AN'), childText(one, 'DN'), childText(one, 'EM')]), persons: all(root, 'person').map((one) => childText(one, 'alias')), body };
}

const KIM = 'Kim@Zimbra.example';

describe('galfind', () => {
  it('finds an address of a served domain that is named whole, by alias, name or mail, under both paths', async () => {
    for (const path of ['/public/', '/public', '/exchange/anybody/', '/exchange/']) {
      for (const query of [`Cmd=galfind&AN=${KIM}`, `cmd=GALFIND&dn=${encodeURIComponent(KIM)}`, `CMD=galfind&EM=SMTP:${KIM}`, `cmd=galfind&AN=${KIM}&EM=kim@zimbra.example`]) {
        expect((await ask(query, path)).items, `${path}?${query}`).toEqual([[KIM, KIM, KIM]]);
      }
    }
  });

  it('finds nobody by a part of a name, by a first name, or by two criteria that differ', async () => {
    const queries = ['AN=kim', 'AN=kim@', 'AN=@zimbra.example', 'DN=zimbra.example', 'FN=kim', `FN=kim&EM=${KIM}`, `FN=${KIM}`, `AN=${KIM}&EM=lee@zimbra.example`, '', 'AN=', `XX=${KIM}`, `TL=x&AN=${KIM}`];
    for (const query of queries) expect((await ask(`cmd=galfind&${query}`)).items, query).toEqual([]);
  });

  it('finds nobody of a domain that is not served, or that this client may not ask about', async () => {
    expect((await ask('cmd=galfind&AN=kim@elsewhere.example')).items).toEqual([]);
    expect((await ask(`cmd=galfind&AN=${KIM}`, '/public/', `Basic ${Buffer.from('other:pw-of-other').toString('base64')}`)).items).toEqual([]);
  });

  it('answers the same for who exists and who does not, and asks nobody', async () => {
    const [kim, ghost] = [await ask('cmd=galfind&AN=kim@zimbra.example'), await ask('cmd=galfind&AN=ghost@zimbra.example')];
    expect(kim.body.replaceAll('kim', 'ghost')).toBe(ghost.body);
    expect(face.asked).toEqual([]);
  });

  it.each([
    ['a wildcard', '*@zimbra.example'],
    ['a percent sign', '%25@zimbra.example'],
    ['a question mark', '%3F@zimbra.example'],
    ['wildcards alone', '*'],
    ['NUL', 'kim%00@zimbra.example'],
    ['a quote', '%27%22@zimbra.example'],
    ['markup', '%3Cscript%3Ealert(1)%3C/script%3E@zimbra.example'],
    ['an LDAP filter', '*)(uid=*'],
    ['a broken escape', '%zz@zimbra.example'],
    ['broken UTF-8', '%ff%fe@zimbra.example'],
    ['a path', '..%2F..%2Fetc%2Fpasswd@zimbra.example'],
    ['two addresses', 'kim@zimbra.example,lee@zimbra.example'],
    ['ten thousand characters', `${'x'.repeat(10_000)}@zimbra.example`],
  ])('finds nothing by %s, and repeats nothing of it', async (_name, text) => {
    for (const criterion of ['AN', 'DN', 'EM', 'FN']) {
      const { items, body } = await ask(`cmd=galfind&${criterion}=${text}`);
      expect(items).toEqual([]);
      expect(body).not.toMatch(/script|uid|passwd|xxx/);
    }
    expect((await ask(`cmd=gallookup&ADDR=${text}`)).persons).toEqual([]);
  });

  it('writes what it repeats so that XML stays XML', async () => {
    const odd = "o'neil&sons+{x}@zimbra.example";
    expect((await ask(`cmd=galfind&AN=${encodeURIComponent(odd)}`)).items).toEqual([[odd, odd, odd]]);
  });

  it('takes ten thousand criteria for what they are', async () => {
    expect((await ask(`cmd=galfind&${'AN=a&'.repeat(10_000)}`)).items).toEqual([]);
  });
});

describe('gallookup', () => {
  it('knows of an address no more than that it is one, under the alias that galfind gave', async () => {
    expect((await ask(`Cmd=gallookup&ADDR=${KIM}`, '/exchange/asker/')).persons).toEqual([KIM]);
    expect((await ask('Cmd=gallookup&ADDR=kim@elsewhere.example')).persons).toEqual([]);
    expect((await ask('Cmd=gallookup')).persons).toEqual([]);
  });
});

describe('without a password', () => {
  it('neither answers, and neither below a folder', async () => {
    for (const command of ['galfind', 'gallookup']) {
      for (const path of ['/public/', '/exchange/asker/']) expect((await fetch(`${face.url}${path}?cmd=${command}&AN=${KIM}&ADDR=${KIM}`)).status).toBe(401);
      expect((await fetch(`${face.url}/exchange/asker/Calendar/?cmd=${command}&AN=${KIM}`, { headers: { authorization: ASKER_BASIC } })).status).toBe(404);
    }
  });
});
