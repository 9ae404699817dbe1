import { BridgeError } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Logger } from '../../core/logger.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { ZimbraAccount } from './account.ts';
import type { ZimbraAdmin } from './admin-client.ts';
import { decodeGetAccountResponse, encodeGetAccountRequest } from './get-account.ts';
import { decodeSearchDirectoryResponse, encodeSearchDirectoryRequest, filterForAny } from './search-directory.ts';
import type { DirectoryPage, DirectorySearch } from './search-directory.ts';

/** Asks a Zimbra about accounts, by whichever of GetAccount and SearchDirectory our administrator may use. */
export class AccountLookup {
  readonly #admin: ZimbraAdmin;
  readonly #logger: Logger;
  readonly #system: string;
  readonly #toldMissing = new Set<string>();

  constructor(admin: ZimbraAdmin, system: string, logger: Logger) {
    this.#admin = admin;
    this.#system = system;
    this.#logger = logger;
  }

  /** By address or alias. @returns undefined where there is none @throws BridgeError where it cannot be asked */
  async byName(mailbox: MailboxAddress, signal: AbortSignal): Promise<ZimbraAccount | undefined> {
    return this.#get('name', mailbox, ['zimbraMailDeliveryAddress', 'zimbraMailAlias'], signal);
  }

  /** By zimbraId. @returns undefined where there is none @throws BridgeError where it cannot be asked */
  async byId(id: string, signal: AbortSignal): Promise<ZimbraAccount | undefined> {
    return this.#get('id', id, ['zimbraId'], signal);
  }

  /** Those of up to LIMITS.zimbraIdsPerFilter ids that there are, in one request. @throws BridgeError where it cannot be asked; `isRefused` where it may not be */
  async byIds(ids: readonly string[], signal: AbortSignal): Promise<readonly ZimbraAccount[]> {
    const { accounts } = await this.#page({ filter: filterForAny(['zimbraId'], ids), limit: ids.length, offset: 0 }, signal);
    return accounts;
  }

  /**
   * Every account and resource of a domain, page by page, each once. A domain that the server does not have is empty.
   *
   * Accounts that are deleted while the pages are read move the others forward, and some of them past the page that was just asked for:
   * where the total has shrunk, that page is read again from as many places earlier.
   *
   * @throws BridgeError where a page cannot be read or the pages do not end
   */
  async *ofDomain(domain: string, signal: AbortSignal): AsyncIterable<readonly ZimbraAccount[]> {
    const seen = new Set<string>();
    const limit = LIMITS.zimbraAccountsPerPage;
    let lastTotal = 0;
    for (let offset = 0, idle = 0; ; ) {
      const page = await this.#pageOfDomain({ domain, limit, offset }, signal);
      if (page === undefined) return;
      const fresh = page.accounts.filter(({ id }) => !seen.has(id));
      for (const { id } of fresh) seen.add(id);
      if (fresh.length > 0) yield fresh;
      const vanished = page.total === undefined ? 0 : Math.max(0, lastTotal - page.total);
      lastTotal = page.total ?? 0;
      if (!page.more && (vanished === 0 || offset === 0)) return;
      idle = fresh.length > 0 ? 0 : idle + 1;
      if (idle > LIMITS.zimbraIdlePages) throw new BridgeError('BACKEND_MALFORMED', 'the calendar system promises more accounts and gives none');
      if (seen.size > LIMITS.zimbraAccounts) throw new BridgeError('BACKEND_TOO_LARGE', 'the calendar system names accounts without end');
      offset = vanished > 0 ? Math.max(0, offset - vanished) : offset + page.entries;
    }
  }

  async #pageOfDomain(search: DirectorySearch, signal: AbortSignal): Promise<DirectoryPage | undefined> {
    try {
      return await this.#page(search, signal);
    } catch (error) {
      if (faultOf(error) !== 'account.NO_SUCH_DOMAIN') throw error;
      const domain = search.domain ?? '';
      if (!this.#toldMissing.has(domain)) {
        const fields = { system: this.#system, protocol: 'zimbra-soap', operation: 'SearchDirectory', reason: domain };
        this.#logger.warn(fields, 'the server has no such domain: nobody lives there');
      }
      this.#toldMissing.add(domain);
      return undefined;
    }
  }

  async #page(search: DirectorySearch, signal: AbortSignal): Promise<DirectoryPage> {
    return decodeSearchDirectoryResponse(await this.#admin.call(encodeSearchDirectoryRequest(search), signal), search);
  }

  async #get(by: 'id' | 'name', value: string, attributes: readonly string[], signal: AbortSignal): Promise<ZimbraAccount | undefined> {
    try {
      return decodeGetAccountResponse(await this.#admin.call(encodeGetAccountRequest(by, value), signal));
    } catch (error) {
      if (faultOf(error) === 'account.NO_SUCH_ACCOUNT') return undefined;
      if (!isRefused(error)) throw error;
      const { accounts } = await this.#page({ filter: filterForAny(attributes, [value]), limit: 2, offset: 0 }, signal);
      return accounts[0];
    }
  }
}

/** Whether the server does not let our administrator ask this, or does not know the request: another one may do. */
export function isRefused(error: unknown): boolean {
  const fault = faultOf(error);
  return fault === 'service.PERM_DENIED' || fault === 'service.UNKNOWN_DOCUMENT';
}

/**
 * Whether what was asked about may be the reason: a SOAP fault, an attribute that is hidden, an answer that makes no sense. Then the others
 * are worth asking for. Not so where the server is busy, ill as a whole (a status without a fault), out of reach, or refuses our token.
 */
export function isAboutAccounts(error: unknown): boolean {
  if (!(error instanceof BridgeError)) return true;
  const { code, details } = error;
  if (isRefused(error) || details['attribute'] !== undefined) return true;
  return code === 'BACKEND_FAULT' ? details['fault'] !== undefined : ABOUT_ACCOUNTS.has(code);
}

const ABOUT_ACCOUNTS: ReadonlySet<ErrorCode> = new Set(['BACKEND_MALFORMED', 'BACKEND_TOO_LARGE', 'INTERNAL']);

function faultOf(error: unknown): unknown {
  return error instanceof BridgeError ? error.details['fault'] : undefined;
}
