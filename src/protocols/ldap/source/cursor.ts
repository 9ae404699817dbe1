import { createHash } from 'node:crypto';
import { LIMITS } from '../../../core/limits.ts';

/** From where changes can be asked for. */
export type Position =
  /** modifyTimestamp: everything before this instant (of the server's clock) has been read. */
  | { readonly by: 'time'; readonly since: number }
  /** uSNChanged, of each domain controller its own: everything up to this number has been read there. */
  | { readonly by: 'usn'; readonly at: Readonly<Record<string, number>> };

export interface Cursor {
  readonly position: Position;
  /** Of the DNs above all entries: another one means that something above them was moved or renamed, of which the entries themselves tell nothing. */
  readonly parents: string;
}

const VERSION = 1;

/** @param settings what makes another reading of the same directory: its url, base, filter and attributes */
export function encodeCursor(cursor: Cursor, settings: string): string {
  return JSON.stringify({ version: VERSION, settings, ...cursor });
}

/** Undefined for what another version or other settings left behind, and for anything else that is none of ours. */
export function decodeCursor(text: string | undefined, settings: string): Cursor | undefined {
  try {
    const { version, settings: of, position, parents } = JSON.parse(text ?? '') as Record<string, unknown>;
    return version === VERSION && of === settings && isPosition(position) && typeof parents === 'string' ? { position, parents } : undefined;
  } catch {
    return undefined;
  }
}

function isPosition(value: unknown): value is Position {
  if (typeof value !== 'object' || value === null || !('by' in value)) return false;
  if (value.by === 'time') return 'since' in value && Number.isSafeInteger(value.since);
  return value.by === 'usn' && 'at' in value && typeof value.at === 'object' && value.at !== null && Object.values(value.at).every(Number.isSafeInteger);
}

/** With what was read up to now from one controller, the one read last at the end; the oldest are forgotten. */
export function withController(position: Position | undefined, controller: string, usn: number): Position {
  const others = position?.by === 'usn' ? Object.entries(position.at).filter(([name]) => name !== controller) : [];
  return { by: 'usn', at: Object.fromEntries([...others, [controller, usn] as const].slice(-LIMITS.ldapControllers)) };
}

/** The same for the same set, in whatever order. */
export function digestOf(texts: Iterable<string>): string {
  const hash = createHash('sha256');
  for (const text of [...texts].sort()) hash.update(text).update('\n');
  return hash.digest('hex').slice(0, 32);
}
