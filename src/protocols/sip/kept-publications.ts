import type { Clock, Instant } from '../../core/clock.ts';
import { LIMITS } from '../../core/limits.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { KeptTexts } from '../../presence/publisher.ts';
import { TOKEN } from './names.ts';

/** A publication that we made and that the server still has, as far as we know. */
export interface KeptPublication {
  readonly etag: string;
  readonly expiresAt: Instant;
}

/** Entity tags over restarts: with them a publication is changed, without them it is doubled until the old one lapses. */
export class KeptPublications {
  readonly #memory: KeptTexts;
  readonly #prefix: string;
  readonly #clock: Clock;

  constructor(memory: KeptTexts, label: string, clock: Clock) {
    this.#memory = memory;
    this.#prefix = `${label} `;
    this.#clock = clock;
  }

  /** Undefined where there is none, it has lapsed, or what is kept cannot be read. */
  get(mailbox: MailboxAddress): KeptPublication | undefined {
    const [, expiresAt, etag = ''] = /^(\d{1,15}) (\S+)$/.exec(this.#memory.get(this.#prefix + mailbox) ?? '') ?? [];
    if (!TOKEN.test(etag) || etag.length > LIMITS.sipEntityTagCharacters || Number(expiresAt) <= this.#clock.now()) return undefined;
    return { etag, expiresAt: Number(expiresAt) };
  }

  set(mailbox: MailboxAddress, { etag, expiresAt }: KeptPublication): void {
    this.#memory.set(this.#prefix + mailbox, `${expiresAt} ${etag}`);
  }

  /** Resolves when it is on disk, or the disk does not take it: that was logged, and the publication stands all the same. */
  async flush(): Promise<void> {
    await this.#memory.flush?.().catch(() => undefined);
  }

  delete(mailbox: MailboxAddress): void {
    this.#memory.delete(this.#prefix + mailbox);
  }

  /** Forgets what has lapsed. */
  sweep(): void {
    for (const key of [...this.#memory.keys()]) {
      if (key.startsWith(this.#prefix) && this.get(key.slice(this.#prefix.length) as MailboxAddress) === undefined) this.#memory.delete(key);
    }
  }
}
