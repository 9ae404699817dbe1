/**
 * How many turns the event loop took while `work` went on: long work that lets others run takes many, whatever else the machine does
 * meanwhile. (Times are measured in test/bench.)
 */
export async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  await work();
  isOver = true;
  return turns;
}
