import { HOUR_MS, MINUTE_MS } from '../core/clock.ts';
import type { Entry } from './calendar-store.ts';
import type { WritableExchange } from './exchange-2003.ts';
import { messageInWords } from './message-words.ts';
import { shownOfMessage } from './message-folder.ts';
import type { PublishedMessage } from './message-folder.ts';
import { contactOf, ZIMBRA_DETAILS } from './people.ts';
import { ENTRY_STATUS, tile } from './status-row.ts';
import { clockTime } from './walk-steps.ts';
import type { Walk } from './walk-steps.ts';

const WHO = 'kim@zimbra.example';

/**
 * The pass over everybody at the bridge's start: who may be seen is in both Exchanges, as the calendars say. First of all, because
 * without it the time until the next write would say nothing, and while an Exchange is silent nobody can write into it.
 */
export async function walkFirstPass({ sandbox, print, patienceMs }: Walk): Promise<readonly string[]> {
  const mistakes: string[] = [];
  const people = Object.entries(ZIMBRA_DETAILS).filter(([, one]) => one.foreignPrincipal !== undefined && one.deniesFreeBusy !== true).map(([address]) => address);
  for (const exchange of [sandbox.exchange2003, sandbox.exchangeEws]) {
    const found = await Promise.all(people.map((address) => messageAbout(exchange, contactOf(exchange.organisation, address)!, patienceMs)));
    for (const [index, message] of found.entries()) {
      const address = people[index]!;
      if (message === undefined) mistakes.push(`${exchange.name} has no message about ${address}`);
      else print(`   ${exchange.name}: ${message.subject} is ${address}`);
      const mistake = message && mistakeIn(message, sandbox.calendars.zimbra.list(address));
      if (mistake !== undefined) mistakes.push(`${exchange.name} about ${address}: ${mistake}`);
    }
  }
  return mistakes;
}

/**
 * A Zimbra user adds an appointment: shows the notification, what is written into each Exchange, the message decoded by the
 * stand-in, and how long it took. What is wrong, in words.
 */
export async function walkReplication(walk: Walk): Promise<readonly string[]> {
  const { sandbox, window, print, patienceMs } = walk;
  const exchanges: readonly WritableExchange[] = [sandbox.exchange2003, sandbox.exchangeEws];
  const calendar = sandbox.calendars.zimbra;
  const dnAt = (exchange: WritableExchange): string => contactOf(exchange.organisation, WHO)!;

  const began = performance.now();
  const since = (): string => `${(performance.now() - began).toFixed(0).padStart(6)} ms`;
  const stops = [
    sandbox.zimbra.onSignal(({ address, seq }) => address === WHO && print(`${since()}  AdminWaitSetResponse seq="${seq}" names the account of ${WHO}`)),
    ...exchanges.map((exchange) => exchange.onPublished(({ operation, legacyExchangeDn, message }) => {
      if (legacyExchangeDn.toLowerCase() !== dnAt(exchange).toLowerCase()) return;
      print(`${since()}  ${operation} of ${message?.subject ?? legacyExchangeDn} in EX:${exchange.organisation} of ${exchange.name}`);
    })),
  ];
  const isRight = (message: PublishedMessage): boolean => mistakeIn(message, calendar.list(WHO)) === undefined && message.publishStart <= window.start && message.publishEnd >= window.end;
  const arrivals = exchanges.map((exchange) => exchange.nextPublished(dnAt(exchange), patienceMs, isRight));
  const start = window.start + 7.5 * HOUR_MS;
  const added = calendar.add(WHO, { start, end: start + HOUR_MS, type: 'busy', subject: 'Call with Exchange users' });
  print(`     0 ms  added at Zimbra: ${WHO}, ${added.type}, ${clockTime(added.start)} to ${clockTime(added.end)}`);
  const outcomes = await Promise.allSettled(arrivals.map(async (arrival) => ({ message: await arrival, tookMs: Math.round(performance.now() - began) })));
  for (const stop of stops) stop();

  const mistakes: string[] = [];
  for (const [index, outcome] of outcomes.entries()) {
    const exchange = exchanges[index]!;
    if (outcome.status === 'rejected') {
      const there = exchange.published().find((one) => one.legacyExchangeDn.toLowerCase() === dnAt(exchange).toLowerCase());
      for (const line of there === undefined ? [] : messageInWords(there)) print(`   ${line}`);
      mistakes.push(`${exchange.name} does not show it after ${patienceMs} ms: ${there === undefined ? 'no message' : (mistakeIn(there, calendar.list(WHO)) ?? 'today is not published')}`);
      continue;
    }
    print(`   ${exchange.name}, decoded by itself:`);
    for (const line of messageInWords(outcome.value.message)) print(`     ${line}`);
    print(`   ${outcome.value.tookMs} ms from the change in Zimbra to the message in ${exchange.name}`);
  }
  return mistakes;
}

async function messageAbout(exchange: WritableExchange, dn: string, patienceMs: number): Promise<PublishedMessage | undefined> {
  const there = (): PublishedMessage | undefined => exchange.published().find((one) => one.legacyExchangeDn.toLowerCase() === dn.toLowerCase());
  return there() ?? exchange.nextPublished(dn, patienceMs).catch(there);
}

/** Where a message and the calendar that it is about say different things; undefined where they agree to the minute. */
export function mistakeIn(message: PublishedMessage, entries: readonly Entry[]): string | undefined {
  const { publishStart, publishEnd } = message;
  const minutes = entries.map((one) => ({ start: Math.floor(one.start / MINUTE_MS) * MINUTE_MS, end: Math.ceil(one.end / MINUTE_MS) * MINUTE_MS, status: ENTRY_STATUS[one.type] }));
  const shown = shownOfMessage(message, publishStart, publishEnd);
  for (const expected of tile(minutes, publishStart, publishEnd)) {
    const wrong = shown.find((one) => one.start < expected.end && one.end > expected.start && one.status !== expected.status);
    if (wrong === undefined) continue;
    const [from, to] = [Math.max(wrong.start, expected.start), Math.min(wrong.end, expected.end)].map((at) => new Date(at).toISOString().slice(0, 16).replace('T', ' '));
    return `${from} to ${to} is ${wrong.status}, not ${expected.status}`;
  }
  return undefined;
}
