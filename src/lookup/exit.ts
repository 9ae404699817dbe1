import type { BridgeError, ErrorCode } from '../core/errors.ts';
import { DETAIL_LEVELS } from '../core/request-context.ts';
import type { DetailLevel, Requester } from '../core/request-context.ts';
import { unknownMailbox } from '../freebusy/ask-mailboxes.ts';
import type { WorkingElsewhereAs } from '../freebusy/busy-type.ts';
import { redact } from '../freebusy/detail.ts';
import type { FreeBusyResult } from '../freebusy/source.ts';
import type { HomeSystem } from './routing.ts';

/** What of a mailbox is shown at all. */
export type ShownLevel = Exclude<DetailLevel, 'none'>;

/**
 * The narrower of what the client may see and what the system shows; `none` has been refused before. Details only where they are wanted, too. Presence, which shows no calendar, reads busy types
 * whatever the system shows to clients.
 */
export function levelOf({ detail, seesHidden }: Requester, { detail: most = 'details' }: Pick<HomeSystem, 'detail'>, wantsDetails: boolean): ShownLevel {
  const rank = Math.min(rankOf(detail), rankOf(seesHidden === true ? 'details' : most), rankOf(wantsDetails ? 'details' : 'busy-type'));
  return DETAIL_LEVELS[Math.max(rank, rankOf('free-busy'))] as ShownLevel;
}

function rankOf(level: DetailLevel): number {
  return DETAIL_LEVELS.indexOf(level);
}

/** The bridge asks for itself: `lookup` without --as, `check`, presence. Nothing is hidden from it but what was written in private events. */
export function isOwn({ mayAsk }: Requester): boolean {
  return mayAsk === 'all';
}

/** What a home said of one mailbox, as this client may hear it. */
export function asShown(result: FreeBusyResult, level: ShownLevel, requester: Requester, workingElsewhereAs: WorkingElsewhereAs): FreeBusyResult {
  if ('error' in result) return { mailbox: result.mailbox, error: errorAsShown(result.error, requester) };
  if (requester.detail === 'none') return { mailbox: result.mailbox, error: unknownMailbox() };
  return { ...result, freeBusy: redact(result.freeBusy, level, workingElsewhereAs) };
}

/**
 * Whether a home knows somebody, denies us a mailbox, or has nothing to say of it: to a client it is one answer, so that nobody learns who exists. Several kinds of server say the first and
 * the last alike anyway (Zimbra's `n`, OWA's 4s). What may pass (`temporary`) is said to clients that sign in: they should ask again.
 */
export function errorAsShown(error: BridgeError, requester: Requester): BridgeError {
  if (isOwn(requester)) return error;
  if (requester.anonymous) return HIDDEN_FROM_ANONYMOUS.has(error.code) ? unknownMailbox() : error;
  return UNKNOWN_ALIKE.has(error.code) && !(error.code === 'NO_DATA' && error.temporary) ? unknownMailbox() : error;
}

/**
 * What is answered about somebody hidden whom a home was asked about for no other reason than that an unknown one would have been: its own failure, which an unknown one would get as well,
 * or that there is no such mailbox.
 */
export function asUnknown(result: FreeBusyResult): FreeBusyResult {
  const { mailbox } = result;
  return 'error' in result && !HIDDEN_FROM_ANONYMOUS.has(result.error.code) ? result : { mailbox, error: unknownMailbox() };
}

/** About one mailbox, not about a home that fails. */
const UNKNOWN_ALIKE: ReadonlySet<ErrorCode> = new Set(['MAILBOX_UNKNOWN', 'MAILBOX_REFUSED', 'NO_DATA']);

const HIDDEN_FROM_ANONYMOUS: ReadonlySet<ErrorCode> = new Set([...UNKNOWN_ALIKE, 'LOOP']);
