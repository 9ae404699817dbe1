import { LIMITS } from '../../../core/limits.ts';
import { attribute, child, childText } from '../../../platform/xml/element.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import { MESSAGES_NS } from '../names.ts';
import { schemaFault } from './faults.ts';
import { folderReferred, isRefusal } from './folder-reference.ts';
import type { EwsCall } from './operation.ts';
import { decodePersonaShape } from './persona-shape.ts';
import type { PersonaShape } from './persona-shape.ts';
import { REFUSAL, required } from './response-messages.ts';
import type { Refusal } from './response-messages.ts';
import { checkSequence } from './schema-sequence.ts';

export interface FindPeopleRequest {
  readonly shape: PersonaShape;
  readonly offset: number;
  /** At most LIMITS.personasPerAnswer, whatever was asked for. */
  readonly most: number;
  /** Trimmed; undefined: everybody. */
  readonly query: string | undefined;
  /** One of the client's own folders, which are empty here. */
  readonly isOwnFolder: boolean;
}

const PARTICLES = ['PersonaShape', 'IndexedPageItemView', 'Restriction', 'AggregationRestriction', 'SortOrder', 'ParentFolderId', 'QueryString', 'SearchPeopleSuggestionIndex', 'TopicQueryString', 'Context', 'QuerySources'].map(
  (name) => ({ ns: MESSAGES_NS, name, ...(name === 'IndexedPageItemView' ? {} : { occurs: 'optional' as const }) }),
);

/**
 * Reads a `m:FindPeople`; a Refusal where it asks for what there is not: a page before the first or without entries, a page counted from the end, a restriction (the directory
 * takes a QueryString "instead of a restriction", says the documentation), a folder that nobody knows. The order is the directory's, whatever SortOrder says.
 *
 * @throws EwsFault ErrorSchemaValidation
 */
export function decodeFindPeople(request: XmlElement, call: EwsCall): FindPeopleRequest | Refusal {
  checkSequence(request, PARTICLES);
  const shape = decodePersonaShape(request);
  const view = required(request, 'IndexedPageItemView');
  const basePoint = attribute(view, 'BasePoint');
  if (basePoint !== 'Beginning' && basePoint !== 'End') throw schemaFault("The 'BasePoint' attribute is invalid.");
  const offset = integer(view, 'Offset');
  if (offset === undefined) throw schemaFault("The required attribute 'Offset' is missing.");
  const most = integer(view, 'MaxEntriesReturned') ?? LIMITS.personasPerAnswer;
  if (offset < 0 || basePoint === 'End') return REFUSAL.pagingOffset;
  if (most <= 0) return REFUSAL.pagingMaxRows;
  if (child(request, 'Restriction') !== undefined || child(request, 'AggregationRestriction') !== undefined) return REFUSAL.queryFilter;
  const isOwnFolder = inOwnFolder(request, call);
  if (typeof isOwnFolder === 'object') return isOwnFolder;
  const query = childText(request, 'QueryString') ?? '';
  return { shape, offset, most: Math.min(most, LIMITS.personasPerAnswer), query: query === '' ? undefined : query, isOwnFolder };
}

/** xs:int. @throws EwsFault ErrorSchemaValidation */
function integer(view: XmlElement, name: string): number | undefined {
  const text = attribute(view, name)?.trim();
  if (text === undefined) return undefined;
  const value = /^[+-]?\d{1,10}$/.test(text) ? Number(text) : NaN;
  if (!(Math.abs(value) < 2 ** 31)) throw schemaFault(`The '${name}' attribute is invalid.`);
  return value;
}

/** Where nothing is said the directory is meant, among others; `directory` is a folder for FindPeople only. */
function inOwnFolder(request: XmlElement, call: EwsCall): boolean | Refusal {
  const parent = child(request, 'ParentFolderId');
  const reference = parent?.children[0];
  if (parent === undefined) return false;
  if (reference === undefined) throw schemaFault("The element 'ParentFolderId' has incomplete content.");
  if (reference.name === 'DistinguishedFolderId' && attribute(reference, 'Id') === 'directory') return false;
  // An address list by its id, which nobody was given.
  if (reference.name === 'AddressListId') return REFUSAL.folderNotFound;
  const folder = folderReferred(reference, call);
  return isRefusal(folder) ? folder : true;
}
