import { LIMITS } from '../../../core/limits.ts';
import type { SourceRead } from '../../../directory/entry-source.ts';
import { decodeCursor, digestOf, encodeCursor, withController } from './cursor.ts';
import type { Cursor, Position } from './cursor.ts';
import { formatGeneralizedTime } from '../../../core/generalized-time.ts';
import type { KnownIds } from './known-ids.ts';
import { readEntries, readIds } from './read-entries.ts';
import type { Reading, Seen } from './read-entries.ts';
import type { Flavour } from './root-dse.ts';

/** One reading of a directory, and what decides how much of it is read. */
export interface DirectoryReading extends Reading {
  readonly flavour: Flavour;
  /** What makes another reading of the same directory; part of the cursor. */
  readonly settings: string;
  /** What earlier readings told; brought up to date here. */
  readonly known: KnownIds;
  /** Our clock, in ms. */
  readonly now: () => number;
  /** Whether the ids of everybody are to be read this time. */
  readonly isIdPassDue: boolean;
  /** Called with the time that a pass over the ids began and ended. */
  readonly idPassDone: (startedAt: number, endedAt: number) => void;
}

/** Reads what changed where `cursor` says since when, and everything otherwise. */
export async function readDirectory(reading: DirectoryReading, cursor: string | undefined): Promise<SourceRead> {
  const last = decodeCursor(cursor, reading.settings);
  const filter = last === undefined ? undefined : changesFilter(last.position, reading);
  const changes = last === undefined || filter === undefined ? undefined : await readChanges(reading, last, filter);
  return changes ?? readEverybody(reading, last);
}

async function readEverybody(reading: DirectoryReading, last: Cursor | undefined): Promise<SourceRead> {
  const { now, filter, settings, complaints, known } = reading;
  complaints.forget();
  const startedAt = now();
  const seen = await readEntries(reading, filter);
  await known.set(seen.ids);
  reading.idPassDone(startedAt, now());
  // Whoever moves gets another id and tells nobody: only whole readings are right then.
  const position = seen.hasDnIds ? undefined : positionAfter(reading, last?.position, seen, startedAt);
  return { cursor: position === undefined ? undefined : encodeCursor({ position, parents: digestOf(seen.parents) }, settings), isWhole: true };
}

/** Undefined where everybody has to be read after all. */
async function readChanges(reading: DirectoryReading, last: Cursor, changes: string): Promise<SourceRead | undefined> {
  const { now, settings, isIdPassDue, known } = reading;
  const startedAt = now();
  const seen = await readEntries(reading, changes);
  if (seen.hasDnIds) return undefined;
  known.add(seen.ids);
  const position = positionAfter(reading, last.position, seen, startedAt);
  // The latest change that was known is there no more: it was deleted, or the server was set back to an older state.
  if (position === undefined || (last.position.by === 'time' && (seen.latest ?? -Infinity) < last.position.since)) return undefined;
  if (!isIdPassDue) return { cursor: encodeCursor({ position, parents: last.parents }, settings), isWhole: false };
  const passStartedAt = now();
  const everybody = await readIds(reading, seen.ids, known);
  reading.idPassDone(passStartedAt, now());
  const parents = digestOf(everybody.parents);
  if (parents !== last.parents || everybody.hasNewcomers) return undefined;
  await known.set(everybody.ids);
  return { cursor: encodeCursor({ position, parents }, settings), isWhole: true };
}

/** Who changed since; undefined where this server cannot say. */
function changesFilter(position: Position, { flavour, filter }: DirectoryReading): string | undefined {
  if (position.by === 'time') return flavour.kind === 'timestamps' ? `(&${filter}(modifyTimestamp>=${formatGeneralizedTime(Math.max(0, position.since - LIMITS.ldapOverlapMs))}))` : undefined;
  if (flavour.kind !== 'change-numbers') return undefined;
  const known = position.at[flavour.controller];
  // A controller that has given fewer numbers than it had is not the one that it was.
  return known === undefined || known > flavour.usn ? undefined : `(&${filter}(uSNChanged>=${known}))`;
}

/**
 * Where the next reading goes on. Change numbers: the highest before this one began. Timestamps: no later than this reading began, on the server's clock (which shows only in
 * its entries: the latest less the time that the reading took) and on ours (a single entry from the future must not hide what comes after).
 */
function positionAfter({ flavour, now }: DirectoryReading, last: Position | undefined, { latest }: Seen, startedAt: number): Position | undefined {
  if (flavour.kind === 'change-numbers') return withController(last, flavour.controller, flavour.usn);
  return latest === undefined ? undefined : { by: 'time', since: Math.min(latest - (now() - startedAt), startedAt) };
}
