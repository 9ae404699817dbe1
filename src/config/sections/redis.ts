import type * as z from 'zod';
import type { RedisConfig } from '../config.ts';
import { Mistake, field, text } from '../fields/field.ts';
import { line } from '../fields/names.ts';
import { chosen, list, section } from '../fields/section.ts';
import { resolveSecret } from '../fields/secret-field.ts';
import { Secret } from '../secret.ts';
import type { Surroundings } from '../surroundings.ts';

const URL_RIGHT = 'redis://host:port/0 or rediss://…, or {sentinels: [...], name: ...} or {cluster: [...]}';

/** `redis:`; a URL may carry a password, so it may be `{env: NAME}` or `{file: PATH}` too, and no message shows it. */
export function redis(surroundings: Surroundings): z.ZodType<RedisConfig> {
  const single = field(URL_RIGHT, async (value): Promise<RedisConfig> => {
    if (value === true || value === false || typeof value === 'number') throw new Mistake(`should be ${URL_RIGHT}`);
    const url = await resolveSecret(value, surroundings);
    if (!isRedisUrl(url)) throw new Mistake(`should be ${URL_RIGHT}`);
    return { kind: 'single', url: new Secret(url) };
  });
  const sentinels = section({ sentinels: list(node(), 1), name: line('the name of the master') });
  const cluster = section({ cluster: list(node(), 1) });
  const ofSentinels = sentinels.transform((value): RedisConfig => ({ kind: 'sentinels', name: value.name, nodes: value.sentinels }));
  const ofCluster = cluster.transform((value): RedisConfig => ({ kind: 'cluster', nodes: value.cluster }));
  return chosen((value) => {
    const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (isMap && 'sentinels' in value) return ofSentinels;
    return isMap && 'cluster' in value ? ofCluster : single;
  });
}

function node(): z.ZodType<Secret> {
  return text('host:port or a redis:// URL', (value) => {
    if (isRedisUrl(value)) return new Secret(value);
    return /^[A-Za-z0-9._-]{1,253}:\d{1,5}$|^\[[0-9a-f:.]+\]:\d{1,5}$/i.test(value) ? new Secret(`redis://${value}`) : undefined;
  });
}

function isRedisUrl(value: string): boolean {
  if (!/^rediss?:\/\/[^\s]+$/.test(value) || !URL.canParse(value)) return false;
  const { hostname, pathname, hash } = new URL(value);
  return hostname !== '' && /^(?:\/\d{0,3})?$/.test(pathname) && hash === '';
}
