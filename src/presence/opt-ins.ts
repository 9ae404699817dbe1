import type { Audit } from '../core/audit.ts';
import type { Clock, Instant } from '../core/clock.ts';
import { BridgeError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import { languageTag } from '../core/language-tag.ts';
import type { Actor, OptInState } from './presence-service.ts';

/** Where opt-ins are kept; KeptValues is one. */
export interface OptInStore {
  get(key: string): string | undefined;
  keys(): Iterable<string>;
  /** Resolves when it is on disk; undefined deletes. @throws BridgeError STORE_UNAVAILABLE */
  store(key: string, text: string | undefined): Promise<void>;
}

export interface OptInsOptions {
  readonly kept: OptInStore;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What somebody said of a mailbox, as it is kept. */
interface Said {
  /** Undefined: nobody said; the file decides. */
  readonly isOn: boolean | undefined;
  readonly by: string | undefined;
  readonly via: string | undefined;
  readonly at: Instant | undefined;
  readonly language: string | undefined;
}

const NOTHING_SAID: Said = { isOn: undefined, by: undefined, via: undefined, at: undefined, language: undefined };
const PREFIX = 'opt-in ';

/**
 * Who may be shown: whoever the configuration's `optIn` lists or was switched on, but never whoever was switched off: a person's own "off" is stronger than the file.
 * Every switch is on disk before it counts, and in the audit log after it.
 *
 * Mailboxes are primary addresses here; who an alias is has been decided before.
 */
export class OptIns {
  readonly #options: OptInsOptions;
  readonly #records = new Map<MailboxAddress, Said>();
  #file: ReadonlySet<MailboxAddress> = new Set();
  /** One switch of a mailbox after the other. */
  readonly #turns = new Map<MailboxAddress, Promise<unknown>>();

  constructor(options: OptInsOptions) {
    this.#options = options;
  }

  /** Reads what is kept; the first thing to be called. A value that is none of ours does not count, and is logged. */
  load(fileList: Iterable<MailboxAddress>): void {
    const { kept, logger } = this.#options;
    this.#records.clear();
    for (const key of kept.keys()) {
      if (!key.startsWith(PREFIX)) continue;
      const mailbox = key.slice(PREFIX.length) as MailboxAddress;
      const record = decodeRecord(kept.get(key) ?? '');
      if (record !== undefined) this.#records.set(mailbox, record);
      // Whoever it was, what he said may have been "off".
      else {
        this.#records.set(mailbox, { ...NOTHING_SAID, isOn: false, by: 'unreadable' });
        logger.error({ mailbox }, 'what was said of this opt-in cannot be read: it counts as off');
      }
    }
    this.setFileList(fileList);
  }

  has(mailbox: MailboxAddress): boolean {
    return this.#records.get(mailbox)?.isOn ?? this.#file.has(mailbox);
  }

  of(mailbox: MailboxAddress): OptInState {
    const { isOn, by, at, language } = this.#records.get(mailbox) ?? NOTHING_SAID;
    const isOfFile = isOn === undefined && this.#file.has(mailbox);
    return { mailbox, isOptedIn: isOn ?? isOfFile, by: isOfFile ? 'file' : by, at: isOfFile ? undefined : at, language };
  }

  /** Everybody about whom something was said, by the file or otherwise. */
  all(): readonly OptInState[] {
    return [...new Set([...this.#file, ...this.#records.keys()])].sort().map((mailbox) => this.of(mailbox));
  }

  /** Whoever may be shown now. */
  optedIn(): ReadonlySet<MailboxAddress> {
    return new Set([...this.#file, ...this.#records.keys()].filter((mailbox) => this.has(mailbox)));
  }

  /** Stored before it resolves. `true` where it was the other way before. @throws BridgeError STORE_UNAVAILABLE: then nothing has changed */
  async switch(mailbox: MailboxAddress, isOn: boolean, actor: Actor): Promise<boolean> {
    return this.#inTurn(mailbox, async () => {
      const before = this.#records.get(mailbox) ?? NOTHING_SAID;
      const wasOn = this.has(mailbox);
      // Said once more, nothing is new; of what the file says, it is a person's own word now.
      if (before.isOn === isOn) return false;
      await this.#keep(mailbox, { ...before, isOn, by: actor.by, via: actor.via, at: this.#options.clock.now() });
      this.#options.audit.record({ what: isOn ? 'presence.opt-in' : 'presence.opt-out', mailbox, ...actor, changed: wasOn !== isOn });
      return wasOn !== isOn;
    });
  }

  /** @param language BCP 47; undefined: the configuration's @throws BridgeError STORE_UNAVAILABLE, INVALID_REQUEST where it is no language tag */
  async setLanguage(mailbox: MailboxAddress, language: string | undefined, actor: Actor): Promise<void> {
    const tag = language === undefined ? undefined : languageTag(language);
    if (language !== undefined && tag === undefined) throw new BridgeError('INVALID_REQUEST', 'language should be a language tag: en, de, de-AT');
    await this.#inTurn(mailbox, async () => {
      const before = this.#records.get(mailbox) ?? NOTHING_SAID;
      if (before.language === tag) return;
      await this.#keep(mailbox, { ...before, language: tag });
      this.#options.audit.record({ what: 'presence.language', mailbox, ...actor, language: tag });
    });
  }

  /** Takes the configuration's list as it is now. Who comes and goes by it is audited, at start only against what was there before, which is nobody. */
  setFileList(fileList: Iterable<MailboxAddress>, actor?: Actor): { readonly came: readonly MailboxAddress[]; readonly went: readonly MailboxAddress[] } {
    const before = this.#file;
    const after = new Set(fileList);
    const isNew = (mailbox: MailboxAddress): boolean => !before.has(mailbox);
    for (const mailbox of [...after].filter(isNew)) {
      const { isOn, by } = this.#records.get(mailbox) ?? NOTHING_SAID;
      if (isOn === false) this.#options.logger.info({ mailbox, reason: `switched off by ${by ?? 'somebody'}` }, 'presence.optIn lists a mailbox that has opted out: it stays off');
    }
    const decides = (mailbox: MailboxAddress): boolean => this.#records.get(mailbox)?.isOn === undefined;
    const came = [...after].filter((mailbox) => isNew(mailbox) && decides(mailbox));
    const went = [...before].filter((mailbox) => !after.has(mailbox) && decides(mailbox));
    this.#file = after;
    if (actor !== undefined) {
      for (const mailbox of came) this.#options.audit.record({ what: 'presence.opt-in', mailbox, ...actor, changed: true });
      for (const mailbox of went) this.#options.audit.record({ what: 'presence.opt-out', mailbox, ...actor, changed: true });
    }
    return { came, went };
  }

  /**
   * Switches off everybody named who is on, or everybody who is (the last gateway is gone: presence.md A31). Stored together before it resolves.
   *
   * @returns who was switched off
   * @throws BridgeError STORE_UNAVAILABLE: then some may be off already
   */
  async switchAllOff(which: readonly MailboxAddress[] | 'all', actor: Actor): Promise<readonly MailboxAddress[]> {
    const mailboxes = [...new Set(which === 'all' ? this.optedIn() : which)].filter((mailbox) => this.has(mailbox));
    const outcomes = await Promise.allSettled(mailboxes.map(async (mailbox) => ((await this.switch(mailbox, false, actor)) ? [mailbox] : [])));
    const failed = outcomes.find((one) => one.status === 'rejected');
    const off = outcomes.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
    this.#options.audit.record({ what: 'presence.opt-out-many', ...actor, count: off.length });
    if (failed !== undefined) throw failed.reason;
    return off;
  }

  async #keep(mailbox: MailboxAddress, record: Said): Promise<void> {
    const isEmpty = record.isOn === undefined && record.language === undefined;
    await this.#options.kept.store(PREFIX + mailbox, isEmpty ? undefined : JSON.stringify(record));
    if (isEmpty) this.#records.delete(mailbox);
    else this.#records.set(mailbox, record);
  }

  async #inTurn<T>(mailbox: MailboxAddress, work: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(mailbox) ?? Promise.resolve()).then(work, work);
    this.#turns.set(mailbox, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(mailbox) === turn) this.#turns.delete(mailbox);
    }
  }
}

function decodeRecord(text: string): Said | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // Said by whoever asked.
    return undefined;
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return undefined;
  const { isOn, by, via, at, language } = json as { readonly [Key in keyof Said]?: unknown };
  const isText = (value: unknown): value is string | undefined => value === undefined || typeof value === 'string';
  const isRight = (isOn === undefined || typeof isOn === 'boolean') && isText(by) && isText(via) && isText(language) && (at === undefined || Number.isSafeInteger(at));
  return isRight ? { isOn, by, via, at: at as Instant | undefined, language } : undefined;
}
