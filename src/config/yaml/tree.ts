import { LineCounter, isAlias, isMap, isScalar, isSeq, parseDocument } from 'yaml';
import type { Node } from 'yaml';
import type { ConfigProblem } from '../config-error.ts';
import { LIMITS } from '../../core/limits.ts';
import { nestsTooDeep } from './nesting.ts';
import { SYNTAX_MESSAGE } from './syntax-message.ts';

/** Maps (without prototype), arrays, strings, numbers, booleans and null; or why the text is no such tree. */
export type YamlResult = { readonly tree: unknown } | { readonly problems: readonly ConfigProblem[] };

/**
 * Reads one YAML 1.2 document (core schema) strictly: no duplicate keys, tags, directives, merge keys or second documents; aliases
 * and depth are bounded. Problems name line and column (from 1) and never quote the file.
 */
export function readYaml(source: string): YamlResult {
  const lines = new LineCounter();
  const deep = nestsTooDeep(source, LIMITS.yamlDepth);
  if (deep !== undefined) {
    lines.addNewLine(0);
    for (let at = source.indexOf('\n'); at >= 0; at = source.indexOf('\n', at + 1)) lines.addNewLine(at + 1);
    return { problems: [problemAt(deep, TOO_DEEP, lines)] };
  }
  const document = parseDocument(source, { ...OPTIONS, lineCounter: lines });
  const found = [...document.errors, ...document.warnings].map(({ code, pos }) => problemAt(pos[0], SYNTAX_MESSAGE[code], lines));
  if (document.directives?.yaml.explicit === true) found.unshift(problemAt(0, SYNTAX_MESSAGE.BAD_DIRECTIVE, lines));
  if (found.length > 0) return { problems: bounded(found) };
  const builder = new TreeBuilder(lines);
  const tree = builder.build(document.contents, 0);
  return builder.problems.length > 0 ? { problems: bounded(builder.problems) } : { tree };
}

/** Duplicate keys are looked for below: the library compares every key with every other (measured: 65 s for 90,000 keys). */
const OPTIONS = { prettyErrors: false, uniqueKeys: false, stringKeys: true, schema: 'core', merge: false, logLevel: 'error' } as const;

const TOO_DEEP = `is nested deeper than ${LIMITS.yamlDepth} levels`;

const TOO_MANY = `the file has more than ${LIMITS.yamlNodes} values once its aliases (*) are expanded`;
const NO_ANCHOR = 'this alias (*) stands for no anchor (&) before it; a value that begins with * belongs in quotes';

function problemAt(offset: number, message: string, lines: LineCounter): ConfigProblem {
  const { line, col } = lines.linePos(offset);
  return { path: `line ${line}, column ${col}`, message };
}

function bounded(problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
  const more = problems.length - LIMITS.yamlMistakes;
  if (more <= 0) return problems;
  return [...problems.slice(0, LIMITS.yamlMistakes), { path: '', message: `and ${more} more mistakes in the YAML` }];
}

/** Walks the document once, expanding aliases within the bound on nodes. */
class TreeBuilder {
  readonly problems: ConfigProblem[] = [];
  readonly #lines: LineCounter;
  readonly #anchors = new Map<string, Node>();
  readonly #open = new Set<Node>();
  #nodes = 0;

  constructor(lines: LineCounter) {
    this.#lines = lines;
  }

  build(node: unknown, depth: number): unknown {
    const one = node as Node | null;
    if (one === null || one === undefined) return null;
    if (++this.#nodes > LIMITS.yamlNodes) {
      if (this.#nodes === LIMITS.yamlNodes + 1) this.#refuse(one, TOO_MANY);
      return null;
    }
    if (depth > LIMITS.yamlDepth) return this.#refuse(one, TOO_DEEP);
    if (isAlias(one)) return this.#alias(one.source, one, depth);
    if ('anchor' in one && typeof one.anchor === 'string') this.#anchors.set(one.anchor, one);
    if (isScalar(one)) return this.#scalar(one.value, one);
    this.#open.add(one);
    const built = isSeq(one) ? one.items.map((item) => this.build(item, depth + 1)) : this.#map(one, depth);
    this.#open.delete(one);
    return built;
  }

  #map(node: Node, depth: number): unknown {
    // Without a prototype, and filled by definition: `__proto__` is a key like any other, which the schema then does not know.
    const built = Object.create(null) as Record<string, unknown>;
    for (const { key, value } of isMap(node) ? node.items : []) {
      const name = isScalar(key) && typeof key.value === 'string' ? key.value : undefined;
      const at = (key ?? node) as Node;
      if (name === undefined) this.#refuse(at, SYNTAX_MESSAGE.NON_STRING_KEY);
      else if (name === '__proto__') this.#refuse(at, 'this key is not allowed');
      else if (name in built) this.#refuse(at, SYNTAX_MESSAGE.DUPLICATE_KEY);
      else built[name] = this.build(value, depth + 1);
    }
    return built;
  }

  #alias(name: string, node: Node, depth: number): unknown {
    const target = this.#anchors.get(name);
    if (target === undefined) return this.#refuse(node, NO_ANCHOR);
    if (this.#open.has(target)) return this.#refuse(node, 'this alias (*) stands inside the value it names');
    return this.build(target, depth);
  }

  #scalar(value: unknown, node: Node): unknown {
    if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
    return this.#refuse(node, 'should be a text, a number, true or false');
  }

  #refuse(node: Node, message: string): null {
    this.problems.push(problemAt(node.range?.[0] ?? 0, message, this.#lines));
    return null;
  }
}
