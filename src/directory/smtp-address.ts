import { LIMITS } from '../core/limits.ts';

/**
 * A mailbox's address as the bridge compares it: trimmed, no `SMTP:` or `mailto:` prefix, lower case throughout.
 *
 * RFC 5321 lets local parts differ by case; neither Exchange nor Zimbra does, and a lookup that misses by case would show
 * someone as unknown. Faces echo the caller's own spelling, never this one.
 */
export type MailboxAddress = string & { readonly __brand: 'MailboxAddress' };

/**
 * Reads an address as clients spell it: `anna@corp.example`, `SMTP:anna@corp.example`, `mailto:…`, in any case, blanks around it.
 *
 * Returns undefined for what can name no mailbox: no or several `@`, white space, control and invisible characters of any
 * kind, `/`, `\`, `..`, angle brackets, quotes, parentheses, commas, semicolons, an empty part, or more than 254 octets (RFC 5321 §4.5.3.1.3
 * less the brackets). A path separator is refused, because the local part ends up in URLs and legacyExchangeDNs.
 */
export function parseMailboxAddress(text: string): MailboxAddress | undefined {
  if (text.length > 2 * LIMITS.addressCharacters) return undefined;
  const bare = text.replace(/^ +| +$/g, '').replace(/^(?:smtp|mailto):/i, '');
  if (bare.length === 0 || Buffer.byteLength(bare) > LIMITS.addressCharacters) return undefined;
  if (/[\s\p{C}/\\<>"(),;:[\]]/u.test(bare) || bare.includes('..')) return undefined;
  const at = bare.indexOf('@');
  if (at <= 0) return undefined;
  // The domain's letters exclude another `@`.
  const domain = bare.slice(at + 1);
  if (!/^[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}.-]*[\p{L}\p{N}\p{M}])?$/u.test(domain)) return undefined;
  return bare.toLowerCase() as MailboxAddress;
}

/** An address as somebody spelled it, without `SMTP:` or `mailto:` and blanks around it; for those who compare it with what they sent. */
export function spelledAddress(text: string): string {
  return text.trim().replace(/^(?:smtp|mailto):/i, '');
}

/** The part before the `@`, lower case. */
export function localPartOf(address: MailboxAddress): string {
  return address.slice(0, address.indexOf('@'));
}

/** The part after the `@`, lower case. */
export function domainOf(address: MailboxAddress): string {
  return address.slice(address.indexOf('@') + 1);
}

/** Plus-addressing: `kim+news@…` is kim's. */
export function withoutTag(address: MailboxAddress): MailboxAddress {
  const plus = address.indexOf('+');
  return plus > 0 ? ((address.slice(0, plus) + address.slice(address.indexOf('@'))) as MailboxAddress) : address;
}
