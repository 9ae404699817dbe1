import { describe, expect, it } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import type { ProbeFinding } from '../../../src/core/probe-finding.ts';
import { contextWith } from './ews-stub.ts';
import { FakeExchange2010 } from './fake-exchange-2010.ts';
import type { Mischief } from './fake-exchange-2010.ts';
import { EX, FYD, IDENTITY, PUBLISHED_AT, SUBJECT, jdoe, sinkAt } from './sink-bench.ts';

const CHECK = 'USER-/CN=RECIPIENTS/CN=FREEBUSY-BRIDGE-CHECK';
const ZIMBRAS = { '0x6847 Integer': ['223613280'], '0x6853 IntegerArray': ['32419'], '0x6854 BinaryArray': ['vAcWCA=='] };

const outcomes = (findings: readonly ProbeFinding[]): string[][] => findings.filter((one) => one.step !== 'clock').map((one) => [one.step, one.outcome]);
const failed = (findings: readonly ProbeFinding[]): ProbeFinding => findings.find((one) => one.outcome !== 'ok' && one.step !== 'clock')!;

describe('checking the place of the replicas', () => {
  it('finds the folder and writes there: creates, replaces and deletes a message of nobody', async () => {
    const exchange = await FakeExchange2010.start(EX);
    const findings = await sinkAt(exchange.url).probe(contextWith());
    expect(outcomes(findings)).toEqual([
      ['sign-in', 'ok'],
      ['version', 'ok'],
      ['folder', 'ok'],
      ['right to write', 'ok'],
    ]);
    expect(findings[1]!.text).toBe('14.3.123.4, as Exchange 2010');
    expect(findings[2]!.text).toBe(`${EX} is there`);
    expect(exchange.operations().filter((one) => one.endsWith('eItem'))).toEqual(['CreateItem', 'UpdateItem', 'DeleteItem']);
    expect(exchange.asked.find((one) => one.operation === 'CreateItem')!.body).toContain(CHECK);
    expect(exchange.items.size).toBe(0);
  });

  it('takes away what an earlier check left behind', async () => {
    const exchange = await FakeExchange2010.start(EX);
    exchange.put(EX, CHECK);
    expect(failed(await sinkAt(exchange.url).probe(contextWith()))).toBeUndefined();
    expect(exchange.items.size).toBe(0);
    expect(exchange.operations().filter((one) => one.endsWith('eItem'))).toEqual(['DeleteItem', 'CreateItem', 'UpdateItem', 'DeleteItem']);
  });

  it('looks where the mailbox that is named has its message: in the folder and container of its foreign principal', async () => {
    const exchange = await FakeExchange2010.start(EX, FYD);
    exchange.put(FYD, 'USER-/CN=OLD CONTAINER/CN=JOHN', ZIMBRAS);
    exchange.directory = new Set([jdoe, '/o=Contoso/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Old Container/cn=john']);
    const foreignPrincipal = '/o=Contoso/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Old Container/cn=john';
    const findings = await sinkAt(exchange.url, { probeAddressee: async () => ({ mailbox: jdoe, foreignPrincipal }) }).probe(contextWith());
    expect(findings.find((one) => one.step === 'folder')).toMatchObject({ outcome: 'ok', text: `${FYD} is there, for jdoe@zimbra.example` });
    expect(findings.find((one) => one.step === 'other writers')).toMatchObject({ outcome: 'warn' });
    expect(findings.find((one) => one.step === 'directory')).toMatchObject({ outcome: 'ok' });
    expect(exchange.asked.find((one) => one.operation === 'CreateItem')!.body).toContain('USER-/CN=OLD CONTAINER/CN=FREEBUSY-BRIDGE-CHECK');
  });

  it('names the mailbox whose folder is missing, or whose foreign principal is none', async () => {
    const exchange = await FakeExchange2010.start(EX);
    const finding = async (foreignPrincipal: string) => failed(await sinkAt(exchange.url, { probeAddressee: async () => ({ mailbox: jdoe, foreignPrincipal }) }).probe(contextWith()));
    expect(await finding('/o=Contoso/ou=Gone/cn=Recipients/cn=john')).toMatchObject({ step: 'folder', outcome: 'fail', text: expect.stringMatching(/EX:\/o=Contoso\/ou=Gone.*for jdoe@zimbra\.example$/) as string });
    expect(await finding('a/b')).toMatchObject({ step: 'template', outcome: 'fail', text: expect.stringMatching(/foreign principal.*for jdoe@zimbra\.example$/) as string });
  });

  it('goes on with nobody where nobody can be named', async () => {
    const exchange = await FakeExchange2010.start(EX);
    const probeAddressee = () => Promise.reject(new BridgeError('BACKEND_UNREACHABLE', 'the calendar system cannot be reached', { temporary: true }));
    const findings = await sinkAt(exchange.url, { probeAddressee }).probe(contextWith());
    expect(failed(findings)).toMatchObject({ step: 'mailbox', outcome: 'warn', text: 'the calendar system cannot be reached', advice: expect.stringContaining('name a mailbox') as string });
    expect(findings.find((one) => one.step === 'right to write')).toMatchObject({ outcome: 'ok' });
  });

  it.each<readonly [string, (exchange: FakeExchange2010) => void, string, RegExp]>([
    ['no right to write', (exchange) => void (exchange.mayWrite = false), 'right to write', /Add-PublicFolderClientPermission .*EX:\/o=Contoso/],
    ['no right to delete', (exchange) => void (exchange.mayDelete = false), 'right to write', /Add-PublicFolderClientPermission/],
    ['no such folder', (exchange) => void exchange.folders.delete([...exchange.folders].at(-1)!), 'folder', /EX:\/o=Contoso.*legacyExchangeDn/],
    ['no folders at all', (exchange) => exchange.folders.clear(), 'folder', /SCHEDULE\+ FREE BUSY/],
    ['no public folders', (exchange) => void (exchange.mischief = () => ({ code: 'ErrorPublicFolderServerNotFound' })), 'public folders', /Get-PublicFolderDatabase/],
    ['a property that is refused', (exchange) => void exchange.refusedTags.add('0x6856'), 'right to write', /log of the server/],
    ['a refused password', (exchange) => void (exchange.mischief = () => ({ status: 401 })), 'sign-in', /wrong user name or password/],
    ['an access policy', (exchange) => void (exchange.mischief = () => ({ status: 403 })), 'sign-in', /EwsApplicationAccessPolicy/],
    ['another url', (exchange) => void (exchange.mischief = () => ({ status: 404 })), 'question', /url must be https:\/\/…\/EWS\/Exchange\.asmx/],
    ['a logon page', (exchange) => void (exchange.mischief = () => ({ status: 200, body: '<html></html>' })), 'question', /EWS\/Exchange\.asmx/],
    ['a server that is too new', (exchange) => void (exchange.version = '15.1.2507.6'), 'version', /Add-AvailabilityAddressSpace/],
    ['a server that breaks off', (exchange) => void (exchange.mischief = ({ operation }) => (operation === 'UpdateItem' ? 'cut' : undefined)), 'question', /./],
  ])('says what is wrong and what to do: %s', async (_name, arrange, step, advice) => {
    const exchange = await FakeExchange2010.start(EX);
    arrange(exchange);
    const finding = failed(await sinkAt(exchange.url).probe(contextWith()));
    expect(finding).toMatchObject({ step, outcome: 'fail' });
    expect(finding.advice).toMatch(advice);
    expect(`${finding.text} ${finding.advice}`).not.toContain('pässword');
  });

  it('leaves nothing behind where replacing fails', async () => {
    const exchange = await FakeExchange2010.start(EX);
    exchange.mischief = ({ operation }) => (operation === 'UpdateItem' ? { code: 'ErrorInvalidPropertySet' } : undefined);
    expect(failed(await sinkAt(exchange.url).probe(contextWith()))).toMatchObject({ step: 'right to write', outcome: 'fail', text: expect.stringContaining('ErrorInvalidPropertySet') as string });
    expect(exchange.items.size).toBe(0);
  });

  it.each<readonly [string, (exchange: FakeExchange2010) => void, string, RegExp]>([
    ['a message of ours', (exchange) => void exchange.put(EX, SUBJECT, { ...ZIMBRAS, '0x6868 SystemTime': ['2026-02-27T12:34:56Z'] }), 'ok', /says when/],
    ["a message of Zimbra's own", (exchange) => void exchange.put(EX, SUBJECT, ZIMBRAS), 'warn', /Zimbra's own/],
    ['several', (exchange) => void (exchange.put(EX, SUBJECT), exchange.put(EX, SUBJECT)), 'warn', /2 messages/],
    ['none', () => undefined, 'ok', /no message yet/],
  ])('looks whether somebody else writes about the mailbox that is named: %s', async (_name, arrange, outcome, text) => {
    const exchange = await FakeExchange2010.start(EX);
    arrange(exchange);
    const finding = (await sinkAt(exchange.url, { probeAddressee: async () => ({ mailbox: jdoe }) }).probe(contextWith())).find((one) => one.step === 'other writers');
    expect(finding).toMatchObject({ outcome, text: expect.stringMatching(text) as string });
  });

  it.each<readonly [string, readonly string[], string, RegExp]>([
    ['it is there', [jdoe, IDENTITY], 'ok', /knows jdoe@zimbra\.example and its/],
    ['nobody has the address', [], 'warn', /does not know jdoe@zimbra\.example.*New-MailContact/],
    ['the DN is nobody\'s', [jdoe], 'warn', /nobody as \/o=Contoso.*Get-MailContact/],
  ])('asks the directory for the contact of the mailbox that is named: %s', async (_name, known, outcome, text) => {
    const exchange = await FakeExchange2010.start(EX);
    exchange.directory = new Set(known);
    const finding = (await sinkAt(exchange.url, { probeAddressee: async () => ({ mailbox: jdoe }) }).probe(contextWith())).find((one) => one.step === 'directory');
    expect(finding).toMatchObject({ outcome });
    expect(`${finding!.text} ${finding!.advice}`).toMatch(text);
  });

  it.each<readonly [string, Mischief, boolean]>([
    ['several of that name are somebody', { code: 'ErrorNameResolutionMultipleResults', responseClass: 'Warning' }, true],
    ['a contact without a mailbox is somebody', { code: 'ErrorNameResolutionNoMailbox' }, true],
    ['a server that will not say is no finding', { code: 'ErrorInvalidRequest' }, false],
  ])('reads what the directory says: %s', async (_name, mischief, isFound) => {
    const exchange = await FakeExchange2010.start(EX);
    exchange.mischief = ({ operation }) => (operation === 'ResolveNames' ? mischief : undefined);
    const findings = await sinkAt(exchange.url, { probeAddressee: async () => ({ mailbox: jdoe }) }).probe(contextWith());
    expect(findings.find((one) => one.step === 'directory')?.outcome).toBe(isFound ? 'ok' : undefined);
    expect(failed(findings)).toBeUndefined();
  });

  it('never throws: a template that names nobody, a server that is not there', async () => {
    const exchange = await FakeExchange2010.start(EX);
    const unusable = await sinkAt(exchange.url, { legacyExchangeDn: '/o=Contoso/cn=Everybody' }).probe(contextWith());
    expect(failed(unusable)).toMatchObject({ outcome: 'fail', advice: expect.stringContaining('legacyExchangeDn') as string });
    await exchange.stop();
    expect(failed(await sinkAt(exchange.url).probe(contextWith()))).toMatchObject({ step: 'connection', outcome: 'fail' });
  });

  it('compares the clocks', async () => {
    const exchange = await FakeExchange2010.start(EX);
    const clock = { now: (): number => PUBLISHED_AT };
    expect((await sinkAt(exchange.url, { clock }).probe(contextWith())).at(-1)).toMatchObject({ step: 'clock', outcome: 'warn' });
  });
});
