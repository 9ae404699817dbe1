/** The `name:value` lines of Redis' INFO, its headings left out. */
export function infoOf(text: string): ReadonlyMap<string, string> {
  const pairs = text.split(/\r?\n/).filter((line) => !line.startsWith('#') && line.includes(':'));
  return new Map(pairs.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}

/** Whether `version` is `least` or newer; major, minor and patch count. */
export function isAtLeast(version: string, least: string): boolean {
  const [a, b] = [version, least].map((text) => text.split('.').map((part) => Number.parseInt(part, 10) || 0)) as [number[], number[]];
  const difference = [0, 1, 2].map((index) => (a[index] ?? 0) - (b[index] ?? 0)).find((one) => one !== 0);
  return (difference ?? 0) >= 0;
}

/** What BullMQ 6.7 wants (`RedisConnection.recommendedMinimumVersion`); below 5.0 it refuses, between the two it complains. */
export const LEAST_VERSION = '6.2.0';
