import type { Clock } from '../../core/clock.ts';
import { BridgeError, toBridgeError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { RequestContext } from '../../core/request-context.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';
import type { CalendarSystemOptions } from '../../freebusy/calendar-system.ts';
import type { FreeBusy } from '../../freebusy/free-busy.ts';
import type { Interval } from '../../freebusy/interval.ts';
import type { Addressee, PublicationPreview, SinkSystem } from '../../freebusy/sink.ts';
import { RequestBudget } from '../../platform/http-client/request-budget.ts';
import { encodeFreeBusyMessage } from '../schedule-plus/encode-free-busy-message.ts';
import { legacyExchangeDnOf, locateMessage } from '../schedule-plus/legacy-exchange-dn.ts';
import type { DirectoryDn } from '../schedule-plus/legacy-exchange-dn.ts';
import type { MessageLocation } from '../schedule-plus/legacy-exchange-dn.ts';
import { EwsConnection } from './connection.ts';
import type { EwsEndpoint, Exchange } from './connection.ts';
import { encodeCreateItem } from './create-item.ts';
import type { EwsId, ItemId } from './folder-id.ts';
import { encodeRequest } from './names.ts';
import { FreeBusyFolders } from './public-folder.ts';
import type { EwsCall } from './public-folder.ts';
import { refuseModern } from './server-version.ts';
import { probeSink } from './sink-probe.ts';
import { pathOf, writeError } from './write-error.ts';
import { deleteMessages, findMessages, writeMessage } from './write-message.ts';

export interface ExchangeEwsSinkOptions extends Omit<CalendarSystemOptions, 'probeMailbox'>, EwsEndpoint {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Template of the legacyExchangeDN of the contacts that stand for the published mailboxes. */
  readonly legacyExchangeDn: string;
  readonly directoryDn?: DirectoryDn | undefined;
  /** Whose message `check` looks at: somebody who is replicated into this system. Asked once a check; what it throws is a finding. */
  readonly probeAddressee?: (() => Promise<Addressee | undefined>) | undefined;
  /** Where the mailbox that `check` makes up would live, if none is named; default: the endpoint's host. */
  readonly probeDomain?: string | undefined;
}

/**
 * The SCHEDULE+ FREE BUSY folder of an Exchange 2007 SP1 or 2010, written over EWS. Later servers have no such folder, or ignore it
 * without a word: they are refused before anything is written.
 *
 * Before every write the message is looked for by its subject. That costs one request, and finds what others did: a second message of the
 * same name (two writers, or a CreateItem whose answer was lost), a message deleted, a server upgraded.
 */
export class ExchangeEwsSink implements SinkSystem {
  readonly #options: ExchangeEwsSinkOptions;
  readonly #connection: EwsConnection;
  readonly #folders = new FreeBusyFolders();

  constructor(options: ExchangeEwsSinkOptions) {
    this.#options = options;
    this.#connection = new EwsConnection(options);
  }

  identityOf(addressee: Addressee): string {
    return legacyExchangeDnOf(this.#options.legacyExchangeDn, addressee, this.#options.directoryDn);
  }

  async publish(identity: string, freeBusy: FreeBusy, ctx: RequestContext): Promise<Interval> {
    const message = encodeFreeBusyMessage(identity, freeBusy, this.#options.clock.now());
    await this.#inFolder(locateMessage(identity), ctx, (call, folder, found) => writeMessage(call, folder, found, message));
    return message.window;
  }

  async remove(identity: string, ctx: RequestContext): Promise<void> {
    const location = locateMessage(identity);
    try {
      await this.#inFolder(location, ctx, (call, _folder, found) => deleteMessages(call, found));
    } catch (error) {
      if (!isWithoutFolder(error, location)) throw error;
    }
  }

  preview(identity: string, freeBusy: FreeBusy): PublicationPreview {
    const { folder, subject } = locateMessage(identity);
    const message = encodeFreeBusyMessage(identity, freeBusy, this.#options.clock.now());
    // The folder's id is known only to the server.
    return { where: `${pathOf(folder)} ${subject}`, document: encodeRequest(encodeCreateItem(folder, message)) };
  }

  async probe(ctx: RequestContext): Promise<readonly ProbeFinding[]> {
    const { probeAddressee, probeDomain, servers, clock } = this.#options;
    const budget = new RequestBudget();
    return probeSink({
      call: (operation, body, watch) => this.#connection.call(operation, body, { ctx, budget, ...watch }),
      identityOf: (addressee) => this.identityOf(addressee),
      probeAddressee,
      probeDomain: probeDomain ?? servers[0]?.hostname ?? 'example.com',
      clock,
    });
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  async #inFolder(
    location: MessageLocation,
    ctx: RequestContext,
    use: (call: EwsCall, folder: EwsId, found: readonly ItemId[]) => Promise<void>,
  ): Promise<void> {
    const exchange: Exchange = { ctx, budget: new RequestBudget(), inspect: refuseModern };
    const call: EwsCall = async (operation, body) => {
      ctx.explain?.({ system: this.#options.name, kind: 'request', text: `${operation} ${location.folder} ${location.subject}` });
      return (await this.#connection.call(operation, body, exchange)).body;
    };
    try {
      await this.#folders.withFolder(location.folder, call, async (folder) => {
        await use(call, folder, await findMessages(call, folder, location.subject));
      });
    } catch (error) {
      throw writeError(toBridgeError(error), location);
    }
  }
}

/**
 * No folder, no message. Where one further up is missing the account sees nothing at all, and where the server found the folder by its name
 * and then not by its id the message may still be there.
 */
function isWithoutFolder(error: unknown, location: MessageLocation): boolean {
  return error instanceof BridgeError && error.code === 'NO_DATA' && error.details['folder'] === location.folder && error.details['responseCode'] === undefined;
}
