import { spawnSync } from 'node:child_process';
import { chmodSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BackEnd, deadPort, ewsQueryBackEnd, systemFor } from './back-ends.ts';
import { Running, folderWith, removeFolder, runCommand, startBridge, until } from './bridge-process.ts';
import { JUDGE, JUDGE_CLIENT, MEETINGS, TRUTH, digitsOfJson } from './every-kind.ts';
import { ask, askJson, basic } from './raw-http.ts';

/** configuration.md: reload, signals, the process and its secrets. */

let ews: BackEnd;
const ANNA = 'anna@corp.example';
beforeAll(async () => {
  ews = await ewsQueryBackEnd({ [ANNA]: MEETINGS });
});
afterAll(() => ews.close());

const good = (): Record<string, unknown> => ({ listen: 'http://127.0.0.1:0', systems: { ews: systemFor('exchange-ews', ews) }, clients: [{ ...JUDGE_CLIENT, mayAsk: ['ews'] }] });

describe('reload', () => {
  it.each(['SIGHUP', 'command'])('by %s applies a changed file, and a bad one leaves the old in force', async (how) => {
    const bridge = await startBridge(good());
    const config = { ...good(), clients: [{ ...JUDGE_CLIENT, password: 'another', mayAsk: ['ews'] }] };
    const reload = async (): Promise<number | null> => {
      if (how === 'command') return (await runCommand(['reload', '--config', bridge.file])).code;
      const before = bridge.process.stderr.length;
      bridge.process.signal('SIGHUP');
      await until(() => (/configuration (?:applied|refused)/.test(bridge.process.stderr.slice(before)) ? true : undefined));
      return /configuration applied/.test(bridge.process.stderr.slice(before)) ? 0 : 2;
    };
    await bridge.write(config);
    expect((await askJson(bridge.url, JUDGE, [ANNA])).status).toBe(200);
    expect(await reload()).toBe(0);
    expect((await askJson(bridge.url, JUDGE, [ANNA])).status).toBe(401);
    expect((await askJson(bridge.url, basic('judge', 'another'), [ANNA])).status).toBe(200);
    await bridge.write({ ...config, nonsense: true });
    expect(await reload()).toBe(2);
    expect((await askJson(bridge.url, basic('judge', 'another'), [ANNA])).status).toBe(200);
    await bridge.write('{{{');
    expect(await reload()).toBe(2);
    expect((await askJson(bridge.url, basic('judge', 'another'), [ANNA])).status).toBe(200);
    await bridge.stop();
  });

  it('drops no request under load, nor one that is under way', async () => {
    const slow = await ewsQueryBackEnd({ [ANNA]: MEETINGS });
    slow.override = async (_seen, honest) => {
      await new Promise((resolve) => setTimeout(resolve, 30));
      return honest();
    };
    const config = { ...good(), systems: { ews: systemFor('exchange-ews', slow) } };
    const bridge = await startBridge(config);
    let stop = false;
    const statuses: (number | string)[] = [];
    const asking = Array.from({ length: 6 }, async (_, worker) => {
      for (let index = 0; !stop; index += 1) {
        const window = { start: Date.UTC(2026, 2, 2, 8), end: Date.UTC(2026, 2, 2, 12) + (worker * 1_000 + index) * 60_000 };
        const answer = await askJson(bridge.url, JUDGE, [ANNA], window).catch((error: Error) => error.message);
        statuses.push(typeof answer === 'string' ? answer : answer.results[0]?.busy === undefined ? `no data ${JSON.stringify(answer.results)}` : answer.status);
      }
    });
    for (let round = 0; round < 8; round += 1) {
      await bridge.write({ ...config, deadline: `${5 + round}s` });
      bridge.process.signal('SIGHUP');
      await new Promise((resolve) => setTimeout(resolve, 80));
    }
    stop = true;
    await Promise.all(asking);
    expect(statuses.length).toBeGreaterThan(10);
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(bridge.process.stderr.match(/configuration applied/g)!.length).toBeGreaterThan(1);
    await bridge.stop();
    await slow.close();
  });

  it('keeps the sign-in of who has one, and moves a listener', async () => {
    const port = await deadPort();
    const bridge = await startBridge(good());
    await bridge.write({ ...good(), listen: `http://127.0.0.1:${port}` });
    expect((await runCommand(['reload', '--config', bridge.file])).code).toBe(0);
    expect((await ask(`http://127.0.0.1:${port}`, '/readyz')).status).toBe(200);
    await expect(ask(bridge.url, '/readyz')).rejects.toThrow();
    await bridge.stop();
  });

  it('keeps a listener that stays, wherever it stands in the list', async () => {
    const [first, second] = [await deadPort(), await deadPort()].map((port) => `http://127.0.0.1:${port}`) as [string, string];
    const bridge = await startBridge({ ...good(), listen: first });
    await bridge.write({ ...good(), listen: [second, first] });
    const reloaded = await runCommand(['reload', '--config', bridge.file]);
    expect([reloaded.code, reloaded.stderr]).toEqual([0, '']);
    expect((await ask(first, '/readyz')).status).toBe(200);
    expect((await ask(second, '/readyz')).status).toBe(200);
    await bridge.stop();
  });
});

