import type { ExpansionBudget } from '../../icalendar/recurrence.ts';

/** What one request may still cost, all its parts together. */
export interface Allowance {
  /** Slots that its answers may hold. */
  slots: number;
  /** Instances of series times users that are compared. */
  comparisons: number;
  readonly expansion: ExpansionBudget;
}

/** 500 users of 60 days with ten appointments a day, free time between them: 30 MB, which are sent at one go in 50 ms. → LIMITS */
const SLOTS = 600_000;
/** 6 MB of answers about one instance and one user. → LIMITS */
const COMPARISONS = 100_000;
/** Days and times of day looked at: ten years of a daily series are 3,660; 200,000 take 100 ms. → LIMITS */
const EXPANSION_STEPS = 200_000;
/** Four times what one series may have: some are excluded again, and a batch holds several series. → LIMITS */
const EXPANDED_INSTANCES = 8_000;

export function fullAllowance(): Allowance {
  return { slots: SLOTS, comparisons: COMPARISONS, expansion: { steps: EXPANSION_STEPS, instances: EXPANDED_INSTANCES } };
}
