import { Redis } from 'ioredis';
import { connectOnce } from './connections.ts';
import { shownAddress } from './address.ts';
import type { RedisAddress } from './address.ts';
import { LEAST_VERSION, infoOf, isAtLeast } from './info.ts';
import type { RedisStore, StoreFinding } from './redis-store.ts';
import { reasonOf } from './store-unavailable.ts';

/** Reachable, version, eviction, persistence; of every master of a cluster, the worst told. Never throws. */
export async function probeRedis(address: RedisAddress, kind: RedisStore['kind']): Promise<readonly StoreFinding[]> {
  const startedAt = performance.now();
  let connection;
  try {
    connection = await connectOnce(address);
    const servers = connection instanceof Redis ? [connection] : connection.nodes('master');
    const each = await Promise.all(servers.map((server) => serverFindings(server, kind)));
    const tookMs = Math.round(performance.now() - startedAt);
    const reached: StoreFinding = { step: 'redis', outcome: 'ok', text: `${shownAddress(address)} answers (${tookMs} ms)` };
    return [reached, ...worst(each)];
  } catch (error) {
    return [away(address, reasonOf(error))];
  } finally {
    connection?.disconnect();
  }
}

function away(address: RedisAddress, reason: string): StoreFinding {
  const finding = { step: 'redis', outcome: 'fail', text: `${shownAddress(address)}: ${reason}` } as const;
  const advice = ADVICE.find(([pattern]) => pattern.test(reason))?.[1];
  return advice === undefined ? finding : { ...finding, advice };
}

const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/^(?:WRONGPASS|NOAUTH|ERR)$/, 'Redis refuses to sign in: check user name and password of `redis`'],
  [/^NOPERM$/, 'the user of `redis` needs the rights +@all ~{freebusy-bridge}* &* (and +info, +ping)'],
  [/^(?:CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_TLS|HOSTNAME)/, "the certificate of Redis is not trusted: give Node its authority by NODE_EXTRA_CA_CERTS, and a name that stands in it"],
  [/^(?:EPROTO|ERR_SSL)/, 'this port does not speak TLS: redis:// instead of rediss://?'],
  [/^TIMEOUT|ETIMEDOUT|^NOT_CONNECTED$|^ECONNRESET$/, 'nothing answered in time; a port that wants TLS (rediss://) looks like this too'],
  [/^ECONNREFUSED$/, 'nothing listens there: is Redis started, and is the port right?'],
  [/^(?:ENOTFOUND|EAI_AGAIN)$/, 'this name is in no DNS'],
  [/^SENTINELS_UNREACHABLE$/, "no sentinel answers, or none knows this master's name"],
];

async function serverFindings(server: Redis, kind: RedisStore['kind']): Promise<readonly StoreFinding[]> {
  await server.ping();
  const info = infoOf(await server.info());
  return [versionFinding(info), await evictionFinding(server, info), await persistenceFinding(server, info, kind)];
}

function versionFinding(info: ReadonlyMap<string, string>): StoreFinding {
  const step = 'redis version';
  const valkey = info.get('valkey_version');
  const version = valkey ?? info.get('redis_version');
  if (version === undefined) return { step, outcome: 'warn', text: 'it does not say its version', advice: `use Redis ${LEAST_VERSION} or newer, or Valkey` };
  const name = valkey === undefined ? 'Redis' : 'Valkey';
  // Valkey began at 7.2.
  if (isAtLeast(version, LEAST_VERSION)) return { step, outcome: 'ok', text: `${name} ${version}` };
  return { step, outcome: 'fail', text: `${name} ${version} is too old`, advice: `use Redis ${LEAST_VERSION} or newer, or Valkey` };
}

async function evictionFinding(server: Redis, info: ReadonlyMap<string, string>): Promise<StoreFinding> {
  const step = 'redis eviction';
  const policy = (await configured(server, 'maxmemory-policy')) ?? info.get('maxmemory_policy');
  if (policy === 'noeviction') return { step, outcome: 'ok', text: 'maxmemory-policy noeviction' };
  const advice = 'set maxmemory-policy noeviction: any other throws waiting changes away when memory runs short';
  if (policy === undefined) return { step, outcome: 'warn', text: 'maxmemory-policy cannot be read', advice };
  return { step, outcome: 'fail', text: `maxmemory-policy ${policy}`, advice };
}

/** One setting; managed servers forbid CONFIG. */
async function configured(server: Redis, name: string): Promise<string | undefined> {
  try {
    const [, value] = (await server.config('GET', name)) as readonly string[];
    return value;
  } catch {
    // NOPERM, or an unknown command where it was renamed: INFO says it too.
    return undefined;
  }
}

async function persistenceFinding(server: Redis, info: ReadonlyMap<string, string>, kind: RedisStore['kind']): Promise<StoreFinding> {
  const step = 'redis persistence';
  if (kind === 'embedded') return { step, outcome: 'ok', text: 'a snapshot is written before a change is acknowledged' };
  const aof = info.get('aof_enabled');
  const advice = 'set appendonly yes (appendfsync everysec loses at most a second when the machine dies)';
  if (aof === '1') {
    const failed = info.get('aof_last_write_status') === 'err' || info.get('aof_last_bgrewrite_status') === 'err';
    return failed ? { step, outcome: 'fail', text: 'appendonly yes, but the last write failed', advice: 'look at the disk of Redis' } : { step, outcome: 'ok', text: 'appendonly yes' };
  }
  if (aof === undefined) return { step, outcome: 'warn', text: 'it does not say whether it keeps anything on disk', advice };
  if ((await configured(server, 'save')) === '') return { step, outcome: 'warn', text: 'neither appendonly nor snapshots: acknowledged changes are lost when Redis dies', advice };
  if (info.get('rdb_last_bgsave_status') === 'err') return { step, outcome: 'fail', text: 'snapshots only, and the last one failed', advice };
  return { step, outcome: 'warn', text: 'snapshots only: acknowledged changes since the last one are lost when Redis dies', advice };
}

/** Every master is asked the same questions in the same order. */
function worst(each: readonly (readonly StoreFinding[])[]): readonly StoreFinding[] {
  const rank = { ok: 0, warn: 1, fail: 2 } as const;
  return (each[0] ?? []).map((_, index) => each.map((findings) => findings[index]!).reduce((a, b) => (rank[b.outcome] > rank[a.outcome] ? b : a)));
}
