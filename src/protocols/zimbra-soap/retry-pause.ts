/**
 * The pause before the next try, doubling with every failure from `firstMs` to `longestMs`, a quarter more or less so that many do not come
 * back at once. @param failures in a row, from 1
 */
export function retryPauseMs(failures: number, firstMs: number, longestMs: number): number {
  const pause = Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 30));
  return Math.round(pause * (0.75 + Math.random() / 2));
}
