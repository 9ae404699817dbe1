import { describe, expect, it } from 'vitest';
import { BUSY_TYPES } from '../../../src/freebusy/busy-type.ts';
import { FBTYPE_OF, busyTypeOfFbType } from '../../../src/protocols/icalendar/busy-type.ts';

describe('FBTYPE', () => {
  it.each([
    [undefined, 'busy'],
    ['FREE', 'free'],
    ['BUSY', 'busy'],
    ['BUSY-TENTATIVE', 'tentative'],
    ['BUSY-UNAVAILABLE', 'oof'],
    ['busy-Unavailable', 'oof'],
    ['X-ELSEWHERE', 'busy'],
    ['constructor', 'busy'],
    ['', 'busy'],
  ] as const)('%s means %s (RFC 5545 §3.2.9)', (fbType, busyType) => {
    expect(busyTypeOfFbType(fbType)).toBe(busyType);
  });

  it('is written for every busy type', () => {
    expect(BUSY_TYPES.map((type) => FBTYPE_OF[type])).toEqual(['FREE', 'BUSY-TENTATIVE', 'FREE', 'BUSY-TENTATIVE', 'BUSY', 'BUSY-UNAVAILABLE']);
  });
});
