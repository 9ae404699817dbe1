/** Runs work when all that was given before is done. */
export type InTurn = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * A queue for what only reckons: fifty parts of a batch that each let others run after 5 ms would come up in the same turn of the event
 * loop and hold it for fifty times as long.
 */
export function oneAtATime(): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const done = last.then(work);
    // Whoever gave the work hears of its failure; the next one does not care.
    last = done.catch(() => undefined);
    return done;
  };
}
