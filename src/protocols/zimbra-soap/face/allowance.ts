import { LIMITS } from '../../../core/limits.ts';
import type { ExpansionBudget } from '../../icalendar/recurrence.ts';

/** What one request may still cost, all its parts together. */
export interface Allowance {
  /** Slots that its answers may hold. */
  slots: number;
  /** Instances of series times users that are compared. */
  comparisons: number;
  readonly expansion: ExpansionBudget;
  /** Characters of what is said of people in the address book. */
  galCharacters: number;
}

export function fullAllowance(): Allowance {
  return { slots: LIMITS.soapSlotsPerAnswer, comparisons: LIMITS.recurrenceComparisons, expansion: { steps: LIMITS.recurrenceSteps, instances: LIMITS.recurrenceInstancesPerRequest }, galCharacters: LIMITS.zimbraGalCharacters };
}
