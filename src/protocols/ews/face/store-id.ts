import { LIMITS } from '../../../core/limits.ts';
import type { EwsId } from '../folder-id.ts';

/**
 * What an id of ours names. Nothing is stored behind it: a folder that is always there and empty, the free/busy folder of an organisation
 * (the part of a legacyExchangeDN before `/cn=`), or a message pushed into one.
 */
export type StoreId =
  | { readonly kind: 'folder'; readonly name: string }
  | { readonly kind: 'organisation'; readonly organisation: string }
  | { readonly kind: 'message'; readonly organisation: string; readonly subject: string };

/** The id as EWS shows it: base64, the same in every process and for every client. */
export function encodeStoreId(id: StoreId): EwsId {
  return bytesOf(id).toString('base64');
}

/** Reads an id that we gave out; undefined for any other text. */
export function decodeStoreId(text: string): StoreId | undefined {
  if (text.length > MOST_CHARACTERS) return undefined;
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? storeIdOf(bytes) : undefined;
}

/** The formats of ConvertId that are more than another name for the same text. */
export const ID_FORMATS = ['EwsLegacyId', 'EwsId', 'EntryId', 'HexEntryId', 'StoreId', 'OwaId'] as const;
export type IdFormat = (typeof ID_FORMATS)[number];

/** HexEntryId is hexadecimal, OwaId is escaped for a URL, all others are base64. */
export function formatId(id: StoreId, format: IdFormat): string {
  if (format === 'HexEntryId') return bytesOf(id).toString('hex').toUpperCase();
  return format === 'OwaId' ? encodeURIComponent(encodeStoreId(id)) : encodeStoreId(id);
}

/** Reads `formatId` backwards; undefined for what is no id of ours in that format. */
export function parseId(text: string, format: IdFormat): StoreId | undefined {
  if (text.length > 3 * MOST_CHARACTERS) return undefined;
  if (format === 'HexEntryId') return /^(?:[0-9a-f]{2})+$/i.test(text) ? storeIdOf(Buffer.from(text, 'hex')) : undefined;
  if (format !== 'OwaId') return decodeStoreId(text);
  try {
    return decodeStoreId(decodeURIComponent(text));
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

/** Organisation and subject of a message, each at most a legacyExchangeDN, four bytes a character, as base64. */
const MOST_CHARACTERS = 2 * LIMITS.legacyExchangeDnCharacters * 6;

/** No id of a real Exchange begins so: they begin with a zero or a version byte. */
const MARK = 'FBB1';

function bytesOf(id: StoreId): Buffer {
  if (id.kind === 'folder') return Buffer.from(`${MARK}f${id.name}`);
  if (id.kind === 'organisation') return Buffer.from(`${MARK}o${id.organisation}`);
  return Buffer.from(`${MARK}m${id.organisation}\n${id.subject}`);
}

function storeIdOf(bytes: Buffer): StoreId | undefined {
  const text = bytes.toString('utf8');
  if (!text.startsWith(MARK) || !Buffer.from(text).equals(bytes)) return undefined;
  const letter = text[MARK.length];
  const rest = text.slice(MARK.length + 1);
  if (letter === 'f') return { kind: 'folder', name: rest };
  if (letter === 'o') return isOrganisation(rest) ? { kind: 'organisation', organisation: rest } : undefined;
  const [organisation, subject, ...more] = rest.split('\n');
  if (letter !== 'm' || organisation === undefined || subject === undefined || more.length > 0) return undefined;
  return isOrganisation(organisation) && isSubject(subject) ? { kind: 'message', organisation, subject } : undefined;
}

/** `/o=…/ou=…`; what else stands in it is nobody's business until somebody looks for its owner. */
export function isOrganisation(text: string): boolean {
  return text.startsWith('/') && text.length > 1 && text.length <= LIMITS.legacyExchangeDnCharacters && !/\p{Cc}/u.test(text);
}

/** `USER-/CN=RECIPIENTS/CN=…`, in any case. */
export function isSubject(text: string): boolean {
  return /^USER-\/cn=/i.test(text) && text.length <= LIMITS.legacyExchangeDnCharacters && !/\p{Cc}/u.test(text);
}
