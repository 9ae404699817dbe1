import { randomBytes } from 'node:crypto';
import type { Clock, Instant } from '../../../core/clock.ts';
import { BridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import { BER, BerReader } from '../ber-read.ts';
import { BerWriter } from '../ber-write.ts';
import { PAGED_RESULTS } from '../names.ts';
import type { Hit, HowFound } from './find-entries.ts';
import type { ResponseControl } from './result-message.ts';
import type { SearchRequest } from './search-request.ts';

/** RFC 2696 §2, as a request carries it. */
export interface PagedRequest {
  /** Entries of a page, at most LIMITS.ldapFacePageEntries; 0 with a cookie: the client wants no more. */
  readonly size: number;
  /** Empty at the beginning. */
  readonly cookie: string;
}

/** @throws BridgeError INVALID_REQUEST */
export function decodePagedControl(value: Buffer | undefined): PagedRequest {
  if (value === undefined) throw new BridgeError('INVALID_REQUEST', 'a paged results control without a value');
  const control = new BerReader(value).expect(BER.sequence);
  const size = control.expect(BER.integer).integer();
  if (size < 0) throw new BridgeError('INVALID_REQUEST', 'a page of less than nothing');
  const cookie = control.expect(BER.octetString).bytes().toString('latin1');
  return { size: size === 0 && cookie === '' ? LIMITS.ldapFacePageEntries : Math.min(size, LIMITS.ldapFacePageEntries), cookie };
}

/** @param estimate of all entries; 0: not known */
export function encodePagedControl(cookie: string, estimate: number): ResponseControl {
  const writer = new BerWriter(64);
  const control = writer.open(BER.sequence);
  writer.integer(BER.integer, Math.min(estimate, 2 ** 31 - 1));
  writer.text(BER.octetString, cookie);
  writer.close(control);
  return { type: PAGED_RESULTS, value: writer.finish() };
}

/** What is left of a search after a page: whom it had found when it began, so that nobody who stays is lost or comes twice whatever changes meanwhile. */
export interface RestOfSearch {
  readonly hits: readonly Hit[];
  /** Of the first one that was not sent. */
  readonly offset: number;
  readonly how: HowFound;
}

interface KeptSearch extends RestOfSearch {
  readonly question: string;
  readonly keptUntil: Instant;
}

/** The searches of one connection that its client may go on with. A cookie is good for one page of one question. */
export class PagedSearches {
  readonly #clock: Clock;
  readonly #kept = new Map<string, KeptSearch>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Keeps what is left; gives the cookie. */
  keep(request: SearchRequest, rest: RestOfSearch): string {
    const now = this.#clock.now();
    for (const [cookie, { keptUntil }] of this.#kept) if (keptUntil <= now || this.#kept.size >= LIMITS.ldapPagedSearches) this.#kept.delete(cookie);
    const cookie = randomBytes(16).toString('hex');
    this.#kept.set(cookie, { ...rest, question: questionOf(request), keptUntil: now + (rest.hits.every((hit) => typeof hit === 'string') ? LIMITS.ldapPagedSearchMs : LIMITS.ldapPagedEntriesMs) });
    return cookie;
  }

  /**
   * Gives what a cookie stands for, and forgets it.
   *
   * @throws BridgeError UNSUPPORTED for a cookie of another connection, another question, or another life (RFC 2696 §3: unwillingToPerform)
   */
  take(request: SearchRequest, cookie: string): RestOfSearch {
    const kept = this.#kept.get(cookie);
    this.#kept.delete(cookie);
    if (kept === undefined || kept.keptUntil <= this.#clock.now() || kept.question !== questionOf(request)) throw new BridgeError('UNSUPPORTED', 'this cookie stands for nothing: begin the search again');
    return kept;
  }

  clear(): void {
    this.#kept.clear();
  }
}

/** All but the limits, which a client may change from page to page. */
function questionOf({ baseObject, scope, typesOnly, filter, attributes }: SearchRequest): string {
  return JSON.stringify([baseObject, scope, typesOnly, filter, attributes]);
}
