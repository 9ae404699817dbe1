import { BerWriter, Client, Control, FilterParser } from 'ldapts';
import type { ClientOptions, Entry, Filter } from 'ldapts';
import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { untilAborted } from '../../core/until-aborted.ts';
import { openStream, secureStream } from '../../platform/stream-connection.ts';
import { connectionFailure, resultFailure } from './source/failure.ts';
import type { LdapStep } from './source/failure.ts';
import { PAGED_RESULTS } from './source/message-shape.ts';
import { MessageSocket } from './source/message-socket.ts';

/** Where a directory is, and as whom it is read. */
export interface LdapServer {
  /** `ldap://` or `ldaps://`; path and query say nothing. */
  readonly url: URL;
  readonly startTls: boolean;
  /** PEM; replaces Node's own authorities. */
  readonly ca?: readonly string[] | undefined;
  /** A DN; Active Directory takes `DOMAIN\user` and `user@domain` too. Absent: anonymous. */
  readonly bindDn?: string | undefined;
  readonly password?: string | undefined;
}

export interface LdapSearch {
  readonly base: string;
  readonly scope: 'base' | 'sub';
  /** RFC 4515. */
  readonly filter: string;
  readonly attributes: readonly string[];
  /** Of `attributes`, those that are no text. */
  readonly binary?: readonly string[];
  /** Entries in one page; default: LIMITS.ldapPageEntries. */
  readonly pageEntries?: number;
}

export type LdapEntry = Entry;

/** One connection to a directory, signed in; for one reading. Questions go one after the other. It never comes back by itself. */
export class LdapConnection {
  readonly #socket: MessageSocket;
  readonly #client: Client;
  readonly #signal: AbortSignal;

  private constructor(socket: MessageSocket, signal: AbortSignal) {
    this.#socket = socket;
    this.#client = clientOn(socket);
    this.#signal = signal;
  }

