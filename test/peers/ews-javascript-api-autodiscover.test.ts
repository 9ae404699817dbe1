import ews from 'ews-javascript-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Authority } from '../platform/certificates.ts';
import { httpTo, signIn } from './ews-javascript-api-client.ts';
import { PEER, openPeerWorld } from './peer-world.ts';
import type { PeerWorld } from './peer-world.ts';

// A devDependency, so it is always there and nothing is skipped. The library insists on https and port 443: TLS is ours, with a certificate made here, the way
// from name to address is the test's. It has no POX of its own ("Not implemented").

const PUBLIC_URL = 'https://autodiscover.zimbra.example';
const EWS_URL = `${PUBLIC_URL}/EWS/Exchange.asmx`;

let authority: Authority;
let world: PeerWorld;
beforeAll(async () => {
  authority = new Authority('peers');
  const { certificate, key } = authority.issue('/', 'DNS:autodiscover.zimbra.example,DNS:zimbra.example', 2);
  world = await openPeerWorld(
    {
      listen: 'https://127.0.0.1:0',
      tls: { certificate: 'cert.pem', key: 'key.pem' },
      publicUrl: PUBLIC_URL,
      clients: [{ name: 'peer', ...PEER, auth: ['basic', 'ntlm'], from: 'outside', mayAsk: ['zimbra', 'exchange'], detail: 'details' }],
    },
    { files: { 'cert.pem': certificate, 'key.pem': key } },
  );
});
afterAll(async () => {
  await world.close();
  authority.remove();
});

const http = (): ReturnType<typeof httpTo> => httpTo(world.bridge.port, authority.certificate);

function autodiscover(password: string = PEER.password): ews.AutodiscoverService {
  return signIn(new ews.AutodiscoverService(new ews.Uri(`${PUBLIC_URL}/autodiscover/autodiscover.svc`), ews.ExchangeVersion.Exchange2013), 'Basic', password, http());
}

describe('ews-javascript-api, knowing nothing but an address', () => {
  it('finds the host by what an unsigned GET says, and the URL by GetUserSettings', async () => {
    const service = signIn(new ews.ExchangeService(ews.ExchangeVersion.Exchange2013), 'Basic', PEER.password, http());
    await service.AutodiscoverUrl('kim@zimbra.example');
    expect(service.Url.ToString()).toBe(EWS_URL);
  });

  it('asks the one it has found', async () => {
    const service = signIn(new ews.ExchangeService(ews.ExchangeVersion.Exchange2013), 'Basic', PEER.password, http());
    await service.AutodiscoverUrl('kim@zimbra.example');
    const found = await service.ResolveName('kim@zimbra.example', ews.ResolveNameSearchLocation.DirectoryOnly, false);
    expect(found._getItem(0).Mailbox.Address).toBe('kim@zimbra.example');
  });
});

describe('ews-javascript-api, asking for settings', () => {
  const { ExternalEwsUrl, InternalEwsUrl, EwsSupportedSchemas, UserDisplayName, AlternateMailboxes, CasVersion } = ews.UserSettingName;

  it('reads what there is, and errors for what there is not', async () => {
    const [response] = (await autodiscover().GetUsersSettings(['kim@zimbra.example'], ExternalEwsUrl, InternalEwsUrl, EwsSupportedSchemas, UserDisplayName, AlternateMailboxes, CasVersion)).GetEnumerator();
    expect(ews.AutodiscoverErrorCode[response!.ErrorCode]).toBe('NoError');
    expect([ExternalEwsUrl, InternalEwsUrl, UserDisplayName].map((name) => response!.Settings.get(name) as unknown)).toEqual([EWS_URL, EWS_URL, 'kim@zimbra.example']);
    expect(response!.Settings.get(EwsSupportedSchemas)).toContain('Exchange2013');
    expect(response!.UserSettingErrors.map((one) => [one.SettingName, ews.AutodiscoverErrorCode[one.ErrorCode]])).toEqual([['AlternateMailboxes', 'SettingIsNotAvailable']]);
  });

  it('reads one answer for everybody, who is unknown in its place', async () => {
    const responses = await autodiscover().GetUsersSettings(['kim@zimbra.example', 'eve@elsewhere.example', 'anna@corp.example'], ExternalEwsUrl);
    expect(responses.GetEnumerator().map((one) => [one.SmtpAddress, ews.AutodiscoverErrorCode[one.ErrorCode]])).toEqual([
      ['kim@zimbra.example', 'NoError'],
      ['eve@elsewhere.example', 'InvalidUser'],
      ['anna@corp.example', 'NoError'],
    ]);
  });

  it('reads the version that the server says it is', async () => {
    const service = autodiscover();
    await service.GetUserSettings('kim@zimbra.example', [ExternalEwsUrl]);
    expect([service.ServerInfo.MajorVersion, service.ServerInfo.VersionString]).toEqual([15, 'Exchange2016']);
  });

  it('reads the settings of a domain', async () => {
    const response = await autodiscover().GetDomainSettings('zimbra.example', ews.ExchangeVersion.Exchange2013, ews.DomainSettingName.ExternalEwsUrl);
    expect(response.Settings.get(ews.DomainSettingName.ExternalEwsUrl)).toBe(EWS_URL);
  });

  it('is refused with a wrong password', async () => {
    await expect(autodiscover('wrong').GetUserSettings('kim@zimbra.example', [ExternalEwsUrl])).rejects.toBeDefined();
  });
});
