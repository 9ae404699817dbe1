import { Buffer } from 'node:buffer';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import type { Asked } from '../../src/freebusy/ask-mailboxes.ts';
import { LIMITS } from '../../src/core/limits.ts';
import { Pace } from '../../src/core/pace.ts';
import { joinPieces } from '../../src/freebusy/free-busy.ts';
import type { FreeBusy } from '../../src/freebusy/free-busy.ts';
import { readXml } from '../../src/platform/xml/read.ts';
import type { XmlElement } from '../../src/platform/xml/element.ts';
import { decodeGetUserAvailabilityResponse } from '../../src/protocols/ews/get-user-availability.ts';
import { encodeFreeBusyResponse } from '../../src/protocols/owa-webdav/free-busy-query.ts';
import { encodeFreeBusyBody } from '../../src/protocols/rest-api/get-free-busy.ts';
import { decodeEnvelope } from '../../src/protocols/soap/envelope.ts';
import { encodeGetFreeBusyResponse } from '../../src/protocols/zimbra-soap/write-get-free-busy-response.ts';
import { ewsAnswer, jsonOfSameData } from './calendar.ts';
import type { Fullness } from './calendar.ts';
import { addressOf, LARGE_MAILBOXES, LARGE_WINDOW_MS, MONDAY, PIECE_MS } from './questions.ts';
import { median, ratios, spread } from './statistics.ts';
import { goal, table } from './table.ts';

const ROUNDS = 15;
const WARM_UP_ROUNDS = 5;
const END = MONDAY + LARGE_WINDOW_MS;
const PIECES = [
  { start: MONDAY, end: MONDAY + PIECE_MS },
  { start: MONDAY + PIECE_MS, end: END },
];
/** No block of the event loop beyond this (issue 2, "Bad input"). */
const LOOP_GOAL_MS = 50;

/** The processor time that each step took and how long it held the event loop, round by round, ms. */
interface Steps {
  readonly times: Readonly<Record<string, readonly number[]>>;
  readonly delays: Readonly<Record<string, readonly number[]>>;
  readonly ewsBytes: readonly number[];
  readonly jsonBytes: readonly number[];
}

async function measureSteps(fullness: Fullness, rounds: number): Promise<Steps> {
  const bodies = PIECES.map((piece) => ewsAnswer(LARGE_MAILBOXES, piece.start, piece.end, fullness));
  const json = PIECES.map((piece) => Buffer.from(jsonOfSameData(LARGE_MAILBOXES, piece.start, piece.end, fullness)));
  const mailboxes = Array.from({ length: LARGE_MAILBOXES }, (_, index) => addressOf(index) as MailboxAddress);
  const window = { start: MONDAY, end: END };

  const times: Record<string, number[]> = {};
  const delays: Record<string, number[]> = {};
  let measured = false;
  const step = async <T>(name: string, run: () => T | Promise<T>): Promise<T> => {
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    // The monitor needs a turn to start counting, and one to see what held the loop.
    await pause(5);
    // Processor time: a short step slips through between other programs, a long one does not, and the ratio would be theirs.
    const before = process.cpuUsage();
    const value = await run();
    const { user, system } = process.cpuUsage(before);
    await pause(3);
    delay.disable();
    if (measured) {
      (times[name] ??= []).push((user + system) / 1000);
      (delays[name] ??= []).push(delay.max / 1e6);
    }
    return value;
  };

  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    measured = round >= 0;
    await step('JSON', () => json.map((text) => JSON.stringify(JSON.parse(text.toString()))));
    const trees: XmlElement[] = [];
    await step('read XML', async () => {
      for (const body of bodies) trees.push(await readXml(body));
    });
    const pieces = await step('decode EWS', () =>
      Promise.all(trees.map((tree, index) => decodeGetUserAvailabilityResponse(decodeEnvelope(tree).body, { mailboxes, window: PIECES[index]!, details: false }))),
    );
    const joined = await step('join pieces', async () => {
      // With its turns, as askInParts takes them.
      const pace = new Pace(LIMITS.stretchesPerTurn);
      const out: FreeBusy[] = [];
      for (const [at, mailbox] of mailboxes.entries()) {
        const answered = PIECES.map((piece, index) => {
          const result = pieces[index]![at]!;
          if ('error' in result) throw result.error;
          return { window: piece, freeBusy: result.freeBusy };
        });
        out.push(joinPieces(mailbox, window, answered));
        if (pace.spend(1 + out.at(-1)!.busy.length)) await pace.turn();
      }
      return out;
    });
    const seen = joined.map((one): FreeBusy => ({ mailbox: one.mailbox, window, busy: one.busy, ...(one.workingHours === undefined ? {} : { workingHours: one.workingHours }) }));
    await step('answer OWA', () => encodeFreeBusyResponse(seen.map((freeBusy) => ({ address: freeBusy.mailbox, freeBusy })), window, 15, 'free'));
    await step('answer JSON', async () => JSON.stringify(await encodeFreeBusyBody(window, seen.map((freeBusy): Asked => ({ text: freeBusy.mailbox, mailbox: freeBusy.mailbox, result: { mailbox: freeBusy.mailbox, freeBusy, asOf: MONDAY } })))));
    await step('answer SOAP', () => encodeGetFreeBusyResponse(seen.map((freeBusy) => ({ id: freeBusy.mailbox, freeBusy })), window, 'free'));
  }
  return { times, delays, ewsBytes: bodies.map((body) => body.length), jsonBytes: json.map((text) => text.length) };
}

