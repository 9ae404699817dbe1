import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import type { SourceEntry } from '../../../src/directory/entry-source.ts';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import { readXml } from '../../../src/platform/xml/read.ts';
import { OwaGalSource } from '../../../src/protocols/owa-webdav/gal-source.ts';
import type { OwaGalOptions } from '../../../src/protocols/owa-webdav/gal-source.ts';
import { decodeGalfind } from '../../../src/protocols/owa-webdav/galfind-query.ts';
import { createCalendarStore } from '../../../src/sandbox/calendar-store.ts';
import { createExchange2003 } from '../../../src/sandbox/exchange-2003.ts';
import type { Exchange2003 } from '../../../src/sandbox/exchange-2003.ts';
import { owaWebdavEndpoint } from '../../../src/protocols/owa-webdav/endpoint.ts';
import { entryOf, memoryDirectory } from '../../directory/memory-directory.ts';
import { ASKER, faceUnderTest } from '../face-under-test.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function exchangeWith(people: number, auth: 'basic' | 'form' = 'basic'): Promise<Exchange2003> {
  const crowd = Array.from({ length: people }, (_, index) => ({ address: `person.${index}@legacy.example`, displayName: `Person ${index}` }));
  const calendars = createCalendarStore([{ address: 'anna@legacy.example', displayName: 'Anna Albrecht' }, ...crowd]);
  const server = createExchange2003({ username: 'bridge', password: 'pw', domain: 'LEGACY', calendars, clock: systemClock, auth, listed: [{ address: 'guest@partner.example', displayName: 'Guest', title: 'Director', office: '1', company: 'P & Q', phone: '+1' }] });
  await server.listen();
  open.push(server);
  return server;
}

function sourceAt(url: string, over: Partial<OwaGalOptions> = {}): OwaGalSource {
  const source = new OwaGalSource({ label: 'old', servers: [new URL(url)], auth: 'basic', username: 'LEGACY\\bridge', password: 'pw', hosts: [], domains: ['legacy.example'], mailboxes: ['solo@x.example' as MailboxAddress], clock: systemClock, logger: silentLogger, ...over });
  open.push(source);
  return source;
}

async function readAll(source: OwaGalSource) {
  const entries: SourceEntry[] = [];
  const read = await source.read(undefined, async (batch) => void entries.push(...(batch.entries ?? [])), new AbortController().signal);
  return { read, entries };
}

describe('golden galfind answers', () => {
  const root = new URL('../../../fixtures/owa-webdav/galfind/', import.meta.url);
  it.each(readdirSync(root))('%s is read as its expected.json says', async (name) => {
    const expected: unknown = JSON.parse(readFileSync(new URL(`${name}/expected.json`, root), 'utf8'));
    expect(readFileSync(new URL(`${name}/SOURCE.md`, root), 'utf8')).not.toBe('');
    expect(JSON.parse(JSON.stringify(decodeGalfind(await readXml(readFileSync(new URL(`${name}/message`, root))))))).toEqual(expected);
  });

  it('another document is none', async () => {
    const root_ = await readXml('<html><item/></html>');
    expect(() => decodeGalfind(root_)).toThrow(expect.objectContaining({ code: 'BACKEND_MALFORMED' }));
  });
});

/** Passes requests on with another target. */
async function proxyTo(url: string, rewrite: (target: string) => string): Promise<string> {
  const server = createServer((request, response) => {
    void fetch(url + rewrite(request.url ?? ''), { headers: { authorization: request.headers.authorization ?? '' } }).then(async (answer) => {
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' }).end(await answer.text());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push({
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('an address list by galfind', () => {
  it.each(['basic', 'form'] as const)('is read whole, signed in with %s', async (auth) => {
    const server = await exchangeWith(3, auth);
    const { read, entries } = await readAll(sourceAt(server.url, { auth }));
    expect(read).toEqual({ cursor: undefined, isWhole: true });
    expect(entries.find(({ id }) => id === 'anna@legacy.example')).toEqual({ id: 'anna@legacy.example', address: 'anna@legacy.example', kind: 'person', isMailbox: true, name: 'Anna Albrecht', nickname: 'anna' });
    expect(entries.find(({ id }) => id === 'guest@partner.example')).toEqual({ id: 'guest@partner.example', address: 'guest@partner.example', kind: 'person', isMailbox: false, name: 'Guest', nickname: 'guest', title: 'Director', office: '1', company: 'P & Q', phone: '+1' });
    expect(entries).toHaveLength(5);
  });

  it('is read whole where a server answers with too many, and nobody', async () => {
    const { read, entries } = await readAll(sourceAt((await exchangeWith(350)).url));
    expect([read.isWhole, entries.length, new Set(entries.map(({ id }) => id)).size]).toEqual([true, 352, 352]);
  });

  it('is read by aliases where the server does not mind addresses, and is then not whole once an answer was cut', async () => {
    const answer = async (people: number, instead: string) => {
      const server = await exchangeWith(people);
      return readAll(sourceAt(await proxyTo(server.url, (target) => target.replace(/EM=[^&]*/, instead))));
    };
    // As if everybody fitted, and as if nobody did.
    for (const instead of ['DN=', 'DN=nobody']) {
      const { read, entries } = await answer(20, instead);
      expect([read.isWhole, entries.length]).toEqual([true, 22]);
    }
    // person.1 is hidden behind more than a hundred that begin so.
    const { read, entries } = await answer(250, 'DN=');
    expect([read.isWhole, entries.length]).toEqual([false, 251]);
  });

  it('fails, soon, where the server minds nothing that it is asked', async () => {
    const server = await exchangeWith(150);
    await expect(readAll(sourceAt(await proxyTo(server.url, (target) => target.replace(/(?:EM|AN)=[^&]*/, 'DN='))))).rejects.toMatchObject({ code: 'BACKEND_FAULT' });
  });

  it('is read from a bridge', async () => {
    const people = Array.from({ length: 250 }, (_, index) => entryOf(`p${index}@legacy.example`, { name: `Person ${index}`, id: index.toString(16).padStart(32, '0') }));
    const face = await faceUnderTest(owaWebdavEndpoint, { directory: memoryDirectory(people), accounts: [{ requester: { ...ASKER, gal: 'search' }, credentials: { username: 'asker', password: 'pw-of-asker' } }] });
    open.push(face);
    const { read, entries } = await readAll(sourceAt(face.url, { username: 'asker', password: 'pw-of-asker' }));
    expect([read.isWhole, entries.length]).toEqual([true, 250]);
  });

  it('fails where the password is wrong, and the probe says so', async () => {
    const { url } = await exchangeWith(0);
    await expect(readAll(sourceAt(url, { password: 'wrong' }))).rejects.toMatchObject({ code: 'BACKEND_AUTH' });
    const signal = new AbortController().signal;
    expect(await sourceAt(url, { password: 'wrong' }).probe(signal)).toEqual([expect.objectContaining({ step: 'sign-in', outcome: 'fail', advice: expect.any(String) as string })]);
    expect(await sourceAt('http://127.0.0.1:1/').probe(signal)).toEqual([expect.objectContaining({ step: 'address list', outcome: 'fail' })]);
    expect((await sourceAt(url).probe(signal)).map(({ outcome }) => outcome)).toEqual(['ok', 'ok']);
  });
});
