import type { Clock } from '../../core/clock.ts';
import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { within } from '../../core/within.ts';
import { retryAfterMs } from '../../platform/http-client/answer-headers.ts';
import { below } from '../../platform/http-client/below.ts';
import { HttpClient } from '../../platform/http-client/http-client.ts';
import { basicAuthentication } from '../../platform/http-client/interceptors.ts';
import { RequestBudget } from '../../platform/http-client/request-budget.ts';
import { faultOf } from './faults.ts';
import { bareJid } from '../user-activity/jid.ts';
import type { Account } from '../user-activity/jid.ts';
import { NO_SHOW } from './names.ts';
import type { Command } from './names.ts';
import type { SessionChange } from './session-plan.ts';
import { decodeSessions } from './sessions.ts';
import type { Session } from './sessions.ts';

export interface EjabberdApiOptions {
  /** mod_http_api's, without a trailing slash. */
  readonly url: URL;
  /** A full JID, with its password; absent: the server lets us in by our address. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** PEM certificates trusted in place of Node's own. */
  readonly ca?: readonly string[] | undefined;
  readonly clock: Clock;
}

/** What the answer to one call says, beside what it is about. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: string;
  readonly retryAfterMs: number | undefined;
}

/**
 * Calls mod_http_api. Arguments are JSON built from values, never put together from texts.
 *
 * Every method throws BridgeErrors: those of faultOf, BACKEND_UNREACHABLE and DEADLINE (temporary), BACKEND_TLS, BACKEND_MALFORMED, BACKEND_TOO_LARGE.
 */
export class EjabberdApi {
  readonly #options: EjabberdApiOptions;
  readonly #http: HttpClient;
  /** 23.01 wants set_presence's priority as a text, later ones as a number; the answer to the first call shows which. */
  #isPriorityNumber = false;

  constructor(options: EjabberdApiOptions) {
    const { username, password, ca } = options;
    this.#options = options;
    this.#http = new HttpClient({ ca, ...(username === undefined || password === undefined ? {} : { interceptors: [basicAuthentication(username, password)] }) });
  }

  /** The sessions that have sent presence; nobody of that name is as good as nobody signed in. */
  async sessionsOf(account: Account, signal: AbortSignal): Promise<readonly Session[]> {
    return decodeSessions(await this.#result('user_sessions_info', { ...account }, signal), this.#options.clock.now());
  }

  async hasAccount(account: Account, signal: AbortSignal): Promise<boolean> {
    const result = await this.#result('check_account', { ...account }, signal);
    if (result !== 0 && result !== 1) throw malformed('check_account');
    return result === 0;
  }

  /** @returns false where ejabberd says `internal_error`, which is how it says that the session has gone (and anything else) */
  async setPresence(account: Account, change: SessionChange, signal: AbortSignal): Promise<boolean> {
    const call = (): Promise<ApiAnswer> => this.call('set_presence', setPresenceArguments(account, change, this.#isPriorityNumber), signal);
    let answer = await call();
    if (answer.status === 400) {
      this.#isPriorityNumber = !this.#isPriorityNumber;
      answer = await call();
    }
    if (answer.status === 500) return false;
    resultOf('set_presence', answer);
    return true;
  }

  /** Resolves when ejabberd has taken it; what becomes of it is not said. */
  async sendStanza(from: Account, to: Account, stanza: string, signal: AbortSignal): Promise<void> {
    await this.#result('send_stanza', { from: bareJid(from), to: bareJid(to), stanza }, signal);
  }

  /** One call and its answer, whatever the status. */
  async call(command: Command, args: Readonly<Record<string, string | number>>, signal: AbortSignal): Promise<ApiAnswer> {
    try {
      const { status, headers, body } = await within(LIMITS.ejabberdCallMs, signal, (late) =>
        this.#http.request({
          method: 'POST',
          url: below(this.#options.url, `/${command}`),
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(args),
          signal: late,
          budget: new RequestBudget(),
          redirect: 'manual',
        }),
      );
      return { status, body: body.toString('utf8'), retryAfterMs: retryAfterMs(headers) };
    } catch (error) {
      throw named(error);
    }
  }

  async close(): Promise<void> {
    await this.#http.close();
  }

  async #result(command: Command, args: Readonly<Record<string, string | number>>, signal: AbortSignal): Promise<unknown> {
    return resultOf(command, await this.call(command, args, signal));
  }
}

/** All texts, but for the priority: see EjabberdApi. */
export function setPresenceArguments(account: Account, { resource, show, status, priority }: SessionChange, isPriorityNumber: boolean): Readonly<Record<string, string | number>> {
  return { ...account, resource, type: 'available', show: show === 'available' ? NO_SHOW : show, status, priority: isPriorityNumber ? priority : String(priority) };
}

function resultOf(command: Command, answer: ApiAnswer): unknown {
  if (answer.status !== 200) throw faultOf(command, answer.status, answer.retryAfterMs);
  try {
    return JSON.parse(answer.body);
  } catch (error) {
    throw malformed(command, error);
  }
}

/** The HTTP client speaks of calendar systems. */
function named(error: unknown): unknown {
  if (!(error instanceof BridgeError)) return error;
  const words = error.code === 'BACKEND_UNREACHABLE' ? 'ejabberd cannot be reached' : error.code === 'BACKEND_TLS' ? "ejabberd's certificate is not trusted" : undefined;
  const { code, temporary, details } = error;
  return words === undefined ? error : new BridgeError(code, words, { temporary, details, cause: error });
}

function malformed(command: Command, cause?: unknown): BridgeError {
  return new BridgeError('BACKEND_MALFORMED', `ejabberd answered ${command} with something else`, { temporary: true, cause });
}
