import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { Actor, FollowedMailbox, OptInState, PresenceStatus } from '../../presence/presence-service.ts';
import { askRunningBridge } from '../../platform/control-socket.ts';
import type { SwitchOutcome } from '../../protocols/rest-api/admin-presence.ts';
import { decodeError } from '../over-socket/error.ts';
import { decodeFollowed, decodeOptInState, decodePresenceStatus, decodeSwitchOutcome } from '../over-socket/presence.ts';
import { decodeMailbox } from '../over-socket/push-outcome.ts';
import { isRecord, readEach } from '../over-socket/record.ts';
import type { PresenceAccess } from './presence-access.ts';

/** A thousand switches are one write; whatever else is asked is answered from memory. */
const TIMEOUT_MS = 30_000;
/** A page of a directory. */
const LISTING_TIMEOUT_MS = 120_000;

/** The presence of the bridge that runs with a dataDir, asked over its control socket. Its errors come out here as they were thrown there. */
export class RemotePresence implements PresenceAccess {
  readonly #dataDir: string;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
  }

  async status(): Promise<PresenceStatus> {
    return decodePresenceStatus((await this.#ask('status'))['status']) ?? otherVersion();
  }

  async followed(): Promise<readonly FollowedMailbox[]> {
    return this.#pages('mailboxes', decodeFollowed);
  }

  async optIns(): Promise<readonly OptInState[]> {
    return this.#pages('opt-ins', decodeOptInState);
  }

  async switch(mailboxes: readonly MailboxAddress[], isOn: boolean, { by }: Actor): Promise<readonly SwitchOutcome[]> {
    const outcomes: SwitchOutcome[] = [];
    for (let at = 0; at < mailboxes.length; at += LIMITS.presenceSwitches) {
      const data = await this.#ask('switch', { mailboxes: mailboxes.slice(at, at + LIMITS.presenceSwitches), isOn, by });
      outcomes.push(...(readEach(data['outcomes'], decodeSwitchOutcome) ?? otherVersion()));
    }
    return outcomes;
  }

  async setLanguage(mailbox: MailboxAddress, language: string | undefined, { by }: Actor): Promise<void> {
    await this.#ask('language', { mailbox, language, by });
  }

  async setOwn(...[mailbox, source, state, until, { by }]: Parameters<PresenceAccess['setOwn']>): Promise<void> {
    await this.#ask('own', { mailbox, source, state, until, by });
  }

  async resync(which: readonly MailboxAddress[] | 'all'): Promise<number> {
    const { count } = await this.#ask('resync', { mailboxes: which });
    return typeof count === 'number' ? count : otherVersion();
  }

  readonly everyone: PresenceAccess['everyone'] = (systems, signal) => this.#everyone(systems, signal);

  async close(): Promise<void> {
    // Every question had a connection of its own.
  }

  async *#everyone(systems: readonly string[], signal: AbortSignal): AsyncGenerator<readonly MailboxAddress[]> {
    for (let cursor: string | undefined, begun = false; !begun || cursor !== undefined; begun = true) {
      const data = await this.#ask('everyone', cursor === undefined ? { systems } : { cursor }, LISTING_TIMEOUT_MS, signal);
      yield readEach(data['mailboxes'], decodeMailbox) ?? otherVersion();
      cursor = typeof data['cursor'] === 'string' ? data['cursor'] : undefined;
    }
  }

  async #pages<T>(command: string, decode: (data: unknown) => T | undefined): Promise<readonly T[]> {
    const all: T[] = [];
    for (;;) {
      const data = await this.#ask(command, { offset: all.length });
      const part = readEach(data['mailboxes'], decode) ?? otherVersion();
      all.push(...part);
      if (data['more'] !== true || part.length === 0) return all;
    }
  }

  async #ask(command: string, body: unknown = {}, timeoutMs = TIMEOUT_MS, signal?: AbortSignal): Promise<Readonly<Record<string, unknown>>> {
    const answer = await askRunningBridge(this.#dataDir, `presence/${command}`, timeoutMs, body, signal);
    if (answer.ok) return isRecord(answer.data) ? answer.data : otherVersion();
    const message = answer.lines.join('; ');
    if (answer.isMisconfigured === true) throw new BridgeError('CONFIGURATION', message);
    throw (isRecord(answer.data) ? decodeError(answer.data['error']) : undefined) ?? new BridgeError('UNSUPPORTED', message);
  }
}

function otherVersion(): never {
  throw new BridgeError('UNSUPPORTED', 'the running bridge is another version than this command: restart it');
}
