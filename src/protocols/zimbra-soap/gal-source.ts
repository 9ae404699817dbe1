import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { Pace } from '../../core/pace.ts';
import { pause } from '../../core/pause.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';
import type { EntrySource, SourceBatch, SourceRead } from '../../directory/entry-source.ts';
import { localPartOf } from '../../directory/smtp-address.ts';
import { RequestBudget } from '../../platform/http-client/request-budget.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { isRefused } from './account-lookup.ts';
import { completed, hiddenEntries } from './account-details.ts';
import type { AccountsByZimbraId } from './account-details.ts';
import { GalAccounts } from './gal-accounts.ts';
import type { GalAdminOptions } from './gal-accounts.ts';
import { decodeContact } from './gal-contact.ts';
import type { GalContact, ResidenceRules } from './gal-contact.ts';
import { enumerate } from './gal-enumeration.ts';
import { probeGal } from './gal-probe.ts';
import { decodeSearchGalResponse, encodeAutoCompleteGalRequest, encodeSearchGalRequest } from './search-gal.ts';
import type { SearchGalPage } from './search-gal.ts';
import { accountsOfToken, decodeSyncGalResponse, encodeSyncGalRequest } from './sync-gal.ts';
import type { SyncGalPage } from './sync-gal.ts';
import { ZimbraUserConnection } from './user-connection.ts';
import type { ZimbraUserOptions } from './user-connection.ts';
import { within } from './within.ts';

export interface ZimbraGalOptions extends ZimbraUserOptions, ResidenceRules {
  /** Default: the system's name. */
  readonly label?: string;
  /** An administrator, who sees more of accounts than the address list tells: foreign principals, all aliases, who is hidden. */
  readonly admin?: GalAdminOptions;
  /** For tests: between two searches, and while the server is busy with other readers. */
  readonly timing?: { readonly searchPauseMs?: number; readonly throttledPauseMs?: number };
}

type Take = (batch: SourceBatch) => Promise<void>;

interface TakeContext {
  readonly signal: AbortSignal;
  /** All of them, where they were read; else those of a page are asked for. */
  readonly accounts: AccountsByZimbraId | undefined;
  /** Ids that were handed over before; gets the new ones. */
  readonly known?: Set<string>;
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
      if (!isNoWayToSync(error)) throw error;
      const { name, logger } = this.#options;
      if (this.#by !== 'searches') logger.info({ system: name, protocol: 'zimbra-soap', operation: 'SyncGal', code: error.code }, 'the address list cannot be synchronised, searching for everybody');
      this.#by = 'searches';
      return this.#readBySearches(take, signal);
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
    const accounts = isWhole ? await this.#accounts?.all(signal) : undefined;
    for (let token = cursor, seen = 0; ; ) {
      const page = await this.#page(token, signal, token !== undefined && token === cursor);
      if (page === undefined) return { cursor, isWhole: false };
      if (this.#mustBeginAnew(token, page, isWhole)) return undefined;
      await this.#takeContacts(page, take, { signal, accounts });
      seen += page.contacts.length;
      if (!page.more) {
        await this.#finish(isWhole, seen, accounts, take);
        this.#by = accountsOfToken(page.token).length > 0 ? 'tokens' : 'ldap-tokens';
        return { cursor: page.token === '' ? undefined : page.token, isWhole };
      }
      if (page.token === '' || page.token === token) throw new BridgeError('BACKEND_MALFORMED', 'the address list does not go on');
      if (seen > LIMITS.galEntries) throw new BridgeError('BACKEND_MALFORMED', 'the address list has no end');
      token = page.token;
    }
  }

  /** After everybody: those whom the list does not show. @throws BridgeError BACKEND_FAULT where there was nobody: whoever signs in is in it at least, so it could not be read, or is just being made */
  async #finish(isWhole: boolean, seen: number, accounts: AccountsByZimbraId | undefined, take: Take): Promise<void> {
    if (!isWhole) return;
    if (seen === 0) throw new BridgeError('BACKEND_FAULT', 'the address list is empty, which it cannot be', { temporary: true });
    const entries = accounts === undefined ? [] : hiddenEntries(accounts);
    if (entries.length > 0) await take({ entries });
  }

