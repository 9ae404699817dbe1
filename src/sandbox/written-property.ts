/** What a MAPI property holds, by the type in the lower half of its tag (exchange.md §1.2). */
export type PropertyKind = 'integer' | 'boolean' | 'string' | 'time' | 'binary' | 'integers' | 'strings' | 'binaries';

const KIND_OF_TYPE: Readonly<Record<number, PropertyKind>> = {
  0x0003: 'integer',
  0x000b: 'boolean',
  0x001e: 'string',
  0x001f: 'string',
  0x0040: 'time',
  0x0102: 'binary',
  0x1003: 'integers',
  0x101e: 'strings',
  0x101f: 'strings',
  0x1102: 'binaries',
};

/** The kind that a 32-bit tag names; undefined for a type that has no business in a free/busy message. */
export function kindOfTag(tag: number): PropertyKind | undefined {
  return KIND_OF_TYPE[tag & 0xffff];
}

/** Ids of a free/busy message; each has one kind only (exchange.md §1.2). */
export const ID = {
  subject: 0x0037,
  normalizedSubject: 0x0e1d,
  address: 0x6849,
  start: 0x6847,
  end: 0x6848,
  timestamp: 0x6868,
} as const;

/** What the four pairs of months and blocks are called here. */
export const PAIRS = {
  merged: { months: 0x684f, blocks: 0x6850 },
  tentative: { months: 0x6851, blocks: 0x6852 },
  busy: { months: 0x6853, blocks: 0x6854 },
  away: { months: 0x6855, blocks: 0x6856 },
} as const;
export type PairName = keyof typeof PAIRS;
export const PAIR_NAMES: readonly PairName[] = ['merged', 'tentative', 'busy', 'away'];

/** The kinds of the table in exchange.md §1.2, by id. */
export const KIND_OF_ID: ReadonlyMap<number, PropertyKind> = new Map<number, PropertyKind>([
  [ID.subject, 'string'], [ID.normalizedSubject, 'string'], [0x003d, 'string'], [0x0070, 'string'], [ID.address, 'string'],
  [ID.start, 'integer'], [ID.end, 'integer'], [0x6869, 'integer'], [0x6841, 'integer'], [0x3ff1, 'integer'], [0x66a1, 'integer'],
  [ID.timestamp, 'time'],
  ...[0x6842, 0x6843, 0x6846, 0x684b, 0x686d, 0x686e, 0x686f, 0x10f2].map((id) => [id, 'boolean'] as const),
  ...Object.values(PAIRS).flatMap(({ months, blocks }) => [[months, 'integers'], [blocks, 'binaries']] as const),
]);

/** Ids that belong to the item with which delegates are kept, never to this message (exchange.md §1.2). */
export const NEVER_WRITTEN: ReadonlySet<number> = new Set([0x6844, 0x6845, 0x684a, 0x686a, 0x686b, 0x686c, 0x7ae0]);

/** One property as it was written: integers decimal, booleans `0` and `1`, times and base64 as they came. */
export interface WrittenProperty {
  /** The upper half of the tag. */
  readonly id: number;
  readonly kind: PropertyKind;
  readonly values: readonly string[];
}

/** Why a property's text cannot be its value; undefined when it can. */
export function mistakeInValues(kind: PropertyKind, values: readonly string[]): string | undefined {
  const isList = kind === 'integers' || kind === 'strings' || kind === 'binaries';
  if (!isList && values.length !== 1) return 'one value is wanted';
  if (isList && values.length === 0) return 'a list without a value';
  const wrong = values.find((value) => !IS_VALUE[kind](value));
  return wrong === undefined ? undefined : `not of type ${kind}`;
}

const isInteger = (text: string): boolean => /^-?\d{1,10}$/.test(text) && Number(text) >= -0x80000000 && Number(text) <= 0x7fffffff;
/** Whole groups of four, padded, no line breaks; empty is empty. */
const isBase64 = (text: string): boolean => /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text);

const IS_VALUE: Readonly<Record<PropertyKind, (text: string) => boolean>> = {
  integer: isInteger,
  integers: isInteger,
  boolean: (text) => text === '0' || text === '1',
  string: () => true,
  strings: () => true,
  time: (text) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,7})?Z$/.test(text) && !Number.isNaN(Date.parse(text)),
  binary: isBase64,
  binaries: isBase64,
};
