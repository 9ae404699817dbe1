import { LIMITS } from '../../../core/limits.ts';

/** Tests choose shorter ones. */
export interface WatchTiming {
  readonly tickMs: number;
  readonly settleMs: number;
  readonly silenceMs: number;
  readonly pullEveryMs: number;
  readonly pauses: { readonly firstMs: number; readonly longestMs: number };
}

export const WATCH_TIMING: WatchTiming = {
  tickMs: LIMITS.ewsWatchTickMs,
  settleMs: LIMITS.ewsStreamSettleMs,
  silenceMs: LIMITS.ewsStreamSilenceMs,
  pullEveryMs: LIMITS.ewsPullEveryMs,
  pauses: LIMITS.ewsWatchPauses,
};
