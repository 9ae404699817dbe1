import type { Requester } from '../../core/request-context.ts';
import type { ServedAddresses } from '../../directory/served-addresses.ts';
import { domainOf, parseMailboxAddress, spelledAddress } from '../../directory/smtp-address.ts';
import { encodeLegacyDn } from './legacy-dn.ts';

/** Of whom an answer speaks. Nothing here is looked up: the same for every address, but for the address. */
export interface Person {
  /** As the client spelled it, without `SMTP:`: clients compare, and take it for a mail address. */
  readonly address: string;
  readonly legacyDn: string;
}

/**
 * The person behind an address as a client spelled it, where the client may ask about such an address; whether there is anybody is not looked up.
 * That covers whom an Exchange asks for when it discovers a domain (01B62C6D-4324-448f-9884-5FEC6D18A7E2@domain, exchange.md §4.4): an address like any other.
 */
export function servedPerson(text: string, addresses: ServedAddresses, requester: Requester): Person | undefined {
  const address = parseMailboxAddress(text);
  return address !== undefined && addresses.serves(address, requester) ? { address: spelledAddress(text), legacyDn: encodeLegacyDn(address) } : undefined;
}

/** For the log: why an address is answered like nobody's. The address itself is left out, its domain says enough. */
export function notServed(text: string, requester: Requester): string {
  const address = parseMailboxAddress(text);
  return address === undefined ? 'what was asked about is no mail address' : `no system under mayAsk of this client (${requester.name}) lists ${domainOf(address)}`;
}
