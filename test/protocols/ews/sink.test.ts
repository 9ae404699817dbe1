import { describe, expect, it } from 'vitest';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import { freeBusyFrom } from '../../../src/freebusy/free-busy.ts';
import { contextWith, systemAt } from './ews-stub.ts';
import { FakeExchange2010 } from './fake-exchange-2010.ts';
import { EX, FYD, IDENTITY, PUBLISHED_AT, SUBJECT, TEMPLATE, WORKED_EXAMPLE, jdoe, published, sinkAt, stretch, thrownBy, window } from './sink-bench.ts';

const WALK = ['GetFolder', 'FindFolder', 'FindFolder', 'FindFolder'];

describe('publishing to an Exchange 2010', () => {
  it('creates the message of the worked example, every value as exchange.md §1.5 has it', async () => {
    const exchange = await FakeExchange2010.start(FYD, EX, `${EX} 2`);
    const written = await sinkAt(exchange.url).publish(IDENTITY, WORKED_EXAMPLE, contextWith());
    expect(written).toEqual(window);
    expect(exchange.operations()).toEqual([...WALK, 'FindItem', 'CreateItem']);
    expect(exchange.items.size).toBe(1);
    const [item] = exchange.inFolder(EX, SUBJECT);
    expect(item).toMatchObject({ itemClass: 'IPM.Post', subject: SUBJECT });
    const { properties } = item!;
    expect(Object.fromEntries(properties)).toMatchObject({
      '0x6849 String': [IDENTITY],
      '0x6847 Integer': ['223613280'],
      '0x6848 Integer': ['223745760'],
      '0x684F IntegerArray': ['32419', '32420'],
      '0x6850 BinaryArray': ['vDQWNeitYK4=', 'AAB4ACAcQDg='],
      '0x6851 IntegerArray': ['32419'],
      '0x6852 BinaryArray': ['u2LoYg=='],
      '0x6853 IntegerArray': ['32419', '32420'],
      '0x6854 BinaryArray': ['vDQWNeitYK4=', 'AAB4AA=='],
      '0x6855 IntegerArray': ['32420'],
      '0x6856 BinaryArray': ['IBxAOA=='],
    });
    expect(Date.parse(properties.get('0x6868 SystemTime')![0]!)).toBe(PUBLISHED_AT);
    // The subject and what Exchange makes of it never go by tag.
    expect([...properties.keys()].filter((key) => /^0x(?:0|3F|66)/i.test(key))).toEqual([]);
  });

  it('signs in without being asked, names the operation and the version of 2007 SP1, and gives a length', async () => {
    const exchange = await FakeExchange2010.start(EX);
    await sinkAt(exchange.url).publish(IDENTITY, WORKED_EXAMPLE, contextWith());
    for (const { operation, headers, body } of exchange.asked) {
      expect(headers).toMatchObject({
        authorization: `Basic ${Buffer.from('CORP\\bridge:pässword', 'utf8').toString('base64')}`,
        soapaction: `"http://schemas.microsoft.com/exchange/services/2006/messages/${operation}"`,
        'content-length': String(Buffer.byteLength(body)),
      });
      expect(body).toContain('RequestServerVersion xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types" Version="Exchange2007_SP1"');
    }
  });

  it('replaces the message that is there, whoever wrote it and however its subject is spelled', async () => {
    const exchange = await FakeExchange2010.start(EX);
    const zimbras = exchange.put(EX, 'USER-/cn=recipients/CN=jdoe', { '0x6853 IntegerArray': ['32418'], '0x6854 BinaryArray': ['AAA8AA=='] });
    await sinkAt(exchange.url).publish(IDENTITY, WORKED_EXAMPLE, contextWith());
    expect(exchange.operations()).toEqual([...WALK, 'FindItem', 'UpdateItem']);
    expect([...exchange.items.keys()]).toEqual([zimbras.id]);
    expect(zimbras.properties.get('0x6854 BinaryArray')).toEqual(['vDQWNeitYK4=', 'AAB4AA==']);
    expect(zimbras.properties.has('0x6868 SystemTime')).toBe(true);
  });

  it('takes back both properties of a type that has nothing any more', async () => {
    const exchange = await FakeExchange2010.start(EX);
    const sink = sinkAt(exchange.url);
    await sink.publish(IDENTITY, WORKED_EXAMPLE, contextWith());
    await sink.publish(IDENTITY, published(stretch('tentative', '03-18T13:15', '03-18T14:00')), contextWith());
    const [item] = exchange.inFolder(EX, SUBJECT);
    expect([...item!.properties.keys()].filter((key) => key.includes('Array')).sort()).toEqual(['0x6851 IntegerArray', '0x6852 BinaryArray']);
    await sink.publish(IDENTITY, published(), contextWith());
    expect([...item!.properties.keys()].filter((key) => key.includes('Array'))).toEqual([]);
    expect(item!.properties.get('0x6847 Integer')).toEqual(['223613280']);
  });

  it('finds the folders once, and each mailbox in its own folder', async () => {
    const exchange = await FakeExchange2010.start(EX, FYD);
    const sink = sinkAt(exchange.url);
    const other = '/o=Contoso/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn=kim';
    for (const identity of [IDENTITY, other, IDENTITY]) await sink.publish(identity, WORKED_EXAMPLE, contextWith());
    expect(exchange.operations()).toEqual([...WALK, 'FindItem', 'CreateItem', 'FindFolder', 'FindItem', 'CreateItem', 'FindItem', 'UpdateItem']);
    expect(exchange.inFolder(EX, SUBJECT)).toHaveLength(1);
    expect(exchange.inFolder(FYD, 'USER-/CN=RECIPIENTS/CN=KIM')).toHaveLength(1);
  });

  it('keeps one message of several: replaces the first and deletes the others', async () => {
    const exchange = await FakeExchange2010.start(EX, FYD);
    const first = exchange.put(EX, SUBJECT);
    exchange.put(EX, SUBJECT.toLowerCase());
    exchange.put(EX, SUBJECT);
    const elsewhere = exchange.put(FYD, SUBJECT);
    await sinkAt(exchange.url).publish(IDENTITY, WORKED_EXAMPLE, contextWith());
    expect([...exchange.items.keys()]).toEqual([first.id, elsewhere.id]);
    expect(first.properties.size).toBeGreaterThan(8);
    expect(exchange.operations().slice(-3)).toEqual(['FindItem', 'UpdateItem', 'DeleteItem']);
  });

  it('fails where the others cannot be deleted, because readers may see either', async () => {
    const exchange = await FakeExchange2010.start(EX);
    exchange.put(EX, SUBJECT);
    exchange.put(EX, SUBJECT);
    exchange.mayDelete = false;
    expect(await thrownBy(sinkAt(exchange.url).publish(IDENTITY, WORKED_EXAMPLE, contextWith()))).toMatchObject({ code: 'BACKEND_AUTH', details: { status: 403 } });
  });

  it('sends a create once, also over a dying connection: the next try finds what the server made of it', async () => {
    const exchange = await FakeExchange2010.start(EX);
    exchange.mischief = ({ operation }) => (operation === 'CreateItem' ? 'lost' : undefined);
    const sink = sinkAt(exchange.url);
    expect(await thrownBy(sink.publish(IDENTITY, WORKED_EXAMPLE, contextWith()))).toMatchObject({ temporary: true });
    expect(exchange.inFolder(EX, SUBJECT)).toHaveLength(1);
    await sink.publish(IDENTITY, WORKED_EXAMPLE, contextWith());
    expect(exchange.inFolder(EX, SUBJECT)).toHaveLength(1);
    expect(exchange.operations().slice(4)).toEqual(['FindItem', 'CreateItem', 'FindItem', 'UpdateItem']);
  });

  it('replaces over a new connection what was sent over a dying one', async () => {
    const exchange = await FakeExchange2010.start(EX);
    exchange.put(EX, SUBJECT);
    const isFirst = (): boolean => exchange.operations().filter((one) => one === 'UpdateItem').length === 1;
    exchange.mischief = ({ operation }) => (operation === 'UpdateItem' && isFirst() ? 'lost' : undefined);
    expect(await sinkAt(exchange.url).publish(IDENTITY, WORKED_EXAMPLE, contextWith())).toEqual(window);
    expect(exchange.inFolder(EX, SUBJECT)).toHaveLength(1);
  });

  it('looks for the folders anew when they moved to another replica', async () => {
    const exchange = await FakeExchange2010.start(EX);
    const sink = sinkAt(exchange.url);
    await sink.publish(IDENTITY, WORKED_EXAMPLE, contextWith());
    exchange.moveReplica();
    await sink.publish(IDENTITY, published(), contextWith());
    expect(exchange.operations().slice(6)).toEqual(['FindItem', ...WALK, 'FindItem', 'UpdateItem']);
    expect(exchange.inFolder(EX, SUBJECT)).toHaveLength(1);
  });

  it('looks for no folder anew where a replica is only away for a while', async () => {
    const exchange = await FakeExchange2010.start(EX);
    const sink = sinkAt(exchange.url);
    await sink.publish(IDENTITY, WORKED_EXAMPLE, contextWith());
    exchange.mischief = () => ({ code: 'ErrorNoPublicFolderReplicaAvailable' });
    expect(await thrownBy(sink.publish(IDENTITY, published(), contextWith()))).toMatchObject({ temporary: true });
    expect(exchange.operations().slice(6)).toEqual(['FindItem']);
  });

  it('creates a message that somebody deleted between finding and replacing it', async () => {
    const exchange = await FakeExchange2010.start(EX);
    const sink = sinkAt(exchange.url);
    await sink.publish(IDENTITY, WORKED_EXAMPLE, contextWith());
    exchange.mischief = ({ operation }) => {
      if (operation === 'UpdateItem') exchange.items.clear();
      return undefined;
    };
    await sink.publish(IDENTITY, WORKED_EXAMPLE, contextWith());
    expect(exchange.operations().at(-1)).toBe('CreateItem');
    expect(exchange.inFolder(EX, SUBJECT)).toHaveLength(1);
  });

  it('writes nothing where a part of the window is unknown: it would be read as free', async () => {
    const exchange = await FakeExchange2010.start(EX);
    const unknown = freeBusyFrom(jdoe, window, { known: [{ start: window.start, end: window.start + 60_000 }] });
    expect(await thrownBy(sinkAt(exchange.url).publish(IDENTITY, unknown, contextWith()))).toMatchObject({ code: 'NO_DATA' });
    expect(exchange.asked).toEqual([]);
  });

  it('carries names that XML and OWA would trip over', async () => {
    const folder = 'EX:/o=Müller & Söhne "Wien"/ou=<First>';
    const exchange = await FakeExchange2010.start(folder);
    await sinkAt(exchange.url).publish(`${folder.slice(3)}/cn=Recipients/cn=o'neil+x`, WORKED_EXAMPLE, contextWith());
    expect(exchange.inFolder(folder, "USER-/CN=RECIPIENTS/CN=O'NEIL+X")).toHaveLength(1);
  });
});

