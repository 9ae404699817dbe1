import { BridgeError } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/errors.ts';
import { parseIsoTime } from '../../core/iso-time.ts';
import { LIMITS } from '../../core/limits.ts';
import { Pace } from '../../core/pace.ts';
import type { Asked } from '../../freebusy/ask-mailboxes.ts';
import type { BusyType } from '../../freebusy/busy-type.ts';
import { eventsByStretch, stretchKey } from '../../freebusy/detail.ts';
import type { Interval } from '../../freebusy/interval.ts';
import { firstRaw, percentDecode } from '../../platform/http-server/raw-query.ts';
import type { RawParameter } from '../../platform/http-server/raw-query.ts';
import { encodeError } from '../../platform/http-server/refuse-json.ts';

export interface FreeBusyQuestion {
  /** As the caller spelled them, in order. */
  readonly mailboxes: readonly string[];
  readonly window: Interval;
}

/** One stretch that is not free; subject and location only for clients with `detail: details`. */
export interface BusyBody {
  readonly start: string;
  readonly end: string;
  readonly type: Exclude<BusyType, 'free'>;
  readonly subject?: string;
  readonly location?: string;
}

export type ResultBody =
  | { readonly mailbox: string; readonly busy: readonly BusyBody[]; readonly asOf: string; readonly stale: boolean }
  | { readonly mailbox: string; readonly error: { readonly code: ErrorCode; readonly message: string } };

/** The body of GET /api/v1/freebusy and of `lookup --json`. */
export interface FreeBusyBody {
  readonly window: { readonly start: string; readonly end: string };
  readonly results: readonly ResultBody[];
}

/** @throws BridgeError INVALID_REQUEST or INVALID_WINDOW, in words */
export function decodeFreeBusyQuestion(query: readonly RawParameter[]): FreeBusyQuestion {
  const mailboxes = query.filter(({ name }) => name === 'mailbox').map(({ value }) => percentDecode(value));
  if (mailboxes.length === 0) throw new BridgeError('INVALID_REQUEST', 'name at least one mailbox: mailbox=anna@example.com');
  return { mailboxes, window: { start: instant(query, 'start'), end: instant(query, 'end') } };
}

function instant(query: readonly RawParameter[], name: string): number {
  const parsed = parseIsoTime(percentDecode(firstRaw(query, name) ?? ''));
  if (parsed === undefined) throw new BridgeError('INVALID_WINDOW', `${name} must be an ISO 8601 time such as 2026-03-02T09:00:00Z`);
  return parsed;
}

/** In the order asked; times in UTC. Free time is what no stretch covers. */
export async function encodeFreeBusyBody(window: Interval, asked: readonly Asked[]): Promise<FreeBusyBody> {
  const pace = new Pace(LIMITS.stretchesPerTurn);
  const results: ResultBody[] = [];
  for (const one of asked) {
    const result = encodeResult(one);
    results.push(result);
    if (pace.spend('busy' in result ? 1 + result.busy.length : 1)) await pace.turn();
  }
  return { window: { start: iso(window.start), end: iso(window.end) }, results };
}

function encodeResult({ text, result }: Asked): ResultBody {
  if ('error' in result) return { mailbox: text, error: encodeError(result.error) };
  const { freeBusy, asOf, stale } = result;
  const events = eventsByStretch(freeBusy);
  const busy = freeBusy.busy.map((stretch): BusyBody => {
    const { subject, location } = events.get(stretchKey(stretch)) ?? {};
    return {
      start: iso(stretch.start),
      end: iso(stretch.end),
      type: stretch.busyType as Exclude<BusyType, 'free'>,
      ...(subject === undefined ? {} : { subject }),
      ...(location === undefined ? {} : { location }),
    };
  });
  return { mailbox: text, busy, asOf: iso(asOf), stale: stale === true };
}

function iso(instant: number): string {
  return new Date(instant).toISOString();
}
