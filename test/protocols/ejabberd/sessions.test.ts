import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/core/limits.ts';
import { decodeSessions } from '../../../src/protocols/ejabberd/sessions.ts';

const FOLDER = new URL('../../../fixtures/ejabberd/user-sessions-info/two-sessions/', import.meta.url);
const read = (name: string): unknown => JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8'));
const NOW = 1_795_255_200_000;
const ONE = { resource: 'desk', status: 'away', statustext: '', priority: 0, uptime: 1 };

describe('sessions', () => {
  it('are read as ejabberd tells them, but for those that have sent no presence', () => {
    const expected = read('expected.json') as readonly Readonly<Record<string, number>>[];
    expect(decodeSessions(read('answer.json'), NOW)).toEqual(expected.map(({ ageSeconds, ...rest }) => ({ ...rest, startedAt: NOW - ageSeconds! * 1_000 })));
    expect(decodeSessions([], NOW)).toEqual([]);
  });

  it('are bounded', () => {
    expect(decodeSessions(Array.from({ length: 5_000 }, (_, index) => ({ ...ONE, resource: `r${index}` })), NOW)).toHaveLength(LIMITS.ejabberdSessions);
  });

  it.each([
    null,
    {},
    'text',
    [null],
    [[]],
    [{ ...ONE, resource: '' }],
    [{ ...ONE, resource: 5 }],
    [{ ...ONE, status: undefined }],
    [{ ...ONE, statustext: null }],
    [{ ...ONE, statustext: 'x'.repeat(LIMITS.ejabberdStatusCharacters + 1) }],
    [{ ...ONE, priority: '0' }],
    [{ ...ONE, priority: 1e9 }],
    [{ ...ONE, uptime: -1 }],
    [{ ...ONE, uptime: 'long' }],
    [ONE, { ...ONE, priority: 0.5 }],
  ])('are not read from %j', (answer) => {
    expect(() => decodeSessions(answer, NOW)).toThrow('BACKEND_MALFORMED');
  });
});
