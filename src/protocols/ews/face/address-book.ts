import type { Directory } from '../../../directory/directory.ts';
import type { EwsCall } from './operation.ts';
import { EwsFault, schemaFault } from './faults.ts';
import { isAtLeast } from './schema-version.ts';
import type { SchemaVersion } from './schema-version.ts';

/** The address book, where one is kept and this client may see it; undefined: what it asks is answered as if there were none. */
export function addressBookOf({ services, requester }: EwsCall): Directory | undefined {
  const { directory } = services;
  return directory?.isKept === true && (requester.gal === 'search' || requester.gal === 'sync') ? directory : undefined;
}

/**
 * The address book for an operation that nobody has without it.
 *
 * @param since the schema with which the operation came
 * @throws EwsFault ErrorInvalidRequest as for an operation that is not served; ErrorSchemaValidation to an older schema
 */
export function requireAddressBook(operation: string, since: SchemaVersion, call: EwsCall): Directory {
  const book = addressBookOf(call);
  if (book === undefined) throw new EwsFault('ErrorInvalidRequest', 'The request is invalid.');
  if (!isAtLeast(call.version, since)) throw schemaFault(`${operation} came with ${since}.`);
  return book;
}
