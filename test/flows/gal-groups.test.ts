import ews from 'ews-javascript-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DAY, askAvailability, eventsOf, exchangeService } from '../peers/ews-javascript-api-client.ts';
import type { PeerEvent } from '../peers/ews-javascript-api-client.ts';
import { folderWith, removeFolder, runCommand } from './bridge-process.ts';
import { askJson, askSoap, basic } from './raw-http.ts';
import { ASKERS, STAFF, TEMPLATE, adPerson, hasSlapd, openTwoDirectories, zimbraAccount } from './two-directories.ts';
import type { GalBridge, TwoDirectories } from './two-directories.ts';

const { exchange, sync } = ASKERS;
const HOUR = 3_600_000;
const WINDOW = { start: DAY, end: DAY + 24 * HOUR };
const at = (from: number, to: number): { readonly start: number; readonly end: number } => ({ start: DAY + from * HOUR, end: DAY + to * HOUR });

const group = (cn: string, ...members: readonly string[]): string =>
  `dn: cn=${cn},${STAFF}\nobjectClass: group\nobjectClass: mailRecipient\ncn: ${cn}\nmail: ${cn.toLowerCase()}@corp.example\nmsExchRecipientDisplayType: 1\n${members.map((dn) => `member: ${dn}\n`).join('')}\n`;
const many = Array.from({ length: 101 }, (_, index) => `Many ${String(index).padStart(3, '0')}`);
const dnOf = (cn: string): string => `cn=${cn},${STAFF}`;
const mailOf = (cn: string): string => `${cn.toLowerCase().replace(' ', '')}@corp.example`;
const KIM = 'cn=Kim Kranz,ou=Zimbra Contacts,dc=corp,dc=example';
const PEOPLE = [
  ...many.map((cn) => adPerson(cn, `mail: ${mailOf(cn)}`)),
  adPerson('Ghost', 'mail: ghost@corp.example'),
  zimbraAccount('nocontact', 'No Contact', 1, 'zimbraForeignPrincipal: ad:nocontact'),
  group('Both', dnOf('Anna Alm'), KIM),
  group('Nested', dnOf('Both'), 'cn=Room Blue,ou=Resources,dc=corp,dc=example', dnOf('Nested')),
  group('Withghost', dnOf('Anna Alm'), dnOf('Ghost')),
  group('Hundred', ...many.slice(0, 100).map(dnOf)),
  group('Toomany', ...many.map(dnOf)),
  group('Empty'),
].join('');

