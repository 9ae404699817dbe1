import { afterEach, describe, expect, it } from 'vitest';
import { deadPort, ewsQueryBackEnd, owaQueryBackEnd, systemFor } from './back-ends.ts';
import type { BackEnd } from './back-ends.ts';
import { startBridge, runCommand } from './bridge-process.ts';
import type { RunningBridge } from './bridge-process.ts';
import { JUDGE, JUDGE_CLIENT, MEETINGS, TRUTH, digitsOfJson } from './every-kind.ts';
import { askJson, askOwa } from './raw-http.ts';

/** Two servers for one Exchange, of which one is dead from the beginning or dies, and two accounts, of which one is refused: by the real command. */

const ANNA = 'anna@corp.example';
const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const opened = async (backEnd: Promise<BackEnd>): Promise<BackEnd> => {
  const one = await backEnd;
  ends.push(() => one.close());
  return one;
};
const served = async (system: Record<string, unknown>): Promise<RunningBridge> => {
  const bridge = await startBridge({ systems: { ews: system }, clients: [{ ...JUDGE_CLIENT, mayAsk: ['ews'] }] });
  ends.push(() => bridge.stop());
  return bridge;
};
const digits = async (bridge: RunningBridge): Promise<string> => digitsOfJson((await askJson(bridge.url, JUDGE, [ANNA])).results[0]);
const accountOf = ({ headers }: BackEnd['requests'][number]): string => Buffer.from((headers.authorization ?? '').replace('Basic ', ''), 'base64').toString().split(':')[0]!;

describe.each([
  ['exchange-ews', ewsQueryBackEnd, '/EWS/Exchange.asmx'],
  ['exchange-webdav', owaQueryBackEnd, ''],
] as const)('two servers of one %s', (kind, open, path) => {
  it('one of them dead from the beginning: every question is answered, and `check` warns and names it', async () => {
    const alive = await opened(open({ [ANNA]: MEETINGS }));
    const dead = await deadPort();
    const bridge = await served(systemFor(kind, alive, { url: [`http://127.0.0.1:${dead}${path}`, `${alive.url}${path}`], mailboxes: [ANNA] }));
    for (let nth = 0; nth < 5; nth++) expect(await digits(bridge)).toBe(TRUTH);
    expect((await askOwa(bridge.url, JUDGE, [ANNA])).digits[ANNA]).toBe(TRUTH);
    const check = await runCommand(['check', '--config', bridge.file]);
    expect([check.code, check.stderr]).toEqual([0, '']);
    const line = check.stdout.split('\n').find((one) => one.includes('system ews'))!;
    expect(line).toMatch(/^warn /);
    expect(line).toContain(`${dead}`);
    expect(line).toMatch(/ECONNREFUSED.*→/);
  });

  it('one dies and comes back: nobody hears of it; both dead: no data, and `check` fails', async () => {
    const [first, second] = [await opened(open({ [ANNA]: MEETINGS })), await opened(open({ [ANNA]: MEETINGS }))];
    const bridge = await served(systemFor(kind, first, { url: [`${first.url}${path}`, `${second.url}${path}`] }));
    expect(await digits(bridge)).toBe(TRUTH);
    await (first.requests.length > 0 ? first : second).close();
    for (let nth = 0; nth < 3; nth++) expect(await digits(bridge)).toBe(TRUTH);
    await (first.requests.length > 0 && second.requests.length > 0 ? second : first).close().catch(() => undefined);
    await Promise.allSettled([first.close(), second.close()]);
    expect((await askJson(bridge.url, JUDGE, [ANNA])).results[0]).toMatchObject({ error: { code: 'BACKEND_UNREACHABLE' } });
    const check = await runCommand(['check', '--config', bridge.file]);
    expect(check.code).toBe(1);
    expect(check.stdout).toMatch(/^fail {2}system ews: .*ECONNREFUSED.*→/m);
  });
});

describe('two accounts at one exchange-ews', () => {
  it('share the load; one that is refused is left out, and `check` says which', async () => {
    const ews = await opened(ewsQueryBackEnd({ [ANNA]: MEETINGS }));
    const more = { accounts: [{ username: 'CORP\\second', password: 'pw-of-the-second' }], mailboxes: [ANNA] };
    const bridge = await served(systemFor('exchange-ews', ews, more));
    await Promise.all(Array.from({ length: 8 }, (_, nth) => askJson(bridge.url, JUDGE, [ANNA], { start: Date.UTC(2026, 2, 2, 8 + nth), end: Date.UTC(2026, 2, 2, 9 + nth) })));
    expect([...new Set(ews.requests.map(accountOf))].sort()).toEqual(['CORP\\bridge', 'CORP\\second']);
    ews.override = (seen, honest) => (accountOf(seen) === 'CORP\\second' ? { status: 401, headers: { 'www-authenticate': 'Basic realm="ews"' } } : honest());
    for (let nth = 0; nth < 6; nth++) expect(await digits(bridge)).toBe(TRUTH);
    const check = await runCommand(['check', '--config', bridge.file]);
    expect(check.code).toBe(1);
    expect(check.stdout).toMatch(/^fail {2}system ews: account: corp\\second: .*→ .*password/m);
    expect(check.stdout).toMatch(/account: corp\\bridge is let in/);
  });
});
