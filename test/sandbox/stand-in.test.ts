import { afterEach, describe, expect, it } from 'vitest';
import { createStandIn } from '../../src/sandbox/stand-in.ts';
import type { StandIn } from '../../src/sandbox/stand-in.ts';
import { openWire } from '../../src/sandbox/wire-request.ts';

const DOCUMENT = '<answer>whole</answer>';
let standIn: StandIn;
afterEach(() => standIn.close());

async function start(): Promise<void> {
  standIn = createStandIn('a server', () => ({ status: 200, body: DOCUMENT, source: 'sheet.md §1', mailboxes: 2 }));
  await standIn.listen();
}

const ask = async (): Promise<string> => {
  const answer = await fetch(`${standIn.url}/a/path?secret=1`);
  return `${answer.status} ${await answer.text()}`;
};

describe('a stand-in', () => {
  it('names the source of its answer and logs method, path without query and the number of mailboxes', async () => {
    await start();
    const answer = await fetch(`${standIn.url}/a/path?secret=1`);
    expect(answer.headers.get('x-sandbox-source')).toBe('sheet.md section 1');
    expect(standIn.requests).toEqual([{ method: 'GET', path: '/a/path', mailboxes: 2, status: 200 }]);
  });

  it('fails in each of the ways it is told to, and is itself again afterwards', async () => {
    await start();
    await standIn.setMode('error-500');
    expect(await ask()).toMatch(/^500 /);
    await standIn.setMode('html');
    expect(await ask()).toMatch(/^200 <html>/);
    await standIn.setMode('half');
    expect(await ask()).toBe(`200 ${DOCUMENT.slice(0, 11)}`);
    await standIn.setMode('truncated');
    await expect(ask()).rejects.toThrow();
    await standIn.setMode('refuse');
    // Not with fetch, which may find the end of its kept connection first.
    await expect(openWire(new URL(standIn.url)).send('GET', '/', [])).rejects.toThrow(/ECONNREFUSED/);
    await standIn.setMode('slow:60');
    const began = performance.now();
    expect(await ask()).toBe(`200 ${DOCUMENT}`);
    expect(performance.now() - began).toBeGreaterThan(55);
    await standIn.setMode('up');
    expect(await ask()).toBe(`200 ${DOCUMENT}`);
  });

  it('in silence accepts and reads, and answers nothing', async () => {
    await start();
    await standIn.setMode('silent');
    await expect(fetch(standIn.url, { signal: AbortSignal.timeout(100) })).rejects.toThrow(/timeout/i);
    expect(standIn.requests).toEqual([{ method: 'GET', path: '/', mailboxes: 0, status: undefined }]);
  });

  it('keeps its port over stop and start, and breaks connections that it has accepted', async () => {
    await start();
    const { url } = standIn;
    await standIn.setMode('silent');
    const waiting = fetch(url);
    const outcome = expect(waiting).rejects.toThrow();
    while (standIn.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await standIn.stop();
    await outcome;
    await standIn.start();
    await standIn.setMode('up');
    expect(standIn.url).toBe(url);
    expect(await ask()).toBe(`200 ${DOCUMENT}`);
  });
});
