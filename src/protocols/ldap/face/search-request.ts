import { BridgeError } from '../../../core/errors.ts';
import { BER } from '../ber-read.ts';
import type { BerReader } from '../ber-read.ts';
import { decodeFilter } from './filter.ts';
import type { Filter } from './filter.ts';

export const SCOPES = ['base', 'one', 'sub'] as const;
export type Scope = (typeof SCOPES)[number];

/** RFC 4511 §4.5.1. There are no aliases here, so derefAliases is of no meaning. */
export interface SearchRequest {
  readonly baseObject: string;
  readonly scope: Scope;
  /** Entries; 0: no limit. */
  readonly sizeLimit: number;
  /** Seconds; 0: no limit. */
  readonly timeLimit: number;
  readonly typesOnly: boolean;
  readonly filter: Filter;
  /** Attribute descriptions as asked for. */
  readonly attributes: readonly string[];
}

/** @throws BridgeError INVALID_REQUEST; BODY_TOO_LARGE where the filter has more items than allowed */
export function decodeSearchRequest(content: BerReader): SearchRequest {
  const baseObject = content.expect(BER.octetString).text();
  if (baseObject === undefined) throw new BridgeError('INVALID_REQUEST', 'a search base that is no UTF-8');
  const scope = SCOPES[content.expect(BER.enumerated).integer()];
  if (scope === undefined) throw new BridgeError('INVALID_REQUEST', 'a search has scope base, one or sub');
  content.expect(BER.enumerated);
  const sizeLimit = content.expect(BER.integer).integer();
  const timeLimit = content.expect(BER.integer).integer();
  if (sizeLimit < 0 || timeLimit < 0) throw new BridgeError('INVALID_REQUEST', 'a limit below nothing');
  const typesOnly = content.expect(BER.boolean).boolean();
  const filter = decodeFilter(content);
  const asked = content.expect(BER.sequence);
  const attributes: string[] = [];
  while (!asked.isAtEnd) attributes.push(asked.expect(BER.octetString).text() ?? '');
  return { baseObject, scope, sizeLimit, timeLimit, typesOnly, filter, attributes };
}
