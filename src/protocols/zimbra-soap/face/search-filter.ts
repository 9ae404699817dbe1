import { BridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { DirectoryEntry } from '../../../directory/entry.ts';
import { child } from '../../../platform/xml/element.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import { contactAttributes } from './gal-entry.ts';
import { flag, member } from './member.ts';

/** Whether an entry is wanted. */
export type EntryFilter = (entry: DirectoryEntry) => boolean;

/** Values of one entry by the names of Zimbra's contacts. */
type Values = ReadonlyMap<string, readonly string[]>;
type Condition = (values: Values) => boolean;

const OPERATORS: Readonly<Record<string, (value: string, asked: string) => boolean>> = {
  eq: (value, asked) => value.toLowerCase() === asked.toLowerCase(),
  has: (value, asked) => value.toLowerCase().includes(asked.toLowerCase()),
  startswith: (value, asked) => value.toLowerCase().startsWith(asked.toLowerCase()),
  endswith: (value, asked) => value.toLowerCase().endsWith(asked.toLowerCase()),
  ge: (value, asked) => numberOf(value) >= numberOf(asked),
  le: (value, asked) => numberOf(value) <= numberOf(asked),
  gt: (value, asked) => numberOf(value) > numberOf(asked),
  lt: (value, asked) => numberOf(value) < numberOf(asked),
};

/**
 * Reads `<searchFilter>`: one `cond` (attr, op, value, not) or `conds` of these and of further `conds` (or, not), as GalExtraSearchFilter.java does: an attribute that an
 * entry does not have fits nothing, of several values one is enough, case does not count, ge, le, gt and lt compare numbers.
 *
 * @returns undefined where the request has none
 * @throws BridgeError INVALID_REQUEST for what Zimbra does not have, and for too many conditions
 */
export function decodeSearchFilter(request: XmlElement): EntryFilter | undefined {
  const filter = child(request, 'searchFilter');
  if (filter === undefined) return undefined;
  const top = child(filter, 'conds') ?? child(filter, 'cond');
  if (top === undefined) throw new BridgeError('INVALID_REQUEST', 'missing required element: cond');
  const condition = readCondition(top, { left: LIMITS.zimbraFilterConditions });
  return (entry) => condition(valuesOf(entry));
}

function readCondition(element: XmlElement, count: { left: number }): Condition {
  count.left -= 1;
  if (count.left < 0) throw new BridgeError('INVALID_REQUEST', `more than ${LIMITS.zimbraFilterConditions} conditions in one search filter`);
  const isNegated = flag(element, 'not');
  const condition = element.name === 'conds' ? readConditions(element, count) : readOne(element);
  return isNegated ? (values) => !condition(values) : condition;
}

/** JSON has its flags as plain members, XML as attributes; nothing else stands beside the conditions. */
function readConditions(element: XmlElement, count: { left: number }): Condition {
  const isOr = flag(element, 'or');
  const conditions = element.children.map((one) => readCondition(one, count));
  return isOr ? (values) => conditions.some((fits) => fits(values)) : (values) => conditions.every((fits) => fits(values));
}

function readOne(element: XmlElement): Condition {
  if (element.name !== 'cond') throw new BridgeError('INVALID_REQUEST', `Unknown element <${element.name.slice(0, 50)}> in search filter`);
  const [attr, op, value] = ['attr', 'op', 'value'].map((name) => {
    const text = member(element, name);
    if (text === undefined) throw new BridgeError('INVALID_REQUEST', `Missing search term ${name}`);
    return text;
  }) as [string, string, string];
  if (!Object.hasOwn(OPERATORS, op)) throw new BridgeError('INVALID_REQUEST', `unknown operator in search filter: ${op.slice(0, 50)}`);
  const fits = OPERATORS[op]!;
  return (values) => values.get(attr)?.some((one) => fits(one, value)) ?? false;
}

/** What is no whole number compares with nothing. */
function numberOf(text: string): number {
  return /^\s*[+-]?\d{1,15}\s*$/.test(text) ? Number(text) : Number.NaN;
}

function valuesOf(entry: DirectoryEntry): Values {
  const values = new Map<string, string[]>();
  for (const [name, value] of contactAttributes(entry)) {
    const list = values.get(name);
    if (list === undefined) values.set(name, [value]);
    else list.push(value);
  }
  return values;
}
