import { BridgeError, toBridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { RequestContext } from '../../core/request-context.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';
import type { CalendarSystemOptions } from '../../freebusy/calendar-system.ts';
import type { FreeBusy } from '../../freebusy/free-busy.ts';
import type { Interval } from '../../freebusy/interval.ts';
import type { Addressee, PublicationPreview, SinkSystem } from '../../freebusy/sink.ts';
import type { HttpAnswer } from '../../platform/http-client/http-client.ts';
import { RequestBudget } from '../../platform/http-client/request-budget.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { encodeFreeBusyMessage } from '../schedule-plus/encode-free-busy-message.ts';
import type { EncodedMessage } from '../schedule-plus/encode-free-busy-message.ts';
import { legacyExchangeDnOf, locateMessage } from '../schedule-plus/legacy-exchange-dn.ts';
import type { DirectoryDn, MessageLocation } from '../schedule-plus/legacy-exchange-dn.ts';
import { messageUrl } from '../schedule-plus/message-url.ts';
import type { Asking, OwaAnswer, OwaConnection } from './client-connection.ts';
import { leaseOf } from './client-connections.ts';
import type { OwaConnections, OwaLease } from './client-connections.ts';
import type { OwaEndpoint } from './client-servers.ts';
import { decodeDeleteResponse } from './delete-response.ts';
import { FolderHomes, isUnsent } from './folder-homes.ts';
import { FreeBusyFolders, isMissing } from './free-busy-folders.ts';
import { messageIn } from './message-in-folder.ts';
import { messageProblem, refusalProblem } from './message-problem.ts';
import { NOBODY } from './names.ts';
import { encodeMessageProppatch } from './proppatch-message.ts';
import { decodeProppatchResponse } from './proppatch-response.ts';
import { readAnswer } from './read-answer.ts';
import { probeOwaSink, propfindOf } from './sink-probe.ts';
import type { OwaSinkRequest } from './sink-probe.ts';

export interface OwaWebdavSinkOptions extends Omit<CalendarSystemOptions, 'probeMailbox'>, OwaEndpoint {
  /** Template of the legacyExchangeDN; the folder is always that of the DN itself. */
  readonly legacyExchangeDn: string;
  readonly directoryDn?: DirectoryDn | undefined;
  /** Whose message `check` looks at: somebody who is replicated into this system. Asked once a check; what it throws is a finding. */
  readonly probeAddressee?: (() => Promise<Addressee | undefined>) | undefined;
  /** Shared with whatever else asks the system; absent: connections of its own. */
  readonly connections?: OwaConnections | undefined;
}

/** The SCHEDULE+ FREE BUSY folders of an Exchange 2000, 2003 or 2007, written by WebDAV: one request a message (exchange.md §2.2). */
export class OwaWebdavSink implements SinkSystem {
  readonly #options: OwaWebdavSinkOptions;
  readonly #lease: OwaLease;
  readonly #folders: FreeBusyFolders;
  readonly #homes = new FolderHomes();

  /** @throws BridgeError CONFIGURATION when the template makes no usable legacyExchangeDN */
  constructor(options: OwaWebdavSinkOptions) {
    checkTemplate(options.legacyExchangeDn);
    this.#options = options;
    this.#lease = leaseOf(options, options.connections);
    this.#folders = new FreeBusyFolders(options.clock);
  }

  identityOf(addressee: Addressee): string {
    return legacyExchangeDnOf(this.#options.legacyExchangeDn, addressee, this.#options.directoryDn);
  }

  async publish(identity: string, freeBusy: FreeBusy, ctx: RequestContext): Promise<Interval> {
    const { location, message, document } = this.#composed(identity, freeBusy);
    const answer = await this.#inFolder({ method: 'PROPPATCH', headers: XML_HEADERS, body: document }, location, ctx);
    const failed = messageProblem(answer, [207], location.folder);
    if (failed !== undefined) throw failed;
    const refused = refusalProblem(decodeProppatchResponse(await documentOf(answer), message), location.folder);
    if (refused !== undefined) throw refused;
    return message.window;
  }

  async remove(identity: string, ctx: RequestContext): Promise<void> {
    const location = locateMessage(identity);
    const answer = await this.#inFolder({ method: 'DELETE', headers: { translate: 'f' } }, location, ctx);
    const failed = messageProblem(answer, REMOVED, location.folder);
    if (failed !== undefined) throw failed;
    const refused = answer.status === 207 ? refusalProblem(decodeDeleteResponse(await documentOf(answer)), location.folder) : undefined;
    if (refused !== undefined) throw refused;
  }

  preview(identity: string, freeBusy: FreeBusy): PublicationPreview {
    const { location, document } = this.#composed(identity, freeBusy);
    return { where: messageUrl(this.#options.servers[0]!, location).href, document };
  }

  async probe(ctx: RequestContext): Promise<readonly ProbeFinding[]> {
    const { clock, legacyExchangeDn, probeAddressee } = this.#options;
    const server = this.#lease.servers.all.find((one) => !this.#lease.servers.isAside(one)) ?? this.#lease.servers.first;
    const exchange = (request: OwaSinkRequest): Promise<OwaAnswer> => this.#once(server, request, ctx, ctx);
    return probeOwaSink({ root: server.url, legacyExchangeDn, probeAddressee, clock, sink: this, ctx, exchange });
  }

  async close(): Promise<void> {
    await this.#lease.close();
  }

  #composed(identity: string, freeBusy: FreeBusy): { readonly location: MessageLocation; readonly message: EncodedMessage; readonly document: string } {
    const message = encodeFreeBusyMessage(identity, freeBusy, this.#options.clock.now());
    return { location: locateMessage(identity), message, document: encodeMessageProppatch(message) };
  }

  /**
   * Writes to the one server that holds the folder. Another is asked only where nothing can have been written at this one: it cannot be reached, or has no such folder. What may have arrived
   * is not sent to a second server: two replicas with two messages are a conflict.
   */
  async #inFolder(request: Omit<OwaSinkRequest, 'url'>, location: MessageLocation, ctx: RequestContext): Promise<OwaAnswer> {
    const { servers } = this.#lease;
    const home = this.#homes.of(location.folder);
    let isSent = false;
    const { answer, server, hasFolder } = await servers.ask(
      ctx,
      async (server, asking) => {
        if (servers.all.length > 1 && home !== server) {
          const look = await this.#folders.at(server, location.folder, asking, (url) => this.#once(server, propfindOf(url), ctx, asking));
          if (isMissing(look.answer)) return { ...look, server, isDone: false };
          const problem = messageProblem(look.answer, [207], location.folder);
          if (problem !== undefined) throw problem;
        }
        isSent = true;
        const written = await this.#folders.at(server, location.folder, asking, (folder) => this.#once(server, { ...request, url: messageIn(folder, location) }, ctx, asking));
        // A message that is not there, in a folder that is, has been removed.
        const isDone = !isMissing(written.answer) || (request.method === 'DELETE' && written.hasFolder === true);
        return { ...written, server, isDone };
      },
      { preferred: home, isElsewhere: (one) => !one.isDone, mayGoOn: (error) => !isSent || isUnsent(error) },
    );
    if (isMissing(answer) && hasFolder === false) this.#homes.forget(location.folder);
    else if (answer.status < 300) this.#homes.set(location.folder, server);
    return answer;
  }

  async #once(server: OwaConnection, request: OwaSinkRequest, { explain }: RequestContext, ctx: Asking): Promise<OwaAnswer> {
    const { name: system } = this.#options;
    const at = this.#lease.servers.all.length > 1 ? `, at ${server.url.host}` : '';
    explain?.({ system, kind: 'request', text: `${request.method} ${request.url.pathname}${at}` });
    const answer = await server.exchange({ ...request, ctx, budget: new RequestBudget() });
    explain?.({ system, kind: 'answer', text: `${request.method}: ${answer.status}` });
    return answer;
  }
}

/** `Translate: f`: the item itself, not a page made of it. Not `Brief: t`, under which only failures are listed: silence would mean success. */
const XML_HEADERS = { translate: 'f', 'content-type': 'text/xml; charset="utf-8"' };

/** A message that is not there is removed already. */
const REMOVED = [200, 202, 204, 207, 404, 410];

/** The document of an answer about one message. @throws BridgeError BACKEND_MALFORMED */
async function documentOf(answer: HttpAnswer): Promise<XmlElement> {
  const details = { status: answer.status };
  if (answer.body.length > LIMITS.pushedMessageBytes) throw new BridgeError('BACKEND_MALFORMED', 'the answer is too large for one message', { details });
  try {
    return await readAnswer(answer);
  } catch (thrown) {
    const error = toBridgeError(thrown);
    throw new BridgeError(error.code, error.publicMessage, { details, cause: thrown });
  }
}

function checkTemplate(template: string): void {
  try {
    legacyExchangeDnOf(template, { mailbox: NOBODY });
  } catch (thrown) {
    throw new BridgeError('CONFIGURATION', `legacyExchangeDn: ${toBridgeError(thrown).publicMessage}`, { cause: thrown });
  }
}
