import { afterEach, expect, it } from 'vitest';
import { BackEnd, ewsQueryBackEnd } from './back-ends.ts';
import type { Canned } from './back-ends.ts';
import { runCommand, startBridge } from './bridge-process.ts';
import { JUDGE, JUDGE_CLIENT, MEETINGS, TRUTH, digitsOfJson } from './every-kind.ts';
import { askJson } from './raw-http.ts';

/** An Exchange that Autodiscover finds, by the real command: asked, checked, and moved to another server. That it is found there after a minute is EwsConnection's test. */

const ANNA = 'anna@corp.example';
const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** Answers from the sheet (exchange.md §4.2, §4.3). */
const SOAP = (ews: string): string =>
  `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><GetUserSettingsResponseMessage xmlns="http://schemas.microsoft.com/exchange/2010/Autodiscover"><Response xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><ErrorCode>NoError</ErrorCode><ErrorMessage/><UserResponses><UserResponse><ErrorCode>NoError</ErrorCode><ErrorMessage>No error.</ErrorMessage><RedirectTarget i:nil="true"/><UserSettingErrors/><UserSettings><UserSetting i:type="StringSetting"><Name>ExternalEwsUrl</Name><Value>${ews}</Value></UserSetting></UserSettings></UserResponse></UserResponses></Response></GetUserSettingsResponseMessage></s:Body></s:Envelope>`;
const POX = (ews: string): string =>
  `<?xml version="1.0"?><Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"><Response xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"><Account><AccountType>email</AccountType><Action>settings</Action><Protocol><Type>EXPR</Type><EwsUrl>${ews}</EwsUrl></Protocol></Account></Response></Autodiscover>`;

it.each([
  ['SOAP', '/autodiscover/autodiscover.svc', SOAP],
  ['POX', '/autodiscover/autodiscover.xml', POX],
])('by %s: a lookup and `check` find it, and where it has moved to', async (_dialect, path, answer) => {
  const [old, next] = [await ewsQueryBackEnd({ [ANNA]: MEETINGS }), await ewsQueryBackEnd({ [ANNA]: MEETINGS })];
  let at = old;
  const service = await BackEnd.open((seen): Canned => {
    if (seen.headers.authorization === undefined) return { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } };
    return seen.url.startsWith(path) ? { headers: { 'content-type': 'text/xml; charset=utf-8' }, body: answer(`${at.url}/EWS/Exchange.asmx`) } : { status: 404 };
  });
  ends.push(() => old.close(), () => next.close(), () => service.close());
  const system = { type: 'exchange-ews', autodiscover: { mailbox: 'bridge@corp.example', url: `${service.url}${path}` }, username: 'CORP\\bridge', password: 'pw-of-the-bridge', domains: ['corp.example'], mailboxes: [ANNA], cacheFor: '0s', hosts: ['127.0.0.1'] };
  const bridge = await startBridge({ systems: { ews: system }, clients: [{ ...JUDGE_CLIENT, mayAsk: ['ews'] }] });
  ends.push(() => bridge.stop());
  const digits = async (): Promise<string> => digitsOfJson((await askJson(bridge.url, JUDGE, [ANNA])).results[0]);

  for (let nth = 0; nth < 3; nth++) expect(await digits()).toBe(TRUTH);
  // Found once, whoever asks.
  expect(service.requests.filter(({ headers }) => headers.authorization !== undefined)).toHaveLength(1);
  expect([old.requests.length, next.requests.length]).toEqual([3, 0]);
  const check = await runCommand(['check', '--config', bridge.file]);
  expect([check.code, check.stderr]).toEqual([0, '']);
  expect(check.stdout).toMatch(new RegExp(`^ok {4}system ews: .*Autodiscover: EWS is at ${old.url}/EWS/Exchange\\.asmx.*sign-in: the account is let in`, 'm'));

  at = next;
  old.override = () => ({ status: 404 });
  // What was found is believed for a minute; nobody is free meanwhile.
  expect(await digits()).toBe('4'.repeat(16));
  // Who has not found it before finds where it is now.
  const moved = await runCommand(['check', '--config', bridge.file]);
  expect([moved.code, moved.stderr]).toEqual([0, '']);
  expect(moved.stdout).toContain(`EWS is at ${next.url}/EWS/Exchange.asmx`);
});
