import { BridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import { BER } from '../ber-read.ts';
import type { BerReader } from '../ber-read.ts';
import { contextTag } from '../names.ts';

/** An assertion value; undefined where it is no UTF-8, and can equal nothing that we have. */
export type AssertionValue = string | undefined;

/** RFC 4511 §4.5.1.7. `attribute` as it was written, with its options. */
export type Filter =
  | { readonly kind: 'and' | 'or'; readonly filters: readonly Filter[] }
  | { readonly kind: 'not'; readonly filter: Filter }
  | { readonly kind: 'equal' | 'atLeast' | 'atMost' | 'approx'; readonly attribute: string; readonly value: AssertionValue }
  | { readonly kind: 'substrings'; readonly attribute: string; readonly initial?: AssertionValue; readonly any: readonly AssertionValue[]; readonly final?: AssertionValue }
  | { readonly kind: 'present'; readonly attribute: string }
  | { readonly kind: 'extensible'; readonly rule: string | undefined; readonly attribute: string | undefined; readonly value: AssertionValue };

const COMPARISONS = new Map([
  [contextTag(3, true), 'equal'],
  [contextTag(5, true), 'atLeast'],
  [contextTag(6, true), 'atMost'],
  [contextTag(8, true), 'approx'],
] as const);

const AND = contextTag(0, true);
const OR = contextTag(1, true);
const NOT = contextTag(2, true);
const SUBSTRINGS = contextTag(4, true);
const PRESENT = contextTag(7, false);
const EXTENSIBLE = contextTag(9, true);

/**
 * Reads the next element as a filter: at most LIMITS.ldapFilterDepth deep, at most LIMITS.ldapFilterItems items.
 *
 * @throws BridgeError INVALID_REQUEST where it is none or nested deeper; BODY_TOO_LARGE beyond the items
 */
export function decodeFilter(reader: BerReader): Filter {
  let items = 0;
  const count = (): void => {
    items += 1;
    if (items > LIMITS.ldapFilterItems) throw new BridgeError('BODY_TOO_LARGE', `a filter may have ${LIMITS.ldapFilterItems} items`);
  };
  const decode = (from: BerReader, depth: number): Filter => {
    if (depth > LIMITS.ldapFilterDepth) throw new BridgeError('INVALID_REQUEST', `a filter may be ${LIMITS.ldapFilterDepth} deep`);
    count();
    const { tag, content } = from.element();
    const comparison = COMPARISONS.get(tag);
    if (comparison !== undefined) return { kind: comparison, attribute: content.expect(BER.octetString).text() ?? '', value: content.expect(BER.octetString).text() };
    switch (tag) {
      case AND:
      case OR: {
        const filters: Filter[] = [];
        while (!content.isAtEnd) filters.push(decode(content, depth + 1));
        return { kind: tag === AND ? 'and' : 'or', filters };
      }
      case NOT:
        return { kind: 'not', filter: decode(content, depth + 1) };
      case SUBSTRINGS:
        return decodeSubstrings(content, count);
      case PRESENT:
        return { kind: 'present', attribute: content.text() ?? '' };
      case EXTENSIBLE:
        return decodeExtensible(content);
      default:
        throw new BridgeError('INVALID_REQUEST', 'a filter of no known kind');
    }
  };
  return decode(reader, 1);
}

/** §4.5.1.7.2: at least one part; `initial` first and `final` last, where they are. */
function decodeSubstrings(content: BerReader, count: () => void): Filter {
  const attribute = content.expect(BER.octetString).text() ?? '';
  const parts = content.expect(BER.sequence);
  if (parts.isAtEnd) throw new BridgeError('INVALID_REQUEST', 'a substring filter without a substring');
  const initial = parts.optional(contextTag(0, false));
  const any: AssertionValue[] = [];
  for (let part = parts.optional(contextTag(1, false)); part !== undefined; part = parts.optional(contextTag(1, false))) {
    count();
    any.push(part.text());
  }
  const final = parts.optional(contextTag(2, false));
  if (!parts.isAtEnd) throw new BridgeError('INVALID_REQUEST', 'substrings out of order');
  return { kind: 'substrings', attribute, any, ...(initial === undefined ? {} : { initial: initial.text() }), ...(final === undefined ? {} : { final: final.text() }) };
}

/** §4.5.1.7.7. Whether the name's own attributes count too (dnAttributes) makes no difference: ours are in the entry as well. */
function decodeExtensible(content: BerReader): Filter {
  const rule = content.optional(contextTag(1, false))?.text();
  const attribute = content.optional(contextTag(2, false))?.text();
  const value = content.expect(contextTag(3, false)).text();
  content.optional(contextTag(4, false))?.boolean();
  return { kind: 'extensible', rule, attribute, value };
}
