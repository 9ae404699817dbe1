import type { Clock } from '../../core/clock.ts';
import { toBridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Logger } from '../../core/logger.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';
import type { EntrySource, SourceBatch, SourceRead } from '../../directory/entry-source.ts';
import { LdapConnection } from './source-connection.ts';
import { attributeNames, filterOf } from './source/attribute-names.ts';
import type { AttributeNames } from './source/attribute-names.ts';
import { Complaints } from './source/complaints.ts';
import { digestOf } from './source/cursor.ts';
import { KnownIds } from './source/known-ids.ts';
import { probeDirectory } from './source/probe.ts';
import { readDirectory } from './source/read-directory.ts';
import { flavourOf } from './source/root-dse.ts';

export { LDAP_ATTRIBUTE_NAMES } from './source/attribute-names.ts';

export interface LdapSourceOptions {
  readonly label: string;
  /** `ldap://` or `ldaps://`. */
  readonly url: URL;
  /** Everything below it is read; empty where the server has a default for that. */
  readonly base: string;
  readonly bindDn?: string | undefined;
  readonly password?: string | undefined;
  /** RFC 4515; absent: everybody who has an address. */
  readonly filter?: string | undefined;
  /** Of an `ldap://` url; always verified, as ldaps is. */
  readonly startTls: boolean;
  /** PEM; replaces Node's own authorities. */
  readonly ca?: readonly string[] | undefined;
  /** Our names (LDAP_ATTRIBUTE_NAMES) to theirs, in place of those that are known; an empty one: not read. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * An LDAP directory as a source of the address book. One connection serves one reading and is closed after it. Readings follow each other; two at the same time are not meant.
 *
 * What is read, and how changes are followed: source/README.md.
 */
export class LdapSource implements EntrySource {
  readonly label: string;
  readonly pauseMs = LIMITS.ldapPauseMs;
  readonly wholeEveryMs = LIMITS.ldapWholeMs;
  readonly #options: LdapSourceOptions;
  readonly #names: AttributeNames;
  readonly #filter: string;
  readonly #settings: string;
  readonly #complaints: Complaints;
  readonly #known = new KnownIds();
  readonly #closing = new AbortController();
  #lastIdPass: { readonly startedAt: number; readonly durationMs: number } | undefined;

  constructor(options: LdapSourceOptions) {
    this.label = options.label;
    this.#options = options;
    this.#names = attributeNames(options.attributes);
    this.#filter = filterOf(options.filter, this.#names);
    this.#settings = digestOf([options.url.host.toLowerCase(), options.base, this.#filter, JSON.stringify(this.#names)]);
    this.#complaints = new Complaints(options.logger, options.label);
  }

  async read(cursor: string | undefined, take: (batch: SourceBatch) => Promise<void>, signal: AbortSignal): Promise<SourceRead> {
    const { base, clock } = this.#options;
    const ending = endingWith([signal, this.#closing.signal]);
    let connection: LdapConnection | undefined;
    try {
      connection = await LdapConnection.open(this.#options, ending.signal);
      await connection.bind(this.#options);
      return await readDirectory(
        {
          connection,
          base,
          take,
          filter: this.#filter,
          names: this.#names,
          complaints: this.#complaints,
          settings: this.#settings,
          known: this.#known,
          flavour: await flavourOf(connection),
          now: () => clock.now(),
          isIdPassDue: this.#isIdPassDue(clock.now()),
          idPassDone: (startedAt, endedAt) => (this.#lastIdPass = { startedAt, durationMs: Math.max(0, endedAt - startedAt) }),
        },
        cursor,
      );
    } catch (thrown) {
      throw toBridgeError(thrown);
    } finally {
      ending.forget();
      await connection?.close();
    }
  }

  async probe(signal: AbortSignal): Promise<readonly ProbeFinding[]> {
    return probeDirectory({ server: this.#options, base: this.#options.base, filter: this.#filter, names: this.#names }, signal);
  }

  async close(): Promise<void> {
    this.#closing.abort();
  }

  /** A short pass goes with every reading. A long one waits, but not so long that it would be late with the reading after this one. */
  #isIdPassDue(now: number): boolean {
    if (this.#lastIdPass === undefined) return true;
    const { startedAt, durationMs } = this.#lastIdPass;
    const age = now - startedAt;
    return age < 0 || Math.max(age, this.pauseMs) >= durationMs / LIMITS.ldapIdPassShare || age + durationMs + this.pauseMs >= LIMITS.ldapIdPassMs;
  }
}

/** Fires with the first of them. Unlike AbortSignal.any it leaves nothing behind on signals that live as long as the bridge. */
function endingWith(signals: readonly AbortSignal[]): { readonly signal: AbortSignal; readonly forget: () => void } {
  const controller = new AbortController();
  const end = (): void => controller.abort();
  for (const one of signals) {
    if (one.aborted) end();
    else one.addEventListener('abort', end, { once: true });
  }
  return { signal: controller.signal, forget: () => signals.forEach((one) => one.removeEventListener('abort', end)) };
}
