import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import type { Directory } from '../../../src/directory/directory.ts';
import { childText } from '../../../src/platform/xml/element.ts';
import type { XmlElement } from '../../../src/platform/xml/element.ts';
import { readXml } from '../../../src/platform/xml/read.ts';
import { owaWebdavEndpoint } from '../../../src/protocols/owa-webdav/endpoint.ts';
import { entryOf, memoryDirectory } from '../../directory/memory-directory.ts';
import { ASKER, faceUnderTest } from '../face-under-test.ts';
import type { FaceUnderTest } from '../face-under-test.ts';

const ANNA = entryOf('anna@corp.example', {
  name: 'Anna Müller',
  givenName: 'Anna',
  surname: 'Müller',
  initials: 'A.',
  nickname: 'amueller',
  aliases: ['am@corp.example'],
  title: 'Director',
  department: 'Sales',
  company: 'Corp',
  office: '3.14',
  phone: '+49 30 1',
  mobile: '+49 170 1',
  street: 'Unter den Linden 1',
  city: 'Berlin',
  state: 'BE',
  postalCode: '10117',
  country: 'Germany',
});
const KIM = entryOf('kim@zimbra.example', { name: 'Kim Lee', givenName: 'Kim', surname: 'Lee', nickname: 'kim', home: 'zimbra', company: 'Zim' });
const KIM_2 = entryOf('kim@corp.example', { name: 'Kimberly Ng', nickname: 'KIM', company: 'Corp' });
const ODD = entryOf('odd@corp.example', { name: 'Odd <&> "\'' });
const CROWD = Array.from({ length: 600 }, (_, index) => entryOf(`p${index}@corp.example`, { name: `Person ${index}`, title: 'Extra' }));

const AUTHORIZATIONS = Object.fromEntries(['searching', 'syncing', 'blind'].map((name) => [name, `Basic ${Buffer.from(`${name}:pw-of-${name}`).toString('base64')}`]));

let face: FaceUnderTest;
let directory: Directory;
/** What the book is asked for counts, as the bridge's rate does. */
let searches = 0;
beforeAll(async () => {
  const book = memoryDirectory([ANNA, KIM, KIM_2, ODD, ...CROWD]);
  directory = { ...book, search: (...question) => ((searches += 1), book.search(...question)) };
  const rights = { searching: 'search', syncing: 'sync', blind: 'none' } as const;
  face = await faceUnderTest(owaWebdavEndpoint, {
    directory: { ...directory, allowance: (requester) => directory.allowance(requester), search: (query, requester) => directory.search(query, requester), all: (requester) => directory.all(requester) },
    accounts: Object.entries(rights).map(([name, gal]) => ({ requester: { ...ASKER, name, gal }, credentials: { username: name, password: `pw-of-${name}` } })),
  });
});
afterAll(() => face.close());

function all(element: XmlElement, name: string): readonly XmlElement[] {
  return [...(element.name === name ? [element] : []), ...element.children.flatMap((one) => all(one, name))];
}

async function ask(query: string, { who = 'searching', path = '/public/' } = {}) {
  const response = await fetch(`${face.url}${path}?${query}`, { headers: { authorization: AUTHORIZATIONS[who]! } });
  const body = await response.text();
  const root = response.headers.get('content-type')?.startsWith('text/xml') === true ? await readXml(body) : undefined;
  const pick = (name: string) => (root === undefined ? [] : all(root, name).map((one) => Object.fromEntries(one.children.map((part) => [part.name, part.text]))));
  return { status: response.status, body, items: pick('item'), persons: pick('person'), error: root === undefined ? undefined : all(root, 'error')[0]?.text, namespace: root?.ns };
}

const found = async (query: string, more = {}) => (await ask(`cmd=galfind&${query}`, more)).items.map((one) => one['EM']);

