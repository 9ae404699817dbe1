import { ERROR_CODES } from '../../core/errors.ts';
import type { FollowedMailbox, OptInState, PresenceStatus } from '../../presence/presence-service.ts';
import { PRESENCE_STATES } from '../../presence/presence.ts';
import type { SwitchOutcome } from '../../protocols/rest-api/admin-presence.ts';
import { decodeMailbox } from './push-outcome.ts';
import { isRecord } from './record.ts';

/** How it stands with presence, as it came over the socket, which carries it as it is; undefined where it is none: the other side is another version. */
export function decodePresenceStatus(data: unknown): PresenceStatus | undefined {
  if (!isRecord(data)) return undefined;
  const { optedIn, states, gateways, publishers, calendarSpread, readsWaiting, appliedAt, pending, lagMs } = data;
  const isRight =
    [optedIn, calendarSpread, readsWaiting, appliedAt].every((one) => typeof one === 'number') &&
    isRecord(states) && PRESENCE_STATES.every((state) => typeof states[state] === 'number') &&
    Array.isArray(gateways) && gateways.every((one) => isRecord(one) && typeof one['description'] === 'string' && isRecord(one['watch'])) &&
    Array.isArray(publishers) && publishers.every((one) => isRecord(one) && typeof one['label'] === 'string') &&
    Array.isArray(pending) && (lagMs === undefined || isRecord(lagMs));
  return isRight ? (data as unknown as PresenceStatus) : undefined;
}

export function decodeFollowed(data: unknown): FollowedMailbox | undefined {
  if (!isRecord(data) || decodeMailbox(data['mailbox']) === undefined || typeof data['mode'] !== 'string' || !isRecord(data['shown'])) return undefined;
  const { state, since, text } = data['shown'];
  const isRight = PRESENCE_STATES.some((one) => one === state) && typeof since === 'number' && typeof text === 'string';
  return isRight ? (data as unknown as FollowedMailbox) : undefined;
}

export function decodeOptInState(data: unknown): OptInState | undefined {
  if (!isRecord(data) || typeof data['isOptedIn'] !== 'boolean') return undefined;
  const mailbox = decodeMailbox(data['mailbox']);
  const { isOptedIn, by, at, language } = data;
  const isText = (value: unknown): value is string | undefined => value === undefined || typeof value === 'string';
  if (mailbox === undefined || !isText(by) || !isText(language) || (at !== undefined && typeof at !== 'number')) return undefined;
  return { mailbox, isOptedIn, by, at, language };
}

export function decodeSwitchOutcome(data: unknown): SwitchOutcome | undefined {
  if (!isRecord(data)) return undefined;
  const mailbox = decodeMailbox(data['mailbox']);
  const { changed, error } = data;
  if (mailbox === undefined) return undefined;
  if (typeof changed === 'boolean') return { mailbox, changed };
  if (!isRecord(error) || typeof error['message'] !== 'string') return undefined;
  return { mailbox, error: { code: ERROR_CODES.find((one) => one === error['code']) ?? 'INTERNAL', message: error['message'] } };
}
