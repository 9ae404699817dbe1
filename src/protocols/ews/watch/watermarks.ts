import { DAY_MS } from '../../../core/clock.ts';
import type { Clock } from '../../../core/clock.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { KeptTexts } from '../../../presence/publisher.ts';
import type { MailboxAddress } from '../../../directory/smtp-address.ts';
import { opaque } from './subscribe.ts';

/** Up to where the events of each calendar are known, over restarts. `<when, ms> <watermark>` under `ews-watermark:<gateway>:<mailbox>`. */
export class Watermarks {
  readonly #memory: KeptTexts;
  readonly #clock: Clock;
  readonly #prefix: string;

  constructor(memory: KeptTexts, clock: Clock, description: string) {
    this.#memory = memory;
    this.#clock = clock;
    this.#prefix = `ews-watermark:${description}:`;
  }

  /** Undefined where there is none, or one that Exchange would not take any more. */
  get(mailbox: MailboxAddress): string | undefined {
    const [, at, watermark] = /^(\d{1,16}) ([\s\S]+)$/.exec(this.#memory.get(this.#prefix + mailbox) ?? '') ?? [];
    return at === undefined || this.#clock.now() - Number(at) > LIMITS.ewsWatermarkAgeMs ? undefined : opaque(watermark);
  }

  /** Written where it is news, and once in a day for its age. */
  set(mailbox: MailboxAddress, watermark: string | undefined): void {
    const [, at, known] = /^(\d{1,16}) ([\s\S]+)$/.exec(this.#memory.get(this.#prefix + mailbox) ?? '') ?? [];
    if (known === watermark && this.#clock.now() - Number(at) < DAY_MS) return;
    if (watermark !== undefined) this.#memory.set(this.#prefix + mailbox, `${this.#clock.now()} ${watermark}`);
  }

  forget(mailbox: MailboxAddress): void {
    this.#memory.delete(this.#prefix + mailbox);
  }

  /** Those of nobody who is followed. */
  keepOnly(mailboxes: ReadonlySet<MailboxAddress>): void {
    for (const key of [...this.#memory.keys()]) {
      if (key.startsWith(this.#prefix) && !mailboxes.has(key.slice(this.#prefix.length) as MailboxAddress)) this.#memory.delete(key);
    }
  }
}