describe('galfind with an address book', () => {
  it.each(['/public/', '/exchange/anybody/', '/exchange/searching/', '/exchange/'])('shows what is known under %s', async (path) => {
    const { items, error, namespace } = await ask('Cmd=galfind&DN=anna', { path });
    expect(items).toEqual([{ DN: 'Anna Müller', AN: 'amueller', EM: 'anna@corp.example', TL: 'Director', CP: 'Corp', OFFICE: '3.14', PH: '+49 30 1' }]);
    expect([error, namespace]).toEqual([undefined, 'WM']);
  });

  it.each([
    ['AN=amu', ['anna@corp.example']],
    ['AN=anna@', ['anna@corp.example']],
    ['DN=m%C3%BCl', ['anna@corp.example']],
    ['DN=Anna%20M%C3%9C', ['anna@corp.example']],
    ['DN=anna@corp', []],
    ['EM=am@', ['anna@corp.example']],
    ['EM=SMTP:anna@corp.example', ['anna@corp.example']],
    ['FN=ann', ['anna@corp.example']],
    ['FN=m%C3%BCller', []],
    ['LN=M%C3%BC', ['anna@corp.example']],
    ['LN=ng', ['kim@corp.example']],
    ['TL=dir', ['anna@corp.example']],
    ['CP=corp', ['anna@corp.example', 'kim@corp.example']],
    ['CP=CORP&DP=sal', ['anna@corp.example']],
    ['OF=3.', ['anna@corp.example']],
    ['DN=kim', ['kim@zimbra.example', 'kim@corp.example']],
    ['DN=kim&CP=zim', ['kim@zimbra.example']],
    ['FN=kim&LN=lee', ['kim@zimbra.example']],
    ['FN=kim&LN=x', []],
    ['AN=kim&AN=kim@zimbra', ['kim@zimbra.example']],
    ['', []],
    ['XX=anna', []],
    ['DN=', []],
  ])('finds by %s', async (query, wanted) => {
    expect(await found(query)).toEqual(wanted);
  });

  it('gives everybody an AN of his own: an address where two have the same alias', async () => {
    const { items } = await ask('cmd=galfind&DN=kim');
    expect(items.map((one) => one['AN'])).toEqual(['kim@zimbra.example', 'kim@corp.example']);
    // Also where only one of them is found.
    expect((await ask('cmd=galfind&CP=zim')).items.map((one) => one['AN'])).toEqual(['kim@zimbra.example']);
  });

  it('gives a hundred of more, and says that there are others', async () => {
    for (const query of ['DN=person', 'TL=extra']) {
      const { items, error } = await ask(`cmd=galfind&${query}`);
      expect([items.length, error]).toEqual([100, 'There are more than 100; search for more of a name.']);
    }
  });

  it('says so too where those whom the words find are more than are looked through, and none of them fits', async () => {
    const kept = directory;
    const asked: unknown[] = [];
    // A client that may see 150 of thousands; none of these has it in the display name.
    directory = { ...kept, search: ({ limit, offset = 0 }) => (asked.push([limit, offset]), { entries: CROWD.slice(offset, offset + limit), more: true }) };
    const { items, error } = await ask('cmd=galfind&DN=an');
    directory = kept;
    expect([items, error, asked]).toEqual([[], 'There are more than 0; search for more of a name.', [[100, 0], [LIMITS.galfindLookedThrough - 100, 100]]]);
  });

  it('finds nobody by less than the client may search for, whichever criterion it is', async () => {
    const whole = directory;
    directory = { ...whole, allowance: (requester) => ({ ...whole.allowance(requester), minimumLength: 3 }) };
    try {
      expect([(await ask('cmd=galfind&TL=di')).items, (await ask('cmd=galfind&TL=dir')).items.length]).toEqual([[], 1]);
    } finally {
      directory = whole;
    }
  });

  it('writes markup so that XML stays XML', async () => {
    expect((await ask('cmd=galfind&DN=odd')).items).toEqual([{ DN: 'Odd <&> "\'', AN: 'odd@corp.example', EM: 'odd@corp.example' }]);
  });

  it.each(['*', '%25', '%00', '*)(uid=*', 'x'.repeat(10_000), '%ff%fe', '%3Cscript%3E', '..%2F..%2F'])('finds nobody by %s', async (text) => {
    for (const criterion of ['AN', 'DN', 'EM', 'FN', 'LN', 'TL', 'CP', 'OF', 'DP']) {
      const { status, items, body } = await ask(`cmd=galfind&${criterion}=${text}`);
      expect([status, items]).toEqual([200, []]);
      expect(body).not.toMatch(/script|uid|xxx/);
    }
  });

  it('asks the address book at most twice, also where its words find many and none of them fits', async () => {
    const before = searches;
    const { items, error } = await ask('cmd=galfind&EM=p&DN=odd', { who: 'syncing' });
    expect([items, error]).toEqual([[], 'There are more than 0; search for more of a name.']);
    expect(searches - before).toBe(2);
  });

  it('takes the same criterion ten thousand times for one, and refuses as many different ones', async () => {
    const before = searches;
    expect(await found('AN=amu&'.repeat(9_000))).toEqual(['anna@corp.example']);
    expect(searches - before).toBe(1);
    expect((await ask(`cmd=galfind&${Array.from({ length: 21 }, (_, index) => `AN=a${index}`).join('&')}`)).status).toBe(400);
  });

  it('says that a client has asked too much', async () => {
    const kept = directory;
    directory = { ...kept, search: () => { throw new BridgeError('TOO_MANY_ATTEMPTS', 'too many searches', { retryAfterMs: 2_000 }); } };
    expect((await ask('cmd=galfind&DN=anna')).status).toBe(429);
    directory = kept;
  });
});

