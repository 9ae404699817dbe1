import type { PropertyName } from './exchange-2003-multistatus.ts';

/** A SELECT as far as calendars are asked by it. */
export interface Query {
  readonly properties: readonly PropertyName[];
  /** What the SCOPE says; empty: the folder that the request names. */
  readonly scope: string;
  /** @param valueOf a property's value, undefined where the item has none: a comparison with it is false */
  matches(valueOf: (property: string) => Value | undefined): boolean;
  readonly orderBy: readonly { readonly property: string; readonly isDescending: boolean }[];
}

/** Times are epoch ms. */
export type Value = string | number | boolean;

type Condition = (valueOf: (property: string) => Value | undefined) => boolean;

interface Token {
  /** `name`: in double quotes; `text`: in single ones; `word`: also operators and brackets. */
  readonly kind: 'name' | 'text' | 'word';
  readonly text: string;
}

const OPERATORS: Readonly<Record<string, (order: number) => boolean>> = {
  '=': (order) => order === 0, '<>': (order) => order !== 0, '!=': (order) => order !== 0, '<': (order) => order < 0, '>': (order) => order > 0, '<=': (order) => order <= 0, '>=': (order) => order >= 0,
};

/** Deeper brackets than any client writes. */
const DEPTH = 50;

/**
 * `SELECT "p", … FROM SCOPE('shallow traversal of "url"') WHERE … ORDER BY "p"`: names in double quotes, literals in single ones (doubled where they have one), numbers,
 * TRUE and FALSE, `CAST("2026-03-10T09:00:00Z" AS "dateTime")`; comparisons, IS NULL, AND, OR, NOT, brackets (exchange.md §2.3).
 *
 * Undefined for what is no such query.
 */
export function readQuery(sql: string): Query | undefined {
  const tokens = tokenize(sql);
  if (tokens === undefined) return undefined;
  try {
    return new Reader(tokens).query();
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** `urn:schemas:calendar:dtstart` in its two halves. */
export function propertyName(whole: string): PropertyName {
  const cut = Math.max(whole.lastIndexOf('/'), whole.lastIndexOf(':')) + 1;
  return { ns: whole.slice(0, cut), name: whole.slice(cut) };
}

function tokenize(sql: string): readonly Token[] | undefined {
  const tokens: Token[] = [];
  const pattern = /\s*(?:"((?:[^"]|"")*)"|'((?:[^']|'')*)'|(<>|!=|<=|>=|[=<>(),])|([A-Za-z_]+|-?\d+))\s*/y;
  while (pattern.lastIndex < sql.length) {
    const match = pattern.exec(sql);
    if (match === null) return undefined;
    if (match[1] !== undefined) tokens.push({ kind: 'name', text: match[1] });
    else if (match[2] !== undefined) tokens.push({ kind: 'text', text: match[2].replaceAll("''", "'") });
    else tokens.push({ kind: 'word', text: (match[3] ?? match[4]!).toUpperCase() });
  }
  return tokens;
}

class Reader {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  query(): Query {
    this.#expect('SELECT');
    const properties = this.#list(() => propertyName(this.#take('name')));
    this.#expect('FROM');
    const scope = this.#scope();
    const matches = this.#accept('WHERE') ? this.#either() : (): boolean => true;
    const orderBy = this.#accept('ORDER') ? this.#order() : [];
    if (this.#at < this.#tokens.length) throw new SyntaxError('more than a query');
    return { properties, scope, matches, orderBy };
  }

