import { randomUUID } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import { toBridgeError } from '../../core/errors.ts';
import type { BridgeError, ErrorCode } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { within } from '../../core/within.ts';
import type { Logger } from '../../core/logger.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';
import { askPatiently } from '../../directory/ask-patiently.ts';
import { enumerateByPrefix } from '../../directory/enumerate-by-prefix.ts';
import type { PrefixAnswer } from '../../directory/enumerate-by-prefix.ts';
import type { EntrySource, SourceBatch, SourceRead } from '../../directory/entry-source.ts';
import type { HomeMailboxes } from '../../directory/home-mailboxes.ts';
import { clockFinding } from '../../freebusy/clock-finding.ts';
import { RequestBudget } from '../../platform/http-client/request-budget.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { EwsConnection } from './connection.ts';
import type { EwsEndpoint } from './connection.ts';
import { entryOf } from './directory-person.ts';
import type { DirectoryPerson } from './directory-person.ts';
import { decodeFindPeople, encodeFindPeople } from './find-people.ts';
import type { PeoplePage } from './find-people.ts';
import type { EwsOperation } from './names.ts';
import { cannotAsk, described, noting, version } from './probe.ts';
import type { Seen } from './probe.ts';
import { decodeResolutions, encodeFullResolveNames } from './resolutions.ts';
import type { Resolutions } from './resolutions.ts';
import { decodeServerVersion, isModern } from './server-version.ts';

export interface EwsGalOptions extends EwsEndpoint, HomeMailboxes {
  /** How logs, `check` and `gal status` call it. */
  readonly label: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

type Take = (batch: SourceBatch) => Promise<void>;

/**
 * PORT EntrySource. The address list of an Exchange over EWS: page by page where the server is 2013 or later and lets one (FindPeople), else by the beginnings of
 * names (ResolveNames). Every reading is a whole one, or says that it is not.
 */
export class EwsGalSource implements EntrySource {
  readonly label: string;
  readonly pauseMs = LIMITS.exchangeGalPauseMs;
  readonly wholeEveryMs = LIMITS.exchangeGalPauseMs;
  readonly #options: EwsGalOptions;
  readonly #connection: EwsConnection;

  constructor(options: EwsGalOptions) {
    this.label = options.label;
    this.#options = options;
    this.#connection = new EwsConnection(options);
  }

