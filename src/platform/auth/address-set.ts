import { BlockList, isIP } from 'node:net';

/** IP addresses and networks, as `10.0.0.0/8`, `192.0.2.7`, `2001:db8::/32`. */
export class AddressSet {
  readonly #list = new BlockList();

  /** @throws RangeError for what is neither an address nor a network */
  constructor(entries: readonly string[]) {
    for (const entry of entries) {
      const [address = '', prefix, ...more] = entry.split('/');
      const family = familyOf(address);
      if (family === undefined || more.length > 0 || (prefix !== undefined && !/^\d{1,3}$/.test(prefix))) {
        throw new RangeError('neither an IP address nor a network');
      }
      if (prefix === undefined) this.#list.addAddress(address, family);
      else this.#list.addSubnet(address, Number(prefix), family);
    }
  }

  /** Whether the address lies in one of the entries; text that is no address lies in none. */
  has(address: string): boolean {
    const family = familyOf(address);
    return family !== undefined && this.#list.check(address, family);
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' | undefined {
  const version = isIP(address);
  return version === 4 ? 'ipv4' : version === 6 ? 'ipv6' : undefined;
}