  /**
   * Connects (TLS is always verified), starts TLS where it is to, and leaves the bind to `bind`.
   *
   * @throws BridgeError BACKEND_UNREACHABLE, BACKEND_TLS, BACKEND_MALFORMED, DEADLINE (the signal fired)
   */
  static async open({ url, startTls, ca }: LdapServer, signal: AbortSignal): Promise<LdapConnection> {
    const isSecure = url.protocol === 'ldaps:';
    const target = { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port === '' ? (isSecure ? 636 : 389) : url.port), timeoutMs: LIMITS.connectTimeoutMs, signal };
    let plain: Awaited<ReturnType<typeof openStream>> | undefined;
    try {
      plain = await openStream(target);
      if (startTls && !isSecure) {
        const connection = new LdapConnection(new MessageSocket(plain), signal);
        await connection.#ask('STARTTLS', () => connection.#client.exop(START_TLS));
        connection.#socket.release();
      }
      return new LdapConnection(new MessageSocket(isSecure || startTls ? await secureStream(plain, target, ca) : plain), signal);
    } catch (thrown) {
      plain?.destroy();
      throw connectionFailure(thrown);
    }
  }

  /** @throws BridgeError BACKEND_AUTH; CONFIGURATION for a name without a password, which many servers take for nobody and let in */
  async bind({ bindDn, password }: LdapServer): Promise<void> {
    if (bindDn === undefined) return;
    if (password === undefined || password === '') throw new BridgeError('CONFIGURATION', 'bindDn without a password is no sign-in', { details: { advice: 'give password, or leave bindDn out' } });
    await this.#ask('bind', () => this.#client.bind(bindDn, password));
  }

  /**
   * The entries of a search, page by page. A server that does not page gives all of them as one.
   *
   * It pages by itself, because ldapts takes a page without entries for the last one; Active Directory gives such pages when it looked at enough entries that do not match.
   *
   * @throws BridgeError what went wrong; BACKEND_TOO_LARGE where the server gives a part only: nothing incomplete looks complete
   */
  async *pages({ base, scope, filter, attributes, binary = [], pageEntries = LIMITS.ldapPageEntries }: LdapSearch): AsyncGenerator<readonly LdapEntry[]> {
    const options = { scope, filter: parsed(filter), attributes: [...attributes], explicitBufferAttributes: [...binary] };
    let cookie: Buffer = Buffer.alloc(0);
    for (let entries = 0, idle = 0; ; ) {
      const { searchEntries } = await this.#ask('search', () => this.#client.search(base, options, scope === 'base' ? [] : [new PagedResults(pageEntries, cookie)]));
      entries += searchEntries.length;
      idle = searchEntries.length === 0 ? idle + 1 : 0;
      if (entries > LIMITS.galEntries || idle > LIMITS.ldapIdlePages) throw new BridgeError('BACKEND_TOO_LARGE', 'the directory does not come to an end', { details: { entries } });
      yield searchEntries;
      cookie = this.#socket.cookie;
      if (cookie.length === 0) return;
    }
  }

  /** The entry itself; undefined where there is none, or none that we may read. */
  async entry(base: string, attributes: readonly string[], binary: readonly string[] = []): Promise<LdapEntry | undefined> {
    try {
      for await (const [found] of this.pages({ base, scope: 'base', filter: '(objectClass=*)', attributes, binary })) return found;
    } catch (thrown) {
      if (!(thrown instanceof BridgeError) || thrown.details['status'] !== NO_SUCH_OBJECT) throw thrown;
    }
    return undefined;
  }

  /** Says farewell, and does not wait long for it. Never throws; safe to call twice. */
  async close(): Promise<void> {
    if (!this.#socket.destroyed) await untilAborted(this.#client.unbind(), AbortSignal.timeout(LIMITS.ldapFarewellMs)).catch(() => undefined);
    this.#socket.destroy();
  }

  /** One question and its answer: it ends when the signal fires, the time is over, or the connection. */
  async #ask<T>(step: LdapStep, question: () => Promise<T>): Promise<T> {
    if (this.#socket.failure !== undefined) throw this.#socket.failure;
    this.#socket.beginAnswer();
    try {
      return await untilAborted(question(), this.#signal, step === 'search' ? LIMITS.ldapAnswerMs : LIMITS.ldapSignInMs);
    } catch (thrown) {
      const failure = this.#socket.failure ?? classified(thrown, step);
      // Whatever else may come of this answer, nobody waits for it.
      if (failure.details['status'] === undefined) this.#socket.fail(failure);
      throw failure;
    }
  }
}

const START_TLS = '1.3.6.1.4.1.1466.20037';
const NO_SUCH_OBJECT = 32;

function clientOn(socket: MessageSocket): Client {
  let isTaken = false;
  const createConnection = (): MessageSocket => {
    // ldapts would connect anew, without TLS and without a bind, when a connection is lost between two pages.
    if (isTaken) throw socket.failure ?? new BridgeError('BACKEND_UNREACHABLE', 'the directory closed the connection', { temporary: true });
    isTaken = true;
    return socket;
  };
  return new Client({ url: 'ldap://directory', createConnection: createConnection as unknown as NonNullable<ClientOptions['createConnection']> });
}

/** Turns what ldapts threw into ours: result codes it gives as `code` of a ResultCodeError, everything else as text. */
function classified(thrown: unknown, step: LdapStep): BridgeError {
  if (thrown instanceof BridgeError) return thrown;
  if (thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'number') return resultFailure(thrown.code, thrown.message.replace(/ Code: 0x[0-9a-f]+$/, ''), step);
  return new BridgeError('BACKEND_MALFORMED', 'the directory sent an answer that cannot be read', { temporary: true, cause: thrown });
}

function parsed(filter: string): Filter {
  try {
    return FilterParser.parseString(filter);
  } catch (error) {
    throw new BridgeError('CONFIGURATION', 'filter is none of LDAP (RFC 4515)', { cause: error, details: { advice: 'correct filter: (objectClass=person), (&(mail=*)(!(cn=x*)))' } });
  }
}

/** RFC 2696, asking for the next page; its answer is read by the socket. Not critical: a server without paging answers all the same. */
class PagedResults extends Control {
  readonly #size: number;
  readonly #cookie: Buffer;

  constructor(size: number, cookie: Buffer) {
    super(PAGED_RESULTS, { critical: false });
    this.#size = size;
    this.#cookie = cookie;
  }

  protected override writeControl(writer: BerWriter): void {
    const value = new BerWriter();
    value.startSequence();
    value.writeInt(this.#size);
    value.writeBuffer(this.#cookie, OCTETS);
    value.endSequence();
    writer.writeBuffer(value.buffer, OCTETS);
  }
}

const OCTETS = 0x04;
