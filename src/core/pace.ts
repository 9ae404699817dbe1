import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * Keeps long work from holding the event loop: counts what was done, and lets others run whenever so much has been.
 *
 *     for (const one of many) {
 *       work(one);
 *       if (pace.spend(1)) await pace.turn();
 *     }
 */
export class Pace {
  readonly #perTurn: number;
  #done = 0;

  /** @param perTurn units of work between two turns of the event loop; aim at 5 to 10 ms */
  constructor(perTurn: number) {
    this.#perTurn = perTurn;
  }

  /** True when it is time to `await pace.turn()`. */
  spend(units: number): boolean {
    this.#done += units;
    return this.#done >= this.#perTurn;
  }

  async turn(): Promise<void> {
    this.#done = 0;
    await nextTurn();
  }
}
