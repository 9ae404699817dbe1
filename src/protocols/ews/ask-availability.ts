import { setMaxListeners } from 'node:events';
import type { Clock } from '../../core/clock.ts';
import { DAY_MS } from '../../core/clock.ts';
import { toBridgeError } from '../../core/errors.ts';
import type { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { askInParts, groupsOf } from '../../freebusy/ask-in-parts.ts';
import type { QueryPart } from '../../freebusy/ask-in-parts.ts';
import { splitWindow } from '../../freebusy/interval.ts';
import type { Interval } from '../../freebusy/interval.ts';
import type { FreeBusyResult } from '../../freebusy/source.ts';
import type { EwsConnection, Exchange } from './connection.ts';
import { decodeGetUserAvailabilityResponse, encodeGetUserAvailabilityRequest, mergedInterval, requestedView } from './get-user-availability.ts';
import { commonError } from './response-message.ts';
import type { EwsLane } from './servers/knowledge.ts';
import type { KnownServer } from './servers/known-server.ts';

export interface AvailabilityAsk {
  readonly connection: EwsConnection;
  readonly exchange: Exchange;
  /** Subjects and places are wanted. */
  readonly details: boolean;
  readonly clock: Clock;
  readonly note: (kind: 'request' | 'answer' | 'route', text: string) => void;
}

/**
 * GetUserAvailability for one lookup: asks as much at once as the server takes, learns from its refusals how much that is (for everybody who asks this
 * server), and asks again in smaller parts. One mailbox that cannot be answered together with others is asked alone; the others keep their answers.
 */
export class AvailabilityLookup {
  readonly #ask: AvailabilityAsk;
  #refusalsLeft = LIMITS.ewsTooLargePerLookup;

  constructor(ask: AvailabilityAsk) {
    this.#ask = ask;
    // Parts of parts wait for the same end: no leak, whatever Node thinks of more than ten.
    setMaxListeners(0, ask.exchange.ctx.signal);
  }

  /** One result a mailbox, in order. @throws BridgeError where the part as a whole failed */
  async ask(part: QueryPart): Promise<readonly FreeBusyResult[]> {
    const { connection, exchange, details, clock } = this.#ask;
    if (this.#fits(part)) {
      const answered = await this.#once(part);
      if (answered !== 'too large') return this.#completed(answered.results, part.window, answered.lane);
    }
    const { mailboxes, days } = connection.limits;
    return askInParts({ ...part, details }, exchange.ctx, {
      group: (all) => groupsOf(all, mailboxes),
      maxDays: days,
      now: () => clock.now(),
      ask: (smaller) => this.ask(smaller),
    });
  }

  #fits({ mailboxes, window }: QueryPart): boolean {
    const { limits } = this.#ask.connection;
    return mailboxes.length <= limits.mailboxes && splitWindow(window, limits.days).length === 1;
  }

  async #once(part: QueryPart): Promise<{ readonly results: readonly FreeBusyResult[]; readonly lane: EwsLane | undefined } | 'too large'> {
    const { connection, exchange, details, clock, note } = this.#ask;
    const question = { ...part, details, intervalMinutes: connection.limits.intervalMinutes };
    note('request', `GetUserAvailability: ${requestedView(question)}, ${mergedInterval(question)}-minute digits, ${described(part.window)}: ${part.mailboxes.join(' ')}`);
    let lane: EwsLane | undefined;
    const asking: Exchange['asking'] = (one) => {
      lane = one;
      exchange.asking?.(one);
    };
    try {
      const { body } = await connection.call('GetUserAvailability', encodeGetUserAvailabilityRequest(question), { ...exchange, asking });
      // Some say in every mailbox's place what is wrong with the request.
      const common = commonError(body);
      if (common !== undefined && sizeIn(common) !== undefined && common.details['responseCode'] !== DL_LIMIT) throw common;
      const asOf = clock.now();
      const results = (await decodeGetUserAvailabilityResponse(body, question)).map((result): FreeBusyResult => {
        if ('error' in result) return { mailbox: result.mailbox, error: result.error };
        if (exchange.ctx.explain !== undefined) note('answer', `${result.mailbox}: ${result.seen()}`);
        return { mailbox: result.mailbox, freeBusy: result.freeBusy, asOf };
      });
      return { results, lane };
    } catch (thrown) {
      const error = toBridgeError(thrown);
      const at = lane;
      if (at === undefined || !this.#learn(error, question, at.server)) throw error;
      note('route', `${at.server.url.origin} takes less at once: ${String(error.details['responseCode'] ?? error.details['status'])}`);
      return 'too large';
    }
  }

  /** Whether something was learnt of it that makes another try worth while. */
  #learn(error: BridgeError, question: QueryPart & { readonly intervalMinutes: number | undefined }, server: KnownServer): boolean {
    const size = sizeIn(error);
    if (size === undefined || this.#refusalsLeft <= 0) return false;
    this.#refusalsLeft -= 1;
    switch (size) {
      case 'mailboxes':
        return server.refusedMailboxes(question.mailboxes.length);
      case 'days':
        return server.refusedDays(Math.ceil((question.window.end - question.window.start) / DAY_MS));
      case 'interval':
        return server.refusedInterval(mergedInterval(question));
    }
  }

  /** Whoever was answered only that it was too much is asked once more alone; for whom the server says how long it is busy, whoever else is left. */
  async #completed(results: readonly FreeBusyResult[], window: Interval, lane: EwsLane | undefined): Promise<readonly FreeBusyResult[]> {
    const lists = results.length > 1 ? results.filter((one) => codeOf(one) === DL_LIMIT) : [];
    const busy = results.filter((one) => {
      const isBusy = 'error' in one && one.error.code === 'BACKEND_BUSY' && one.error.retryAfterMs !== undefined;
      if (isBusy && lane !== undefined) this.#ask.connection.toldToWait(lane, one.error);
      return isBusy;
    });
    const again = new Map<string, FreeBusyResult>();
    for (const group of [...lists.map((one) => [one]), ...(busy.length === 0 ? [] : [busy])]) {
      if (this.#refusalsLeft <= 0) break;
      this.#refusalsLeft -= 1;
      const asked = await this.ask({ mailboxes: group.map((one) => one.mailbox), window }).catch(() => []);
      for (const one of asked) again.set(one.mailbox, one);
    }
    return again.size === 0 ? results : results.map((one) => again.get(one.mailbox) ?? one);
  }
}

