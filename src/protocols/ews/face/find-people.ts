import { LIMITS } from '../../../core/limits.ts';
import { Pace } from '../../../core/pace.ts';
import type { Requester } from '../../../core/request-context.ts';
import type { Directory } from '../../../directory/directory.ts';
import type { DirectoryEntry } from '../../../directory/entry.ts';
import { xml, XmlText } from '../../../platform/xml/write.ts';
import { MESSAGES_NS, TYPES_NS } from '../names.ts';
import { requireAddressBook } from './address-book.ts';
import { decodeFindPeople } from './find-people-request.ts';
import { isRefusal } from './folder-reference.ts';
import type { EwsBody, EwsOperationFace } from './operation.ts';
import { encodePersonas } from './persona.ts';
import { refusedPeople } from './refused-people.ts';

/**
 * FindPeople (2013 and later; exchange.md §3.3, [MS-OXWSPERS]) over the directory: those whom a QueryString finds, best first, or without one everybody, page by page. Who may only search gets
 * of everybody what an answer of his may hold, on however many pages.
 *
 * @throws EwsFault ErrorInvalidRequest without an address book; ErrorSchemaValidation
 */
export const findPeople: EwsOperationFace = async (request, call) => {
  const book = requireAddressBook('FindPeople', 'Exchange2013', call);
  const asked = decodeFindPeople(request, call);
  if (isRefusal(asked)) return refusedPeople('FindPeople', asked);
  const { shape, offset, most, query, isOwnFolder } = asked;
  if (isOwnFolder) return encodeFound([], 0, offset);
  const { people, total } = query === undefined ? await everybody(book, offset, most, call.requester) : searched(book, query, offset, most, call.requester);
  return encodeFound(await encodePersonas(people, shape), total, offset);
};

interface Found {
  readonly people: readonly DirectoryEntry[];
  /** Exact where no more than LIMITS.personasCountedBeyond are behind those given; else what is known to be there at least. */
  readonly total: number;
}

function searched(book: Directory, text: string, offset: number, limit: number, requester: Requester): Found {
  // No name or address is longer: whoever asks for more asks for nobody.
  if (text.length > LIMITS.searchCharacters) return { people: [], total: 0 };
  const { entries, more } = book.search({ text, limit: limit + LIMITS.personasCountedBeyond, offset }, requester);
  const people = entries.slice(0, limit);
  return { people, total: entries.length === 0 ? 0 : offset + entries.length + (more ? 1 : 0) };
}

async function everybody(book: Directory, offset: number, most: number, requester: Requester): Promise<Found> {
  const allowed = book.allowance(requester).results;
  const pace = new Pace(LIMITS.galEntriesPerTurn);
  const people: DirectoryEntry[] = [];
  let total = 0;
  for (const entry of book.all(requester)) {
    if (total >= allowed) break;
    if (total >= offset && people.length < most) people.push(entry);
    total += 1;
    if (pace.spend(1)) await pace.turn();
  }
  return { people, total };
}

/** exchangelib falls over where the two row indices are missing, though the schema lets them. */
function encodeFound(personas: readonly XmlText[], total: number, offset: number): EwsBody {
  return [
    xml`<m:FindPeopleResponse xmlns:m="${MESSAGES_NS}" xmlns:t="${TYPES_NS}" ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode><m:People>`,
    ...inPieces(personas),
    xml`</m:People><m:TotalNumberOfPeopleInView>${total}</m:TotalNumberOfPeopleInView><m:FirstMatchingRowIndex>0</m:FirstMatchingRowIndex><m:FirstLoadedRowIndex>${offset}</m:FirstLoadedRowIndex></m:FindPeopleResponse>`,
  ];
}

/** Each about LIMITS.ewsCharactersPerPiece: made bytes of at one go. */
function inPieces(texts: readonly XmlText[]): readonly XmlText[] {
  const pieces: XmlText[] = [];
  let piece = '';
  for (const { text } of texts) {
    piece += text;
    if (piece.length < LIMITS.ewsCharactersPerPiece) continue;
    pieces.push(new XmlText(piece));
    piece = '';
  }
  return piece === '' ? pieces : [...pieces, new XmlText(piece)];
}
