import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BackEnd, deadPort, ewsQueryBackEnd, owaQueryBackEnd, systemFor } from './back-ends.ts';
import { folderWith, removeFolder, runCommand, startBridge } from './bridge-process.ts';
import { JUDGE, JUDGE_CLIENT, MEETINGS } from './every-kind.ts';
import { askJson } from './raw-http.ts';

/** configuration.md: the file and the commands. */

let ews: BackEnd;
const ANNA = 'anna@corp.example';
beforeAll(async () => {
  ews = await ewsQueryBackEnd({ [ANNA]: MEETINGS });
});
afterAll(() => ews.close());

const good = (): Record<string, unknown> => ({ listen: 'http://127.0.0.1:0', systems: { ews: systemFor('exchange-ews', ews) }, clients: [{ ...JUDGE_CLIENT, mayAsk: ['ews'] }] });

async function refusalOf(config: unknown, options: { files?: Record<string, string>; env?: Record<string, string> } = {}): Promise<{ code: number | null; text: string }> {
  const { folder, file } = await folderWith(config, options.files);
  const { code, stdout, stderr } = await runCommand(['check', '--config', file], options.env === undefined ? {} : { env: options.env });
  await removeFolder(folder);
  return { code, text: stdout + stderr };
}

describe.concurrent('a file with mistakes', () => {
  it('has every one of them listed with its key and what would be right, and starts nothing', async () => {
    const { folder, file } = await folderWith({
      listen: 'http://0.0.0.0:0',
      deadlin: '5s',
      deadline: 'soon',
      systems: { ews: { ...systemFor('exchange-ews', ews), auth: 'digest', domains: 'corp.example' } },
      clients: [{ name: 'x', username: 'x', password: 'y', mayAsk: ['nobody'], detail: 'everything' }],
    });
    const ended = await runCommand(['serve', '--config', file]);
    expect(ended.code).toBe(2);
    expect(ended.stdout).not.toContain('listening');
    for (const key of ['deadlin', 'deadline', 'systems.ews.auth', 'systems.ews.domains', 'clients']) expect(ended.stderr).toContain(key);
    expect(existsSync(join(folder, 'data'))).toBe(false);
    await removeFolder(folder);
  });

  it.each([
    ['type: caldav', { systems: { x: { type: 'caldav', url: 'http://127.0.0.1/', username: 'a', password: 'b', domains: ['x.example'] } } }],
  ])('%s is refused as not supported yet, exit 2', async (_what, more) => {
    const { code, text } = await refusalOf({ ...good(), ...more });
    expect(code).toBe(2);
    expect(text).toContain('not supported yet');
  });

  it('has everything of later versions refused as not supported yet, key by key', async () => {
    const { code, text } = await refusalOf({
      systems: {
        graph: { type: 'microsoft-graph', domains: ['x.example'] },
        ews: systemFor('exchange-ews', ews),
        dav: { type: 'caldav', domains: ['y.example'] },
      },
      clients: [{ ...JUDGE_CLIENT, mayAsk: ['ews'] }],
    });
    expect(code).toBe(2);
    const refused = text.split('\n').filter((line) => line.includes('not supported yet')).join('\n');
    for (const key of ['systems.graph', 'systems.dav']) expect(refused).toContain(key);
  });

  it.each([
    ['a plain listener beyond loopback', { listen: 'http://0.0.0.0:8480' }],
    ['an anonymous client without addresses', { clients: [{ name: 'g', anonymous: true, mayAsk: ['ews'] }] }],
    ['an unknown system in mayAsk', { clients: [{ ...JUDGE_CLIENT, mayAsk: ['nobody'] }] }],
    ['an unknown system in from', { clients: [{ ...JUDGE_CLIENT, mayAsk: ['ews'], from: 'nobody' }] }],
    ['a placeholder in a host', { systems: { p: { type: 'ifb', url: 'http://{domain}/x/{address}.ifb', domains: ['p.example'] } } }],
    ['an unset environment variable', { clients: [{ ...JUDGE_CLIENT, mayAsk: ['ews'], password: { env: 'NO_SUCH_VARIABLE' } }] }],
    ['a missing secret file', { clients: [{ ...JUDGE_CLIENT, mayAsk: ['ews'], password: { file: 'missing.txt' } }] }],
    ['two clients of one username', { clients: [{ ...JUDGE_CLIENT, mayAsk: ['ews'] }, { ...JUDGE_CLIENT, name: 'other', mayAsk: ['ews'] }] }],
    ['a replication from a system into itself', { replication: [{ from: 'ews', to: 'ews' }] }],
    ['https without tls', { listen: 'https://127.0.0.1:0' }],
    ['the same listener twice', { listen: ['http://127.0.0.1:8480', 'http://127.0.0.1:8480'] }],
  ])('%s is exit 2', async (_what, more) => {
    expect((await refusalOf({ ...good(), ...more })).code).toBe(2);
  });

  it.each(['', '- a\n- b', 'systems: *x'])('%j is exit 2', async (text) => {
    expect((await refusalOf(text)).code).toBe(2);
  });
});

