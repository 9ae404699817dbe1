import { DAY_MS } from '../../core/clock.ts';
import type { Clock, Instant } from '../../core/clock.ts';
import { toBridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Logger } from '../../core/logger.ts';
import type { RequestContext } from '../../core/request-context.ts';
import { untilAborted } from '../../core/until-aborted.ts';
import { within } from '../../core/within.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { QueryPart } from '../../freebusy/ask-in-parts.ts';
import type { WorkingHours } from '../../freebusy/free-busy.ts';
import { floorTo } from '../../freebusy/interval.ts';
import type { Interval } from '../../freebusy/interval.ts';
import type { RequestBudget } from '../../platform/http-client/request-budget.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { explainUsers } from './explain.ts';
import { encodeGetWorkingHoursRequest } from './get-working-hours-request.ts';
import { decodeGetWorkingHoursResponse } from './read-get-working-hours-response.ts';
import { isTokenRefusal, isUnknownOperation } from './upstream-answer.ts';
import type { ZimbraExchange } from './upstream-answer.ts';
import { WorkingHoursBudget } from './working-hours-budget.ts';

/** The client's own ways to speak to its server. */
export interface WorkingHoursServices {
  readonly name: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly token: (signal: AbortSignal, budget: RequestBudget) => Promise<string>;
  readonly send: (request: XmlNode, token: string, signal: AbortSignal, budget: RequestBudget, hops: number) => Promise<ZimbraExchange>;
}

/**
 * Asks about the mailboxes of one part, beside its free/busy; who is missing in what comes has no known hours. Never throws, and ends in time for
 * the free/busy to be answered.
 *
 * @param freeBusy the same part's free/busy, under way
 */
export type AskWorkingHours = (part: QueryPart, freeBusy: Promise<unknown>) => Promise<ReadonlyMap<MailboxAddress, WorkingHours>>;

/** How one lookup speaks to the server. */
interface Ways {
  readonly token: (signal: AbortSignal) => Promise<string>;
  readonly send: (request: XmlNode, token: string, signal: AbortSignal) => Promise<ZimbraExchange>;
}

const NONE: ReadonlyMap<MailboxAddress, WorkingHours> = new Map();

/**
 * GetWorkingHours of a Zimbra (zimbra.md §2.5), asked beside GetFreeBusy and worth nothing without it: whatever becomes of it, free/busy is answered as
 * if it had not been asked. So it signs nobody in anew, follows no redirect, and after the first refusal within a lookup it is not asked on.
 */
export class WorkingHoursQuestions {
  readonly #services: WorkingHoursServices;
  #notBefore: Instant = Number.NEGATIVE_INFINITY;

  constructor(services: WorkingHoursServices) {
    this.#services = services;
  }

  /** @param budget the lookup's: refusals of these questions count there */
  forLookup(ctx: RequestContext, budget: RequestBudget): AskWorkingHours {
    const { token, send } = this.#services;
    const own = new WorkingHoursBudget(budget);
    // A sign-in serves free/busy as well, so it may do all that free/busy's may.
    const ways: Ways = { token: (signal) => token(signal, budget), send: (request, taken, signal) => send(request, taken, signal, own, ctx.hops) };
    // The first one goes ahead; the other parts' follow where it was answered.
    let first: Promise<unknown> | undefined;
    return async (part, freeBusy) => {
      const before = first;
      const mine = before === undefined ? this.#ask(part, freeBusy, ctx, ways) : before.then((answered) => (answered === undefined ? undefined : this.#ask(part, freeBusy, ctx, ways)));
      first ??= mine;
      return (await mine) ?? NONE;
    };
  }

  /** Undefined where there was no answer. */
  async #ask(part: QueryPart, freeBusy: Promise<unknown>, ctx: RequestContext, ways: Ways): Promise<ReadonlyMap<MailboxAddress, WorkingHours> | undefined> {
    const { name, clock, logger } = this.#services;
    const left = ctx.deadline - clock.now();
    const patienceMs = Math.floor(left - Math.min(LIMITS.workingHoursKeptBackMs, left / 5));
    if (clock.now() < this.#notBefore || patienceMs <= 0) return undefined;
    let hasFreeBusy = false;
    const settled = freeBusy.then(() => void (hasFreeBusy = true), () => undefined);
    try {
      return await within(patienceMs, ctx.signal, (signal) => untilAborted(this.#exchange(part, settled, ctx, signal, ways), signal));
    } catch (thrown) {
      const error = toBridgeError(thrown);
      const isLacking = isUnknownOperation(error) || (isTokenRefusal(error) && hasFreeBusy);
      const isSilent = error.code === 'DEADLINE' && hasFreeBusy && !ctx.signal.aborted;
      if (isLacking) this.#notBefore = clock.now() + LIMITS.workingHoursUnknownForMs;
      if (isSilent) this.#notBefore = clock.now() + LIMITS.workingHoursSilentForMs;
      const note = { requestId: ctx.requestId, system: name, protocol: 'zimbra-soap', code: error.code, fault: error.details['fault'] };
      if (isLacking || isSilent) logger.info(note, 'no working hours, not asked again for a while');
      else logger.debug(note, 'no working hours');
      ctx.explain?.({ system: name, kind: 'no-data', text: `no working hours: ${error.code}: ${error.publicMessage}` });
      return undefined;
    }
  }

  async #exchange({ mailboxes, window }: QueryPart, freeBusy: Promise<unknown>, ctx: RequestContext, signal: AbortSignal, { token, send }: Ways): Promise<ReadonlyMap<MailboxAddress, WorkingHours>> {
    const { name } = this.#services;
    const start = floorTo(window.start, DAY_MS);
    const week: Interval = { start, end: start + 7 * DAY_MS };
    const request = encodeGetWorkingHoursRequest(mailboxes, week);
    ctx.explain?.({ system: name, kind: 'request', text: `GetWorkingHoursRequest for ${mailboxes.join(', ')}, the week from ${new Date(start).toISOString()} on` });
    const taken = await token(signal);
    const { response } = await send(request, taken, signal).catch(async (error: unknown) => {
      if (!isTokenRefusal(error)) throw error;
      // Where the token has really ended, free/busy learns it as well and brings a new one.
      await freeBusy;
      const renewed = await token(signal);
      if (renewed === taken) throw error;
      return send(request, renewed, signal);
    });
    if (ctx.explain !== undefined) for (const text of explainUsers(response)) ctx.explain({ system: name, kind: 'answer', text: `working hours of ${text}` });
    return decodeGetWorkingHoursResponse(response, mailboxes, week);
  }
}
