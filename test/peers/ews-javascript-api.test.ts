import ews from 'ews-javascript-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DAY, askAvailability, eventsOf, exchangeService, signIn } from './ews-javascript-api-client.ts';
import { PEER, openPeerWorld } from './peer-world.ts';
import type { PeerWorld } from './peer-world.ts';

// A devDependency, so it is always there and nothing is skipped.

const HOUR = 3_600_000;

let world: PeerWorld;
beforeAll(async () => {
  world = await openPeerWorld({ clients: [{ name: 'peer', ...PEER, auth: ['basic', 'ntlm'], from: 'outside', mayAsk: ['zimbra', 'exchange'], detail: 'details' }] });
  world.exchange.add('anna@corp.example', { start: DAY + 9 * HOUR, end: DAY + 10.5 * HOUR, type: 'busy', subject: 'Budget' });
  world.exchange.add('bernd@corp.example', { start: DAY + 12 * HOUR, end: DAY + 20 * HOUR, type: 'oof' });
  world.zimbra.add('lee@zimbra.example', { start: DAY + 7 * HOUR, end: DAY + 7.75 * HOUR, type: 'tentative' });
});
afterAll(async () => world.close());

describe.each(['Basic', 'NTLM'] as const)('ews-javascript-api, signing in with %s', (auth) => {
  it('sees people of both sides, and who is unknown is an error in its place', async () => {
    const answers = await askAvailability(exchangeService(world.bridge.url, auth), ['kim@zimbra.example', 'anna@corp.example', 'nobody@corp.example', 'lee@zimbra.example', 'eve@elsewhere.example', 'bernd@corp.example']);
    expect(answers.map((one) => ews.ServiceResult[one.Result])).toEqual(['Success', 'Success', 'Error', 'Success', 'Error', 'Success']);
    expect(answers.filter((one) => one.Result === ews.ServiceResult.Error).map((one) => ews.ServiceError[one.ErrorCode])).toEqual(['ErrorMailRecipientNotFound', 'ErrorMailRecipientNotFound']);
    expect(answers.map(eventsOf)).toEqual([
      [],
      [{ start: DAY + 9 * HOUR, end: DAY + 10.5 * HOUR, type: 'Busy', subject: 'Budget' }],
      [],
      [{ start: DAY + 7 * HOUR, end: DAY + 7.75 * HOUR, type: 'Tentative' }],
      [],
      [{ start: DAY + 12 * HOUR, end: DAY + 20 * HOUR, type: 'OOF' }],
    ]);
  });

  it('sees an appointment that was just made in the Zimbra on the next question, and its end on the one after', async () => {
    const ask = async (): Promise<unknown> => eventsOf((await askAvailability(exchangeService(world.bridge.url, auth), ['kim@zimbra.example']))[0]);
    expect(await ask()).toEqual([]);
    const made = world.zimbra.add('kim@zimbra.example', { start: DAY + 14 * HOUR, end: DAY + 15 * HOUR, type: 'busy' });
    expect(await ask()).toMatchObject([{ start: DAY + 14 * HOUR, end: DAY + 15 * HOUR, type: 'Busy' }]);
    world.zimbra.remove('kim@zimbra.example', made.id);
    expect(await ask()).toEqual([]);
  });

  it('finds somebody by address', async () => {
    const found = await exchangeService(world.bridge.url, auth).ResolveName('anna@corp.example', ews.ResolveNameSearchLocation.DirectoryOnly, false);
    expect([found.Count, found._getItem(0).Mailbox.Address, found._getItem(0).Mailbox.RoutingType]).toEqual([1, 'anna@corp.example', 'SMTP']);
  });

  it('finds nobody where nobody may be asked about', async () => {
    const service = exchangeService(world.bridge.url, auth);
    const found = service.ResolveName('eve@elsewhere.example', ews.ResolveNameSearchLocation.DirectoryOnly, false);
    await expect(found.then((one) => one.Count)).resolves.toBe(0);
  });

  it('is told by Autodiscover where to ask', async () => {
    const service = signIn(new ews.AutodiscoverService(new ews.Uri(`${world.bridge.url}/autodiscover/autodiscover.svc`), ews.ExchangeVersion.Exchange2010), auth);
    const { Settings } = await service.GetUserSettings('kim@zimbra.example', [ews.UserSettingName.ExternalEwsUrl]);
    expect(Settings.get(ews.UserSettingName.ExternalEwsUrl)).toBe(`${world.bridge.url}/EWS/Exchange.asmx`);
  });

  it('is refused with a wrong password', async () => {
    const service = exchangeService(world.bridge.url, auth, { password: 'wrong' });
    await expect(askAvailability(service, ['kim@zimbra.example'])).rejects.toThrow(/401|Unauthorized/);
  });
});

describe('ews-javascript-api, in zones and views', () => {
  it.each(['UTC', 'W. Europe Standard Time', 'Pacific Standard Time', 'India Standard Time', 'Nepal Standard Time', 'Lord Howe Standard Time', 'Samoa Standard Time'])('has the right times in %s', async (zone) => {
    for (const version of [ews.ExchangeVersion.Exchange2007_SP1, ews.ExchangeVersion.Exchange2010_SP2, ews.ExchangeVersion.Exchange2016]) {
      const answers = await askAvailability(exchangeService(world.bridge.url, 'Basic', { version, zone }), ['anna@corp.example', 'lee@zimbra.example']);
      expect(answers.map(eventsOf)).toEqual([
        [{ start: DAY + 9 * HOUR, end: DAY + 10.5 * HOUR, type: 'Busy', subject: 'Budget' }],
        [{ start: DAY + 7 * HOUR, end: DAY + 7.75 * HOUR, type: 'Tentative' }],
      ]);
    }
  });

  it('has digits in the merged view, and both in the detailed one', async () => {
    const service = exchangeService(world.bridge.url, 'Basic', { zone: 'UTC' });
    const digits = async (view: ews.FreeBusyViewType): Promise<string> => (await askAvailability(service, ['anna@corp.example'], view))[0]!.MergedFreeBusyStatus.join('');
    // Half hours of the day, busy from 9:00 to 10:30.
    const expected = `${'0'.repeat(18)}222${'0'.repeat(27)}`;
    expect(await digits(ews.FreeBusyViewType.MergedOnly)).toBe(expected);
    expect(await digits(ews.FreeBusyViewType.DetailedMerged)).toBe(expected);
  });

  it('sees no subject in the view that has none', async () => {
    const [anna] = await askAvailability(exchangeService(world.bridge.url, 'Basic', { zone: 'UTC' }), ['anna@corp.example'], ews.FreeBusyViewType.FreeBusy);
    expect(eventsOf(anna)).toEqual([{ start: DAY + 9 * HOUR, end: DAY + 10.5 * HOUR, type: 'Busy' }]);
  });
});