describe('the process', () => {
  it('makes dataDir 0700 and the control socket 0600', async () => {
    const bridge = await startBridge({ ...good(), dataDir: './deep/data' });
    const data = join(bridge.folder, 'deep', 'data');
    expect(statSync(data).mode & 0o777).toBe(0o700);
    const socket = statSync(join(data, 'control.sock'));
    expect(socket.isSocket()).toBe(true);
    expect(socket.mode & 0o777).toBe(0o600);
    await bridge.stop();
  });

  it('tightens a dataDir that was open', async () => {
    const { folder } = await folderWith({});
    const data = join(folder, 'data');
    spawnSync('mkdir', [data]);
    chmodSync(data, 0o777);
    const bridge = await startBridge({ ...good(), dataDir: data });
    expect(statSync(data).mode & 0o777).toBe(0o700);
    await bridge.stop();
    await removeFolder(folder);
  });

  it('ends on SIGTERM within 5 s with 0, with a question hanging on a silent back end and a kept-alive connection', async () => {
    const silent = await BackEnd.open(() => ({}));
    silent.override = () => 'silent';
    const bridge = await startBridge({ ...good(), deadline: '30s', systems: { ews: systemFor('exchange-ews', silent) } });
    const hanging = askJson(bridge.url, JUDGE, [ANNA]).catch(() => undefined);
    await until(() => (silent.requests.length > 0 ? true : undefined));
    const { code, tookMs } = await bridge.stop();
    expect(code).toBe(0);
    expect(tookMs).toBeLessThan(5_000);
    await hanging;
    await silent.close();
  });

  it('lets a question under way finish at SIGTERM', async () => {
    const slow = await ewsQueryBackEnd({ [ANNA]: MEETINGS });
    slow.override = async (_seen, honest) => {
      await new Promise((resolve) => setTimeout(resolve, 400));
      return honest();
    };
    const bridge = await startBridge({ ...good(), systems: { ews: systemFor('exchange-ews', slow) } });
    const asked = askJson(bridge.url, JUDGE, [ANNA]);
    await until(() => (slow.requests.length > 0 ? true : undefined));
    const stopped = bridge.stop();
    expect(digitsOfJson((await asked).results[0])).toBe(TRUTH);
    expect((await stopped).code).toBe(0);
    await slow.close();
  });

  it('ends on SIGINT with 0, and a second bridge in the same dataDir is refused', async () => {
    const { folder, file } = await folderWith(good());
    const first = new Running(['serve', '--config', file]);
    await until(() => (first.stdout.includes('listening on') ? true : undefined));
    const second = await runCommand(['serve', '--config', file]);
    expect(second.code).not.toBe(0);
    first.signal('SIGINT');
    expect((await first.ended).code).toBe(0);
    await removeFolder(folder);
  });

  it('starts again where it was killed', async () => {
    const { folder, file } = await folderWith(good());
    const first = new Running(['serve', '--config', file]);
    await until(() => (first.stdout.includes('listening on') ? true : undefined));
    first.signal('SIGKILL');
    await first.ended;
    const second = new Running(['serve', '--config', file]);
    await until(() => (second.stdout.includes('listening on') ? true : undefined));
    expect((await second.stop()).code).toBe(0);
    await removeFolder(folder);
  });

  it('opens a listener for each of a list, and the admin listener beside them, also on ports of their own choice', async () => {
    const bridge = await startBridge({ ...good(), listen: 'http://127.0.0.1:0', admin: { listen: 'http://127.0.0.1:0' } }).catch((error: Error) => error);
    expect(bridge).not.toBeInstanceOf(Error);
    if (bridge instanceof Error) return;
    expect(new Set(bridge.urls).size).toBe(2);
    expect((await askJson(bridge.url, JUDGE, [ANNA])).status).toBe(200);
    expect((await ask(bridge.urls[1]!, '/metrics')).status).toBe(200);
    await bridge.stop();
  });
});

describe('secrets', () => {
  it('come from the environment and from files beside the configuration', async () => {
    const { folder, file } = await folderWith({ ...good(), systems: { ews: systemFor('exchange-ews', ews, { password: { file: 'ews.txt' } }) }, clients: [{ ...JUDGE_CLIENT, mayAsk: ['ews'], password: { env: 'FACE_PASSWORD' } }] }, { 'ews.txt': 'from-a-file\n' });
    writeFileSync(join(folder, 'ews.txt'), 'from-a-file\n');
    const running = new Running(['serve', '--config', file], { env: { FACE_PASSWORD: 'from-the-environment' } });
    const url = await until(() => /listening on (\S+)/.exec(running.stdout)?.[1]);
    ews.reset();
    expect((await askJson(url, basic('judge', 'from-the-environment'), [ANNA])).status).toBe(200);
    expect(ews.requests[0]!.headers.authorization).toBe(`Basic ${Buffer.from('CORP\\bridge:from-a-file').toString('base64')}`);
    await running.stop();
    await removeFolder(folder);
  });
});
