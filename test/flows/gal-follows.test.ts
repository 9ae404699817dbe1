import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askAvailability, DAY, eventsOf, exchangeService } from '../peers/ews-javascript-api-client.ts';
import { AD_BASE } from '../peers/slapd.ts';
import { runCommand } from './bridge-process.ts';
import { addressesIn, apiFinds, curl, galfind, ldapsearch, resolvesName, zimbraCompletes, zimbraJson } from './directory-askers.ts';
import { askJson, basic } from './raw-http.ts';
import { ACCOUNTS, ASKERS, STAFF, adPerson, becomes, hasSlapd, openTwoDirectories, report, zimbraAccount } from './two-directories.ts';
import type { GalBridge, TwoDirectories } from './two-directories.ts';

const { zimbra, exchange, sync } = ASKERS;
const HOUR = 3_600_000;
const NOON = { start: DAY + 12 * HOUR, end: DAY + 13 * HOUR };
const WINDOW = { start: DAY, end: DAY + 24 * HOUR };

const people = ['Renamed', 'Reworded', 'Unmailed', 'Concealed', 'Removed', 'Wanderer'].map((cn) => adPerson(cn, `mail: ${cn.toLowerCase()}@corp.example`, `proxyAddresses: SMTP:${cn.toLowerCase()}@corp.example`)).join('');
/** From Exchange to Zimbra, and the other way. */
const MOVER = 'mo@shared.example';
const RETURNER = 'rita@shared.example';
const MOVERS = [
  adPerson('Mo Mover', `mail: ${MOVER}`, `proxyAddresses: SMTP:${MOVER}`),
  adPerson('Rita Returner', `mail: ${RETURNER}`, `proxyAddresses: SMTP:${RETURNER}`, `targetAddress: SMTP:${RETURNER}`),
  zimbraAccount('rita', 'Rita Returner', 4, `zimbraMailDeliveryAddress: ${RETURNER}`, `mail: ${RETURNER}`),
].join('');

/** Busy as it is in one of both calendars, or an error (of EWS its number, which is not 0): free would be an answer with nothing in it. */
const NEVER_FREE = /^(?:oof|busy|NO_DATA|MAILBOX_UNKNOWN|LOOP) \| zimbra hears (?:oof|busy|NO_DATA|MAILBOX_UNKNOWN|LOOP) \| exchange hears (?:OOF|Busy|[1-9]\d*)$/;

/** What each face finds by a text: the same everywhere, or it is not yet followed. */
const FACES: Readonly<Record<string, (bridge: GalBridge, text: string) => Promise<readonly string[]>>> = {
  json: (bridge, text) => apiFinds(bridge.url, sync, text),
  'zimbra soap': (bridge, text) => zimbraCompletes(bridge.url, zimbra, text),
  ldap: async (bridge, text) => addressesIn(await ldapsearch(bridge.ldapUrl, zimbra, `(|(cn=${text}*)(sn=${text}*)(gn=${text}*)(mail=${text}*))`)),
  'ews resolvenames': (bridge, text) => resolvesName(bridge.url, text),
  'owa galfind': (bridge, text) => galfind(bridge.url, exchange, text),
};

