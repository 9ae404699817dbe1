import { describe, expect, it } from 'vitest';
import { AddressSet } from '../../../src/platform/auth/address-set.ts';

describe('a set of addresses', () => {
  const set = new AddressSet(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32', '::1']);

  it.each(['10.0.0.0', '10.255.255.255', '192.0.2.7', '2001:db8::1', '2001:0DB8:0:0::1', '::1', '::ffff:10.1.2.3'])('holds %s', (address) => {
    expect(set.has(address)).toBe(true);
  });

  it.each(['11.0.0.0', '9.255.255.255', '192.0.2.8', '2001:db9::1', '::2', '', 'unknown', '10.0.0.1:80', '10.0.0', '010.0.0.1', '10.0.0.1 ', 'fe80::1%eth0', '0x0a000001'])('does not hold %j', (address) => {
    expect(set.has(address)).toBe(false);
  });

  it('that is empty holds nobody', () => {
    expect(new AddressSet([]).has('127.0.0.1')).toBe(false);
  });

  it('may hold everybody, on purpose', () => {
    expect(new AddressSet(['0.0.0.0/0', '::/0']).has('203.0.113.9')).toBe(true);
  });

  it.each(['', 'host', '10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/x', '10.0.0.0/', '10.0.0.0/8/8', '10.0.0.0/8.5', '2001:db8::/129', '10.0.0/8', '*'])('refuses the entry %j', (entry) => {
    expect(() => new AddressSet([entry])).toThrow(RangeError);
  });
});
