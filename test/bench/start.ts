import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AUTHORIZATION, BridgeProcess, untilAnswers } from './bridge-process.ts';
import { freePort, Helper, startNode, stopProcess } from './child-process.ts';
import { ONE_MAILBOX_PATHS } from './questions.ts';
import { median, ratios, spread } from './statistics.ts';
import { goal, table } from './table.ts';

const GOAL_MS = 2_000;
const ROUNDS = 7;

/** Figure 3: from the command to the first answer, against an express server that says hello. */
export async function startToFirstAnswer(): Promise<string> {
  const backEnd = Helper.start('ews-back-end.js');
  // Inside the project, so that `import 'express'` finds it.
  const directory = mkdtempSync(join(process.cwd(), 'dist', 'hello-'));
  try {
    const { port } = await backEnd.ask<{ port: number }>({});
    const upstream = `http://127.0.0.1:${port}/EWS/Exchange.asmx`;
    const hello: number[] = [];
    const healthy: number[] = [];
    const firstLookup: number[] = [];
    // The first round only fills the disk cache.
    for (let round = -1; round < ROUNDS; round++) {
      const helloMs = await timeHello(directory);
      const bridgeMs = await timeBridge(upstream);
      if (round < 0) continue;
      hello.push(helloMs);
      healthy.push(bridgeMs.healthy);
      firstLookup.push(bridgeMs.firstLookup);
    }
    return [
      `3. Start to first answer; ${ROUNDS} rounds`,
      table([
        ['', 'ms', 'times hello'],
        ['express hello', spread(hello, 0), '1'],
        ['bridge, /healthz', spread(healthy, 0), spread(ratios(healthy, hello), 1)],
        ['bridge, first lookup answered', spread(firstLookup, 0), spread(ratios(firstLookup, hello), 1)],
      ]),
      goal(`start to the first lookup's answer ≤ ${GOAL_MS} ms`, spread(firstLookup, 0), median(firstLookup) <= GOAL_MS),
    ].join('\n');
  } finally {
    rmSync(directory, { recursive: true, force: true });
    await backEnd.stop();
  }
}

async function timeHello(directory: string): Promise<number> {
  const port = await freePort();
  const file = join(directory, 'hello.js');
  writeFileSync(file, `import express from 'express';\nexpress().get('/', (_request, response) => response.send('hello')).listen(${port}, '127.0.0.1');\n`);
  const started = performance.now();
  const child = startNode([file], join(directory, 'log'));
  await untilAnswers(`http://127.0.0.1:${port}/`);
  const took = performance.now() - started;
  await stopProcess(child);
  return took;
}

async function timeBridge(upstream: string): Promise<{ readonly healthy: number; readonly firstLookup: number }> {
  const started = performance.now();
  const bridge = await BridgeProcess.spawn(upstream);
  await untilAnswers(`${bridge.origin}/healthz`);
  const healthy = performance.now() - started;
  const answer = await fetch(bridge.origin + ONE_MAILBOX_PATHS[0]!, { headers: { authorization: AUTHORIZATION } });
  await answer.arrayBuffer();
  const firstLookup = performance.now() - started;
  await bridge.stop();
  if (answer.status !== 200) throw new Error(`the first lookup got ${answer.status}`);
  return { healthy, firstLookup };
}
