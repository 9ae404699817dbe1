import { LIMITS } from '../../core/limits.ts';
import { BridgeError } from '../../core/errors.ts';
import { Pace } from '../../core/pace.ts';
import { attribute } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { el } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { isAccountId } from './account.ts';
import { ZIMBRA_ADMIN_NS } from './names.ts';

/** Where a feed stands (zimbra.md §5.2): both texts are opaque. */
export interface WaitSetPlace {
  readonly waitSet: string;
  readonly seq: string;
}

/** Appointments only. */
const TYPES = 'a';

/** A set over all mailboxes of the server that runs it; needs a global administrator (zimbra.md §5.1). */
export function encodeCreateWaitSetRequest(): XmlNode {
  return el('AdminCreateWaitSetRequest', { xmlns: ZIMBRA_ADMIN_NS, defTypes: TYPES, allAccounts: '1' });
}

/** @throws BridgeError BACKEND_MALFORMED */
export function decodeCreateWaitSetResponse(response: XmlElement | undefined): WaitSetPlace {
  const waitSet = attribute(response, 'waitSet');
  const seq = attribute(response, 'seq');
  if (response?.name !== 'AdminCreateWaitSetResponse' || !isOpaque(waitSet) || !isOpaque(seq)) {
    throw new BridgeError('BACKEND_MALFORMED', 'the calendar system did not answer with a WaitSet');
  }
  return { waitSet, seq };
}

/** `defTypes` is needed where the server was started anew: it makes the set again and replays what it missed. @param timeoutS how long the server may keep it open */
export function encodeWaitSetRequest({ waitSet, seq }: WaitSetPlace, timeoutS: number): XmlNode {
  return el('AdminWaitSetRequest', { xmlns: ZIMBRA_ADMIN_NS, waitSet, seq, defTypes: TYPES, block: '1', timeout: String(timeoutS) });
}

export type WaitSetAnswer =
  /** Another request on the same set took our place. */
  | { readonly kind: 'canceled' }
  | {
      readonly kind: 'signalled';
      /** Acknowledges what follows with the next request. */
      readonly seq: string;
      /** Ids of those that changed; with those of errors, because a deleted mailbox is a change. */
      readonly accounts: ReadonlySet<string>;
      /** What the server says of accounts that it cannot watch (`MAILBOX_DELETED`), each once, for the log. */
      readonly errors: readonly string[];
    };

/**
 * Reads `<a id>` and, as the old document has it, `<n id>`; an error's `type`, or `t`. Ids that can name no account are left out. A restarted
 * server names every account it has, so others get their turn meanwhile.
 *
 * @throws BridgeError BACKEND_MALFORMED
 */
export async function decodeWaitSetResponse(response: XmlElement | undefined): Promise<WaitSetAnswer> {
  if (response?.name !== 'AdminWaitSetResponse') throw new BridgeError('BACKEND_MALFORMED', 'the calendar system did not answer about its WaitSet');
  const canceled = attribute(response, 'canceled');
  if (canceled === '1' || canceled === 'true') return { kind: 'canceled' };
  const seq = attribute(response, 'seq');
  if (!isOpaque(seq)) throw new BridgeError('BACKEND_MALFORMED', 'the calendar system answered about its WaitSet without a sequence');
  const accounts = new Set<string>();
  const errors = new Set<string>();
  const pace = new Pace(LIMITS.waitSetAccountsPerTurn);
  for (const one of response.children) {
    if (pace.spend(1)) await pace.turn();
    if (one.name !== 'a' && one.name !== 'n' && one.name !== 'error') continue;
    const id = attribute(one, 'id') ?? '';
    if (isAccountId(id)) accounts.add(id);
    const type = one.name === 'error' ? attribute(one, 'type') ?? attribute(one, 't') ?? '' : '';
    if (/^[A-Z_]{1,60}$/.test(type)) errors.add(type);
  }
  return { kind: 'signalled', seq, accounts, errors: [...errors].slice(0, 10) };
}

export function encodeDestroyWaitSetRequest(waitSet: string): XmlNode {
  return el('AdminDestroyWaitSetRequest', { xmlns: ZIMBRA_ADMIN_NS, waitSet });
}

/** As it is kept by a FeedMemory. */
export function encodePlace({ waitSet, seq }: WaitSetPlace): string {
  return JSON.stringify({ waitSet, seq });
}

/** Undefined where it is none of ours. */
export function decodePlace(text: string): WaitSetPlace | undefined {
  try {
    const { waitSet, seq } = JSON.parse(text) as Partial<Record<keyof WaitSetPlace, unknown>>;
    return isOpaque(waitSet) && isOpaque(seq) ? { waitSet, seq } : undefined;
  } catch {
    return undefined;
  }
}

function isOpaque(text: unknown): text is string {
  return typeof text === 'string' && /^[\x21-\x7e]{1,200}$/.test(text);
}
