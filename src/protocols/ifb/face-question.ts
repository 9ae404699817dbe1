import { DAY_MS, SECOND_MS } from '../../core/clock.ts';
import type { Instant } from '../../core/clock.ts';
import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { alignOutward, floorTo } from '../../freebusy/interval.ts';
import type { Interval } from '../../freebusy/interval.ts';
import { firstRaw, percentDecode, rawParameters } from '../../platform/http-server/raw-query.ts';
import type { RawParameter } from '../../platform/http-server/raw-query.ts';
import type { FaceForm, FacePath } from './face-path.ts';
import { epochMilliseconds, parseTimeSpec } from './time-spec.ts';

export interface FaceQuestion {
  readonly form: FaceForm;
  /** As the client spelled it. */
  readonly address: string;
  /** Whole seconds: iCalendar has no finer ones, so none are asked for. */
  readonly window: Interval;
  /** `event`: VEVENTs in place of a VFREEBUSY. */
  readonly as: 'free-busy' | 'event';
}

/** Where no window is given (zimbra.md §3.1, §3.3; for Outlook configuration.md). */
const DEFAULT_WINDOW: Readonly<Record<FaceForm, (now: Instant) => Interval>> = {
  home: (now) => ({ start: now - 31 * DAY_MS, end: now + 62 * DAY_MS }),
  pubcal: (now) => ({ start: now - 7 * DAY_MS, end: now + 62 * DAY_MS }),
  freebusy: (now) => ({ start: floorTo(now, DAY_MS) - 7 * DAY_MS, end: floorTo(now, DAY_MS) + 60 * DAY_MS }),
};

/** Whether the query of a `/home` address asks for free/busy: everything else that a Zimbra keeps there does not exist here. */
export function asksForFreeBusy(rawQuery: string): boolean {
  return valueOf(rawParameters(rawQuery), 'fmt')?.toLowerCase() === 'ifb';
}

/**
 * Reads path and query. Parameters: `start` and `end` as `parseTimeSpec` reads them; with pubcal `acct`, and `s` and `e` in epoch milliseconds; with home
 * `fbfmt=event`. `exuid`, `fbcal`, `auth`, `zauthtoken` and whatever else there is are ignored: they would hide time, or are credentials where none belong. The first of a name counts.
 *
 * @throws BridgeError INVALID_REQUEST (no acct), INVALID_WINDOW, WINDOW_TOO_LARGE
 */
export function decodeFaceQuestion(path: FacePath, rawQuery: string, now: Instant): FaceQuestion {
  const parameters = rawParameters(rawQuery);
  const { form } = path;
  const address = path.address ?? valueOf(parameters, 'acct') ?? '';
  if (address === '') throw new BridgeError('INVALID_REQUEST', 'acct required');
  const usual = DEFAULT_WINDOW[form](now);
  const read = form === 'pubcal' ? epochMilliseconds : (text: string): Instant | undefined => parseTimeSpec(text, now);
  const start = timeOf(parameters, form === 'pubcal' ? 's' : 'start', read) ?? usual.start;
  const end = timeOf(parameters, form === 'pubcal' ? 'e' : 'end', read) ?? usual.end;
  if (end <= start) throw new BridgeError('INVALID_WINDOW', 'the end must be after the start');
  // Zimbra counts whole days only.
  if (Math.floor((end - start) / DAY_MS) > LIMITS.ifbDays) throw new BridgeError('WINDOW_TOO_LARGE', `the window is longer than ${LIMITS.ifbDays} days`);
  const asEvents = form === 'home' && valueOf(parameters, 'fbfmt')?.toLowerCase() === 'event';
  return { form, address, window: alignOutward({ start, end }, SECOND_MS), as: asEvents ? 'event' : 'free-busy' };
}

function timeOf(parameters: readonly RawParameter[], name: string, read: (text: string) => Instant | undefined): Instant | undefined {
  const text = valueOf(parameters, name);
  if (text === undefined) return undefined;
  const instant = read(text);
  if (instant === undefined) throw new BridgeError('INVALID_WINDOW', `${name} is no time that can be read`);
  return instant;
}

function valueOf(parameters: readonly RawParameter[], name: string): string | undefined {
  const raw = firstRaw(parameters, name);
  return raw === undefined ? undefined : percentDecode(raw);
}
