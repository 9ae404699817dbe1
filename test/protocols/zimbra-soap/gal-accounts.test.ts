import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/core/logger.ts';
import { readXml } from '../../../src/platform/xml/read.ts';
import { completed, decodeAccountDetails, hiddenEntries } from '../../../src/protocols/zimbra-soap/account-details.ts';
import { GalAccounts } from '../../../src/protocols/zimbra-soap/gal-accounts.ts';
import { envelope, fault, zimbraServer } from './zimbra-server.ts';
import type { ZimbraAnswer, ZimbraStandIn } from './zimbra-server.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

const account = (id: string, name: string, attributes: Record<string, string> = {}, element = 'account'): string =>
  `<${element} name="${name}" id="${id}">${Object.entries({ zimbraMailTransport: 'lmtp:mbox1:7025', ...attributes }).map(([key, value]) => `<a n="${key}">${value}</a>`).join('')}</${element}>`;
const decode = async (xml: string) => decodeAccountDetails(await readXml(xml));

async function against(answer: ZimbraAnswer, domains: readonly string[] = ['zimbra.example']): Promise<{ readonly accounts: GalAccounts; readonly server: ZimbraStandIn }> {
  const server = await zimbraServer((body, request) =>
    body.includes('<AuthRequest') ? { body: envelope('<AuthResponse xmlns="urn:zimbraAdmin"><authToken>a1</authToken><lifetime>43199999</lifetime></AuthResponse>') } : answer(body, request),
  );
  const accounts = new GalAccounts({ name: 'south', adminUrl: server.url, username: 'admin', password: 'a', hosts: [], domains, clock: { now: () => Date.now() }, logger: silentLogger });
  open.push(server, accounts);
  return { accounts, server };
}

const page = (more: boolean, ...all: readonly string[]): { readonly body: string } => ({ body: envelope(`<SearchDirectoryResponse xmlns="urn:zimbraAdmin" more="${more ? 1 : 0}" searchTotal="9">${all.join('')}</SearchDirectoryResponse>`) });

describe('what an administrator sees of an account', () => {
  it('completes the entry of the address list: all addresses, and whom a contact in Exchange stands for', async () => {
    const details = await decode(account('z1', 'kim@zimbra.example', { zimbraMailAlias: 'k@zimbra.example', zimbraForeignPrincipal: 'ad:kim.k' }));
    const entry = { id: 'x', address: 'k@zimbra.example', kind: 'person', isMailbox: true, aliases: ['old@zimbra.example'] } as never;
    expect(completed(entry, details)).toEqual({ id: 'x', address: 'k@zimbra.example', kind: 'person', isMailbox: true, aliases: ['old@zimbra.example', 'kim@zimbra.example'], foreignPrincipal: 'kim.k' });
    expect(completed(entry, undefined)).toBe(entry);
  });

  it('takes the mailbox away from one whose mail goes elsewhere', async () => {
    const details = await decode(account('z1', 'kim@zimbra.example', { zimbraMailTransport: 'smtp:exchange:25' }));
    expect(completed({ id: 'x', address: 'kim@zimbra.example', kind: 'person', isMailbox: true } as never, details)).toMatchObject({ kind: 'contact', isMailbox: false });
    expect(completed({ id: 'x', address: 'kim@zimbra.example', kind: 'room', isMailbox: true } as never, details)).toMatchObject({ kind: 'room', isMailbox: false });
  });

  it('names the hidden ones, with where they live', async () => {
    const all = await Promise.all([
      decode(account('z1', 'boss@zimbra.example', { zimbraHideInGal: 'TRUE', displayName: 'The Boss', zimbraForeignPrincipal: 'ad:boss' })),
      decode(account('z2', 'vault@zimbra.example', { zimbraHideInGal: 'TRUE', zimbraCalResType: 'Location' }, 'calresource')),
      decode(account('z3', 'away@zimbra.example', { zimbraHideInGal: 'TRUE', zimbraMailTransport: 'smtp:x' })),
      decode(account('z4', 'kim@zimbra.example', { zimbraHideInGal: 'FALSE' })),
      decode(account('z5', 'no address', { zimbraHideInGal: 'TRUE' })),
    ]);
    expect(hiddenEntries(new Map(all.map((one) => [one!.zimbraId, one!])))).toEqual([
      { id: 'z1', address: 'boss@zimbra.example', kind: 'person', isMailbox: true, isHidden: true, name: 'The Boss', foreignPrincipal: 'boss' },
      { id: 'z2', address: 'vault@zimbra.example', kind: 'room', isMailbox: true, isHidden: true },
      { id: 'z3', address: 'away@zimbra.example', kind: 'contact', isMailbox: false, isHidden: true },
    ]);
    expect(await decode(account('../..', 'kim@zimbra.example'))).toBeUndefined();
  });
});

describe('reading them', () => {
  it('takes every page of every domain, and asks for what it needs', async () => {
    const { accounts, server } = await against((body) => (body.includes('domain="b.example"') ? page(false, account('b1', 'b@b.example')) : body.includes('offset="0"') ? page(true, account('z1', 'k@zimbra.example')) : page(false, account('z2', 'l@zimbra.example'))), ['zimbra.example', 'b.example']);
    expect([...(await accounts.all(AbortSignal.timeout(5_000))).keys()]).toEqual(['z1', 'z2', 'b1']);
    expect(server.asked[1]).toContain('attrs="displayName,zimbraMailDeliveryAddress,zimbraMailAlias,zimbraForeignPrincipal,zimbraHideInGal');
  });

  it('asks for a hundred at a time by their ids', async () => {
    const { accounts, server } = await against(() => page(false, account('z1', 'k@zimbra.example')));
    const ids = Array.from({ length: 150 }, (_, index) => `id-${index}`);
    expect((await accounts.byIds(ids, AbortSignal.timeout(5_000))).size).toBe(1);
    expect(server.asked.slice(1).map((body) => body.match(/\(zimbraId=/g)?.length)).toEqual([100, 50]);
    expect(await accounts.byIds([], AbortSignal.timeout(5_000))).toEqual(new Map());
  });

  it('does without where the administrator may not look, and fails where the server is away: entries must not change because of it', async () => {
    for (const refused of [fault('service.PERM_DENIED'), page(false, '<account name="k@zimbra.example" id="z1"><a n="zimbraHideInGal" pd="1"/></account>')]) {
      const { accounts } = await against(() => refused);
      expect(await accounts.all(AbortSignal.timeout(5_000))).toEqual(new Map());
      expect(await accounts.probe(AbortSignal.timeout(5_000))).toMatchObject([{ outcome: 'warn', advice: expect.any(String) as unknown }]);
    }
    const { accounts } = await against(() => ({ status: 503, body: '<html/>' }));
    await expect(accounts.all(AbortSignal.timeout(5_000))).rejects.toMatchObject({ code: 'BACKEND_BUSY' });
  });

  it('ends with a server that promises more and gives nobody', async () => {
    const { accounts, server } = await against(() => page(true));
    expect(await accounts.all(AbortSignal.timeout(5_000))).toEqual(new Map());
    expect(server.asked).toHaveLength(2);
  });
});