  /** One page, waited for where the server has its two readers already. @returns undefined where the next reading may as well have it (`mayLeave`) @throws BridgeError BACKEND_BUSY */
  async #page(token: string | undefined, signal: AbortSignal, mayLeave: boolean): Promise<SyncGalPage | undefined> {
    for (let tries = 1; ; tries++) {
      const page = decodeSyncGalResponse(await this.#call(encodeSyncGalRequest(token, LIMITS.zimbraGalPageEntries), signal));
      if (!page.isThrottled) return page;
      if (mayLeave) return undefined;
      const { pauseMs, times } = LIMITS.zimbraGalThrottled;
      if (tries >= times || signal.aborted) throw new BridgeError('BACKEND_BUSY', 'too many others read the address list', { temporary: true });
      await pause(this.#options.timing?.throttledPauseMs ?? pauseMs, signal);
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

  async #readBySearches(take: Take, signal: AbortSignal): Promise<SourceRead> {
    const { most, depth, pauseMs } = LIMITS.zimbraGalSearches;
    const known = new Set<string>();
    let example: string | undefined;
    const accounts = await this.#accounts?.all(signal);
    const search = async (request: XmlNode): Promise<SearchGalPage> => {
      if (known.size > 0) await pause(this.#options.timing?.searchPauseMs ?? pauseMs, signal);
      return decodeSearchGalResponse(await this.#call(request, signal));
    };
    const takeFound = async (batch: SourceBatch): Promise<void> => {
      const address = batch.entries?.[0]?.address;
      if (address !== undefined) example ??= localPartOf(address);
      await take(batch);
    };
    const isWhole = await enumerate({
      most,
      depth,
      ask: async (name, offset) => search(encodeSearchGalRequest(name, LIMITS.zimbraGalMostResults, offset)),
      askBeginning: async (text) => search(encodeAutoCompleteGalRequest(text)),
      take: async (contacts) => this.#takeContacts({ contacts, deleted: [] }, takeFound, { signal, accounts, known }),
      example: () => example,
    });
    // What was found holds; what was not is still there, for all anybody knows.
    if (!isWhole) throw new BridgeError('BACKEND_TOO_LARGE', 'the address list is too large to be read by searches', { details: { found: known.size, hint: 'zimbraFeatureGalSyncEnabled' } });
    await this.#finish(true, known.size, accounts, take);
    return { cursor: undefined, isWhole: true };
  }

  /** Hands over what a page says, each id once. @returns how many were new */
  async #takeContacts({ contacts, deleted }: Pick<SyncGalPage, 'contacts' | 'deleted'>, take: Take, { signal, accounts, known = new Set() }: TakeContext): Promise<number> {
    const pace = new Pace(LIMITS.zimbraGalEntriesPerTurn);
    const found = new Map<string, GalContact>();
    for (const element of contacts) {
      const contact = decodeContact(element, this.#options);
      if (contact !== undefined && !known.has(contact.id)) found.set(contact.id, contact);
      if (pace.spend(1 + element.children.length / 20)) await pace.turn();
    }
    for (const id of found.keys()) known.add(id);
    const named = [...found.values()];
    const details = accounts ?? (await this.#accounts?.byIds(named.flatMap(({ zimbraId }) => zimbraId ?? []), signal));
    const entries = named.flatMap(({ entry, zimbraId }) => (entry === undefined ? [] : completed(entry, details?.get(zimbraId ?? ''))));
    // Without an address it is no entry any more.
    const gone = new Set([...deleted.filter((id) => !found.has(id)), ...named.flatMap(({ id, entry }) => (entry === undefined ? id : []))]);
    if (entries.length + gone.size > 0) await take({ ...(entries.length === 0 ? {} : { entries }), ...(gone.size === 0 ? {} : { removed: [...gone] }) });
    return found.size;
  }

  async #call(request: XmlNode, signal: AbortSignal): Promise<XmlElement | undefined> {
    const { response } = await within(LIMITS.zimbraGalCallMs, signal, (either) => this.#connection.call(request, { signal: either, budget: new RequestBudget() }));
    return response;
  }
}

/** The account may not, the server knows no such request, or gives everything at once because it does not know `limit`. */
function isNoWayToSync(error: unknown): error is BridgeError {
  return isRefused(error) || (error instanceof BridgeError && error.code === 'BACKEND_TOO_LARGE');
}
