import type { Directory } from '../../../directory/directory.ts';
import { visibleDirectory } from '../../../directory/visible-directory.ts';
import { EwsFault, schemaFault } from './faults.ts';
import type { EwsCall } from './operation.ts';
import { isAtLeast } from './schema-version.ts';
import type { SchemaVersion } from './schema-version.ts';

/**
 * The address book for an operation that nobody has without it.
 *
 * @param since the schema with which the operation came
 * @throws EwsFault ErrorInvalidRequest as for an operation that is not served; ErrorSchemaValidation to an older schema
 */
export function requireAddressBook(operation: string, since: SchemaVersion, call: EwsCall): Directory {
  const book = visibleDirectory(call.services.directory, call.requester);
  if (book === undefined) throw new EwsFault('ErrorInvalidRequest', 'The request is invalid.');
  if (!isAtLeast(call.version, since)) throw schemaFault(`${operation} came with ${since}.`);
  return book;
}
