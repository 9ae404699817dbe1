import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import type { Asked } from '../../src/freebusy/ask-mailboxes.ts';
import { readXml } from '../../src/platform/xml/read.ts';
import { decodeGetUserAvailabilityRequest } from '../../src/protocols/ews/face/get-user-availability-request.ts';
import { encodeGetUserAvailabilityResponse } from '../../src/protocols/ews/face/get-user-availability.ts';
import { decodeEwsRequest, encodeEwsAnswer } from '../../src/protocols/ews/face/soap-frame.ts';
import { ZoneClocks } from '../../src/protocols/ews/face/zone-clock.ts';
import { Helper } from './child-process.ts';
import { AUTHORIZATION_OF_FACE, faceQuestion } from './ews-face-question.ts';
import { knownCalendar } from './known-calendar.ts';
import { cpuTimeMs } from './machine.ts';
import type { PostResult, PostRound } from './post-load.ts';
import { addressOf, LARGE_MAILBOXES, LARGE_WINDOW_MS, MONDAY } from './questions.ts';
import { median, ratios, spread } from './statistics.ts';
import { goal, table } from './table.ts';

const SPEED_GOAL = 1 / 3;
const BUILD_GOAL = 10;
const MEMORY_GOAL = 1.1;
const ROUNDS = 7;
const ROUND_MS = 2_000;
const WARM_UP_MS = 3_000;
const BUILD_ROUNDS = 25;
const MANY_REQUESTS = 100_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** What a scheduling assistant asks at a time. */
const WINDOWS = [
  { name: 'a day', days: 1 },
  { name: 'a week', days: 7 },
];

/** Figure 6: the EWS face by itself, its answers known beforehand. */
export async function ewsFace(): Promise<string> {
  return [await againstHello(), '', await buildLargeAnswer()].join('\n');
}

async function againstHello(): Promise<string> {
  const [hello, face, load] = [Helper.start('ews-face-server.js'), Helper.start('ews-face-server.js'), Helper.start('post-load.js')];
  try {
    const helloRound: PostRound = { origin: `http://127.0.0.1:${(await hello.ask<{ port: number }>({ serve: 'hello' })).port}`, path: '/', headers: {}, connections: 32, durationMs: ROUND_MS };
    const origin = `http://127.0.0.1:${(await face.ask<{ port: number }>({ serve: 'face' })).port}`;
    const headers = { authorization: AUTHORIZATION_OF_FACE, 'content-type': 'text/xml; charset=utf-8' };
    const rows: (readonly string[])[] = [];
    const goals: string[] = [];
    for (const { name, days } of WINDOWS) {
      const body = faceQuestion(8, MONDAY, MONDAY + days * DAY_MS, 'FreeBusyMerged');
      const faceRound: PostRound = { origin, path: '/EWS/Exchange.asmx', body, headers, connections: 32, durationMs: ROUND_MS };
      const answerBytes = await checkAnswer(faceRound);
      const sides = [
        { name: 'express hello', round: helloRound, pid: hello.pid, perSecond: [] as number[], cpuMs: [] as number[] },
        { name: `GetUserAvailability, 8 mailboxes, ${name}`, round: faceRound, pid: face.pid, perSecond: [] as number[], cpuMs: [] as number[] },
      ] as const;
      for (const { round } of sides) await load.ask<PostResult>({ ...round, durationMs: WARM_UP_MS });
      for (let index = 0; index < ROUNDS; index++) {
        for (const side of sides) {
          const before = cpuTimeMs(side.pid);
          const result = await load.ask<PostResult>(side.round);
          if (result.failures > 0) throw new Error(`${result.failures} of ${result.requests} requests failed`);
          side.perSecond.push(result.requests / (result.elapsedMs / 1000));
          side.cpuMs.push(before === undefined ? Number.NaN : (cpuTimeMs(side.pid)! - before) / result.requests);
        }
      }
      for (const side of sides) rows.push([side.name, side.round === helloRound ? '' : `${body.length} → ${answerBytes}`, spread(side.perSecond, 0), spread(side.cpuMs, 3)]);
      const ratio = ratios(sides[1].perSecond, sides[0].perSecond);
      const cpu = ratios(sides[1].cpuMs, sides[0].cpuMs);
      goals.push(goal(`requests/s over those of hello ≥ ${SPEED_GOAL.toFixed(2)}, ${name}`, `${spread(ratio, 2)}; processor time ${spread(cpu, 1)} times hello's`, median(ratio) >= SPEED_GOAL));
    }
    const week: PostRound = { origin, path: '/EWS/Exchange.asmx', body: faceQuestion(8, MONDAY, MONDAY + DAY_MS, 'FreeBusyMerged'), headers, connections: 8, requests: MANY_REQUESTS / 10 };
    const memory: number[] = [];
    for (let part = 0; part < 10; part++) {
      await load.ask<PostResult>(week);
      memory.push((await face.ask<{ rssBytes: number }>({})).rssBytes / 2 ** 20);
    }
    const growth = memory.at(-1)! / memory[2]!;
    goals.push(goal(`memory (RSS) after ${MANY_REQUESTS.toLocaleString('en')} requests ≤ ${MEMORY_GOAL} times that after 30,000`, `${growth.toFixed(2)} (${memory.map((one) => one.toFixed(0)).join(', ')} MiB)`, growth <= MEMORY_GOAL));
    return [`6. The EWS face, answers known; 32 connections, ${ROUNDS} rounds of ${ROUND_MS / 1000} s each`, table([['', 'bytes', 'requests/s', 'server CPU ms/request'], ...rows]), ...goals].join('\n');
  } finally {
    await Promise.all([hello.stop(), face.stop(), load.stop()]);
  }
}