describe('gallookup with an address book', () => {
  it('tells everything of an address, under the alias that galfind gave', async () => {
    for (const address of ['anna@corp.example', 'SMTP:AM@corp.example']) {
      expect((await ask(`Cmd=gallookup&ADDR=${address}`)).persons).toEqual([
        { alias: 'amueller', first: 'Anna', initials: 'A.', last: 'Müller', street: 'Unter den Linden 1', city: 'Berlin', state: 'BE', zip: '10117', country: 'Germany', title: 'Director', company: 'Corp', department: 'Sales', office: '3.14', phone: '+49 30 1', mobile: '+49 170 1' },
      ]);
    }
    expect((await ask('Cmd=gallookup&ADDR=kim@zimbra.example')).persons).toMatchObject([{ alias: 'kim@zimbra.example', first: 'Kim' }]);
  });

  it.each(['zoe@corp.example', 'anna', '*', '', '%00', 'x'.repeat(10_000)])('knows nobody called %s', async (text) => {
    expect(await ask(`cmd=gallookup&ADDR=${text}`)).toMatchObject({ status: 200, persons: [] });
  });
});

describe('without the right to the address book', () => {
  it('an exact address is itself, whoever has it, and nobody is found by anything else', async () => {
    expect((await ask('cmd=galfind&AN=anna@corp.example', { who: 'blind' })).items).toEqual([{ DN: 'anna@corp.example', AN: 'anna@corp.example', EM: 'anna@corp.example' }]);
    expect(await found('AN=ghost@corp.example', { who: 'blind' })).toEqual(['ghost@corp.example']);
    expect(await found('DN=anna', { who: 'blind' })).toEqual([]);
    expect((await ask('cmd=gallookup&ADDR=anna@corp.example', { who: 'blind' })).persons).toEqual([{ alias: 'anna@corp.example' }]);
  });

  it('with it, an address that nobody has is nobody', async () => {
    expect(await found('AN=ghost@corp.example')).toEqual([]);
    expect(await found('AN=ghost@corp.example', { who: 'syncing' })).toEqual([]);
  });
});

it('the text of an item is read as it stands', async () => {
  const { body } = await ask('cmd=galfind&DN=anna');
  expect(childText(all(await readXml(body), 'item')[0], 'DN')).toBe('Anna Müller');
});
