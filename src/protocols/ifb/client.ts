import { BridgeError, toBridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { RequestContext } from '../../core/request-context.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { askInParts, groupsOf } from '../../freebusy/ask-in-parts.ts';
import type { QueryPart } from '../../freebusy/ask-in-parts.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';
import type { CalendarSystem, CalendarSystemOptions } from '../../freebusy/calendar-system.ts';
import { freeBusyFrom } from '../../freebusy/free-busy.ts';
import type { FreeBusyQuery, FreeBusyResult } from '../../freebusy/source.ts';
import type { BackEndLoads } from '../../platform/http-client/load/back-end-load.ts';
import { HttpClient } from '../../platform/http-client/http-client.ts';
import { basicAuthentication } from '../../platform/http-client/interceptors.ts';
import { RequestBudget } from '../../platform/http-client/request-budget.ts';
import { ICALENDAR_MEDIA_TYPE } from '../icalendar/names.ts';
import { readIfbAnswer } from './answer.ts';
import type { IfbFetched } from './answer.ts';
import { probeIfb } from './probe.ts';
import { expandUrlTemplate, parseUrlTemplate } from './url-template.ts';
import type { UrlTemplate } from './url-template.ts';

export interface IfbOptions extends CalendarSystemOptions {
  /** Template with `{address}`, `{localPart}`, `{domain}`, `{start}`, `{end}` in path or query; its query is a secret. */
  readonly url: string;
  /** Basic, sent without waiting for a challenge; both or neither. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Absent: as much is asked as there is. */
  readonly loads?: BackEndLoads | undefined;
  /** Requests at the same time; absent: LIMITS.ifbConcurrency. */
  readonly concurrency?: number | undefined;
}

/** A calendar system that publishes one VFREEBUSY a mailbox under a URL (Outlook's Internet Free/Busy and many others; a Zimbra is better asked as `type: zimbra`). */
export class IfbSystem implements CalendarSystem {
  readonly #options: IfbOptions;
  readonly #template: UrlTemplate;
  readonly #http: HttpClient;

  /** @throws BridgeError CONFIGURATION when the url is no good template */
  constructor(options: IfbOptions) {
    this.#options = options;
    this.#template = parseUrlTemplate(options.url);
    const signsIn = options.username !== undefined && options.password !== undefined;
    this.#http = new HttpClient({
      ca: options.ca,
      minTlsVersion: options.minTlsVersion,
      redirectHosts: options.hosts,
      load: options.loads?.of(this.#template.origin, options.username?.toLowerCase() ?? '', options.concurrency ?? LIMITS.ifbConcurrency),
      interceptors: signsIn ? [basicAuthentication(options.username, options.password)] : [],
    });
  }

  async freeBusy(query: FreeBusyQuery, ctx: RequestContext): Promise<readonly FreeBusyResult[]> {
    const budget = new RequestBudget();
    return askInParts(query, ctx, {
      group: (mailboxes) => groupsOf(mailboxes, 1),
      // A URL without a window brings all there is: asking for pieces would bring the same again.
      maxDays: this.#template.hasWindow ? LIMITS.upstreamWindowDays : LIMITS.windowDays,
      now: () => this.#options.clock.now(),
      ask: async (part) => [await this.#askOne(part, ctx, budget)],
    });
  }

  async probe(ctx: RequestContext): Promise<readonly ProbeFinding[]> {
    const { clock, probeMailbox } = this.#options;
    return probeIfb({ clock, mailbox: probeMailbox, hasAccount: this.#options.username !== undefined, get: (mailbox, window) => this.#get(mailbox, window, ctx, new RequestBudget()) });
  }

  async close(): Promise<void> {
    await this.#http.close();
  }

  async #askOne({ mailboxes, window }: QueryPart, ctx: RequestContext, budget: RequestBudget): Promise<FreeBusyResult> {
    const mailbox = mailboxes[0]!;
    const { name, clock, logger } = this.#options;
    try {
      const { reply, status } = await this.#get(mailbox, window, ctx, budget);
      ctx.explain?.({ system: name, kind: 'answer', text: `${status}, VFREEBUSY ${span(reply.window)}: ${listOf(reply.busy)}` });
      return { mailbox, freeBusy: freeBusyFrom(mailbox, window, { busy: reply.busy, known: [reply.window] }), asOf: clock.now() };
    } catch (thrown) {
      const error = toBridgeError(thrown);
      logger.debug({ requestId: ctx.requestId, system: name, protocol: 'ifb', mailbox, code: error.code, reason: reasonOf(error) }, 'no free/busy');
      // No other mailbox will be answered either.
      if (error.code === 'BACKEND_AUTH') throw error;
      return { mailbox, error };
    }
  }

  async #get(mailbox: MailboxAddress, window: FreeBusyQuery['window'], ctx: RequestContext, budget: RequestBudget): Promise<IfbFetched> {
    const url = expandUrlTemplate(this.#template, mailbox, window);
    if (url === undefined) throw new BridgeError('MAILBOX_UNKNOWN', 'the address can have no URL there');
    ctx.explain?.({ system: this.#options.name, kind: 'request', text: `GET ${url.origin}${url.pathname}${url.search === '' ? '' : '?…'}` });
    const answer = await this.#http.request({
      method: 'GET',
      url,
      headers: { accept: `${ICALENDAR_MEDIA_TYPE}, */*;q=0.1` },
      signal: ctx.signal,
      deadline: ctx.deadline,
      budget,
      hops: ctx.hops,
    });
    return { reply: await readIfbAnswer(answer), status: answer.status, date: answer.headers['date'] };
  }
}

/** Periods shown by `lookup --explain`. */
const EXPLAINED_PERIODS = 50;

function listOf(busy: IfbFetched['reply']['busy']): string {
  const shown = busy.slice(0, EXPLAINED_PERIODS).map((one) => `${one.busyType} ${span(one)}`);
  const rest = busy.length - shown.length;
  return [...shown, ...(rest > 0 ? [`and ${rest} more`] : [])].join(', ') || 'nothing busy';
}

function span({ start, end }: FreeBusyQuery['window']): string {
  return `${new Date(start).toISOString()}/${new Date(end).toISOString()}`;
}

function reasonOf(error: BridgeError): string | undefined {
  const reason = error.details['reason'];
  return typeof reason === 'string' ? reason : undefined;
}
