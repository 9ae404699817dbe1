import { existsSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import { child, childText, descend } from '../../../src/platform/xml/element.ts';
import { readXml } from '../../../src/platform/xml/read.ts';
import type { PushedMessages } from '../../../src/protocols/schedule-plus/pushed-messages.ts';
import { SHARED } from '../../shared.ts';
import { ANONYMOUS, sendRaw, startFace } from './face.ts';
import type { Face, RawAnswer } from './face.ts';

const TREE = '/public/NON_IPM_SUBTREE/SCHEDULE+%20FREE%20BUSY';
const PATH = `${TREE}/EX:_xF8FF_o=First%20Organization_xF8FF_ou=First%20Administrative%20Group/USER-_xF8FF_cn=RECIPIENTS_xF8FF_cn=kim.EML`;
const KIM_DN = '/o=First Organization/ou=First Administrative Group/cn=RECIPIENTS/cn=kim';
/** fixtures/owa-webdav/proppatch-message/zimbra-8: kim's. */
const BODY = readFileSync(new URL('../../../fixtures/owa-webdav/proppatch-message/zimbra-8/message.xml', import.meta.url), 'utf8');
const ACCOUNTS = { zimbra: 'changeme' };
const BASIC = `Basic ${Buffer.from('zimbra:changeme').toString('base64')}`;

const faces: Face[] = [];
afterEach(async () => {
  await Promise.all(faces.splice(0).map((one) => one.close()));
});

/** The mailboxes of the system `zimbra`, by their DNs in lower case. */
function pushedTo(known: Readonly<Record<string, string>>, store: (mailbox: string) => Promise<void> = async () => undefined) {
  const asked: string[] = [];
  const changed: string[] = [];
  const pushed: PushedMessages = {
    mailboxOf: async (dn, from) => {
      asked.push(dn);
      return from === 'zimbra' ? (known[dn.toLowerCase()] as MailboxAddress | undefined) : undefined;
    },
    changed: async (mailbox, from) => {
      await store(mailbox);
      changed.push(`${from}: ${mailbox}`);
    },
  };
  return { pushed, asked, changed };
}

const KIM = { [KIM_DN.toLowerCase()]: 'kim@zimbra.example' };

async function faceWith(pushed: PushedMessages | undefined, accounts: Readonly<Record<string, string>> = ACCOUNTS): Promise<Face> {
  const face = await startFace(accounts, {}, 'free', pushed);
  faces.push(face);
  return face;
}

interface Push {
  readonly method?: string;
  readonly path?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function push(face: Face, { method = 'POST', path = PATH, body = BODY, headers = { authorization: BASIC } }: Push = {}): Promise<RawAnswer> {
  const lines = Object.entries({ host: 'x', translate: 'f', 'content-type': 'text/xml', 'content-length': String(Buffer.byteLength(body)), ...headers });
  const head = `${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
  const [answer] = await sendRaw(face.port, [Buffer.from(head + body)]);
  return answer!;
}

describe("a Zimbra's own push", () => {
  it.each(['PROPPATCH', 'POST'])('by %s is heard as a change of its owner, and answered 207 for every property', async (method) => {
    const { pushed, changed } = pushedTo(KIM);
    const answer = await push(await faceWith(pushed), { method });
    expect(answer.status).toBe(207);
    expect(answer.headers['content-type']).toMatch(/^text\/xml/);
    expect(changed).toEqual(['zimbra: kim@zimbra.example']);
    const response = child(await readXml(answer.body), 'response');
    expect(childText(response, 'href')).toBe(PATH);
    expect(childText(child(response, 'propstat'), 'status')).toBe('HTTP/1.1 200 OK');
    expect(descend(response, 'propstat', 'prop')?.children.map((one) => one.name)).toEqual(['x0037001E', 'x68470003', 'x68480003', 'x6849001F', 'x684F1003', 'x68501102', 'x68410003', 'x6842000B']);
  });

  it('is acknowledged only when it is stored', async () => {
    const order: string[] = [];
    const { pushed } = pushedTo(KIM, async () => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      order.push('stored');
    });
    const face = await faceWith(pushed);
    const answer = await push(face);
    order.push('answered');
    expect([answer.status, order]).toEqual([207, ['stored', 'answered']]);
  });

  it('that cannot be stored is 503, so that Zimbra tells again', async () => {
    const { pushed, changed } = pushedTo(KIM, async () => {
      throw new BridgeError('STORE_UNAVAILABLE', 'changes cannot be stored at present', { temporary: true });
    });
    const answer = await push(await faceWith(pushed));
    expect(answer.status).toBe(503);
    // httpclient 4 trips over an error without an entity.
    expect(answer.body).not.toBe('');
    expect(changed).toEqual([]);
  });

  it('about nobody is 207 with 404 inside: any other status would stop its whole queue', async () => {
    const { pushed, asked, changed } = pushedTo({});
    const answer = await push(await faceWith(pushed));
    expect(answer.status).toBe(207);
    expect(childText(child(await readXml(answer.body), 'response'), 'status')).toBe('HTTP/1.1 404 Not Found');
    expect(changed).toEqual([]);
    expect(asked).toEqual([KIM_DN, KIM_DN]);
  });

  it('names its owner by the DN inside it, else by its path', async () => {
    const { pushed, changed } = pushedTo({ ...KIM, [KIM_DN.toLowerCase().replace('cn=kim', 'cn=lee')]: 'lee@zimbra.example' });
    const face = await faceWith(pushed);
    expect((await push(face, { path: PATH.replace('cn=kim', 'cn=lee') })).status).toBe(207);
    expect((await push(face, { path: PATH.replace('cn=kim', 'cn=lee'), body: BODY.replace(/<b:0x6849001F>.*?<\/b:0x6849001F>/, '') })).status).toBe(207);
    expect((await push(face, { path: PATH.replace('cn=kim', 'cn=lee'), body: BODY.replace('cn=kim</b:0x6849001F>', 'cn=stranger</b:0x6849001F>') })).status).toBe(207);
    expect(changed).toEqual(['zimbra: kim@zimbra.example', 'zimbra: lee@zimbra.example', 'zimbra: lee@zimbra.example']);
  });

  it('a DN of absurd length is asked about nowhere', async () => {
    const { pushed, asked } = pushedTo(KIM);
    const face = await faceWith(pushed);
    await push(face, { path: `${TREE}/EX:_xF8FF_o=x/USER-_xF8FF_cn=${'a'.repeat(5000)}.EML`, body: BODY.replace('cn=kim</b:0x6849001F>', `cn=${'a'.repeat(5000)}</b:0x6849001F>`) });
    expect(asked).toEqual([]);
  });
});

describe('a push that is refused', () => {
  it('without credentials: a challenge, and nothing is heard', async () => {
    const { pushed, asked } = pushedTo(KIM);
    const answer = await push(await faceWith(pushed), { headers: {} });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toMatch(/^Basic /);
    expect(asked).toEqual([]);
  });

  it('of an anonymous client: a challenge, so that Zimbra sends its credentials', async () => {
    const { pushed, asked } = pushedTo(KIM);
    const face = await faceWith(pushed, { ...ACCOUNTS, [ANONYMOUS]: '' });
    expect((await push(face, { headers: {} })).status).toBe(401);
    expect((await push(face)).status).toBe(207);
    expect(asked).toEqual([KIM_DN]);
  });

  it('with a wrong password', async () => {
    const { pushed, asked } = pushedTo(KIM);
    expect((await push(await faceWith(pushed), { headers: { authorization: `Basic ${Buffer.from('zimbra:x').toString('base64')}` } })).status).toBe(401);
    expect(asked).toEqual([]);
  });

  it.each([
    ['not XML', 'propertyupdate'],
    ['cut short', BODY.slice(0, 600)],
    ['empty', ''],
    ['another document', '<D:propfind xmlns:D="DAV:"/>'],
    ['a DOCTYPE', `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>${BODY.slice(BODY.indexOf('<D:'))}`],
    ['nested too deep', '<a>'.repeat(1000)],
    ['too many elements', `<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop>${'<x/>'.repeat(110_000)}</D:prop></D:set></D:propertyupdate>`],
  ])('%s is 400', async (_name, body) => {
    const { pushed, asked } = pushedTo(KIM);
    expect((await push(await faceWith(pushed), { body })).status).toBe(400);
    expect(asked).toEqual([]);
  });

  it('too large is 413, and not read to its end', async () => {
    const { pushed } = pushedTo(KIM);
    const face = await faceWith(pushed);
    const head = `PROPPATCH ${PATH} HTTP/1.1\r\nhost: x\r\nauthorization: ${BASIC}\r\ncontent-length: ${LIMITS.pushedMessageBytes + 1}\r\n\r\n`;
    const [answer] = await sendRaw(face.port, [Buffer.from(head)]);
    expect(answer!.status).toBe(413);
  });

  it.each(['GET', 'PUT', 'DELETE', 'PROPFIND', 'SEARCH'])('%s of a message is 405', async (method) => {
    const { pushed } = pushedTo(KIM);
    const answer = await push(await faceWith(pushed), { method });
    expect([answer.status, answer.headers['allow']]).toEqual([405, 'PROPPATCH, POST']);
  });

  it('where nothing is replicated there are no messages: 404, as for any other path', async () => {
    const face = await faceWith(undefined);
    for (const method of ['PROPPATCH', 'POST']) expect((await push(face, { method })).status).toBe(404);
  });

  it('a PROPPATCH anywhere else is none', async () => {
    const { pushed, asked } = pushedTo(KIM);
    const face = await faceWith(pushed);
    expect((await push(face, { method: 'PROPPATCH', path: '/public/NON_IPM_SUBTREE/x.EML' })).status).toBe(404);
    expect((await push(face, { method: 'PROPPATCH', path: '/public/' })).status).toBe(405);
    expect(asked).toEqual([]);
  });
});

const CAPTURES = `${SHARED}/captures/zimbra/`;

/** The pushes of a capture with the requests before them on their connection, each cut by its Content-Length. */
function capturedPushes(file: string): readonly Buffer[] {
  const text = readFileSync(CAPTURES + file).toString('latin1');
  return [...text.matchAll(/#### request (\d+) \(conn \d+\)\n([\s\S]*?)\n#### end \1/g)].flatMap(([, , raw]) => {
    const head = raw!.slice(0, raw!.indexOf('\r\n\r\n') + 4);
    const length = Number(/^content-length: (\d+)\r$/im.exec(head)?.[1] ?? 0);
    return /^(?:POST|PROPPATCH) \/public\/NON_IPM_SUBTREE/.test(head) ? [Buffer.from(raw!.slice(0, head.length + length), 'latin1')] : [];
  });
}

describe.skipIf(!existsSync(CAPTURES))('the captured pushes of a stock Zimbra, byte for byte', () => {
  it.each([
    ['webdav-basic-8.8.12.txt', 'PROPPATCH'],
    ['webdav-basic-8.8.15.txt', 'POST'],
  ])('%s: a challenge to %s, then 207 on the same connection, and one change', async (file, method) => {
    const pushes = capturedPushes(file);
    expect(pushes).toHaveLength(2);
    expect(pushes.every((one) => one.toString('latin1').startsWith(`${method} `))).toBe(true);
    const { pushed, asked, changed } = pushedTo({ '/o=first organization/ou=first administrative group/cn=recipients/cn=james': 'james@zimbra.example' });
    const face = await faceWith(pushed);
    const [challenge, answer] = await sendRaw(face.port, pushes);
    expect([challenge!.status, answer!.status]).toEqual([401, 207]);
    expect(challenge!.body).not.toBe('');
    expect(asked).toEqual(['/o=First Organization/ou=First Administrative Group/cn=RECIPIENTS/cn=james']);
    expect(changed).toEqual(['zimbra: james@zimbra.example']);
    const names = descend(await readXml(answer!.body), 'response', 'propstat', 'prop')?.children.map((one) => one.name);
    // As many as the capture has, zimbra-measured.md §3.
    expect(names).toHaveLength(20);
  });

  it('webdav-form-and-timezones.txt: odd names are those of the DN inside, also where the path has lost a letter', async () => {
    const group = '/o=Ex & Co/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=RECIPIENTS';
    const { pushed, asked, changed } = pushedTo({ [`${group}/cn=j ö+x/y`.toLowerCase()]: 'jo@zimbra.example', [`${group}/cn=j x+y/z`.toLowerCase()]: 'jx@zimbra.example' });
    const face = await faceWith(pushed);
    const pushes = capturedPushes('webdav-form-and-timezones.txt').map((one) => one.toString('latin1'));
    expect(pushes).toHaveLength(2);
    // The recorder's cookie was its own: credentials stand in its place. The last one without the DN inside: by its path.
    const withoutDn = (text: string) => {
      const short = text.replace(/<b:0x6849001F>.*?<\/b:0x6849001F>/, '');
      return short.replace(/^Content-Length: (\d+)/im, (_whole, length: string) => `Content-Length: ${Number(length) - (text.length - short.length)}`);
    };
    for (const text of [...pushes, withoutDn(pushes[1]!)]) {
      const bytes = Buffer.from(text.replace(/^Cookie: .*\r\n/gim, '').replace('\r\n', `\r\nAuthorization: ${BASIC}\r\n`), 'latin1');
      expect((await sendRaw(face.port, [bytes]))[0]!.status).toBe(207);
    }
    expect(asked).toEqual([`${group}/cn=J Ö+x/y`, `${group}/cn=J x+y/z`, `${group}/cn=J x+y/z`]);
    expect(changed).toEqual(['zimbra: jo@zimbra.example', 'zimbra: jx@zimbra.example', 'zimbra: jx@zimbra.example']);
  });
});
