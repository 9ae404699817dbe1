import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Actor } from '../../core/audit.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { PrivacyState } from '../../freebusy/privacy.ts';
import { askRunningBridge } from '../../platform/control-socket.ts';
import type { PrivacyOutcome } from '../../protocols/rest-api/admin-privacy.ts';
import { decodeError } from '../over-socket/error.ts';
import { decodePrivacyOutcome, decodePrivacyState } from '../over-socket/privacy.ts';
import { isRecord, readEach } from '../over-socket/record.ts';
import type { JsonRecord } from '../over-socket/record.ts';
import type { PrivacyAccess } from './privacy-access.ts';

/** A thousand of them are one write. */
const TIMEOUT_MS = 30_000;

/** The privacy of the bridge that runs with a dataDir, asked over its control socket. Its errors come out here as they were thrown there. */
export class RemotePrivacy implements PrivacyAccess {
  readonly #dataDir: string;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
  }

  async all(): Promise<readonly PrivacyState[]> {
    const all: PrivacyState[] = [];
    for (;;) {
      const data = await this.#ask('list', { offset: all.length });
      const part = readEach(data['mailboxes'], decodePrivacyState) ?? otherVersion();
      all.push(...part);
      if (data['more'] !== true || part.length === 0) return all;
    }
  }

  async switch(mailboxes: readonly MailboxAddress[], isOptedOut: boolean, { by }: Actor): Promise<readonly PrivacyOutcome[]> {
    const outcomes: PrivacyOutcome[] = [];
    for (let at = 0; at < mailboxes.length; at += LIMITS.privacySwitches) {
      const data = await this.#ask('switch', { mailboxes: mailboxes.slice(at, at + LIMITS.privacySwitches), isOptedOut, by });
      outcomes.push(...(readEach(data['outcomes'], decodePrivacyOutcome) ?? otherVersion()));
    }
    return outcomes;
  }

  async close(): Promise<void> {
    // Every question had a connection of its own.
  }

  async #ask(command: string, body: unknown): Promise<JsonRecord> {
    const answer = await askRunningBridge(this.#dataDir, `privacy/${command}`, TIMEOUT_MS, body);
    if (answer.ok) return isRecord(answer.data) ? answer.data : otherVersion();
    const message = answer.lines.join('; ');
    throw (isRecord(answer.data) ? decodeError(answer.data['error']) : undefined) ?? new BridgeError('UNSUPPORTED', message);
  }
}

function otherVersion(): never {
  throw new BridgeError('UNSUPPORTED', 'the running bridge is another version than this command: restart it');
}
