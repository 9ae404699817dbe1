import { Buffer } from 'node:buffer';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import type { Asked } from '../../src/freebusy/ask-mailboxes.ts';
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
import { addressOf, LARGE_MAILBOXES, LARGE_WINDOW_MS, MONDAY } from './questions.ts';
import { percentile, ratios, spread } from './statistics.ts';
import { goal, table } from './table.ts';

const ROUNDS = 15;
const WARM_UP_ROUNDS = 5;
const END = MONDAY + LARGE_WINDOW_MS;
const PIECE_MS = 35 * 86_400_000;
const PIECES = [
  { start: MONDAY, end: MONDAY + PIECE_MS },
  { start: MONDAY + PIECE_MS, end: END },
];
/** No block of the event loop beyond this (issue 2, "Bad input"). */
const LOOP_GOAL_MS = 50;

/** Parse and answer inside this process, step by step, against JSON.parse and JSON.stringify of the same data. */
export async function largeAnswerInProcess(): Promise<string> {
  const bodies = PIECES.map((piece) => ewsAnswer(LARGE_MAILBOXES, piece.start, piece.end));
  const json = PIECES.map((piece) => Buffer.from(jsonOfSameData(LARGE_MAILBOXES, piece.start, piece.end)));
  const mailboxes = Array.from({ length: LARGE_MAILBOXES }, (_, index) => addressOf(index) as MailboxAddress);
  const window = { start: MONDAY, end: END };

  const times: Record<string, number[]> = {};
  const delays: Record<string, number[]> = {};
  let measured = false;
  const step = async <T>(name: string, run: () => T | Promise<T>): Promise<T> => {
    globalThis.gc?.();
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    // The monitor needs a turn to start counting, and one to see what held the loop.
    await pause(5);
    const started = performance.now();
    const value = await run();
    const took = performance.now() - started;
    await pause(3);
    delay.disable();
    if (measured) {
      (times[name] ??= []).push(took);
      (delays[name] ??= []).push(delay.max / 1e6);
    }
    return value;
  };

  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
    measured = round >= 0;
    await step('JSON', () => json.map((text) => JSON.stringify(JSON.parse(text.toString()))));
    const trees: XmlElement[] = [];
    await step('read XML', async () => {
      for (const body of bodies) trees.push(await readXml(body));
    });
    const pieces = await step('decode EWS', () =>
      trees.map((tree, index) => decodeGetUserAvailabilityResponse(decodeEnvelope(tree).body, { mailboxes, window: PIECES[index]!, details: false })),
    );
    const joined = await step('join pieces', () =>
      mailboxes.map((mailbox, at): FreeBusy => {
        const answered = PIECES.map((piece, index) => {
          const result = pieces[index]![at]!;
          if ('error' in result) throw result.error;
          return { window: piece, freeBusy: result.freeBusy };
        });
        return joinPieces(mailbox, window, answered);
      }),
    );
    const seen = joined.map((one): FreeBusy => ({ mailbox: one.mailbox, window, busy: one.busy, ...(one.workingHours === undefined ? {} : { workingHours: one.workingHours }) }));
    await step('answer OWA', () => encodeFreeBusyResponse(seen.map((freeBusy) => ({ address: freeBusy.mailbox, freeBusy })), window, 15, 'free'));
    await step('answer JSON', () => JSON.stringify(encodeFreeBusyBody(window, seen.map((freeBusy): Asked => ({ text: freeBusy.mailbox, mailbox: freeBusy.mailbox, result: { mailbox: freeBusy.mailbox, freeBusy, asOf: MONDAY } })))));
    await step('answer SOAP', () => encodeGetFreeBusyResponse(seen.map((freeBusy) => ({ id: freeBusy.mailbox, freeBusy })), window, 'free'));
  }

  const reference = times['JSON']!;
  const whole = (face: string): readonly number[] => reference.map((_, round) => ['read XML', 'decode EWS', 'join pieces', face].reduce((sum, name) => sum + times[name]![round]!, 0));
  const row = (name: string, values: readonly number[], delay?: readonly number[]): readonly string[] => [
    name,
    spread(values, 1),
    spread(ratios(values, reference), 1),
    delay === undefined ? '' : spread(delay, 1),
  ];
  const longest = Object.entries(delays).map(([name, values]) => [name, percentile(values, 0.5)] as const).sort((a, b) => b[1] - a[1])[0]!;
  return [
    `   The same inside one process: EWS answers of ${bodies.map((body) => (body.length / 1024).toFixed(0)).join(' + ')} KB, as JSON ${json.map((text) => (text.length / 1024).toFixed(0)).join(' + ')} KB; ${ROUNDS} rounds`,
    table([
      ['', 'ms', 'times JSON', 'event loop delay, max ms'],
      row('JSON.parse + JSON.stringify', reference, delays['JSON']),
      ...['read XML', 'decode EWS', 'join pieces', 'answer OWA', 'answer JSON', 'answer SOAP'].map((name) => row(name, times[name]!, delays[name])),
      row('whole, to OWA', whole('answer OWA')),
      row('whole, to JSON', whole('answer JSON')),
      row('whole, to SOAP', whole('answer SOAP')),
    ]),
    goal(`no step holds the event loop longer than ${LOOP_GOAL_MS} ms`, `${longest[1].toFixed(1)} ms (${longest[0]}, median of the rounds' longest)`, longest[1] <= LOOP_GOAL_MS),
  ].join('\n');
}
