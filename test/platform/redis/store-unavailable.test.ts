import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import { nodeOf, shownAddress } from '../../../src/platform/redis/address.ts';
import { reconnectPause } from '../../../src/platform/redis/connections.ts';
import { isAtLeast } from '../../../src/platform/redis/info.ts';
import { reasonOf, storeUnavailable } from '../../../src/platform/redis/store-unavailable.ts';

describe('what a failure of Redis is called', () => {
  it.each([
    [Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:6379'), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    [new AggregateError([Object.assign(new Error(''), { code: 'ECONNREFUSED' })]), 'ECONNREFUSED'],
    [new Error('WRONGPASS invalid username-password pair or user is disabled.'), 'WRONGPASS'],
    [new Error("MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk."), 'MISCONF'],
    [new Error("OOM command not allowed when used memory > 'maxmemory'."), 'OOM'],
    [new Error('Command timed out'), 'TIMEOUT'],
    [new Error("Stream isn't writeable and enableOfflineQueue options is false"), 'NOT_CONNECTED'],
    [new Error('All sentinels are unreachable. Retrying from scratch after 10ms. Last error: secret'), 'SENTINELS_UNREACHABLE'],
    [Object.assign(new Error('Failed to refresh slots cache.'), { lastNodeError: Object.assign(new Error(''), { code: 'ENOTFOUND' }) }), 'ENOTFOUND'],
    ['nothing like an error', 'UNKNOWN'],
  ])('%s', (thrown, reason) => expect(reasonOf(thrown)).toBe(reason));

  it('keeps nothing of the command that failed: its arguments may be a password', () => {
    const thrown = Object.assign(new Error('WRONGPASS invalid'), { command: { name: 'hello', args: ['3', 'AUTH', 'default', 's3cret'] } });
    const error = storeUnavailable(thrown);
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', temporary: true, details: { reason: 'WRONGPASS' } });
    expect(inspect(error, { depth: 10 })).not.toContain('s3cret');
    const own = new BridgeError('CONFIGURATION', 'x');
    expect(storeUnavailable(own)).toBe(own);
  });
});

describe('the address of Redis', () => {
  it('is read from a URL, and shown without credentials', () => {
    expect(nodeOf('redis://us%40er:p%2Fw%3A%20@redis.example/7?enableOfflineQueue=true')).toEqual({ host: 'redis.example', port: 6379, family: 0, username: 'us@er', password: 'p/w: ', db: 7 });
    expect(nodeOf('rediss://[2001:db8::1]:6380')).toEqual({ host: '2001:db8::1', port: 6380, family: 0, tls: {} });
    expect(nodeOf('rediss://redis.example')).toMatchObject({ tls: { servername: 'redis.example' } });
    expect(shownAddress({ kind: 'single', url: 'rediss://u:p4ss@[2001:db8::1]:6380/1?x=p4ss' })).toBe('[2001:db8::1]:6380');
    expect(shownAddress({ kind: 'sentinels', name: 'main', nodes: ['redis://:p4ss@a', 'redis://b:1'] })).toBe('main of the sentinels a:26379, b:1');
    expect(shownAddress({ kind: 'cluster', nodes: ['redis://:p4ss@a'] })).toBe('the cluster a:6379');
  });
});

describe('small judgements', () => {
  it('versions are compared by number', () => {
    expect([isAtLeast('6.2.0', '6.2.0'), isAtLeast('7.0.15', '6.2.0'), isAtLeast('10.0.0', '6.2.0'), isAtLeast('6.10.0', '6.2.0')]).toEqual([true, true, true, true]);
    expect([isAtLeast('6.0.16', '6.2.0'), isAtLeast('5.9.9', '6.2.0'), isAtLeast('', '6.2.0')]).toEqual([false, false, false]);
  });

  it('pauses between two tries grow, are bounded, and are not the same for everybody', () => {
    const pauses = Array.from({ length: 200 }, (_, index) => reconnectPause(index + 1));
    expect(pauses[0]).toBeLessThan(100);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(3_750);
    expect(Math.min(...pauses.slice(20))).toBeGreaterThanOrEqual(2_250);
    expect(new Set(pauses.slice(20)).size).toBeGreaterThan(50);
  });
});
