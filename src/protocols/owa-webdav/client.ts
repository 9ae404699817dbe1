import { MINUTE_MS } from '../../core/clock.ts';
import { BridgeError, toBridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { ExplainNote, RequestContext } from '../../core/request-context.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { askInParts, groupsOf } from '../../freebusy/ask-in-parts.ts';
import type { QueryPart } from '../../freebusy/ask-in-parts.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';
import type { CalendarSystem, CalendarSystemOptions } from '../../freebusy/calendar-system.ts';
import { alignOutward } from '../../freebusy/interval.ts';
import { shownSlots, slotCount } from '../../freebusy/slots.ts';
import type { FreeBusyQuery, FreeBusyResult } from '../../freebusy/source.ts';
import { below } from '../../platform/http-client/below.ts';
import { RequestBudget } from '../../platform/http-client/request-budget.ts';
import { freeBusyFromMessage, publishRange } from '../schedule-plus/free-busy-from-message.ts';
import { decodeFreeBusyMessage } from '../schedule-plus/free-busy-message.ts';
import { legacyExchangeDnFromTemplate, locateMessage } from '../schedule-plus/legacy-exchange-dn.ts';
import type { DirectoryDn, MessageLocation } from '../schedule-plus/legacy-exchange-dn.ts';
import type { RawProperties } from '../schedule-plus/properties.ts';
import { isGone, problemAbout, problemOf } from './answer-problem.ts';
import { askCommand } from './ask-command.ts';
import type { OwaAnswer } from './client-connection.ts';
import { leaseOf } from './client-connections.ts';
import type { OwaConnections, OwaLease } from './client-connections.ts';
import { probeOwa } from './client-probe.ts';
import type { OwaEndpoint } from './client-servers.ts';
import { FreeBusyFolders } from './free-busy-folders.ts';
import { decodeFreeBusyResponse, encodeFreeBusyQuery, freeBusyFromDigits } from './free-busy-query.ts';
import { folderMissing, messageIn } from './message-in-folder.ts';
import { probeEachServer } from './probe-each-server.ts';
import { decodeMessagePropfind, encodeMessagePropfind } from './propfind-message.ts';
import { readAnswer } from './read-answer.ts';

export interface OwaWebdavOptions extends CalendarSystemOptions, OwaEndpoint {
  /** `query`: cmd=freebusy. `public-folder`: PROPFIND of the free/busy message, one request a mailbox. */
  readonly lookup: 'query' | 'public-folder';
  /** Template of the legacyExchangeDN; needed by `public-folder`. */
  readonly legacyExchangeDn?: string | undefined;
  readonly directoryDn?: DirectoryDn | undefined;
  /** Shared with whatever else asks the system; absent: connections of its own. */
  readonly connections?: OwaConnections | undefined;
}

/** Minutes of one digit: Outlook's appointments begin at multiples of it, and five weeks of it are 10,080 digits. */
const SLOT_MINUTES = 5;

/** An Exchange 2000, 2003 or 2007 with its OWA and WebDAV. */
export class OwaWebdavSystem implements CalendarSystem {
  readonly #options: OwaWebdavOptions;
  readonly #lease: OwaLease;
  readonly #folders: FreeBusyFolders;

  /** @throws BridgeError CONFIGURATION when `lookup: public-folder` has no usable legacyExchangeDn */
  constructor(options: OwaWebdavOptions) {
    if (options.lookup === 'public-folder' && options.legacyExchangeDn === undefined) {
      throw new BridgeError('CONFIGURATION', 'lookup: public-folder needs legacyExchangeDn');
    }
    this.#options = options;
    this.#lease = leaseOf(options, options.connections);
    this.#folders = new FreeBusyFolders(options.clock);
  }

  async freeBusy(query: FreeBusyQuery, ctx: RequestContext): Promise<readonly FreeBusyResult[]> {
    const budget = new RequestBudget();
    const now = (): number => this.#options.clock.now();
    if (this.#options.lookup === 'public-folder') {
      const group = (mailboxes: readonly MailboxAddress[]): readonly (readonly MailboxAddress[])[] => groupsOf(mailboxes, 1);
      // A message has all there is; pieces of the window would only read it again.
      return askInParts(query, ctx, { group, maxDays: LIMITS.windowDays, now, ask: async (part) => [await this.#readMessage(part, ctx, budget)] });
    }
    return askInParts(query, ctx, {
      group: (mailboxes, window) => this.#groups(mailboxes, window),
      maxDays: LIMITS.upstreamWindowDays,
      now,
      ask: (part) => this.#query(part, ctx, budget),
    });
  }

  async probe(ctx: RequestContext): Promise<readonly ProbeFinding[]> {
    const { clock, lookup, auth, probeMailbox } = this.#options;
    return probeEachServer(this.#lease.servers, (server) =>
      probeOwa({ root: server.url, lookup, auth, clock, mailbox: probeMailbox, send: (request) => server.send({ ...request, ctx, budget: new RequestBudget() }) }),
    );
  }

  async close(): Promise<void> {
    await this.#lease.close();
  }

  async #query(part: QueryPart, ctx: RequestContext, budget: RequestBudget): Promise<readonly FreeBusyResult[]> {
    const { clock } = this.#options;
    const { mailboxes, window } = part;
    const aligned = alignOutward(window, SLOT_MINUTES * MINUTE_MS);
    const byMailbox = await this.#lease.servers.ask(ctx, async (server, asking) => {
      const url = queryUrl(server.url, mailboxes, aligned);
      this.#explain(ctx, 'request', `GET ${url.pathname}?cmd=freebusy&…&interval=${SLOT_MINUTES} about ${mailboxes.join(' ')}, ${span(aligned)}${this.#named(server.url)}`);
      return decodeFreeBusyResponse(await askCommand(server, url.search.slice(1), asking, budget), new Set(mailboxes));
    });
    return mailboxes.map((mailbox): FreeBusyResult => {
      const digits = byMailbox.get(mailbox) ?? { error: new BridgeError('NO_DATA', 'the answer does not speak about this mailbox') };
      if ('error' in digits) return this.#withoutData(mailbox, digits.error, ctx);
      this.#explain(ctx, 'answer', `${mailbox}: ${shownSlots(digits.fbdata)}`);
      // A server that minds its own interval sends another number of them, and a line break shifts all that follow. One too many is rounding.
      if (/[\t\r\n]/.test(digits.fbdata) || digits.fbdata.length > slotCount(aligned, SLOT_MINUTES) + 1) {
        return this.#withoutData(mailbox, new BridgeError('NO_DATA', 'the digits are not those of the window'), ctx);
      }
      return { mailbox, freeBusy: freeBusyFromDigits(mailbox, window, digits.fbdata, aligned.start, SLOT_MINUTES), asOf: clock.now() };
    });
  }

  async #readMessage({ mailboxes, window }: QueryPart, ctx: RequestContext, budget: RequestBudget): Promise<FreeBusyResult> {
    const mailbox = mailboxes[0]!;
    const { clock, directoryDn, legacyExchangeDn, logger, name } = this.#options;
    try {
      const location = locateMessage(directoryDn?.(mailbox) ?? legacyExchangeDnFromTemplate(legacyExchangeDn ?? '', mailbox));
      const message = decodeFreeBusyMessage(await this.#findMessage(location, ctx, budget));
      if (message.subject !== undefined && message.subject.toUpperCase() !== location.subject.toUpperCase()) {
        throw new BridgeError('NO_DATA', "the message found is somebody else's");
      }
      const published = publishRange(message);
      if (published === undefined) throw new BridgeError('NO_DATA', 'the free/busy message does not say what time it is about');
      for (const oddity of message.oddities) logger.debug({ requestId: ctx.requestId, system: name, mailbox, reason: oddity }, 'odd free/busy message');
      this.#explain(ctx, 'answer', `${mailbox}: published ${span(published)}${message.oddities.map((one) => `; ${one}`).join('')}`);
      const freeBusy = freeBusyFromMessage(message, mailbox, window);
      return { mailbox, freeBusy, asOf: Math.min(message.rangeTimestamp ?? clock.now(), clock.now()) };
    } catch (thrown) {
      const error = messageError(toBridgeError(thrown));
      if (error.code === 'BACKEND_AUTH') throw error;
      return this.#withoutData(mailbox, error, ctx);
    }
  }

  /** The message's properties, of the first server that has it; "not published" is believed only when no other server has it. */
  async #findMessage(location: MessageLocation, ctx: RequestContext, budget: RequestBudget): Promise<RawProperties> {
    const body = encodeMessagePropfind();
    const { raw, hasFolder, status } = await this.#lease.servers.ask(
      ctx,
      async (server, asking) => {
        const { answer, hasFolder } = await this.#folders.at(server, location.folder, asking, (folder) => {
          const url = messageIn(folder, location);
          this.#explain(ctx, 'request', `PROPFIND ${url.pathname}${this.#named(server.url)}`);
          return server.exchange({ method: 'PROPFIND', url, headers: PROPFIND_HEADERS, body, ctx: asking, budget });
        });
        const problem = isGone(answer) ? undefined : problemOf(answer, 207);
        if (problem !== undefined) throw problem;
        const raw = isGone(answer) ? undefined : await propertiesOf(answer);
        return { raw, hasFolder, status: answer.status };
      },
      { isElsewhere: (found) => found.raw === undefined },
    );
    if (raw !== undefined) return raw;
    if (hasFolder === false) throw folderMissing(location.folder, status);
    throw new BridgeError('NO_DATA', 'the mailbox has published no free/busy', { details: { status } });
  }

  /** Which of several servers. */
  #named({ host }: URL): string {
    return this.#lease.servers.all.length > 1 ? `, at ${host}` : '';
  }

  #withoutData(mailbox: MailboxAddress, error: BridgeError, ctx: RequestContext): FreeBusyResult {
    const { logger, name } = this.#options;
    logger.debug({ requestId: ctx.requestId, system: name, protocol: 'owa-webdav', mailbox, code: error.code, reason: error.publicMessage }, 'no free/busy');
    return { mailbox, error };
  }

  /** As many mailboxes in one query as IIS takes (404.15 beyond). */
  #groups(mailboxes: readonly MailboxAddress[], window: FreeBusyQuery['window']): readonly (readonly MailboxAddress[])[] {
    const aligned = alignOutward(window, SLOT_MINUTES * MINUTE_MS);
    const root = this.#options.servers[0]!;
    const bare = queryCharacters(queryUrl(root, [], aligned));
    const groups: MailboxAddress[][] = [];
    let room = 0;
    for (const mailbox of mailboxes) {
      const characters = queryCharacters(queryUrl(root, [mailbox], aligned)) - bare;
      if (groups.length === 0 || characters > room) {
        groups.push([]);
        room = LIMITS.owaQueryCharacters - bare;
      }
      groups.at(-1)!.push(mailbox);
      room -= characters;
    }
    return groups;
  }

  #explain(ctx: RequestContext, kind: ExplainNote['kind'], text: string): void {
    ctx.explain?.({ system: this.#options.name, kind, text });
  }
}

