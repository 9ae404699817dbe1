import { BridgeError } from '../../core/errors.ts';
import { brokenPrecondition } from './precondition.ts';

/**
 * The Depth header (RFC 4918 §10.2). Without one it is 0: §9.1 would have it mean infinity, which nobody who forgets it wants.
 *
 * @throws BridgeError INVALID_REQUEST; for infinity with its precondition (§9.1)
 */
export function depthOf(header: string | string[] | undefined): 0 | 1 {
  const depth = String(header ?? '0').trim().toLowerCase();
  if (depth === '0') return 0;
  if (depth === '1') return 1;
  if (depth === 'infinity') throw brokenPrecondition('propfind-finite-depth', 'ask with Depth 0 or 1');
  throw new BridgeError('INVALID_REQUEST', 'Depth is 0 or 1');
}
