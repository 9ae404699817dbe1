import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { pause } from '../../core/pause.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';
import type { EntrySource, SourceRead } from '../../directory/entry-source.ts';
import type { HomeMailboxes } from '../../directory/home-mailboxes.ts';
import { RequestBudget } from '../../platform/http-client/request-budget.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { isRefused } from './account-lookup.ts';
import { GalAccounts } from './gal-accounts.ts';
import type { GalAdminOptions } from './gal-accounts.ts';
import { readBySearches } from './gal-by-searches.ts';
import { probeGal } from './gal-probe.ts';
import { GalTaking } from './gal-taking.ts';
import type { Take } from './gal-taking.ts';
import { accountsOfToken, decodeSyncGalResponse, encodeSyncGalRequest } from './sync-gal.ts';
import type { SyncGalPage } from './sync-gal.ts';
import { ZimbraUserConnection } from './user-connection.ts';
import type { ZimbraUserOptions } from './user-connection.ts';
import { within } from '../../core/within.ts';

export interface ZimbraGalOptions extends ZimbraUserOptions, HomeMailboxes {
  /** Default: the system's name. */
  readonly label?: string;
  /** An administrator, who sees more of accounts than the address list tells: foreign principals, all aliases, who is hidden. */
  readonly admin?: GalAdminOptions;
  /** For tests: between two searches, and while the server is busy with other readers. */
  readonly timing?: { readonly searchPauseMs?: number; readonly throttledPauseMs?: number };
}

/**
 * A Zimbra's own address list (GAL), read as an ordinary account sees it: by SyncGal with its tokens, and where the account may not or the server cannot, by searches
 * for everybody, which take long and tell nothing of changes.
 */
export class ZimbraGalSource implements EntrySource {
  readonly label: string;
  readonly #options: ZimbraGalOptions;
  readonly #connection: ZimbraUserConnection;
  readonly #accounts: GalAccounts | undefined;
  /** How it was read last. */
  #by: 'tokens' | 'ldap-tokens' | 'searches' = 'tokens';
  #recommendedAt = Number.NEGATIVE_INFINITY;

  constructor(options: ZimbraGalOptions) {
    this.label = options.label ?? options.name;
    this.#options = options;
    this.#connection = new ZimbraUserConnection(options);
    this.#accounts = options.admin === undefined ? undefined : new GalAccounts({ ...options, ...options.admin });
  }

  /** Searches for everybody are no way to look for changes every few seconds. */
  get pauseMs(): number {
    return this.#by === 'searches' ? LIMITS.zimbraGalPause.searchesMs : LIMITS.zimbraGalPause.tokensMs;
  }

  /** A server without a GAL synchronisation account tells of deletions by a whole reading only (zimbra.md §6.3). */
  get wholeEveryMs(): number {
    return this.#by === 'tokens' ? LIMITS.zimbraGalPause.wholeMs : LIMITS.zimbraGalPause.searchesMs;
  }