/** configuration.md: "A change, addition, deletion or move in an LDAP source is followed within 60 s". */
describe.skipIf(!hasSlapd)('what changes in a directory (skipped without slapd)', () => {
  let world: TwoDirectories;
  let bridge: GalBridge;
  let token = '';
  beforeAll(async () => {
    world = await openTwoDirectories({ people: `${people}${MOVERS}${zimbraAccount('zander', 'Zander Zoll', 1)}` });
    await world.ad.add(`dn: ou=Elsewhere,${AD_BASE}\nobjectClass: organizationalUnit\nou: Elsewhere\n`);
    bridge = await world.start();
    token = await syncToken();
  }, 60_000);
  afterAll(async () => {
    await bridge?.stop();
    await world?.close();
  });

  async function syncGal(since: string): Promise<{ readonly token: string; readonly cn?: readonly { readonly _attrs: { readonly email: string } }[]; readonly deleted?: readonly unknown[]; readonly fullSyncRecommended?: boolean }> {
    const { body } = await zimbraJson(bridge.url, sync, { SyncGalRequest: { _jsns: 'urn:zimbraAccount', ...(since === '' ? {} : { token: since }) } });
    return body['SyncGalResponse'] as Awaited<ReturnType<typeof syncGal>>;
  }
  const syncToken = async (): Promise<string> => (await syncGal('')).token;

  /** The next whole second, when it has come: `20261129210000Z`. */
  async function afterThisSecond(): Promise<string> {
    const next = (Math.floor(Date.now() / 1_000) + 1) * 1_000;
    await new Promise((resolve) => setTimeout(resolve, next - Date.now()));
    return new Date(next).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  }

  it('is followed on every face within a minute: renamed, added, moved, without mail, hidden, removed', async () => {
    const before = await Promise.all(['renamed', 'reworded', 'unmailed', 'concealed', 'removed', 'wanderer', 'zander'].map((text) => apiFinds(bridge.url, sync, text)));
    expect(before.map((found) => found.length)).toEqual([1, 1, 1, 1, 1, 1, 1]);
    // To the second, as Zimbra writes it: nobody else has become other than he was since then.
    const lastImport = await afterThisSecond();
    await world.ad.modrdn(`cn=Renamed,${STAFF}`, 'cn=Xanthippe');
    await world.ad.modify(`cn=Xanthippe,${STAFF}`, 'replace: sn', 'sn: Xanthippe');
    await world.ad.modify(`cn=Reworded,${STAFF}`, 'replace: displayName', 'displayName: Quirin Quast', '-', 'replace: sn', 'sn: Quast', '-', 'replace: mail', 'mail: quirin@corp.example', '-', 'replace: proxyAddresses', 'proxyAddresses: SMTP:quirin@corp.example');
    await world.ad.modify(`cn=Unmailed,${STAFF}`, 'delete: mail', '-', 'delete: proxyAddresses');
    await world.ad.modify(`cn=Concealed,${STAFF}`, 'replace: msExchHideFromAddressLists', 'msExchHideFromAddressLists: TRUE');
    await world.ad.delete(`cn=Removed,${STAFF}`);
    await world.ad.modrdn(`cn=Wanderer,${STAFF}`, 'cn=Yorick', `ou=Elsewhere,${AD_BASE}`);
    await world.ad.add(adPerson('Newcomer', 'mail: newcomer@corp.example'));
    await world.accounts.delete(`uid=zander,${ACCOUNTS}`);
    await world.accounts.add(zimbraAccount('zelda', 'Zelda Zorn', 2));

    const wanted: readonly (readonly [what: string, text: string, addresses: readonly string[]])[] = [
      ['renamed', 'xanth', ['renamed@corp.example']],
      ['another name', 'quirin', ['quirin@corp.example']],
      ['the former name', 'reworded', []],
      ['without mail', 'unmailed', []],
      ['hidden', 'concealed', []],
      ['removed', 'removed', []],
      ['moved elsewhere', 'yorick', ['wanderer@corp.example']],
      ['added', 'newcomer', ['newcomer@corp.example']],
      ['removed from Zimbra', 'zander', []],
      ['added to Zimbra', 'zelda', ['zelda@zimbra.example']],
    ];
    const begun = performance.now();
    await Promise.all(
      Object.entries(FACES).map(async ([face, finds]) => {
        const times: string[] = [];
        for (const [what, text, addresses] of wanted) {
          await becomes(async () => finds(bridge, text), (found) => JSON.stringify(found) === JSON.stringify(addresses), 60_000 - (performance.now() - begun));
          times.push(`${what} ${((performance.now() - begun) / 1_000).toFixed(1)} s`);
        }
        report(`followed on ${face} after: ${times.join(', ')}`);
      }),
    );
    // Who keeps a copy hears the same: who changed, and of each who is gone.
    const changed = await syncGal(token);
    expect(changed.cn!.map(({ _attrs: { email } }) => email).sort()).toEqual(['newcomer@corp.example', 'quirin@corp.example', 'renamed@corp.example', 'wanderer@corp.example', 'zelda@zimbra.example']);
    expect([changed.deleted?.length, changed.fullSyncRecommended ?? false]).toEqual([4, false]);
    // A Zimbra's GAL synchronisation account asks LDAP what changed since its last import; deletions it finds by its full ones (zimbra.md §6.3).
    const imported = await ldapsearch(bridge.ldapUrl, sync, `(&(|(modifyTimeStamp>=${lastImport})(createTimeStamp>=${lastImport}))(|(cn=*)(sn=*)(gn=*)(mail=*)))`, ['-E', 'pr=1000/noprompt']);
    expect(addressesIn(imported).slice().sort()).toEqual(['newcomer@corp.example', 'quirin@corp.example', 'renamed@corp.example', 'wanderer@corp.example', 'zelda@zimbra.example']);
  }, 100_000);

  it('a mailbox that moves to the other side is asked about there, either way, and is never free in between', async () => {
    const { exchange: mailboxes, zimbra: accounts } = world.calendars;
    for (const address of [MOVER, RETURNER]) {
      mailboxes.addMailbox({ address, displayName: address });
      mailboxes.add(address, { ...NOON, type: 'oof' });
      accounts.addMailbox({ address, displayName: address });
      accounts.add(address, { ...NOON, type: 'busy' });
    }
    // As both sides ask: each hears only of what lives on the other one; `sync` may ask both.
    const availability = async (address: string): Promise<string> => {
      const [[one], { results: [json] }, own] = await Promise.all([askAvailability(exchangeService(bridge.url, 'Basic', { zone: 'UTC' }), [address]), askJson(bridge.url, basic(sync.username, sync.password), [address], WINDOW), askJson(bridge.url, basic(zimbra.username, zimbra.password), [address], WINDOW)]);
      const word = (result: typeof json): string => result?.error?.code ?? (result?.busy ?? []).map(({ type }) => type).join();
      return `${word(json)} | zimbra hears ${word(own.results[0])} | exchange hears ${eventsOf(one).map(({ type }) => type).join() || String(one?.ErrorCode)}`;
    };
    const seen = new Map<string, Set<string>>([[MOVER, new Set()], [RETURNER, new Set()]]);
    const sampled = async (): Promise<string> => {
      const [there, back] = await Promise.all([...seen].map(async ([address, answers]) => {
        const answer = await availability(address);
        answers.add(answer);
        return answer;
      }));
      return `${there!} / ${back!}`;
    };
    expect(await sampled()).toMatch(/^oof \| zimbra hears oof .* \/ busy \|.*exchange hears Busy$/);

    // What is new comes first, as migrations go: then both directories claim the mailbox, until a contact stands in the former home, or nobody.
    await world.accounts.add(zimbraAccount('mo', 'Mo Mover', 3, `zimbraMailDeliveryAddress: ${MOVER}`, `mail: ${MOVER}`));
    await world.ad.modify(`cn=Rita Returner,${STAFF}`, 'delete: targetAddress');
    await becomes(sampled, (answer) => /^MAILBOX_UNKNOWN .* \/ MAILBOX_UNKNOWN /.test(answer));
    const conflict = await runCommand(['gal', 'status', '--config', bridge.file]);
    expect([conflict.code, conflict.stdout]).toEqual([0, expect.stringContaining(`${MOVER}: exchange and zimbra both say that the mailbox is there`)]);
    await world.ad.modify(`cn=Mo Mover,${STAFF}`, 'replace: targetAddress', `targetAddress: SMTP:${MOVER}`);
    await world.accounts.delete(`uid=rita,${ACCOUNTS}`);
    const tookMs = await becomes(sampled, (answer) => answer === 'busy | zimbra hears MAILBOX_UNKNOWN | exchange hears Busy / oof | zimbra hears oof | exchange hears 264');
    report(`moved mailboxes are asked about at their new homes after ${(tookMs / 1_000).toFixed(1)} s; meanwhile: ${[...seen].map(([address, answers]) => `${address}: ${[...answers].join(' ; ')}`).join(' — ')}`);
    for (const answer of [...seen.values()].flatMap((answers) => [...answers])) expect(answer).toMatch(NEVER_FREE);
    expect(await apiFinds(bridge.url, sync, 'mo mover')).toEqual([MOVER]);
    for (const [address, home] of [[MOVER, 'zimbra'], [RETURNER, 'exchange']] as const) expect(JSON.parse((await curl(bridge.url, `/api/v1/directory/${address}`, sync)).body)).toMatchObject({ address, home, kind: 'person' });
  }, 100_000);
});
