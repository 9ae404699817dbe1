import type { Actor, Audit } from '../core/audit.ts';
import type { Clock } from '../core/clock.ts';
import { BridgeError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import type { Logger } from '../core/logger.ts';
import { withoutTag } from '../directory/smtp-address.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { ExpandedGroup } from '../directory/whereabouts.ts';
import type { PrivacyService, PrivacyState } from '../freebusy/privacy.ts';
import type { OptOut, OptOutFile } from './opt-out-file.ts';

export interface ExclusionsOptions {
  /** `privacy.exclude`: mailboxes and groups. */
  readonly exclude: readonly MailboxAddress[];
  /** Undefined before it is opened: then only `exclude` counts. */
  readonly optOuts: () => OptOutFile | undefined;
  /** The primary address behind an alias; of whom nobody knows, as written. */
  readonly resolve: (mailbox: MailboxAddress) => MailboxAddress;
  /** The mailboxes of a group; undefined for what is none (directory/whereabouts.ts). */
  readonly expand: (group: MailboxAddress, most: number) => ExpandedGroup | undefined;
  /** Some system has this mailbox, or some directory knows it. */
  readonly isKnown: (mailbox: MailboxAddress) => boolean;
  /** Grows whenever anything in the directories changes. */
  readonly revision: () => number;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Why somebody is hidden. */
interface Reasons {
  isExcluded: boolean;
  isOptedOut: boolean;
}

const EXCLUDED = 'it is excluded by privacy.exclude';
const OPTED_OUT = 'it has opted out';

/**
 * Who is hidden by one configuration: whoever it excludes, whoever opted out, and all members of the groups among these. Everybody counts under the primary address that the directories
 * give now, and under the one that was written; so an alias is hidden with its mailbox, and a renamed mailbox stays hidden.
 */
export class Exclusions implements PrivacyService {
  readonly #options: ExclusionsOptions;
  #hidden = new Map<MailboxAddress, Reasons>();
  /** What `#hidden` was made from. */
  #madeFrom = { version: -2, revision: -1 };
  #notBefore = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #complained = new Set<MailboxAddress>();
  #onChanged: ((mailboxes: readonly MailboxAddress[]) => void) | undefined;

  constructor(options: ExclusionsOptions) {
    this.#options = options;
  }

  reasonToHide(mailbox: MailboxAddress): string | undefined {
    const hidden = this.#now();
    // A server may take kim+news for kim where no directory says so.
    const { isExcluded, isOptedOut } = hidden.get(mailbox) ?? hidden.get(withoutTag(mailbox)) ?? {};
    if (isExcluded === true) return EXCLUDED;
    return isOptedOut === true ? OPTED_OUT : undefined;
  }

  /** For the replication: nothing of it is published. */
  isHidden(mailbox: MailboxAddress): boolean {
    return this.#now().has(mailbox);
  }

  /** Looks from time to time whether a group has changed, and calls `onChanged` with who is hidden now and was not, or the other way round; until `close`. */
  watch(onChanged: (mailboxes: readonly MailboxAddress[]) => void): void {
    this.#now();
    this.#onChanged = onChanged;
    this.#timer ??= setInterval(() => this.#now(), LIMITS.exclusionLooksMs).unref();
  }

  /** Who is hidden by one of them only. */
  differenceTo(other: Exclusions): readonly MailboxAddress[] {
    return difference(other.#now(), this.#now());
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#onChanged = undefined;
  }

  of(mailbox: MailboxAddress): PrivacyState {
    const primary = this.#options.resolve(mailbox);
    const { isExcluded = false, isOptedOut = false } = this.#now().get(primary) ?? this.#now().get(mailbox) ?? {};
    const { by, at } = this.#recordsOf(mailbox)[0] ?? {};
    return { mailbox, isHidden: isExcluded || isOptedOut, isExcluded, isOptedOut, by, at };
  }

  all(): readonly PrivacyState[] {
    const { exclude, optOuts } = this.#options;
    return [...new Set([...exclude, ...(optOuts()?.optOuts.keys() ?? [])])].sort().map((mailbox) => this.of(mailbox));
  }

  async switch(mailbox: MailboxAddress, isOptedOut: boolean, actor: Actor): Promise<boolean> {
    const { optOuts, resolve, audit, clock } = this.#options;
    const file = optOuts();
    if (file === undefined) throw new BridgeError('STORE_UNAVAILABLE', 'the bridge does not run', { temporary: true });
    const { by, via } = actor;
    const records = this.#recordsOf(mailbox);
    if (isOptedOut === records.length > 0) return false;
    const primary = resolve(mailbox);
    await file.change(isOptedOut ? { add: [{ mailbox: primary, by, via, at: clock.now() }] } : { remove: records.map((one) => one.mailbox) });
    audit.record({ what: isOptedOut ? 'privacy.opt-out' : 'privacy.opt-in', mailbox: primary, by, via, changed: true });
    this.#now();
    return true;
  }

  /** What was said of this mailbox, under whichever of its addresses. */
  #recordsOf(mailbox: MailboxAddress): readonly OptOut[] {
    const { optOuts, resolve } = this.#options;
    const primary = resolve(mailbox);
    const records = optOuts()?.optOuts ?? new Map<MailboxAddress, OptOut>();
    const direct = [records.get(mailbox), records.get(primary)].filter((one) => one !== undefined);
    if (direct.length > 0) return [...new Set(direct)];
    // Renamed since: the address that was opted out is an alias now. Only whoever is hidden can be among them.
    return this.#hidden.get(primary)?.isOptedOut === true ? [...records.values()].filter((one) => resolve(one.mailbox) === primary) : [];
  }

  /** Made anew when somebody opts out or in, and when the directories have changed. */
  #now(): ReadonlyMap<MailboxAddress, Reasons> {
    const { optOuts } = this.#options;
    const version = optOuts()?.version ?? -1;
    const revision = this.#options.revision();
    const { version: madeOf, revision: madeAt } = this.#madeFrom;
    if (version === madeOf && (revision === madeAt || performance.now() < this.#notBefore)) return this.#hidden;
    const began = performance.now();
    const before = this.#hidden;
    this.#madeFrom = { version, revision };
    this.#hidden = this.#made();
    const tookMs = performance.now() - began;
    // A directory that changes all the time, and very many opt-outs: a tenth of the time at most.
    this.#notBefore = tookMs < LIMITS.exclusionsMadeMs ? 0 : performance.now() + 9 * tookMs;
    this.#tellOf(before);
    return this.#hidden;
  }

  #made(): Map<MailboxAddress, Reasons> {
    const { exclude, optOuts } = this.#options;
    const hidden = new Map<MailboxAddress, Reasons>();
    for (const mailbox of exclude) this.#hide(hidden, mailbox, 'isExcluded');
    for (const mailbox of optOuts()?.optOuts.keys() ?? []) this.#hide(hidden, mailbox, 'isOptedOut');
    return hidden;
  }

  #hide(hidden: Map<MailboxAddress, Reasons>, named: MailboxAddress, why: keyof Reasons): void {
    const { resolve, expand, isKnown, logger } = this.#options;
    const put = (mailbox: MailboxAddress): void => {
      const reasons = hidden.get(mailbox) ?? { isExcluded: false, isOptedOut: false };
      reasons[why] = true;
      hidden.set(mailbox, reasons);
    };
    const primary = resolve(named);
    put(named);
    put(primary);
    const group = expand(primary, LIMITS.excludedMembers);
    for (const member of group?.members ?? []) {
      put(member);
      put(resolve(member));
    }
    const trouble = group?.isTooLarge === true ? 'it is a group with too many members or groups: not all of them are hidden' : group === undefined && !isKnown(primary) ? 'no system and no directory has it; if it is a group, its members are shown' : undefined;
    if (trouble === undefined) this.#complained.delete(named);
    else if (!this.#complained.has(named)) {
      this.#complained.add(named);
      logger.warn({ mailbox: named, reason: trouble }, why === 'isExcluded' ? 'privacy.exclude names somebody who cannot be hidden' : 'somebody has opted out who cannot be hidden');
    }
  }

  #tellOf(before: ReadonlyMap<MailboxAddress, Reasons>): void {
    const changed = this.#onChanged === undefined ? [] : difference(before, this.#hidden);
    if (changed.length > 0) this.#onChanged?.(changed);
  }
}

function difference(one: ReadonlyMap<MailboxAddress, unknown>, other: ReadonlyMap<MailboxAddress, unknown>): readonly MailboxAddress[] {
  return [...[...other.keys()].filter((mailbox) => !one.has(mailbox)), ...[...one.keys()].filter((mailbox) => !other.has(mailbox))];
}
