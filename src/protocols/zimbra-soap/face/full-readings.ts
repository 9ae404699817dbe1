import { LIMITS } from '../../../core/limits.ts';
import type { Requester } from '../../../core/request-context.ts';

/** What one request holds of its client's places. */
export interface FullReading {
  /** Takes a place; false where the client has none left. */
  readonly begin: () => boolean;
  /** Gives back what was taken. */
  readonly end: () => void;
}

/**
 * How many answers with the whole address book are under way for each client: they take megabytes and seconds. Zimbra counts its readers alike, and tells one too
 * many that nothing has changed and that it was `throttled` (zimbra.md §6.2).
 */
export class FullReadings {
  readonly #underWay = new Map<string, number>();

  of({ name }: Requester): FullReading {
    let taken = 0;
    const change = (by: number): void => {
      const now = (this.#underWay.get(name) ?? 0) + by;
      if (now > 0) this.#underWay.set(name, now);
      else this.#underWay.delete(name);
      taken += by;
    };
    return {
      begin: () => {
        if ((this.#underWay.get(name) ?? 0) >= LIMITS.zimbraGalFullSyncs) return false;
        change(1);
        return true;
      },
      end: () => change(-taken),
    };
  }
}
