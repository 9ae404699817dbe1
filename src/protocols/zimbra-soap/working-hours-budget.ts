import { RequestBudget } from '../../platform/http-client/request-budget.ts';

/**
 * The budget of a lookup for its questions about working hours: they count there like all others, but follow no redirect, so that the few that one
 * lookup may follow are left to free/busy.
 */
export class WorkingHoursBudget extends RequestBudget {
  readonly #whole: RequestBudget;

  /** @param whole the lookup's */
  constructor(whole: RequestBudget) {
    super();
    this.#whole = whole;
  }

  override take(): void {
    this.#whole.take();
  }

  override done(refused: boolean): void {
    this.#whole.done(refused);
  }

  override mayFollow(): boolean {
    return false;
  }
}
