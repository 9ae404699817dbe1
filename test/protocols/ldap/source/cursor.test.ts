import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../../src/core/limits.ts';
import { decodeCursor, digestOf, encodeCursor, withController } from '../../../../src/protocols/ldap/source/cursor.ts';
import { formatGeneralizedTime, parseGeneralizedTime } from '../../../../src/core/generalized-time.ts';

describe('a cursor', () => {
  it('is read again by the same settings only', () => {
    const cursor = { position: { by: 'time', since: 1_795_983_905_967 }, parents: 'abc' } as const;
    expect(decodeCursor(encodeCursor(cursor, 'here'), 'here')).toEqual(cursor);
    expect(decodeCursor(encodeCursor(cursor, 'here'), 'there')).toBeUndefined();
  });

  it.each([undefined, '', 'null', '[]', '{}', '{"version":1,"settings":"here","parents":"x","position":{"by":"time","since":"now"}}', '{"version":1,"settings":"here","parents":"x","position":{"by":"usn","at":{"dc":"1)(x=*"}}}', '{"version":1,"settings":"here","parents":"x","position":null}', '{"version":2,"settings":"here","parents":"x","position":{"by":"time","since":1}}'])('of another life is none: %s', (text) => {
    expect(decodeCursor(text, 'here')).toBeUndefined();
  });

  it('remembers a handful of domain controllers, the last ones', () => {
    let position = withController(undefined, 'dc0', 1);
    for (let index = 1; index < 20; index++) position = withController(position, `dc${index}`, index);
    position = withController(position, 'dc15', 99);
    expect(Object.keys(position.by === 'usn' ? position.at : {})).toHaveLength(LIMITS.ldapControllers);
    expect(position).toMatchObject({ at: { dc15: 99, dc19: 19 } });
  });

  it('has one digest for one set', () => {
    expect(digestOf(['a', 'b'])).toBe(digestOf(['b', 'a']));
    expect(digestOf(['a', 'b'])).not.toBe(digestOf(['a', 'c']));
  });
});

describe('a time of LDAP', () => {
  it.each([
    // RFC 4517 §3.3.13.
    ['199412161032Z', '1994-12-16T10:32:00.000Z'],
    ['199412160532-0500', '1994-12-16T10:32:00.000Z'],
    ['20261129201424Z', '2026-11-29T20:14:24.000Z'],
    ['20261129201424.849131Z', '2026-11-29T20:14:24.849Z'],
    // Active Directory's.
    ['20261129201424.0Z', '2026-11-29T20:14:24.000Z'],
    ['2026112920+01', '2026-11-29T19:00:00.000Z'],
  ])('%s is %s', (text, iso) => {
    expect(new Date(parseGeneralizedTime(text)!).toISOString()).toBe(iso);
  });

  it('is nothing else, and is written to the second', () => {
    for (const text of ['', '2026', '20261129201424', '2026-11-29T20:14:24Z', '20261129201424Z)(x=*']) expect(parseGeneralizedTime(text)).toBeUndefined();
    expect(formatGeneralizedTime(Date.UTC(2026, 10, 29, 20, 14, 24, 999))).toBe('20261129201424Z');
  });
});
