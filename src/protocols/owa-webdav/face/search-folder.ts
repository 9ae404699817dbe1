import { BridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import { childText } from '../../../platform/xml/element.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import { DAV } from '../names.ts';

/**
 * Reads a SEARCH (exchange.md §2.3): of the query only where it searches, because nothing is found anywhere.
 *
 * @returns the scopes as they stand in the query, URLs or paths; an empty one means where the request went
 * @throws BridgeError INVALID_REQUEST
 */
export function decodeSearchScopes(root: XmlElement | undefined): readonly string[] {
  const sql = root?.name === 'searchrequest' && root.ns === DAV ? childText(root, 'sql') : undefined;
  if (sql === undefined || sql.length > LIMITS.owaSearchCharacters || !/^select\s/i.test(sql)) throw new BridgeError('INVALID_REQUEST', 'the body is no search that can be read');
  const scopes = [...sql.matchAll(/\btraversal\s+of\s+"([^"]*)"/gi)].map((found) => found[1]!);
  if (scopes.length > LIMITS.owaSearchScopes) throw new BridgeError('INVALID_REQUEST', `more than ${LIMITS.owaSearchScopes} scopes`);
  return scopes;
}
