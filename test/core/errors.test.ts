import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { BridgeError, toBridgeError } from '../../src/core/errors.ts';

describe('errors', () => {
  it('an expected one stays itself', () => {
    const error = new BridgeError('DEADLINE', 'no answer in time', { temporary: true, retryAfterMs: 500, details: { system: 'exchange' } });
    expect(toBridgeError(error)).toBe(error);
    expect([error.code, error.publicMessage, error.temporary, error.retryAfterMs, error.details]).toEqual(['DEADLINE', 'no answer in time', true, 500, { system: 'exchange' }]);
    expect(error.cause).toBeUndefined();
  });

  it.each([new TypeError('password=canary'), 'canary', undefined, null, 42, { message: 'canary' }])('anything else (%s) is INTERNAL and says nothing to clients', (thrown) => {
    const error = toBridgeError(thrown);
    expect(error.code).toBe('INTERNAL');
    expect(error.temporary).toBe(false);
    expect(`${error.message} ${error.publicMessage} ${inspect(error.details)}`).not.toContain('canary');
  });

  it('keeps what was thrown for the log', () => {
    const cause = new TypeError('x');
    expect(toBridgeError(cause).cause).toBe(cause);
  });
});