/** Parse and answer inside this process, step by step, against JSON.parse and JSON.stringify of the same data. */
export async function largeAnswerInProcess(): Promise<string> {
  const ordinary = await measureSteps('ordinary', ROUNDS);
  const full = await measureSteps('full', ROUNDS);
  const reference = ordinary.times['JSON']!;
  const whole = (face: string): readonly number[] =>
    reference.map((_, round) => ['read XML', 'decode EWS', 'join pieces', face].reduce((sum, name) => sum + ordinary.times[name]![round]!, 0));
  const row = (name: string, values: readonly number[], delays: readonly string[]): readonly string[] => [name, spread(values, 1), spread(ratios(values, reference), 1), ...delays];
  const delaysOf = (name: string): readonly string[] => [spread(ordinary.delays[name]!, 0), spread(full.delays[name]!, 0)];
  const longest = Object.entries(full.delays)
    .map(([name, values]) => [name, median(values)] as const)
    .sort((a, b) => b[1] - a[1])[0]!;
  return [
    `   The same inside one process: EWS answers of ${kilobytes(ordinary.ewsBytes)} KB, as JSON ${kilobytes(ordinary.jsonBytes)} KB; ${ROUNDS} rounds.`,
    `   Full calendars have eight meetings a day (${kilobytes(full.ewsBytes)} KB); there only the hold of the event loop is of interest.`,
    table([
      ['', 'CPU ms', 'times JSON', 'loop delay, max ms', 'with full calendars'],
      row('JSON.parse + JSON.stringify', reference, delaysOf('JSON')),
      ...STEPS.map((name) => row(name, ordinary.times[name]!, delaysOf(name))),
      ...['answer OWA', 'answer JSON', 'answer SOAP'].map((face) => row(`whole, with ${face}`, whole(face), ['', ''])),
    ]),
    goal(`no step holds the event loop longer than ${LOOP_GOAL_MS} ms, full calendars`, `${longest[1].toFixed(0)} ms (${longest[0]}; median of the rounds' longest)`, longest[1] <= LOOP_GOAL_MS),
  ].join('\n');
}

const STEPS = ['read XML', 'decode EWS', 'join pieces', 'answer OWA', 'answer JSON', 'answer SOAP'];

function kilobytes(sizes: readonly number[]): string {
  return sizes.map((size) => (size / 1024).toFixed(0)).join(' + ');
}