const PROPFIND_HEADERS = { depth: '0', translate: 'f', 'content-type': 'text/xml; charset="utf-8"' };

function queryUrl(root: URL, addresses: readonly MailboxAddress[], window: FreeBusyQuery['window']): URL {
  const url = below(root, '/public/');
  url.search = encodeFreeBusyQuery({ window, intervalMinutes: SLOT_MINUTES, addresses });
  return url;
}

/** Undefined: the 207 says that it is not there. @throws BridgeError as decodeMessagePropfind */
async function propertiesOf(answer: OwaAnswer): Promise<RawProperties | undefined> {
  try {
    return decodeMessagePropfind(await readAnswer(answer));
  } catch (thrown) {
    const error = toBridgeError(thrown);
    if (error.code === 'NO_DATA' && isGone({ status: Number(error.details['status']) })) return undefined;
    throw error;
  }
}

/** A right that is missing on one message says nothing of the others. */
function messageError(error: BridgeError): BridgeError {
  const hasNoRight = error.code === 'BACKEND_AUTH' && problemAbout(error) === 'place';
  if (hasNoRight) return new BridgeError('NO_DATA', 'the free/busy message may not be read', { cause: error, details: error.details });
  return error;
}

function queryCharacters(url: URL): number {
  return url.search.length - 1;
}

function span({ start, end }: FreeBusyQuery['window']): string {
  return `${new Date(start).toISOString()}/${new Date(end).toISOString()}`;
}