describe.concurrent('exit codes', () => {
  it.each([
    [['serve'], 2],
    [['lookup', ANNA], 2],
    [['nonsense'], 2],
    [['serve', '--config', '/nowhere/bridge.yaml'], 2],
    [['--help'], 0],
    [['lookup', '--help'], 0],
    [['sandbox', '--help'], 0],
  ] as const)('%j ends with %d', async (args, code) => {
    expect((await runCommand([...args])).code).toBe(code);
  });

  it('reload without a running bridge is 1', async () => {
    const { folder, file } = await folderWith(good());
    expect((await runCommand(['reload', '--config', file])).code).toBe(1);
    await removeFolder(folder);
  });

  it('serve on a port that is taken is 1 and says so', async () => {
    const { folder, file } = await folderWith({ ...good(), listen: ews.url });
    const ended = await runCommand(['serve', '--config', file]);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(/taken|in use/);
    await removeFolder(folder);
  });
});

describe.concurrent('lookup', () => {
  const times = ['--from', '2026-03-02T08:00:00Z', '--to', '2026-03-02T12:00:00Z'];

  it('--json prints the body of /api/v1/freebusy', async () => {
    const bridge = await startBridge(good());
    const over = await askJson(bridge.url, JUDGE, [ANNA]);
    const { code, stdout } = await runCommand(['lookup', ANNA, '--config', bridge.file, ...times, '--as', 'judge', '--json']);
    const strip = (text: string): unknown => JSON.parse(text.replace(/"asOf": ?"[^"]*"/g, '"asOf":""'));
    expect(strip(stdout)).toEqual(strip(over.body));
    expect(code).toBe(0);
    await bridge.stop();
  });

  it('ends with 1 for an unknown mailbox and 2 for a wrong time or an unknown client', async () => {
    const { folder, file } = await folderWith(good());
    expect((await runCommand(['lookup', 'ghost@corp.example', '--config', file, ...times])).code).toBe(1);
    expect((await runCommand(['lookup', ANNA, '--config', file, '--from', 'noon'])).code).toBe(2);
    expect((await runCommand(['lookup', ANNA, '--config', file, ...times, '--as', 'nobody'])).code).toBe(2);
    await removeFolder(folder);
  });

  it('--explain shows the route, what was asked, what came, and why there is no data; never a subject', async () => {
    const { folder, file } = await folderWith(good());
    const { stdout } = await runCommand(['lookup', ANNA, 'ghost@corp.example', 'x@gmail.com', '--config', file, ...times, '--explain']);
    expect(stdout).toMatch(/anna@corp\.example lives in ews/);
    expect(stdout).toMatch(/GetUserAvailability/);
    expect(stdout).toMatch(/ErrorMailRecipientNotFound|MAILBOX_UNKNOWN/);
    expect(stdout).toMatch(/gmail\.com.*nobody/);
    expect(stdout).not.toContain('Budget');
    await removeFolder(folder);
  });

  it('--as a client sees what that client sees', async () => {
    const { folder, file } = await folderWith({ ...good(), clients: [{ ...JUDGE_CLIENT, mayAsk: ['ews'], detail: 'free-busy' }] });
    const { stdout } = await runCommand(['lookup', ANNA, '--config', file, ...times, '--as', 'judge', '--json']);
    expect(stdout).not.toMatch(/tentative|Budget/);
    await removeFolder(folder);
  });
});

describe.concurrent('check', () => {
  it('has a line for every system and client and ends with 0 when all is well', async () => {
    const owa = await owaQueryBackEnd({ [ANNA]: MEETINGS });
    const { folder, file } = await folderWith({ systems: { ews: systemFor('exchange-ews', ews, { mailboxes: [ANNA] }), owa: systemFor('exchange-webdav', owa, { domains: [], mailboxes: ['ben@corp.example'] }) }, clients: [{ ...JUDGE_CLIENT, mayAsk: ['ews', 'owa'] }] });
    const { stdout, code } = await runCommand(['check', '--config', file]);
    expect(stdout).toMatch(/system ews/);
    expect(stdout).toMatch(/system owa/);
    expect(stdout).toMatch(/client judge/);
    expect(stdout.trimEnd().split('\n')).toHaveLength(3);
    expect(code).toBe(0);
    await removeFolder(folder);
    await owa.close();
  });

  const failing: readonly (readonly [string, () => Promise<Record<string, unknown>>, RegExp])[] = [
    ['a name that does not resolve', async () => systemFor('exchange-ews', { url: 'http://nowhere.invalid' }), /DNS|name/i],
    ['a port nobody listens on', async () => systemFor('exchange-ews', { url: `http://127.0.0.1:${await deadPort()}` }), /TCP|port|refused/i],
    ['a server that speaks no TLS', async () => systemFor('exchange-ews', { url: ews.url.replace('http:', 'https:') }), /TLS|certificate/i],
  ];
  it.each(failing)('ends with 1 and says what to do: %s', async (_what, system, words) => {
    const { folder, file } = await folderWith({ systems: { ews: await system() }, clients: [{ ...JUDGE_CLIENT, mayAsk: ['ews'] }] });
    const { code, stdout } = await runCommand(['check', '--config', file]);
    expect(code).toBe(1);
    expect(stdout).toMatch(words);
    expect(stdout).toMatch(/^fail\b/m);
    const json = await runCommand(['check', '--config', file, '--json']);
    expect(json.code).toBe(1);
    expect(Array.isArray(JSON.parse(json.stdout))).toBe(true);
    await removeFolder(folder);
  });

  const refusing: readonly (readonly [string, 'exchange-ews' | 'exchange-webdav', Parameters<typeof answerAll>[0], RegExp])[] = [
    ['wrong credentials', 'exchange-ews', { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } }, /sign-in|credential|password/i],
    ['only NTLM offered', 'exchange-webdav', { status: 401, headers: { 'www-authenticate': 'NTLM' } }, /Basic/],
    ['form logon wanted', 'exchange-webdav', { status: 440 }, /form/],
    ['no /public', 'exchange-webdav', { status: 404 }, /404\.1[15]|virtual directory/],
    ['a redirect elsewhere', 'exchange-ews', { status: 302, headers: { location: 'http://elsewhere.example/' } }, /elsewhere\.example/],
  ];
  function answerAll(canned: { status: number; headers?: Record<string, string> }): Promise<BackEnd> {
    return BackEnd.open(() => canned);
  }
  it.each(refusing)('ends with 1 and says what to do: %s', async (_what, kind, canned, words) => {
    const backEnd = await answerAll(canned);
    const { folder, file } = await folderWith({ systems: { x: systemFor(kind, backEnd, { mailboxes: [ANNA] }) }, clients: [{ ...JUDGE_CLIENT, mayAsk: ['x'] }] });
    const { code, stdout } = await runCommand(['check', '--config', file]);
    expect(code).toBe(1);
    expect(stdout).toMatch(words);
    await removeFolder(folder);
    await backEnd.close();
  });
});
