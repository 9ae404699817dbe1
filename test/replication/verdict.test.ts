import { describe, expect, it } from 'vitest';
import { BridgeError, ERROR_CODES } from '../../src/core/errors.ts';
import type { ErrorCode } from '../../src/core/errors.ts';
import { verdictOf } from '../../src/replication/verdict.ts';

const verdict = (code: ErrorCode, options: ConstructorParameters<typeof BridgeError>[2] = {}): string => verdictOf(new BridgeError(code, 'x', options));

describe('verdictOf', () => {
  it.each(['BACKEND_TLS', 'BACKEND_REDIRECT', 'BACKEND_AUTH', 'CONFIGURATION'] as const)('%s holds the whole route back, temporary or not', (code) => {
    expect(verdict(code)).toBe('block');
    expect(verdict(code, { temporary: true })).toBe('block');
  });

  it('a 403 is about one message: the account is good', () => {
    expect(verdict('BACKEND_AUTH', { details: { status: 403 } })).toBe('stop');
    expect(verdict('BACKEND_AUTH', { details: { status: 403 }, temporary: true })).toBe('retry');
    expect(verdict('BACKEND_AUTH', { details: { status: 401 } })).toBe('block');
  });

  it.each(['BACKEND_UNREACHABLE', 'BACKEND_BUSY', 'DEADLINE', 'STORE_UNAVAILABLE'] as const)('%s passes by itself', (code) => expect(verdict(code)).toBe('retry'));

  it.each(['BACKEND_MALFORMED', 'BACKEND_TOO_LARGE', 'INTERNAL'] as const)('%s may pass', (code) => {
    expect(verdict(code)).toBe('doubtful');
    expect(verdict(code, { temporary: true })).toBe('retry');
  });

  it.each(['NO_DATA', 'MAILBOX_UNKNOWN', 'MAILBOX_REFUSED', 'BACKEND_FAULT', 'UNSUPPORTED', 'LOOP'] as const)('%s does not pass by itself', (code) => expect(verdict(code)).toBe('stop'));

  it('a fault that is temporary passes by itself', () => expect(verdict('BACKEND_FAULT', { temporary: true })).toBe('retry'));

  it('knows every code', () => {
    for (const code of ERROR_CODES) expect([code, ['retry', 'doubtful', 'block', 'stop']]).toEqual([code, expect.arrayContaining([verdict(code)])]);
  });
});
