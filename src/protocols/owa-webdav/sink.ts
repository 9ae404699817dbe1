import { BridgeError, toBridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { RequestContext } from '../../core/request-context.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';
import type { CalendarSystemOptions } from '../../freebusy/calendar-system.ts';
import type { FreeBusy } from '../../freebusy/free-busy.ts';
import type { Interval } from '../../freebusy/interval.ts';
import type { Addressee, PublicationPreview, SinkSystem } from '../../freebusy/sink.ts';
import { HttpClient } from '../../platform/http-client/http-client.ts';
import type { HttpAnswer } from '../../platform/http-client/http-client.ts';
import { RequestBudget } from '../../platform/http-client/request-budget.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { encodeFreeBusyMessage } from '../schedule-plus/encode-free-busy-message.ts';
import type { EncodedMessage } from '../schedule-plus/encode-free-busy-message.ts';
import { legacyExchangeDnOf, locateMessage } from '../schedule-plus/legacy-exchange-dn.ts';
import type { DirectoryDn } from '../schedule-plus/legacy-exchange-dn.ts';
import { folderUrl, freeBusyRootUrl, messageUrl } from '../schedule-plus/message-url.ts';
import { OwaConnection } from './client-connection.ts';
import type { OwaAnswer } from './client-connection.ts';
import { decodeDeleteResponse } from './delete-response.ts';
import { messageProblem, refusalProblem } from './message-problem.ts';
import { encodeMessageProppatch } from './proppatch-message.ts';
import { decodeProppatchResponse } from './proppatch-response.ts';
import { readAnswer } from './read-answer.ts';
import { NOBODY, probeOwaSink, propfindOf } from './sink-probe.ts';
import type { OwaSinkRequest } from './sink-probe.ts';

export interface OwaWebdavSinkOptions extends Omit<CalendarSystemOptions, 'probeMailbox'> {
  /** The server's root; `/public/…` is appended. */
  readonly url: URL;
  readonly auth: 'basic' | 'form' | 'ntlm';
  readonly username: string;
  readonly password: string;
  /** Template of the legacyExchangeDN; the folder is always that of the DN itself. */
  readonly legacyExchangeDn: string;
  readonly directoryDn?: DirectoryDn | undefined;
  /** Whose message `check` looks at: somebody who is replicated into this system. Asked once a check; what it throws is a finding. */
  readonly probeAddressee?: (() => Promise<Addressee | undefined>) | undefined;
}

/** The SCHEDULE+ FREE BUSY folders of an Exchange 2000, 2003 or 2007, written by WebDAV: one request a message (exchange.md §2.2). */
export class OwaWebdavSink implements SinkSystem {
  readonly #options: OwaWebdavSinkOptions;
  readonly #http: HttpClient;
  readonly #connection: OwaConnection;
  /** What the account can open if it is let in at all: the folder in which it wrote last, before that the folder of these folders. */
  #known: URL;
  #letIn: Promise<boolean> | undefined;

  /** @throws BridgeError CONFIGURATION when the template makes no usable legacyExchangeDN */
  constructor(options: OwaWebdavSinkOptions) {
    checkTemplate(options.legacyExchangeDn);
    this.#options = options;
    this.#known = freeBusyRootUrl(options.url);
    const { ca, hosts, username, password } = options;
    this.#http = new HttpClient({ ca, redirectHosts: hosts, authentication: options.auth === 'form' ? undefined : { kind: options.auth, username, password } });
    this.#connection = new OwaConnection({ ...options, http: this.#http });
  }

  identityOf(addressee: Addressee): string {
    return legacyExchangeDnOf(this.#options.legacyExchangeDn, addressee, this.#options.directoryDn);
  }

  async publish(identity: string, freeBusy: FreeBusy, ctx: RequestContext): Promise<Interval> {
    const { url, folder, message, document } = this.#composed(identity, freeBusy);
    const answer = await this.#exchange({ method: 'PROPPATCH', url, headers: XML_HEADERS, body: document }, ctx);
    const failed = messageProblem(answer, [207], folder);
    if (failed !== undefined) throw failed;
    const refused = refusalProblem(decodeProppatchResponse(await documentOf(answer), message), folder);
    if (refused !== undefined) throw refused;
    this.#known = folderUrl(this.#options.url, { folder });
    return message.window;
  }

  async remove(identity: string, ctx: RequestContext): Promise<void> {
    const location = locateMessage(identity);
    const answer = await this.#exchange({ method: 'DELETE', url: messageUrl(this.#options.url, location), headers: { translate: 'f' } }, ctx);
    const failed = messageProblem(answer, REMOVED, location.folder);
    if (failed !== undefined) throw failed;
    const refused = answer.status === 207 ? refusalProblem(decodeDeleteResponse(await documentOf(answer)), location.folder) : undefined;
    if (refused !== undefined) throw refused;
  }

  preview(identity: string, freeBusy: FreeBusy): PublicationPreview {
    const { url, document } = this.#composed(identity, freeBusy);
    return { where: url.href, document };
  }

  async probe(ctx: RequestContext): Promise<readonly ProbeFinding[]> {
    const { clock, url, legacyExchangeDn, probeAddressee } = this.#options;
    return probeOwaSink({ root: url, legacyExchangeDn, probeAddressee, clock, sink: this, ctx, exchange: (request) => this.#exchange(request, ctx) });
  }

  async close(): Promise<void> {
    await this.#http.close();
  }

  #composed(identity: string, freeBusy: FreeBusy): { readonly url: URL; readonly folder: string; readonly message: EncodedMessage; readonly document: string } {
    const location = locateMessage(identity);
    const { clock, url } = this.#options;
    const message = encodeFreeBusyMessage(identity, freeBusy, clock.now());
    return { url: messageUrl(url, location), folder: location.folder, message, document: encodeMessageProppatch(message) };
  }

  /** A 401 to Basic is the password's or this folder's: whether the account may open another thing tells (a form logon tells by itself). */
  async #exchange(request: OwaSinkRequest, ctx: RequestContext): Promise<OwaAnswer> {
    const answer = await this.#once(request, ctx);
    if (answer.status !== 401 || answer.isLetIn === true) return answer;
    // Many turns may be refused at once: one question, or a wrong password would be tried twice as often.
    this.#letIn ??= this.#isLetIn(ctx).finally(() => {
      this.#letIn = undefined;
    });
    return { ...answer, isLetIn: await this.#letIn };
  }

  async #isLetIn(ctx: RequestContext): Promise<boolean> {
    const isLetIn = messageProblem(await this.#once(propfindOf(this.#known), ctx), [207], '') === undefined;
    // Rights on the one folder may be gone as well.
    if (!isLetIn) this.#known = freeBusyRootUrl(this.#options.url);
    return isLetIn;
  }

  async #once(request: OwaSinkRequest, ctx: RequestContext): Promise<OwaAnswer> {
    const { name: system } = this.#options;
    ctx.explain?.({ system, kind: 'request', text: `${request.method} ${request.url.pathname}` });
    const answer = await this.#connection.exchange({ ...request, ctx, budget: new RequestBudget() });
    ctx.explain?.({ system, kind: 'answer', text: `${request.method}: ${answer.status}` });
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