/** What is measured must be the right answer, not a fast refusal: eight of them, the first meeting at nine o'clock in Berlin. */
async function checkAnswer({ origin, path, headers, body }: PostRound): Promise<number> {
  const text = await (await fetch(origin + path, { method: 'POST', headers, body: body! })).text();
  const isRight = text.split('<m:ResponseCode>NoError<').length === 9 && text.includes(`<t:StartTime>${new Date(MONDAY + 9 * HOUR_MS).toISOString().slice(0, 19)}<`);
  if (!isRight) throw new Error(`not the right answer: ${text.slice(0, 400)}`);
  return text.length;
}

async function buildLargeAnswer(): Promise<string> {
  const question = faceQuestion(LARGE_MAILBOXES, MONDAY, MONDAY + LARGE_WINDOW_MS, 'FreeBusyMerged');
  const { version, header, operation } = decodeEwsRequest(await readXml(question));
  const { view } = decodeGetUserAvailabilityRequest(operation, version, header, new ZoneClocks());
  const asked = Array.from({ length: LARGE_MAILBOXES }, (_, index): Asked => {
    const mailbox = addressOf(index) as MailboxAddress;
    return { text: mailbox, mailbox, result: { mailbox, freeBusy: knownCalendar(mailbox, view!.window), asOf: 0 } };
  });
  const form = { ...view!, hasWorkingElsewhere: true, workingElsewhereAs: 'free' } as const;
  const same = asked.map(({ result }) => ('freeBusy' in result ? result.freeBusy : {}));
  const json: number[] = [];
  const build: number[] = [];
  let bytes = 0;
  for (let round = -10; round < BUILD_ROUNDS; round++) {
    const times = [performance.now()];
    const text = JSON.stringify(same);
    times.push(performance.now());
    bytes = encodeEwsAnswer(await encodeGetUserAvailabilityResponse(asked, form, false)).length;
    times.push(performance.now());
    if (round < 0 || text.length === 0) continue;
    json.push(times[1]! - times[0]!);
    build.push(times[2]! - times[1]!);
  }
  const ratio = ratios(build, json);
  return [
    `   ${LARGE_MAILBOXES} mailboxes, 42 days, two meetings a day: an answer of ${(bytes / 1024).toFixed(0)} KB, built in this process; ${BUILD_ROUNDS} rounds`,
    table([['', 'ms'], ['JSON.stringify of the same free/busy', spread(json, 2)], ['the answer, as bytes', spread(build, 2)]]),
    goal(`built in ≤ ${BUILD_GOAL} times JSON.stringify`, spread(ratio, 1), median(ratio) <= BUILD_GOAL),
  ].join('\n');
}
