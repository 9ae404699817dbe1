import { hash } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from '../core/logger.ts';
import { KeptValues } from './kept-values.ts';
import { prefixed } from './prefixed.ts';
import type { KeptTexts } from './publisher.ts';

/** What presence keeps in `dataDir/presence`: who opted in, what is shown of them, what other sources said, what each publisher was told, and the places of subscriptions. */
export class PresenceStore {
  readonly optIns: KeptValues;
  /** mailbox → state. */
  readonly shown: KeptValues;
  /** mailbox → what other sources say. */
  readonly own: KeptValues;
  readonly #memory: KeptValues;
  readonly #folder: string;
  readonly #logger: Logger;
  readonly #published = new Map<string, KeptValues>();

  private constructor(folder: string, logger: Logger, [optIns, shown, own, memory]: readonly [KeptValues, KeptValues, KeptValues, KeptValues]) {
    this.#folder = folder;
    this.#logger = logger;
    this.optIns = optIns;
    this.shown = shown;
    this.own = own;
    this.#memory = memory;
  }

  /** @throws BridgeError CONFIGURATION or STORE_UNAVAILABLE, where the folder cannot be used */
  static async open(dataDir: string, options: { readonly logger: Logger; readonly isReadOnly?: boolean }): Promise<PresenceStore> {
    const folder = join(dataDir, 'presence');
    const open = (name: string): Promise<KeptValues> => KeptValues.open(join(folder, name), options);
    return new PresenceStore(folder, options.logger, [await open('opt-ins'), await open('shown'), await open('own'), await open('memory')]);
  }

  /** What a publisher was told: mailbox → what it shows. */
  async openPublished(label: string): Promise<KeptTexts> {
    const known = this.#published.get(label);
    if (known !== undefined) return known;
    const name = `published-${hash('sha256', label, 'hex').slice(0, 12)}`;
    const opened = await KeptValues.open(join(this.#folder, name), { logger: this.#logger });
    this.#published.set(label, opened);
    return opened;
  }

  /** See openPublished, which was called before. */
  publishedBy(label: string): KeptTexts {
    return this.#published.get(label)!;
  }

  /** What a gateway, a feed or a publisher keeps for itself. @param owner unique */
  memoryOf(owner: string): KeptTexts {
    return prefixed(this.#memory, `${owner}\n`);
  }

  async close(): Promise<void> {
    await Promise.all([this.optIns, this.shown, this.own, this.#memory, ...this.#published.values()].map((one) => one.close()));
  }
}