/** issue 5, 5: aliases, plus-addresses, legacyExchangeDNs of the directory, distribution lists. */
describe.skipIf(!hasSlapd)('who lives where, and who is in a list (skipped without slapd)', () => {
  let world: TwoDirectories;
  let bridge: GalBridge;
  const clients = [{ name: 'outlook', ...exchange, from: 'outside', mayAsk: ['exchange', 'zimbra'], gal: 'search' }, { name: 'sync', ...sync, from: 'outside', mayAsk: ['exchange', 'zimbra'], gal: 'sync' }];
  beforeAll(async () => {
    world = await openTwoDirectories({ people: PEOPLE });
    const { exchange: store, zimbra: accounts } = world.calendars;
    for (const address of ['anna@corp.example', 'room-blue@corp.example', ...many.map(mailOf)]) store.addMailbox({ address, displayName: address });
    for (const address of ['kim@zimbra.example', 'lee@zimbra.example', 'nocontact@zimbra.example']) accounts.addMailbox({ address, displayName: address });
    store.add('anna@corp.example', { ...at(9, 10), type: 'busy' });
    store.add('room-blue@corp.example', { ...at(15, 16), type: 'tentative' });
    store.add(mailOf(many[50]!), { ...at(7, 8), type: 'busy' });
    accounts.add('kim@zimbra.example', { ...at(12, 13), type: 'oof' });
    accounts.add('lee@zimbra.example', { ...at(18, 19), type: 'tentative' });
    bridge = await world.start({ clients });
  }, 60_000);
  afterAll(async () => {
    await bridge?.stop();
    await world?.close();
  });

  const asked = async (...mailboxes: readonly string[]): Promise<readonly (readonly PeerEvent[] | string)[]> => {
    const answers = await askAvailability(exchangeService(bridge.url, 'Basic', { zone: 'UTC' }), mailboxes);
    return mailboxes.map((_, index) => {
      const answer = answers[index]!;
      return answer.ErrorCode === ews.ServiceError.NoError ? eventsOf(answer) : String(ews.ServiceError[answer.ErrorCode]);
    });
  };
  const ANNA = { ...at(9, 10), type: 'Busy' };
  const KIM_AWAY = { ...at(12, 13), type: 'OOF' };
  const BLUE = { ...at(15, 16), type: 'Tentative' };

  it('a list with members on both sides is busy when any of them is, for ews-javascript-api', async () => {
    expect(await asked('both@corp.example', 'anna@corp.example', 'nested@corp.example')).toEqual([[ANNA, KIM_AWAY], [ANNA], [ANNA, KIM_AWAY, BLUE]]);
  });

  it('a list of Zimbra’s directory likewise, by its aliases too, and for a Zimbra', async () => {
    expect(await asked('team@zimbra.example', 'all@zimbra.example')).toEqual([[ANNA, KIM_AWAY], [ANNA, KIM_AWAY]]);
    const { slots } = await askSoap(bridge.url, basic(sync.username, sync.password), ['team@zimbra.example'], WINDOW);
    expect(slots['team@zimbra.example']!.filter(({ letter }) => letter !== 'f')).toEqual([{ letter: 'b', ...at(9, 10) }, { letter: 'u', ...at(12, 13) }]);
  });

  it('where nothing is known of a member, the list is never free', async () => {
    const { results } = await askJson(bridge.url, basic(sync.username, sync.password), ['withghost@corp.example'], WINDOW);
    expect(results[0]!.busy!.map(({ start, end, type }) => [(Date.parse(start) - DAY) / HOUR, (Date.parse(end) - DAY) / HOUR, type])).toEqual([[0, 9, 'no-data'], [9, 10, 'busy'], [10, 24, 'no-data']]);
    expect(await asked('empty@corp.example')).toEqual([expect.stringMatching(/^Error/)]);
  });

  it('a hundred members are asked about, more are no data', async () => {
    expect(await asked('hundred@corp.example', 'toomany@corp.example')).toEqual([[{ ...at(7, 8), type: 'Busy' }], expect.stringMatching(/^Error/)]);
    const { results } = await askJson(bridge.url, basic(sync.username, sync.password), ['toomany@corp.example'], WINDOW);
    expect(results[0]!.error?.code).toBe('NO_DATA');
  });

  it('an alias, an address with +…, and the address of a contact are asked about as who they are', async () => {
    const LEE = { ...at(18, 19), type: 'Tentative' };
    expect(await asked('a.alm@corp.example', 'anna+news@corp.example', 'A.Alm+x@Corp.Example', 'k.kranz@zimbra.example', 'kim+1+2@zimbra.example', 'lee@corp.example')).toEqual([[ANNA], [ANNA], [ANNA], [KIM_AWAY], [KIM_AWAY], [LEE]]);
    const spelled = ['A.Alm@Corp.example', 'kim+news@zimbra.example', 'nobody+x@corp.example'];
    const { results } = await askJson(bridge.url, basic(sync.username, sync.password), spelled, WINDOW);
    // Under the name that was asked by.
    expect(results.map(({ mailbox }) => mailbox)).toEqual(spelled);
    expect(results.map(({ busy, error }) => busy?.map(({ type }) => type).join() ?? error!.code)).toEqual(['busy', 'oof', 'MAILBOX_UNKNOWN']);
    const { slots } = await askSoap(bridge.url, basic(sync.username, sync.password), ['a.alm@corp.example'], WINDOW);
    expect(slots['a.alm@corp.example']!.some(({ letter }) => letter === 'b')).toBe(true);
  });

  it('push --dry-run names the legacyExchangeDN of Exchange’s own directory, and the template’s where it has none', async () => {
    const { folder, file } = await folderWith(world.config({ replication: [{ from: 'zimbra', to: 'exchange' }] }));
    try {
      const dry = async (address: string): Promise<string> => {
        const { code, stdout, stderr } = await runCommand(['push', address, '--dry-run', '--config', file]);
        expect(code, stdout + stderr).toBe(0);
        return stdout;
      };
      const kim = await dry('kim@zimbra.example');
      expect(kim.toLowerCase()).toContain('/o=corp/ou=exchange administrative group (fydibohf23spdlt)/cn=recipients/cn=kim');
      expect(kim.toLowerCase()).not.toContain('by template');
      expect((await dry('nocontact@zimbra.example')).toLowerCase()).toContain(TEMPLATE.replace('{localPart}', 'nocontact').toLowerCase());
    } finally {
      await removeFolder(folder);
    }
  }, 60_000);
});
