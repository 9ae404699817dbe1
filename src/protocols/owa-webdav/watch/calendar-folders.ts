import { BridgeError, toBridgeError } from '../../../core/errors.ts';
import type { MailboxAddress } from '../../../directory/smtp-address.ts';
import type { KeptTexts } from '../../../presence/publisher.ts';
import { below } from '../../../platform/http-client/below.ts';
import { RequestBudget } from '../../../platform/http-client/request-budget.ts';
import { isForbidden, isGone, problemOf } from '../answer-problem.ts';
import type { Asking, OwaAnswer, OwaConnection } from '../client-connection.ts';
import type { OwaServers } from '../client-servers.ts';
import { readAnswer } from '../read-answer.ts';
import { decodeFolderPropfind, encodeFolderPropfind, folderUrl } from './calendar-folder.ts';

export interface CalendarFoldersOptions {
  readonly servers: OwaServers;
  /** Names that are tried where the server does not say; `Calendar` behind them. */
  readonly fallbackFolderNames: readonly string[];
  /** Path of a mailbox below the root, with a slash at both ends. */
  readonly mailboxPath: (mailbox: MailboxAddress) => string;
  /** Outlives the process: nobody is asked again after a restart. */
  readonly memory: KeptTexts;
}

/** `/exchange/{address}/`: an Exchange 2003 takes the SMTP address there (captures/exchange-webdav), percent-encoded but for its `@`. */
export function mailboxPathOf(mailbox: MailboxAddress): string {
  return `/exchange/${encodeURIComponent(mailbox).replace('%40', '@')}/`;
}

/** Where calendars are: asked of each mailbox's root, remembered, and asked again when it is not there any more. No list of languages. */
export class CalendarFolders {
  readonly #options: CalendarFoldersOptions;

  constructor(options: CalendarFoldersOptions) {
    this.#options = options;
  }

  /** The mailbox's root, at a server; by default at the first. */
  rootOf(mailbox: MailboxAddress, { url }: OwaConnection = this.#options.servers.first): URL {
    return below(url, this.#options.mailboxPath(mailbox));
  }

  /**
   * Does something with a calendar folder; once more where it was remembered and is not there (renamed, moved).
   *
   * @throws BridgeError see `discover`, and whatever `use` throws
   */
  async at(mailbox: MailboxAddress, ctx: Asking, use: (folder: URL) => Promise<OwaAnswer>): Promise<{ readonly folder: URL; readonly answer: OwaAnswer }> {
    const kept = this.#kept(mailbox);
    const folder = kept ?? (await this.discover(mailbox, ctx));
    const answer = await use(folder);
    if (kept === undefined || !isGone(answer)) return { folder, answer };
    this.#options.memory.delete(keyOf(mailbox));
    const found = await this.discover(mailbox, ctx);
    return found.href === kept.href ? { folder, answer } : { folder: found, answer: await use(found) };
  }

  /** What is remembered of the calendar's place, where it is still a place that may be asked. */
  known(mailbox: MailboxAddress): URL | undefined {
    return this.#kept(mailbox);
  }

  /**
   * Asks the mailbox's root, and remembers what it says.
   *
   * @throws BridgeError MAILBOX_UNKNOWN, MAILBOX_REFUSED (no right, Receive-As is missing), NO_DATA (no such folder), BACKEND_REDIRECT (it is on another host), and those of problemOf
   */
  async discover(mailbox: MailboxAddress, ctx: Asking): Promise<URL> {
    const { servers, memory } = this.#options;
    const { answer, server } = await servers.ask(
      ctx,
      async (server, asking) => {
        const answer = await this.#propfind(server, this.rootOf(mailbox, server), asking);
        const problem = isGone(answer) || isForbidden(answer) ? undefined : problemOf(answer, 207);
        if (problem !== undefined) throw problem;
        return { answer, server };
      },
      { isElsewhere: (one) => isGone(one.answer) },
    );
    if (isGone(answer)) throw new BridgeError('MAILBOX_UNKNOWN', 'the server has no such mailbox', { details: { status: answer.status } });
    if (isForbidden(answer)) throw new BridgeError('MAILBOX_REFUSED', 'the mailbox may not be read', { details: { status: answer.status } });
    const text = decodeFolderPropfind(await readAnswer(answer));
    const folder = text === undefined ? await this.#byName(server, mailbox, ctx) : folderUrl(text, server.url, servers.hosts);
    // A path alone would be read as the first server's after a restart.
    memory.set(keyOf(mailbox), text !== undefined && (server === servers.first || URL.canParse(text)) ? text : folder.href);
    return folder;
  }

  /** The first of the names that is there. */
  async #byName(server: OwaConnection, mailbox: MailboxAddress, ctx: Asking): Promise<URL> {
    for (const name of new Set([...this.#options.fallbackFolderNames, LAST_NAME])) {
      const folder = new URL(`${this.rootOf(mailbox, server).href}${encodeURIComponent(name)}/`);
      const answer = await this.#propfind(server, folder, ctx);
      if (problemOf(answer, 207) === undefined && (await isThere(answer))) return folder;
    }
    throw new BridgeError('NO_DATA', 'the server does not say where the calendar is, and none of the names is there');
  }

  async #propfind(server: OwaConnection, url: URL, ctx: Asking): Promise<OwaAnswer> {
    const headers = { depth: '0', translate: 'f', 'content-type': 'text/xml; charset="utf-8"' };
    return server.exchange({ method: 'PROPFIND', url, headers, body: encodeFolderPropfind(), ctx, budget: new RequestBudget() });
  }

  #kept(mailbox: MailboxAddress): URL | undefined {
    const { servers, memory } = this.#options;
    const text = memory.get(keyOf(mailbox));
    if (text === undefined) return undefined;
    try {
      return folderUrl(text, servers.first.url, servers.hosts);
    } catch {
      // The gateway was given another address since.
      memory.delete(keyOf(mailbox));
      return undefined;
    }
  }
}

/** The original's default language. */
const LAST_NAME = 'Calendar';

function keyOf(mailbox: MailboxAddress): string {
  return `webdav-folder ${mailbox}`;
}

async function isThere(answer: OwaAnswer): Promise<boolean> {
  try {
    decodeFolderPropfind(await readAnswer(answer));
    return true;
  } catch (thrown) {
    if (toBridgeError(thrown).code === 'MAILBOX_UNKNOWN') return false;
    throw thrown;
  }
}