/** Members of a distribution list count as mailboxes (exchange.md §3.2). */
const DL_LIMIT = 'ErrorFreeBusyDLLimitReached';

/** What of a request is too large; undefined: it was refused for another reason. */
function sizeIn({ details }: BridgeError): Size | undefined {
  const { responseCode, isTooLarge } = details;
  if (isTooLarge === true) return 'mailboxes';
  return SIZES.get(String(responseCode)) ?? (/^ErrorBatchSize/.test(String(responseCode)) ? 'mailboxes' : undefined);
}

type Size = 'mailboxes' | 'days' | 'interval';

const SIZES: ReadonlyMap<string, Size> = new Map<string, Size>([
  ['ErrorMailboxDataArrayTooBig', 'mailboxes'],
  ['ErrorMessageSizeExceeded', 'mailboxes'],
  [DL_LIMIT, 'mailboxes'],
  ['ErrorTimeIntervalTooBig', 'days'],
  ['ErrorInvalidMergedFreeBusyInterval', 'interval'],
]);

function codeOf(result: FreeBusyResult): unknown {
  return 'error' in result ? result.error.details['responseCode'] : undefined;
}

function described(window: Interval): string {
  return `${new Date(window.start).toISOString()}/${new Date(window.end).toISOString()}`;
}
