import { LIMITS } from '../../../core/limits.ts';
import { parseMailboxAddress } from '../../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../../directory/smtp-address.ts';

/** What somebody wants resolved. */
export type SoughtName =
  | { readonly kind: 'legacy-dn'; readonly dn: string }
  /** A whole address; where nobody has it and `isExact` is false, it may be the beginning of one. */
  | { readonly kind: 'address'; readonly address: MailboxAddress; readonly isExact: boolean }
  /** `smtp:` and the beginning of an address. */
  | { readonly kind: 'address-prefix'; readonly text: string }
  /** Words, or a part of an address. `isExact`: the whole name, alias or address. */
  | { readonly kind: 'words'; readonly text: string; readonly isExact: boolean };

/**
 * Reads an UnresolvedEntry (exchange.md §3.3): a name or part of one, an address with or without `smtp:`, a legacyExchangeDN with or without `EX:`, and what mail
 * programs show (`"Ann" <ann@corp.example>`). A `=` before it is ANR's own sign for "exactly this"; DavMail writes `=smtp:anna@…`.
 *
 * Undefined for what can be nobody: longer than any name or DN, `=smtp:` without a whole address.
 */
export function decodeSoughtName(entry: string): SoughtName | undefined {
  const isExact = entry.startsWith('=');
  const bare = withoutDisplayName(isExact ? entry.slice(1).trim() : entry);
  const dn = bare.replace(/^EX:/i, '');
  if (dn.startsWith('/')) return dn.length > LIMITS.legacyExchangeDnCharacters ? undefined : { kind: 'legacy-dn', dn };
  const address = parseMailboxAddress(bare);
  // `smtp:` is for one proxy address; `smtp:g` asks for all that begin so (DavMail's test of a real server).
  if (address !== undefined) return { kind: 'address', address, isExact };
  const text = bare.replace(/^smtp:/i, '');
  if (text === '' || text.length > LIMITS.searchCharacters) return undefined;
  if (text === bare) return { kind: 'words', text, isExact };
  return isExact ? undefined : { kind: 'address-prefix', text: text.toLowerCase() };
}

/** The address of `Ann <ann@corp.example>`, or a name without the quotes around it. */
function withoutDisplayName(text: string): string {
  const open = text.lastIndexOf('<');
  if (open >= 0 && text.endsWith('>')) return text.slice(open + 1, -1).trim();
  return text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1).trim() : text;
}
