import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { DirectoryPage, DirectoryQuery } from '../../directory/directory.ts';
import { ENTRY_KINDS } from '../../directory/entry.ts';
import type { EntryKind } from '../../directory/entry.ts';
import { firstRaw, formDecode } from '../../platform/http-server/raw-query.ts';
import type { RawParameter } from '../../platform/http-server/raw-query.ts';
import { encodeDirectoryEntry } from './directory-entry.ts';
import type { DirectoryEntryBody } from './directory-entry.ts';

/** The body of GET /api/v1/directory. */
export interface DirectoryBody {
  /** Best first. */
  readonly results: readonly DirectoryEntryBody[];
  /** There are others behind these; absent where these are all. */
  readonly more?: true;
}

/**
 * `q=TEXT[&limit=N][&kind=room]…[&details=true]`. A text with nothing in it is a question like any other and finds nobody; `kind` may be repeated.
 *
 * @throws BridgeError INVALID_REQUEST, in words
 */
export function decodeDirectoryQuestion(parameters: readonly RawParameter[]): DirectoryQuery {
  const text = firstRaw(parameters, 'q');
  if (text === undefined) throw new BridgeError('INVALID_REQUEST', 'say what to look for: q=anna');
  const kinds = parameters.filter(({ name }) => name === 'kind').map(({ value }) => kindOf(formDecode(value)));
  return { text: formDecode(text), limit: limitOf(firstRaw(parameters, 'limit')), ...(kinds.length === 0 ? {} : { kinds }) };
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return LIMITS.apiDirectoryDefault;
  const limit = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > LIMITS.apiDirectoryResults) throw new BridgeError('INVALID_REQUEST', `limit must be a number from 1 to ${LIMITS.apiDirectoryResults}`);
  return limit;
}

function kindOf(text: string): EntryKind {
  const kind = ENTRY_KINDS.find((one) => one === text);
  if (kind === undefined) throw new BridgeError('INVALID_REQUEST', `kind must be one of ${ENTRY_KINDS.join(', ')}`);
  return kind;
}

/** @param withDetails see encodeDirectoryEntry */
export function encodeDirectoryBody({ entries, more }: DirectoryPage, withDetails: boolean): DirectoryBody {
  return { results: entries.map((entry) => encodeDirectoryEntry(entry, withDetails)), ...(more ? { more } : {}) };
}
