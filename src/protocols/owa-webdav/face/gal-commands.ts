import type { Requester } from '../../../core/request-context.ts';
import type { Directory } from '../../../directory/directory.ts';
import type { ServedAddresses } from '../../../directory/served-addresses.ts';
import { parseMailboxAddress } from '../../../directory/smtp-address.ts';
import { visibleDirectory } from '../../../directory/visible-directory.ts';
import { firstRaw, percentDecode, rawParameters } from '../../../platform/http-server/raw-query.ts';
import type { GalAliases } from './gal-alias.ts';
import { findByCriteria } from './gal-search.ts';
import { decodeCriteria } from './galfind-criteria.ts';
import { encodeGalfindResponse, encodeGallookupResponse } from './galfind.ts';
import { addressSought, encodeAddressFound, encodeAddressLookup } from './sought-address.ts';

export type GalCommand = 'galfind' | 'gallookup';

export interface GalServices {
  /** Whom clients without the address book may name. */
  readonly addresses: ServedAddresses;
  /** Absent: none is kept. */
  readonly directory?: Directory | undefined;
}

export function isGalCommand(command: string): command is GalCommand {
  return command === 'galfind' || command === 'gallookup';
}

/**
 * Answers `cmd=galfind` and `cmd=gallookup`: from the address book for a client that may see it, else as if nobody but exact addresses were known.
 *
 * @throws BridgeError INVALID_REQUEST (too many criteria), and those of Directory
 */
export async function answerGalCommand(command: GalCommand, rawQuery: string, services: GalServices, aliases: GalAliases, requester: Requester): Promise<string> {
  const book = visibleDirectory(services.directory, requester);
  if (book === undefined) {
    const address = addressSought(rawQuery, services.addresses, requester);
    return command === 'galfind' ? encodeAddressFound(address) : encodeAddressLookup(address);
  }
  if (command === 'galfind') {
    const { entries, more } = await findByCriteria(book, decodeCriteria(rawQuery), requester);
    if (entries.length === 0) return encodeGalfindResponse([], more);
    const aliasOf = await aliases.of(book, requester);
    return encodeGalfindResponse(entries.map((entry) => ({ entry, alias: aliasOf(entry) })), more);
  }
  const address = parseMailboxAddress(percentDecode(firstRaw(rawParameters(rawQuery), 'addr') ?? '').trim());
  const entry = address === undefined ? undefined : book.resolve(address, requester);
  return encodeGallookupResponse(entry && { entry, alias: (await aliases.of(book, requester))(entry) });
}
