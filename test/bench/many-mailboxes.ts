import { AUTHORIZATION, BridgeProcess } from './bridge-process.ts';
import type { ProxyWork } from './bare-proxy.ts';
import { expectedDigits } from './calendar.ts';
import { Helper } from './child-process.ts';
import { largeAnswerInProcess } from './large-answer.ts';
import { upstreamBody } from './one-mailbox.ts';
import { apiPath, LARGE_MAILBOXES, LARGE_WINDOW_MS, MONDAY, owaPath, PIECE_MS, soapRequest } from './questions.ts';
import { ratios, spread } from './statistics.ts';
import { goal, table } from './table.ts';

const ROUNDS = 9;
const WARM_UP_ROUNDS = 3;
const END = MONDAY + LARGE_WINDOW_MS;

/** Figure 2: a 100-mailbox, 42-day lookup. */
export async function manyMailboxes(): Promise<string> {
  const backEnd = Helper.start('ews-back-end.js');
  const proxy = Helper.start('bare-proxy.js');
  let bridge: BridgeProcess | undefined;
  try {
    const { port } = await backEnd.ask<{ port: number }>({});
    const upstream = `http://127.0.0.1:${port}/EWS/Exchange.asmx`;
    const many = [upstreamBody(LARGE_MAILBOXES, MONDAY, MONDAY + PIECE_MS), upstreamBody(LARGE_MAILBOXES, MONDAY + PIECE_MS, END)];
    const proxyOrigin = `http://127.0.0.1:${(await proxy.ask<{ port: number }>({ upstream, one: '', many } satisfies ProxyWork)).port}`;
    bridge = await BridgeProcess.start(upstream);
    const { origin } = bridge;
    const headers = { authorization: AUTHORIZATION };
    const asks: Readonly<Record<string, () => Promise<Response>>> = {
      'bare proxy (both pieces, unread)': () => fetch(`${proxyOrigin}/many`),
      'bridge, OWA': () => fetch(origin + owaPath(LARGE_MAILBOXES, MONDAY, END), { headers }),
      'bridge, JSON': () => fetch(origin + apiPath(LARGE_MAILBOXES, MONDAY, END), { headers }),
      'bridge, Zimbra SOAP': () =>
        fetch(`${origin}/service/soap/`, { method: 'POST', headers: { ...headers, 'content-type': 'application/soap+xml; charset=utf-8' }, body: soapRequest(LARGE_MAILBOXES, MONDAY, END) }),
    };
    const upstreamRequests = async (): Promise<number> => (await backEnd.ask<{ requests: number }>({})).requests;

    await checkAnswer(await asks['bridge, OWA']!());
    const walls = new Map(Object.keys(asks).map((name) => [name, [] as number[]]));
    const lags = new Map(Object.keys(asks).map((name) => [name, [] as number[]]));
    const upstreamOf = new Map<string, number>();
    for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
      for (const [name, ask] of Object.entries(asks)) {
        await bridge.eventLoopLagMs();
        const before = await upstreamRequests();
        const started = performance.now();
        const answer = await ask();
        await answer.arrayBuffer();
        const wall = performance.now() - started;
        if (answer.status !== 200) throw new Error(`${name}: ${answer.status}`);
        upstreamOf.set(name, (await upstreamRequests()) - before);
        if (round < 0) continue;
        walls.get(name)!.push(wall);
        lags.get(name)!.push(await bridge.eventLoopLagMs());
      }
    }
    const reference = walls.get('bare proxy (both pieces, unread)')!;
    const rows = Object.keys(asks).map((name) => [
      name,
      String(upstreamOf.get(name)),
      spread(walls.get(name)!, 0),
      name.startsWith('bridge') ? spread(ratios(walls.get(name)!, reference), 1) : '1',
      name.startsWith('bridge') ? spread(lags.get(name)!, 0) : '',
    ]);
    const pieces = Math.ceil(LARGE_WINDOW_MS / PIECE_MS);
    const bridgeUpstream = [...upstreamOf].filter(([name]) => name.startsWith('bridge')).map(([, count]) => count);
    return [
      `2. ${LARGE_MAILBOXES} mailboxes, 42 days, two meetings a day each; ${ROUNDS} rounds, through the real process`,
      table([['', 'requests upstream', 'wall ms', 'times the proxy', "bridge's loop delay, max ms"], ...rows]),
      goal(`one request upstream for each piece of 35 days (${pieces})`, bridgeUpstream.join(', '), bridgeUpstream.every((count) => count === pieces)),
      '',
      await largeAnswerInProcess(),
    ].join('\n');
  } finally {
    await Promise.all([bridge?.stop(), backEnd.stop(), proxy.stop()]);
  }
}

async function checkAnswer(answer: Response): Promise<void> {
  const text = await answer.text();
  for (const mailbox of [0, 1, LARGE_MAILBOXES - 1]) {
    if (!text.includes(`<a:fbdata>${expectedDigits(mailbox, MONDAY, END)}</a:fbdata>`)) throw new Error(`not the right answer about mailbox ${mailbox}: ${answer.status} ${text.slice(0, 300)}`);
  }
}