  async read(_cursor: string | undefined, take: Take, signal: AbortSignal): Promise<SourceRead> {
    const seen: Seen = {};
    await this.#resolve(FIRST_LETTER, signal, seen);
    const isWhole = (isModern(decodeServerVersion(seen.header)) ? await this.#browse(take, signal) : undefined) ?? (await this.#enumerate(take, signal));
    return { cursor: undefined, isWhole };
  }

  async probe(signal: AbortSignal): Promise<readonly ProbeFinding[]> {
    const seen: Seen = {};
    try {
      const { people, isCut } = decodeResolutions(await this.#call('ResolveNames', encodeFullResolveNames(FIRST_LETTER), signal, seen));
      const found = people.length === 0 ? NOBODY_THERE : ({ step: STEP, outcome: 'ok', text: `the directory answers: ${people.length}${isCut ? ' and more' : ''} for "${FIRST_LETTER}"` } as const);
      return [{ step: 'sign-in', outcome: 'ok', text: 'the account is let in' }, found, ...version(seen.header), ...clockFinding(seen.date, this.#options.clock.now())];
    } catch (thrown) {
      const error = toBridgeError(thrown);
      return [cannotAsk(error) ?? { step: STEP, outcome: 'fail', text: described(error), advice: 'give the account a mailbox, and an address book policy that shows the global address list' }];
    }
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  /** Everybody by FindPeople; undefined where the server does not let one browse its directory: Exchange's documentation says so of itself, and grommunio has no FindPeople. */
  async #browse(take: Take, signal: AbortSignal): Promise<boolean | undefined> {
    let page = await this.#firstPage(signal);
    if (page === undefined || page.people.length === 0) return undefined;
    const first = page.total;
    const ids = new Set<string>();
    let isSteady = true;
    for (let offset = 0; page.people.length > 0 && offset < LIMITS.galEntries; ) {
      await this.#hand(page.people, ids, take, signal);
      offset += page.people.length;
      if (offset >= page.total) return this.#told(isSteady, offset, 'FindPeople');
      page = await askPatiently((one) => this.#page(offset, one), signal);
      // Somebody came or went between two pages, and somebody else moved over the edge.
      isSteady &&= page.total === first;
    }
    return this.#told(false, ids.size, 'FindPeople');
  }

  async #firstPage(signal: AbortSignal): Promise<PeoplePage | undefined> {
    try {
      return await within(LIMITS.galRequestMs, signal, (inTime) => this.#page(0, inTime));
    } catch (thrown) {
      const error = toBridgeError(thrown);
      if (!CANNOT_BROWSE.has(error.code)) throw error;
      this.#options.logger.debug({ system: this.label, protocol: 'ews', operation: 'FindPeople', code: error.code, reason: described(error) }, 'the directory cannot be browsed');
      return undefined;
    }
  }

  async #page(offset: number, signal: AbortSignal): Promise<PeoplePage> {
    return decodeFindPeople(await this.#call('FindPeople', encodeFindPeople(offset), signal));
  }

  async #enumerate(take: Take, signal: AbortSignal): Promise<boolean> {
    const ids = new Set<string>();
    const { isWhole, requests, found, cutAt } = await enumerateByPrefix<DirectoryPerson>({
      ask: async (prefix) => {
        const answer = await this.#beginning(prefix, signal);
        // Active Directory compares proxy addresses with their `smtp:`.
        return answer.found.length === 0 && prefix.includes('@') ? this.#beginning(`smtp:${prefix}`, signal) : answer;
      },
      // ANR's sign for "exactly this": who is called like the beginning of many.
      exactly: (prefix) => this.#beginning(`=${prefix}`, signal),
      idOf: ({ address, legacyExchangeDn, name }) => address ?? legacyExchangeDn ?? name ?? '',
      textsOf: ({ name, address, details }) => [name ?? '', address ?? '', details.nickname ?? ''],
      take: (people) => this.#hand(people, ids, take, signal),
    });
    return this.#told(isWhole, found, `ResolveNames, ${requests} requests`, cutAt);
  }

  async #beginning(entry: string, signal: AbortSignal): Promise<PrefixAnswer<DirectoryPerson>> {
    const { people, isCut } = await this.#resolve(entry, signal);
    return { found: people, isCut };
  }

  /** What was not whole is told: nobody is taken for deleted because of it. */
  #told(isWhole: boolean, count: number, reason: string, cutAt: readonly string[] = []): boolean {
    const fields = { system: this.label, protocol: 'ews', count, reason: cutAt.length === 0 ? reason : `${reason}; more behind ${cutAt.join(' ')}` };
    if (isWhole) this.#options.logger.debug(fields, 'address list read');
    else this.#options.logger.warn(fields, 'address list not read whole: nobody is removed by it');
    return isWhole;
  }

  /** Whoever was not handed over yet in this reading. */
  async #hand(people: readonly DirectoryPerson[], ids: Set<string>, take: Take, signal: AbortSignal): Promise<void> {
    const entries = [];
    for (const one of people) {
      const person = one.address === undefined && one.legacyExchangeDn !== undefined ? await this.#withAddress(one, one.legacyExchangeDn, signal) : one;
      const entry = entryOf(person, this.#options);
      if (entry === undefined || ids.has(entry.id)) continue;
      ids.add(entry.id);
      entries.push(entry);
    }
    if (entries.length > 0) await take({ entries });
  }

  /** RoutingType EX (exchange.md §3.3): its legacyExchangeDN is resolved again; whoever then has no address either stays without. */
  async #withAddress(person: DirectoryPerson, legacyExchangeDn: string, signal: AbortSignal): Promise<DirectoryPerson> {
    const { people } = await this.#resolve(legacyExchangeDn, signal);
    const only = people.length === 1 ? people[0] : undefined;
    return only?.address === undefined ? person : { ...person, address: only.address, aliases: [...person.aliases, ...only.aliases], details: { ...only.details, ...person.details } };
  }

  #resolve(entry: string, signal: AbortSignal, seen?: Seen): Promise<Resolutions> {
    return askPatiently(async (one) => decodeResolutions(await this.#call('ResolveNames', encodeFullResolveNames(entry), one, seen)), signal);
  }

  async #call(operation: EwsOperation, body: XmlNode, signal: AbortSignal, seen?: Seen): Promise<XmlElement> {
    const requester = { name: 'address book', from: this.label, mayAsk: 'all', detail: 'none', anonymous: false, presence: 'none' } as const;
    const ctx = { requestId: randomUUID(), requester, hops: 0, deadline: this.#options.clock.now() + LIMITS.galRequestMs, signal };
    return (await this.#connection.call(operation, body, { ctx, budget: new RequestBudget(), ...(seen === undefined ? {} : noting(seen)) })).body;
  }
}

/** With which a reading begins, to learn what the server is. */
const FIRST_LETTER = 'a';
const STEP = 'address list';
const NOBODY_THERE: ProbeFinding = { step: STEP, outcome: 'warn', text: `nobody is found for "${FIRST_LETTER}"`, advice: 'fine in a very small directory; else the account sees no global address list (address book policy)' };

/** With which servers say that they have no FindPeople, or not so. */
const CANNOT_BROWSE: ReadonlySet<BridgeError['code']> = new Set<ErrorCode>(['BACKEND_FAULT', 'BACKEND_MALFORMED', 'NO_DATA', 'MAILBOX_UNKNOWN', 'MAILBOX_REFUSED', 'UNSUPPORTED']);
