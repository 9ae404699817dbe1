import { HOUR_MS } from '../../core/clock.ts';
import type { Clock } from '../../core/clock.ts';
import { BridgeError, toBridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Logger } from '../../core/logger.ts';
import type { ExplainNote, RequestContext } from '../../core/request-context.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { askInParts, groupsOf } from '../../freebusy/ask-in-parts.ts';
import type { QueryPart } from '../../freebusy/ask-in-parts.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';
import type { CalendarSystem, CalendarSystemOptions } from '../../freebusy/calendar-system.ts';
import type { Interval } from '../../freebusy/interval.ts';
import type { FreeBusyQuery, FreeBusyResult } from '../../freebusy/source.ts';
import { RequestBudget } from '../../platform/http-client/request-budget.ts';
import { freeBusyFromMessage, publishRange } from '../schedule-plus/free-busy-from-message.ts';
import { legacyExchangeDnFromTemplate, locateMessage } from '../schedule-plus/legacy-exchange-dn.ts';
import type { DirectoryDn } from '../schedule-plus/legacy-exchange-dn.ts';
import type { MessageLocation } from '../schedule-plus/legacy-exchange-dn.ts';
import { AvailabilityLookup } from './ask-availability.ts';
import { EwsConnection } from './connection.ts';
import type { EwsEndpoint, Exchange } from './connection.ts';
import { noting, probeServers } from './probe.ts';
import { FreeBusyFolders, readMessages } from './public-folder.ts';

export interface ExchangeEwsOptions extends CalendarSystemOptions, EwsEndpoint {
  readonly clock: Clock;
  readonly logger: Logger;
  /** `query`: GetUserAvailability; `public-folder`: the SCHEDULE+ FREE BUSY message (2007 SP1 and 2010 only). */
  readonly lookup: 'query' | 'public-folder';
  /** Template of the mailboxes' legacyExchangeDN; needed with `public-folder`. */
  readonly legacyExchangeDn?: string | undefined;
  readonly directoryDn?: DirectoryDn | undefined;
  /** Where the mailbox that `check` makes up would live, if none is named; default: the endpoint's host. */
  readonly probeDomain?: string | undefined;
}

/** An Exchange, or a server that is almost one, asked over EWS: any number of servers that stand for each other, and of accounts. */
export class ExchangeEwsSystem implements CalendarSystem {
  readonly #options: ExchangeEwsOptions;
  readonly #connection: EwsConnection;
  readonly #folders = new FreeBusyFolders();

  constructor(options: ExchangeEwsOptions) {
    this.#options = options;
    this.#connection = new EwsConnection(options);
  }

  async freeBusy(query: FreeBusyQuery, ctx: RequestContext): Promise<readonly FreeBusyResult[]> {
    return this.#freeBusy(query, { ctx, budget: new RequestBudget() });
  }

