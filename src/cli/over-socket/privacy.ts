import { ERROR_CODES } from '../../core/errors.ts';
import type { PrivacyState } from '../../freebusy/privacy.ts';
import type { PrivacyOutcome } from '../../protocols/rest-api/admin-privacy.ts';
import { decodeMailbox } from './push-outcome.ts';
import { isRecord } from './record.ts';

/** How it stands with somebody, as it came over the socket; undefined where it is none: the other side is another version. */
export function decodePrivacyState(data: unknown): PrivacyState | undefined {
  if (!isRecord(data)) return undefined;
  const mailbox = decodeMailbox(data['mailbox']);
  const { isHidden, isExcluded, isOptedOut, by, at } = data;
  if (mailbox === undefined || typeof isHidden !== 'boolean' || typeof isExcluded !== 'boolean' || typeof isOptedOut !== 'boolean') return undefined;
  if ((by !== undefined && typeof by !== 'string') || (at !== undefined && typeof at !== 'number')) return undefined;
  return { mailbox, isHidden, isExcluded, isOptedOut, by, at };
}

export function decodePrivacyOutcome(data: unknown): PrivacyOutcome | undefined {
  if (!isRecord(data)) return undefined;
  const mailbox = decodeMailbox(data['mailbox']);
  const { changed, isHidden, error } = data;
  if (mailbox === undefined) return undefined;
  if (typeof changed === 'boolean' && typeof isHidden === 'boolean') return { mailbox, changed, isHidden };
  if (!isRecord(error) || typeof error['message'] !== 'string') return undefined;
  return { mailbox, error: { code: ERROR_CODES.find((one) => one === error['code']) ?? 'INTERNAL', message: error['message'] } };
}
