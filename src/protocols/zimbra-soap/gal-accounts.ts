import { toBridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { Pace } from '../../core/pace.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';
import { DETAIL_ATTRIBUTES, decodeAccountDetails } from './account-details.ts';
import type { AccountDetails, AccountsByZimbraId } from './account-details.ts';
import { isRefused } from './account-lookup.ts';
import { ZimbraAdmin } from './admin-client.ts';
import type { ZimbraAdminOptions } from './admin-client.ts';
import { decodeDirectoryPage, encodeSearchDirectoryRequest, filterForAny } from './search-directory.ts';
import type { DirectoryPage, DirectorySearch } from './search-directory.ts';

/** The administrator of a system, beside what its ordinary account says. */
export interface GalAdminOptions {
  readonly adminUrl: URL;
  readonly username: string;
  readonly password: string;
}

interface GalAccountsOptions extends ZimbraAdminOptions {
  /** Lower case; whose accounts are read. */
  readonly domains: readonly string[];
}

const NOBODY: AccountsByZimbraId = new Map();

/**
 * What an administrator sees of the accounts behind an address list (SearchDirectory). Where it may not look, the list is read as it is, and that is said once; where the server is away, the reading
 * fails: entries must not change because of it.
 */
export class GalAccounts {
  readonly #admin: ZimbraAdmin;
  readonly #options: GalAccountsOptions;
  #toldRefused = false;

  constructor(options: GalAccountsOptions) {
    this.#options = options;
    this.#admin = new ZimbraAdmin(options);
  }

  /** Of all domains. @throws BridgeError where the server cannot be asked */
  async all(signal: AbortSignal): Promise<AccountsByZimbraId> {
    return this.#unlessRefused(async () => {
      const accounts = new Map<string, AccountDetails>();
      for (const domain of this.#options.domains) await this.#readDomain(domain, accounts, signal);
      return accounts;
    });
  }

  /** Of these. @throws BridgeError where the server cannot be asked */
  async byIds(zimbraIds: readonly string[], signal: AbortSignal): Promise<AccountsByZimbraId> {
    return this.#unlessRefused(async () => {
      const accounts = new Map<string, AccountDetails>();
      for (let at = 0; at < zimbraIds.length; at += LIMITS.zimbraIdsPerFilter) {
        const ids = zimbraIds.slice(at, at + LIMITS.zimbraIdsPerFilter);
        const page = await this.#page({ filter: filterForAny(['zimbraId'], ids), limit: ids.length, offset: 0 }, signal);
        for (const one of page.accounts) accounts.set(one.zimbraId, one);
      }
      return accounts;
    });
  }

  async probe(signal: AbortSignal): Promise<readonly ProbeFinding[]> {
    const step = 'accounts behind the list';
    try {
      const { total = 0 } = await this.#page({ ...(this.#options.domains[0] === undefined ? {} : { domain: this.#options.domains[0] }), limit: 1, offset: 0 }, signal);
      return [{ step, outcome: 'ok', text: `foreign principals, aliases and hidden accounts can be read (${total} accounts)` }];
    } catch (thrown) {
      const { code, publicMessage } = toBridgeError(thrown);
      return [{ step, outcome: 'warn', text: `not read: ${code}: ${publicMessage}`, advice: 'let the administrator search the directory, or contacts in Exchange are matched by their address alone' }];
    }
  }

  async close(): Promise<void> {
    await this.#admin.close();
  }

  async #unlessRefused(read: () => Promise<AccountsByZimbraId>): Promise<AccountsByZimbraId> {
    try {
      return await read();
    } catch (error) {
      if (!isRefused(error) && toBridgeError(error).details['attribute'] === undefined) throw error;
      const { name, logger } = this.#options;
      if (!this.#toldRefused) logger.warn({ system: name, protocol: 'zimbra-soap', operation: 'SearchDirectory' }, 'the administrator may not see the accounts behind the address list');
      this.#toldRefused = true;
      return NOBODY;
    }
  }

  /** Accounts that are deleted meanwhile move the others forward: who is skipped by that is completed with the next change or reading. */
  async #readDomain(domain: string, accounts: Map<string, AccountDetails>, signal: AbortSignal): Promise<void> {
    const pace = new Pace(LIMITS.zimbraGalEntriesPerTurn);
    for (let offset = 0, more = true; more && offset < LIMITS.zimbraAccounts; ) {
      const page = await this.#page({ domain, limit: LIMITS.zimbraAccountsPerPage, offset }, signal);
      for (const one of page.accounts) accounts.set(one.zimbraId, one);
      offset += page.entries;
      more = page.more && page.entries > 0;
      if (pace.spend(page.entries)) await pace.turn();
    }
  }

  async #page(search: DirectorySearch, signal: AbortSignal): Promise<DirectoryPage<AccountDetails>> {
    const asked = { ...search, attributes: DETAIL_ATTRIBUTES };
    return decodeDirectoryPage(await this.#admin.call(encodeSearchDirectoryRequest(asked), signal), asked, decodeAccountDetails);
  }
}
