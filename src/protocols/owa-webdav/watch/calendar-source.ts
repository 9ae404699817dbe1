import type { Clock } from '../../../core/clock.ts';
import { BridgeError, toBridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { Logger } from '../../../core/logger.ts';
import type { ExplainNote, RequestContext } from '../../../core/request-context.ts';
import type { MailboxAddress } from '../../../directory/smtp-address.ts';
import { askInParts, groupsOf } from '../../../freebusy/ask-in-parts.ts';
import type { QueryPart } from '../../../freebusy/ask-in-parts.ts';
import { freeBusyFrom } from '../../../freebusy/free-busy.ts';
import { clip, overlaps } from '../../../freebusy/interval.ts';
import type { FreeBusyQuery, FreeBusyResult, FreeBusySource } from '../../../freebusy/source.ts';
import { RequestBudget } from '../../../platform/http-client/request-budget.ts';
import { problemOf } from '../answer-problem.ts';
import type { OwaAnswer } from '../client-connection.ts';
import type { OwaServers } from '../client-servers.ts';
import { readAnswer } from '../read-answer.ts';
import { readablePath } from './calendar-folder.ts';
import type { CalendarFolders } from './calendar-folders.ts';
import { decodeCalendarSearch, encodeCalendarSearch } from './calendar-search.ts';

export interface OwaCalendarSourceOptions {
  /** First in every line about it. */
  readonly description: string;
  readonly folders: CalendarFolders;
  readonly servers: OwaServers;
  /** Asked about calendars that may not be searched: cmd=freebusy, in slots. */
  readonly fallback: FreeBusySource;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** PORT FreeBusySource. Reads calendars themselves by SEARCH, exact to the second, one request for each; cmd=freebusy where a calendar may not be searched. */
export class OwaCalendarSource implements FreeBusySource {
  readonly #options: OwaCalendarSourceOptions;
  readonly #coarse = new Set<MailboxAddress>();

  constructor(options: OwaCalendarSourceOptions) {
    this.#options = options;
  }

  /** How many calendars were last read in slots, because they may not be searched. */
  get coarse(): number {
    return this.#coarse.size;
  }

  async freeBusy(query: FreeBusyQuery, ctx: RequestContext): Promise<readonly FreeBusyResult[]> {
    return askInParts(query, ctx, {
      group: (mailboxes) => groupsOf(mailboxes, 1),
      maxDays: LIMITS.windowDays,
      now: () => this.#options.clock.now(),
      ask: async (part) => [await this.#read(part, ctx)],
    });
  }

  async #read(part: QueryPart, ctx: RequestContext): Promise<FreeBusyResult> {
    const mailbox = part.mailboxes[0]!;
    try {
      const answer = await this.#search(part, mailbox, ctx);
      if (isSearchRefused(answer)) return await this.#inSlots(part, mailbox, new BridgeError('MAILBOX_REFUSED', 'the calendar may not be searched', { details: { status: answer.status } }), ctx);
      const problem = problemOf(answer, 207);
      if (problem !== undefined) throw problem;
      const result = await this.#decode(part, mailbox, answer, ctx);
      this.#coarse.delete(mailbox);
      return result;
    } catch (thrown) {
      const error = toBridgeError(thrown);
      if (error.code === 'BACKEND_AUTH') throw error;
      if (INSTEAD.has(error.code)) return this.#inSlots(part, mailbox, error, ctx);
      return this.#withoutData(mailbox, error, ctx);
    }
  }

  async #search({ window }: QueryPart, mailbox: MailboxAddress, ctx: RequestContext): Promise<OwaAnswer> {
    const { folders, servers } = this.#options;
    const { answer } = await folders.at(mailbox, ctx, (url) => {
      this.#explain(ctx, 'request', `SEARCH ${readablePath(url)}, ${span(window)}`);
      return servers.exchange({ method: 'SEARCH', url, headers: SEARCH_HEADERS, body: encodeCalendarSearch(window), ctx, budget: new RequestBudget() });
    });
    return answer;
  }

  async #decode({ window }: QueryPart, mailbox: MailboxAddress, answer: OwaAnswer, ctx: RequestContext): Promise<FreeBusyResult> {
    const found = await decodeCalendarSearch(await readAnswer(answer));
    const events = found.events.filter((one) => overlaps(one, window));
    const busy = found.unreadable.flatMap((one) => {
      const inside = clip(one, window);
      return inside === undefined ? [] : [{ ...inside, busyType: 'no-data' as const }];
    });
    this.#explain(ctx, 'answer', `${mailbox}: ${events.length} events${busy.length === 0 ? '' : `, ${busy.length} that cannot be read`}`);
    return { mailbox, freeBusy: freeBusyFrom(mailbox, window, { events, busy }), asOf: this.#options.clock.now() };
  }

  /** What cmd=freebusy says where the calendar itself is closed; the first reason stays where it says nothing either. */
  async #inSlots({ window }: QueryPart, mailbox: MailboxAddress, refusal: BridgeError, ctx: RequestContext): Promise<FreeBusyResult> {
    this.#explain(ctx, 'request', `${refusal.publicMessage}: cmd=freebusy instead, in slots of minutes`);
    const [result] = await this.#options.fallback.freeBusy({ mailboxes: [mailbox], window, details: false }, ctx);
    if (result === undefined || 'error' in result) return this.#withoutData(mailbox, refusal, ctx);
    this.#coarse.add(mailbox);
    return result;
  }

  #withoutData(mailbox: MailboxAddress, error: BridgeError, ctx: RequestContext): FreeBusyResult {
    const { description, logger } = this.#options;
    this.#explain(ctx, 'no-data', `${mailbox}: ${error.code}: ${error.publicMessage}`);
    logger.debug({ requestId: ctx.requestId, system: description, protocol: 'owa-webdav', mailbox, code: error.code, reason: error.publicMessage }, 'calendar not read');
    return { mailbox, error };
  }

  #explain(ctx: RequestContext, kind: ExplainNote['kind'], text: string): void {
    ctx.explain?.({ system: this.#options.description, kind, text });
  }
}

/** Of a SEARCH. */
export const SEARCH_HEADERS = { translate: 'f', 'content-type': 'text/xml; charset="utf-8"' };

/** Whether SEARCH is not allowed there, is not there, or is not understood; a 401 is about the folder, or OwaConnection would have remembered it. */
export function isSearchRefused({ status }: OwaAnswer): boolean {
  return MAY_NOT.has(status);
}

const MAY_NOT: ReadonlySet<number> = new Set([400, 401, 403, 404, 405, 410, 422, 501]);

/** The mailbox is closed, or has no calendar that could be found: the free/busy that it has published may be open. */
const INSTEAD: ReadonlySet<string> = new Set(['MAILBOX_REFUSED', 'MAILBOX_UNKNOWN', 'NO_DATA']);

function span({ start, end }: FreeBusyQuery['window']): string {
  return `${new Date(start).toISOString()}/${new Date(end).toISOString()}`;
}
