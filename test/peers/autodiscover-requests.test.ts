import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import ews from 'ews-javascript-api';
import { describe, expect, it } from 'vitest';
import { encodePoxQuestion } from '../../src/protocols/autodiscover/ask-pox.ts';
import { encodeUserSettingsQuestion } from '../../src/protocols/autodiscover/ask-user-settings.ts';
import { outline } from '../protocols/autodiscover/face.ts';
import { signIn } from './ews-javascript-api-client.ts';
import { PEER, hasPeer } from './peer-world.ts';

/** What two clients that we did not write ask, and what we ask: same elements, namespaces, order and words. */

const URL_ASKED = 'https://autodiscover.corp.example/autodiscover/autodiscover.svc';
const MAILBOX = 'bridge@corp.example';
const PYTHON = '/usr/bin/python3';
const SCRIPT = fileURLToPath(new URL('autodiscover-requests.py', import.meta.url));

describe.skipIf(!hasPeer(PYTHON, '-c', 'import exchangelib'))('exchangelib (skipped without Debian’s python3-exchangelib)', () => {
  it('asks in SOAP and POX what we ask', async () => {
    const theirs = JSON.parse(execFileSync(PYTHON, [SCRIPT, URL_ASKED, MAILBOX], { encoding: 'utf8' })) as { readonly soap: string; readonly pox: string };
    expect(await outline(encodeUserSettingsQuestion(new URL(URL_ASKED), MAILBOX))).toEqual(await outline(theirs.soap));
    expect(await outline(encodePoxQuestion(MAILBOX))).toEqual(await outline(theirs.pox));
  });
});

describe('ews-javascript-api', () => {
  it('asks in SOAP what we ask, under the same SOAPAction', async () => {
    const sent: { data: string; headers: Record<string, string> }[] = [];
    const recorder = { apiName: 'recorder', xhr: async (options: { data: string; headers: Record<string, string> }) => (sent.push(options), Promise.reject(new Error('recorded'))) };
    const service = signIn(new ews.AutodiscoverService(new ews.Uri(URL_ASKED), ews.ExchangeVersion.Exchange2010), 'Basic', PEER.password, recorder as never);
    await service.GetUserSettings(MAILBOX, [ews.UserSettingName.ExternalEwsUrl, ews.UserSettingName.InternalEwsUrl]).catch(() => undefined);
    expect(sent).toHaveLength(1);
    expect(await outline(encodeUserSettingsQuestion(new URL(URL_ASKED), MAILBOX))).toEqual(await outline(sent[0]!.data));
  });
});