  async read(cursor: string | undefined, take: Take, signal: AbortSignal): Promise<SourceRead> {
    try {
      return await this.#readByTokens(cursor, take, signal);
    } catch (error) {
      if (!(error instanceof NoWayToSync)) throw error;
      const { name, logger } = this.#options;
      if (this.#by !== 'searches') logger.info({ system: name, protocol: 'zimbra-soap', operation: 'SyncGal', code: error.reason.code }, 'the address list cannot be synchronised, searching for everybody');
      this.#by = 'searches';
      return readBySearches({ call: (request) => this.#call(request, signal), taking: await this.#taking(take, signal, true), pauseMs: this.#options.timing?.searchPauseMs, signal });
    }
  }

  async probe(signal: AbortSignal): Promise<readonly ProbeFinding[]> {
    const findings = await probeGal({
      signIn: async () => void (await this.#connection.token(signal, new RequestBudget())),
      call: (request) => this.#call(request, signal),
    });
    return [...findings, ...((await this.#accounts?.probe(signal)) ?? [])];
  }

  async close(): Promise<void> {
    await Promise.all([this.#connection.close(), this.#accounts?.close()]);
  }

  async #readByTokens(cursor: string | undefined, take: Take, signal: AbortSignal): Promise<SourceRead> {
    for (let tries = 1, from = cursor; tries <= LIMITS.zimbraGalBeginnings; tries++, from = undefined) {
      const read = await this.#readFrom(from, take, signal);
      if (read !== undefined) return read;
    }
    throw new BridgeError('BACKEND_BUSY', 'the address list is begun anew again and again', { temporary: true });
  }

  /** @returns undefined where the token means nothing to the server any more */
  async #readFrom(cursor: string | undefined, take: Take, signal: AbortSignal): Promise<SourceRead | undefined> {
    const isWhole = cursor === undefined;
    const taking = await this.#taking(take, signal, isWhole);
    for (let token = cursor, seen = 0; ; ) {
      const page = await this.#page(token, signal, token !== undefined && token === cursor);
      if (page === undefined) return { cursor, isWhole: false };
      if (this.#mustBeginAnew(token, page, isWhole)) return undefined;
      await taking.page(page);
      seen += page.contacts.length;
      if (!page.more) {
        if (isWhole) await taking.end();
        this.#by = accountsOfToken(page.token).length > 0 ? 'tokens' : 'ldap-tokens';
        return { cursor: page.token === '' ? undefined : page.token, isWhole };
      }
      if (page.token === '' || page.token === token) throw new BridgeError('BACKEND_MALFORMED', 'the address list does not go on');
      if (seen > LIMITS.galEntries) throw new BridgeError('BACKEND_MALFORMED', 'the address list has no end');
      token = page.token;
    }
  }

  /** One page, waited for where the server has its two readers already. @returns undefined where the next reading may as well have it (`mayLeave`) @throws BridgeError BACKEND_BUSY */
  async #page(token: string | undefined, signal: AbortSignal, mayLeave: boolean): Promise<SyncGalPage | undefined> {
    for (let tries = 1; ; tries++) {
      const page = await this.#ask(token, signal);
      if (!page.isThrottled) return page;
      if (mayLeave) return undefined;
      const { pauseMs, times } = LIMITS.zimbraGalThrottled;
      if (tries >= times || signal.aborted) throw new BridgeError('BACKEND_BUSY', 'too many others read the address list', { temporary: true });
      await pause(this.#options.timing?.throttledPauseMs ?? pauseMs, signal);
    }
  }

  /** @throws NoWayToSync where the account may not, the server knows no such request, or gives everything at once, which is too much, because it does not know `limit` */
  async #ask(token: string | undefined, signal: AbortSignal): Promise<SyncGalPage> {
    try {
      return decodeSyncGalResponse(await this.#call(encodeSyncGalRequest(token, LIMITS.zimbraGalPageEntries), signal));
    } catch (error) {
      if (error instanceof BridgeError && (isRefused(error) || error.code === 'BACKEND_TOO_LARGE')) throw new NoWayToSync(error);
      throw error;
    }
  }

  /** Whether what came is no continuation of the token: the server says so, or has another GAL synchronisation account, to which the token means nothing and everybody is new. */
  #mustBeginAnew(token: string | undefined, { token: next, fullSyncRecommended }: SyncGalPage, isWhole: boolean): boolean {
    const now = this.#options.clock.now();
    if (fullSyncRecommended && !isWhole && now - this.#recommendedAt >= LIMITS.zimbraGalRecommendedMs) {
      this.#recommendedAt = now;
      return true;
    }
    const [before] = accountsOfToken(token ?? '');
    return before !== undefined && !accountsOfToken(next).includes(before);
  }

  async #taking(take: Take, signal: AbortSignal, isWhole: boolean): Promise<GalTaking> {
    const accounts = this.#accounts;
    const all = isWhole ? await accounts?.all(signal) : undefined;
    return new GalTaking({ rules: this.#options, take, all, detailsOf: accounts === undefined ? undefined : (zimbraIds) => accounts.byIds(zimbraIds, signal) });
  }

  async #call(request: XmlNode, signal: AbortSignal): Promise<XmlElement | undefined> {
    const { response } = await within(LIMITS.zimbraGalCallMs, signal, (either) => this.#connection.call(request, { signal: either, budget: new RequestBudget() }));
    return response;
  }
}

/** Everybody has to be searched for. What a reader of the source throws is none of these. */
class NoWayToSync extends Error {
  override readonly name = 'NoWayToSync';
  readonly reason: BridgeError;
  constructor(reason: BridgeError) {
    super(reason.message, { cause: reason });
    this.reason = reason;
  }
}