describe('what was written', () => {
  it('is what the lookup in the public folder reads', async () => {
    const exchange = await FakeExchange2010.start(EX);
    await sinkAt(exchange.url).publish(IDENTITY, WORKED_EXAMPLE, contextWith());
    const system = systemAt(exchange.url, { lookup: 'public-folder', legacyExchangeDn: TEMPLATE });
    const [result] = await system.freeBusy({ mailboxes: [jdoe], window, details: false }, contextWith());
    expect(result).toMatchObject({ mailbox: jdoe, freeBusy: { busy: WORKED_EXAMPLE.busy }, asOf: PUBLISHED_AT });
  });
});

describe('taking a message away', () => {
  it('deletes it for good, and every other of its name', async () => {
    const exchange = await FakeExchange2010.start(EX);
    exchange.put(EX, SUBJECT);
    exchange.put(EX, SUBJECT);
    const other = exchange.put(EX, 'USER-/CN=RECIPIENTS/CN=JDOE2');
    const sink = sinkAt(exchange.url);
    await sink.remove(IDENTITY, contextWith());
    expect([...exchange.items.keys()]).toEqual([other.id]);
    await sink.remove(IDENTITY, contextWith());
    expect(exchange.operations().filter((one) => one === 'DeleteItem')).toHaveLength(1);
  });

  it('is done where somebody else was faster', async () => {
    const exchange = await FakeExchange2010.start(EX);
    exchange.put(EX, SUBJECT);
    exchange.mischief = ({ operation }) => {
      if (operation === 'DeleteItem') exchange.items.clear();
      return undefined;
    };
    await expect(sinkAt(exchange.url).remove(IDENTITY, contextWith())).resolves.toBeUndefined();
  });

  it('is done where there is no such folder', async () => {
    await expect(sinkAt((await FakeExchange2010.start(FYD)).url).remove(IDENTITY, contextWith())).resolves.toBeUndefined();
  });

  it.each<readonly [string, (exchange: FakeExchange2010) => void, string]>([
    ['an account that sees no folder at all', (exchange) => exchange.folders.clear(), 'NO_DATA'],
    ['a folder that is there and is not', (exchange) => void (exchange.mischief = ({ operation }) => (operation === 'FindItem' ? { code: 'ErrorFolderNotFound' } : undefined)), 'NO_DATA'],
    ['no right to delete', (exchange) => void (exchange.mayDelete = false), 'BACKEND_AUTH'],
    ['a delete that is only warned about', (exchange) => void (exchange.mischief = ({ operation }) => (operation === 'DeleteItem' ? { code: 'NoError', responseClass: 'Warning' } : undefined)), 'BACKEND_FAULT'],
    ['a server that is too new', (exchange) => void (exchange.version = '15.1.1.1'), 'UNSUPPORTED'],
  ])('is not done with %s', async (_name, arrange, code) => {
    const exchange = await FakeExchange2010.start(EX);
    exchange.put(EX, SUBJECT);
    arrange(exchange);
    expect(await thrownBy(sinkAt(exchange.url).remove(IDENTITY, contextWith()))).toMatchObject({ code });
  });
});

describe('names and previews', () => {
  it('takes the legacyExchangeDN from the template or from the foreign principal', async () => {
    const sink = sinkAt(new URL('http://127.0.0.1:1/'));
    expect(sink.identityOf({ mailbox: jdoe })).toBe(IDENTITY);
    expect(sink.identityOf({ mailbox: jdoe, foreignPrincipal: 'john.doe' })).toBe('/o=Contoso/ou=First Administrative Group/cn=Recipients/cn=john.doe');
    expect(() => sink.identityOf({ mailbox: 'a=b@zimbra.example' as MailboxAddress })).toThrow(expect.objectContaining({ code: 'NO_DATA' }) as Error);
  });

  it('shows what would be sent, without asking anybody', async () => {
    const { where, document } = sinkAt(new URL('http://127.0.0.1:1/')).preview(IDENTITY, WORKED_EXAMPLE);
    expect(where).toBe(`\\NON_IPM_SUBTREE\\SCHEDULE+ FREE BUSY\\${EX} ${SUBJECT}`);
    expect(document).toContain('<m:CreateItem ');
    expect(document).toContain('<t:Value>vDQWNeitYK4=</t:Value><t:Value>AAB4ACAcQDg=</t:Value>');
  });
});