  #scope(): string {
    if (this.#peek()?.kind === 'name') return this.#take('name');
    this.#expect('SCOPE');
    this.#expect('(');
    const traversal = /^(?:shallow|deep) traversal of "([^"]*)"$/i.exec(this.#take('text').trim())?.[1];
    this.#expect(')');
    if (traversal === undefined) throw new SyntaxError('not a traversal');
    return traversal;
  }

  #order(): Query['orderBy'] {
    this.#expect('BY');
    return this.#list(() => {
      const property = this.#take('name');
      const isDescending = this.#accept('DESC');
      if (!isDescending) this.#accept('ASC');
      return { property, isDescending };
    });
  }

  #either(): Condition {
    const first = this.#both();
    if (!this.#accept('OR')) return first;
    const rest = this.#either();
    return (valueOf) => first(valueOf) || rest(valueOf);
  }

  #both(): Condition {
    const first = this.#one();
    if (!this.#accept('AND')) return first;
    const rest = this.#both();
    return (valueOf) => first(valueOf) && rest(valueOf);
  }

  #one(): Condition {
    if (++this.#depth > DEPTH) throw new SyntaxError('too deep');
    try {
      if (this.#accept('NOT')) {
        const negated = this.#one();
        return (valueOf) => !negated(valueOf);
      }
      if (this.#accept('(')) {
        const inside = this.#either();
        this.#expect(')');
        return inside;
      }
      return this.#comparison();
    } finally {
      this.#depth--;
    }
  }

  #comparison(): Condition {
    const property = this.#take('name').toLowerCase();
    const operator = this.#take('word');
    if (operator.toUpperCase() === 'IS') {
      const isNot = this.#accept('NOT');
      this.#expect('NULL');
      return (valueOf) => (valueOf(property) === undefined) !== isNot;
    }
    const holds = Object.hasOwn(OPERATORS, operator) ? OPERATORS[operator] : undefined;
    if (holds === undefined) throw new SyntaxError('not a comparison');
    const literal = this.#literal();
    return (valueOf) => {
      const value = valueOf(property);
      const order = value === undefined ? undefined : compare(value, literal);
      return order !== undefined && holds(order);
    };
  }

  #literal(): Value {
    if (this.#accept('CAST')) {
      this.#expect('(');
      const token = this.#next();
      this.#expect('AS');
      const type = this.#next().text.toLowerCase();
      this.#expect(')');
      if (type.startsWith('datetime')) {
        const instant = readTime(token.text);
        if (instant === undefined) throw new SyntaxError('not a time');
        return instant;
      }
      if (type === 'int' || type === 'i4') return Number(token.text);
      return type === 'boolean' ? /^(?:1|true)$/i.test(token.text) : token.text;
    }
    const token = this.#next();
    if (token.kind === 'text') return token.text;
    if (token.kind === 'word' && /^(?:TRUE|FALSE)$/.test(token.text)) return token.text === 'TRUE';
    if (token.kind === 'word' && /^-?\d+$/.test(token.text)) return Number(token.text);
    throw new SyntaxError('not a literal');
  }

  #list<T>(read: () => T): readonly T[] {
    const all = [read()];
    while (this.#accept(',')) all.push(read());
    return all;
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#at];
  }

  #next(): Token {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw new SyntaxError('ends too early');
    return token;
  }

  #take(kind: Token['kind']): string {
    const token = this.#next();
    if (token.kind !== kind) throw new SyntaxError(`not a ${kind}`);
    return token.text;
  }

  #accept(word: string): boolean {
    const token = this.#peek();
    if (token?.kind !== 'word' || token.text !== word) return false;
    this.#at++;
    return true;
  }

  #expect(word: string): void {
    if (!this.#accept(word)) throw new SyntaxError(`${word} is missing`);
  }
}

/** Below, at or above 0; undefined where the two cannot be compared. Texts have no case; a text beside a time is read as one. */
function compare(value: Value, literal: Value): number | undefined {
  if (typeof value === 'number' && typeof literal === 'string') {
    const instant = readTime(literal);
    return instant === undefined ? undefined : value - instant;
  }
  if (typeof value === 'boolean') return Number(value) - Number(literal);
  if (typeof value === 'string' && typeof literal === 'string') return Number(value.toLowerCase() > literal.toLowerCase()) - Number(value.toLowerCase() < literal.toLowerCase());
  return typeof value === 'number' && typeof literal === 'number' ? value - literal : undefined;
}

/** `2026-03-10T09:00:00Z` or `2026/03/10 09:00:00`, both UTC. */
function readTime(text: string): number | undefined {
  const parts = /^(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d{1,3})?)Z?$/.exec(text);
  const instant = parts === null ? Number.NaN : Date.parse(`${parts[1]}-${parts[2]}-${parts[3]}T${parts[4]}Z`);
  return Number.isNaN(instant) ? undefined : instant;
}
