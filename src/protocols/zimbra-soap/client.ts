import { MINUTE_MS } from '../../core/clock.ts';
import { LIMITS } from '../../core/limits.ts';
import type { RequestContext } from '../../core/request-context.ts';
import { askInParts, groupsOf } from '../../freebusy/ask-in-parts.ts';
import type { QueryPart } from '../../freebusy/ask-in-parts.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';
import type { CalendarSystem, CalendarSystemOptions } from '../../freebusy/calendar-system.ts';
import { alignOutward } from '../../freebusy/interval.ts';
import type { FreeBusyQuery, FreeBusyResult } from '../../freebusy/source.ts';
import { RequestBudget } from '../../platform/http-client/request-budget.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { explainUsers } from './explain.ts';
import { encodeGetFreeBusyRequest } from './get-free-busy-request.ts';
import { probeZimbra } from './probe.ts';
import { decodeGetFreeBusyResponse } from './read-get-free-busy-response.ts';
import type { ZimbraExchange } from './upstream-answer.ts';
import { ZimbraUserConnection } from './user-connection.ts';
import { WorkingHoursQuestions } from './working-hours-questions.ts';
import type { AskWorkingHours } from './working-hours-questions.ts';

export interface ZimbraOptions extends CalendarSystemOptions {
  /** The server's root; `/service/soap/` is appended. */
  readonly url: URL;
  /** An ordinary account: what it may see is what users grant (viewFreeBusy). */
  readonly username: string;
  readonly password: string;
}

/** A Zimbra server asked by SOAP (XML, 1.2) with an ordinary account's token; never as an administrator. */
export class ZimbraSystem implements CalendarSystem {
  readonly #options: ZimbraOptions;
  readonly #connection: ZimbraUserConnection;
  readonly #workingHours: WorkingHoursQuestions;

  constructor(options: ZimbraOptions) {
    this.#options = options;
    this.#connection = new ZimbraUserConnection(options);
    this.#workingHours = new WorkingHoursQuestions({
      name: options.name,
      clock: options.clock,
      logger: options.logger,
      token: (signal, budget) => this.#connection.token(signal, budget),
      send: (request, token, signal, budget, hops) => this.#connection.send(request, token, { signal, budget, hops }),
    });
  }

  async freeBusy(query: FreeBusyQuery, ctx: RequestContext): Promise<readonly FreeBusyResult[]> {
    const budget = new RequestBudget();
    const askHours = query.workingHours === true ? this.#workingHours.forLookup(ctx, budget) : undefined;
    return askInParts(query, ctx, {
      group: (mailboxes) => groupsOf(mailboxes, LIMITS.zimbraMailboxesPerRequest),
      maxDays: LIMITS.zimbraWindowDays,
      now: () => this.#options.clock.now(),
      // They do not depend on the window: the first piece of a long one brings them for all.
      ask: (part) => this.#withHours(part, part.window.start === query.window.start ? askHours : undefined, this.#askPart(part, query.details, ctx, budget)),
    });
  }

  async probe(ctx: RequestContext): Promise<readonly ProbeFinding[]> {
    const { clock, username, probeMailbox } = this.#options;
    const budget = new RequestBudget();
    return probeZimbra({
      clock,
      username,
      mailbox: probeMailbox,
      call: (request) => this.#call(request, ctx, budget),
      signIn: async () => void (await this.#connection.token(ctx.signal, budget)),
    });
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  async #withHours(part: QueryPart, askHours: AskWorkingHours | undefined, freeBusy: Promise<readonly FreeBusyResult[]>): Promise<readonly FreeBusyResult[]> {
    if (askHours === undefined) return freeBusy;
    const asked = askHours(part, freeBusy);
    const results = await freeBusy;
    const hours = await asked;
    return results.map((result) => {
      const workingHours = hours.get(result.mailbox);
      return 'error' in result || workingHours === undefined ? result : { ...result, freeBusy: { ...result.freeBusy, workingHours } };
    });
  }

  async #askPart({ mailboxes, window }: QueryPart, details: boolean, ctx: RequestContext, budget: RequestBudget): Promise<readonly FreeBusyResult[]> {
    const { name, clock, logger } = this.#options;
    // Whole minutes: Zimbra zeroes the seconds of both ends for users of its own providers, and would leave the last one short.
    const asked = alignOutward(window, MINUTE_MS);
    const from = `${new Date(asked.start).toISOString()} to ${new Date(asked.end).toISOString()}`;
    ctx.explain?.({ system: name, kind: 'request', text: `GetFreeBusyRequest for ${mailboxes.join(', ')}, ${from}` });
    const { response } = await this.#call(encodeGetFreeBusyRequest(mailboxes, asked), ctx, budget);
    if (ctx.explain !== undefined) for (const text of explainUsers(response)) ctx.explain({ system: name, kind: 'answer', text });
    const results = decodeGetFreeBusyResponse(response, { mailboxes, window, details, now: clock.now() });
    for (const result of results) {
      if (!('error' in result)) continue;
      const { mailbox, error } = result;
      logger.debug({ requestId: ctx.requestId, system: name, protocol: 'zimbra-soap', mailbox, code: error.code }, 'no free/busy');
    }
    return results;
  }

  async #call(request: XmlNode, ctx: RequestContext, budget: RequestBudget): Promise<ZimbraExchange> {
    return this.#connection.call(request, { signal: ctx.signal, deadline: ctx.deadline, budget, hops: ctx.hops });
  }
}
