import type { Clock } from '../../core/clock.ts';
import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Logger } from '../../core/logger.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';
import { askPatiently } from '../../directory/ask-patiently.ts';
import { enumerateByPrefix } from '../../directory/enumerate-by-prefix.ts';
import type { PrefixReading } from '../../directory/enumerate-by-prefix.ts';
import type { EntrySource, SourceBatch, SourceEntry, SourceRead } from '../../directory/entry-source.ts';
import { isAtHome } from '../../directory/home-mailboxes.ts';
import type { HomeMailboxes } from '../../directory/home-mailboxes.ts';
import { RequestBudget } from '../../platform/http-client/request-budget.ts';
import { askCommand } from './ask-command.ts';
import { leaseOf } from './client-connections.ts';
import type { OwaConnections, OwaLease } from './client-connections.ts';
import type { OwaEndpoint } from './client-servers.ts';
import { decodeGalfind, encodeGalfindQuery } from './galfind-query.ts';
import type { FoundPerson, GalfindAnswer, GalfindKey } from './galfind-query.ts';
import { attempt, failed } from './probe-attempt.ts';

export interface OwaGalOptions extends HomeMailboxes, OwaEndpoint {
  /** How logs, `check` and `gal status` call it. */
  readonly label: string;
  /** Shared with whatever else asks the system; absent: connections of its own. */
  readonly connections?: OwaConnections | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * PORT EntrySource. The address list of an Exchange 2000, 2003 or 2007 by OWA's `cmd=galfind`, which shows whose address or alias begins with a text: every letter is asked for, and longer
 * beginnings where there are too many. Every reading is a whole one, or says that it is not. galfind does not tell lists and contacts from people.
 */
export class OwaGalSource implements EntrySource {
  readonly label: string;
  readonly pauseMs = LIMITS.exchangeGalPauseMs;
  readonly wholeEveryMs = LIMITS.exchangeGalPauseMs;
  readonly #options: OwaGalOptions;
  readonly #lease: OwaLease;

  constructor(options: OwaGalOptions) {
    this.label = options.label;
    this.#options = options;
    this.#lease = leaseOf(options, options.connections);
  }

  async read(_cursor: string | undefined, take: (batch: SourceBatch) => Promise<void>, signal: AbortSignal): Promise<SourceRead> {
    const ids = new Set<string>();
    const hand = async (found: readonly FoundPerson[]): Promise<void> => {
      const entries = found.flatMap((one) => this.#entryOf(one) ?? []).filter(({ id }) => !ids.has(id));
      for (const { id } of entries) ids.add(id);
      if (entries.length > 0) await take({ entries });
    };
    const reading = (await this.#minds('EM', signal)) ? await this.#goThrough('EM', hand, signal) : NOBODY;
    if (reading.found > 0) return this.#told(reading);
    if (!(await this.#minds('AN', signal))) throw new BridgeError('BACKEND_FAULT', 'galfind does not mind what it is asked for');
    return this.#told(await this.#goThrough('AN', hand, signal));
  }

  /** Whether a criterion counts at this server (DavMail never asks by EM): nobody is found by nonsense. */
  async #minds(key: GalfindKey, signal: AbortSignal): Promise<boolean> {
    const { found, isCut } = await askPatiently((one) => this.#find(key, NONSENSE, one), signal);
    return found.length === 0 && !isCut;
  }

  /** By addresses, of which none is the beginning of another; or by aliases, where one that is the beginning of a hundred others stays hidden. */
  #goThrough(key: GalfindKey, take: (found: readonly FoundPerson[]) => Promise<void>, signal: AbortSignal): Promise<PrefixReading> {
    return enumerateByPrefix<FoundPerson>({
      ask: (prefix) => askPatiently((one) => this.#find(key, prefix, one), signal),
      exactly: key === 'EM' ? 'nobody' : 'hidden',
      idOf: ({ address, alias, name }) => address ?? alias ?? name ?? '',
      textsOf: ({ alias, address }) => [(key === 'EM' ? address : alias) ?? ''],
      take,
    });
  }

  async probe(signal: AbortSignal): Promise<readonly ProbeFinding[]> {
    const found = await attempt(() => this.#find('AN', 'a', signal));
    if ('error' in found) return [failed(found.error.code === 'BACKEND_AUTH' ? 'sign-in' : STEP, found.error)];
    const { found: people, isCut } = found.answer;
    const signIn: ProbeFinding = { step: 'sign-in', outcome: 'ok', text: `signed in (${this.#options.auth})` };
    if (people.length === 0) return [signIn, { step: STEP, outcome: 'warn', text: 'nobody is found for "a"', advice: 'fine in a very small directory; else look whether the account sees the global address list in OWA' }];
    return [signIn, { step: STEP, outcome: 'ok', text: `galfind answers: ${people.length}${isCut ? ' and more' : ''} for "a"` }];
  }

  async close(): Promise<void> {
    await this.#lease.close();
  }

  async #find(key: GalfindKey, text: string, signal: AbortSignal): Promise<GalfindAnswer> {
    const ctx = { deadline: this.#options.clock.now() + LIMITS.galRequestMs, hops: 0, signal };
    const budget = new RequestBudget();
    return this.#lease.servers.ask(ctx, async (server, asking) => decodeGalfind(await askCommand(server, encodeGalfindQuery(key, text), asking, budget)));
  }

  #entryOf({ address, name, details }: FoundPerson): SourceEntry | undefined {
    if (address === undefined) return undefined;
    const isMailbox = isAtHome(address, this.#options);
    return { id: address, address, kind: 'person', isMailbox, ...(name === undefined ? {} : { name }), ...details };
  }

  #told({ isWhole, requests, found, cutAt }: PrefixReading): SourceRead {
    const reason = `galfind, ${requests} requests${cutAt.length === 0 ? '' : `; more behind ${cutAt.join(' ')}`}`;
    const fields = { system: this.label, protocol: 'owa-webdav', count: found, reason };
    if (isWhole) this.#options.logger.debug(fields, 'address list read');
    else this.#options.logger.warn(fields, 'address list not read whole: nobody is removed by it');
    return { cursor: undefined, isWhole };
  }
}

/** The beginning of nobody's address or alias. */
const NONSENSE = 'freebusy-bridge-check-nobody';
const NOBODY: PrefixReading = { isWhole: false, requests: 0, found: 0, cutAt: [] };
const STEP = 'address list';