  async probe(ctx: RequestContext): Promise<readonly ProbeFinding[]> {
    const { clock, probeMailbox, probeDomain, servers, lookup, impersonate } = this.#options;
    const mailbox = probeMailbox ?? (`freebusy-bridge-check@${probeDomain ?? servers[0]?.hostname ?? 'example.com'}` as MailboxAddress);
    const start = clock.now();
    const query: FreeBusyQuery = { mailboxes: [mailbox], window: { start, end: start + HOUR_MS }, details: false };
    return probeServers({
      connection: this.#connection,
      ask: async (at, seen) => {
        const [result] = await this.#freeBusy(query, { ctx, budget: new RequestBudget(), manner: { at, isExact: true }, ...noting(seen) });
        return result !== undefined && 'error' in result ? result.error : undefined;
      },
      signal: ctx.signal,
      lookup,
      impersonate,
      isMadeUp: probeMailbox === undefined,
      now: () => clock.now(),
    });
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  #freeBusy(query: FreeBusyQuery, exchange: Exchange): Promise<readonly FreeBusyResult[]> {
    const note = (kind: ExplainNote['kind'], text: string): void => this.#note(exchange, kind, text);
    const told: Exchange = { ...exchange, told: (text) => note('route', text) };
    const isQuery = this.#options.lookup === 'query';
    const availability = new AvailabilityLookup({ connection: this.#connection, exchange: told, details: query.details, clock: this.#options.clock, note });
    const { mailboxes: size, days } = this.#connection.limits;
    return askInParts(query, exchange.ctx, {
      group: (mailboxes) => groupsOf(mailboxes, isQuery ? size : LIMITS.ewsMailboxesPerRequest),
      // A message holds all that was published: one reading does for any window.
      maxDays: isQuery ? days : LIMITS.windowDays,
      now: () => this.#options.clock.now(),
      ask: (part) => (isQuery ? availability.ask(part) : this.#read(part, told)),
    });
  }

  /** Messages of one `EX:` folder are read together; a folder that fails spoils no other. */
  async #read(part: QueryPart, exchange: Exchange): Promise<readonly FreeBusyResult[]> {
    const byFolder = new Map<string, { readonly mailbox: MailboxAddress; readonly location: MessageLocation }[]>();
    const results: FreeBusyResult[] = [];
    for (const mailbox of part.mailboxes) {
      try {
        const location = this.#locate(mailbox);
        const key = location.folder.toLowerCase();
        byFolder.set(key, [...(byFolder.get(key) ?? []), { mailbox, location }]);
      } catch (error) {
        results.push({ mailbox, error: toBridgeError(error) });
      }
    }
    for (const wanted of byFolder.values()) results.push(...(await this.#readFolder(wanted, part.window, exchange)));
    return results;
  }

  async #readFolder(
    wanted: readonly { readonly mailbox: MailboxAddress; readonly location: MessageLocation }[],
    window: Interval,
    exchange: Exchange,
  ): Promise<readonly FreeBusyResult[]> {
    for (const { mailbox, location } of wanted) this.#note(exchange, 'request', `${mailbox}: ${location.folder} ${location.subject}`);
    try {
      const messages = await readMessages(
        this.#folders,
        async (operation, body) => (await this.#connection.call(operation, body, exchange)).body,
        wanted.map((one) => one.location),
      );
      return wanted.map(({ mailbox }, index) => {
        const message = messages[index]!;
        if (message instanceof BridgeError) return { mailbox, error: message };
        const freeBusy = freeBusyFromMessage(message, mailbox, window);
        for (const reason of message.oddities) {
          this.#options.logger.info({ system: this.#options.name, mailbox, reason }, 'odd free/busy message');
        }
        const range = publishRange(message);
        const published = range === undefined ? 'without a publish range' : `for ${describeWindow(range)}`;
        this.#note(exchange, 'answer', `${mailbox}: message ${published}, ${freeBusy.busy.length} stretches in the window`);
        // As old as its publication, where it says when that was.
        return { mailbox, freeBusy, asOf: Math.min(message.rangeTimestamp ?? Infinity, this.#options.clock.now()) };
      });
    } catch (thrown) {
      const error = toBridgeError(thrown);
      // Refused credentials stop the other parts too.
      if (error.code === 'BACKEND_AUTH') throw error;
      return wanted.map(({ mailbox }) => ({ mailbox, error }));
    }
  }

  #locate(mailbox: MailboxAddress): MessageLocation {
    const template = this.#options.legacyExchangeDn;
    if (template === undefined) throw new BridgeError('CONFIGURATION', 'lookup: public-folder needs legacyExchangeDn');
    return locateMessage(this.#options.directoryDn?.(mailbox) ?? legacyExchangeDnFromTemplate(template, mailbox));
  }

  #note(exchange: Exchange, kind: ExplainNote['kind'], text: string): void {
    exchange.ctx.explain?.({ system: this.#options.name, kind, text });
  }
}

function describeWindow(window: Interval): string {
  return `${new Date(window.start).toISOString()}/${new Date(window.end).toISOString()}`;
}
