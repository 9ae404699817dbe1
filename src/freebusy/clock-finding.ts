import { MINUTE_MS, SECOND_MS } from '../core/clock.ts';
import type { Instant } from '../core/clock.ts';
import type { ProbeFinding } from '../core/probe-finding.ts';

/** Compares a server's clock (the Date header of an answer) with ours; beyond a minute "now" means different things on both sides. */
export function clockFinding(date: string | undefined, now: Instant): readonly ProbeFinding[] {
  const theirs = date === undefined ? Number.NaN : Date.parse(date);
  if (Number.isNaN(theirs)) return [];
  const skew = Math.round((theirs - now) / SECOND_MS);
  // A Date header says whole seconds, and was written when the answer began: a second is no difference.
  const text = Math.abs(skew) <= 1 ? 'its clock agrees with ours' : `its clock is ${Math.abs(skew)} s ${skew < 0 ? 'behind' : 'ahead of'} ours`;
  if (Math.abs(theirs - now) <= MINUTE_MS) return [{ step: 'clock', outcome: 'ok', text }];
  return [{ step: 'clock', outcome: 'warn', text, advice: 'let both machines follow the same time server (NTP)' }];
}
