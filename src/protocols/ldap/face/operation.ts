import type { Clock } from '../../../core/clock.ts';
import { BridgeError } from '../../../core/errors.ts';
import { MANAGE_DSA_IT, PAGED_RESULTS } from '../names.ts';
import type { PagedSearches } from './paged-results.ts';
import type { RequestControl } from './request-message.ts';
import type { Result, ResultExtras } from './result-message.ts';
import type { View } from './shown-entry.ts';

/** What an operation is given of its connection. */
export interface OperationContext {
  readonly id: number;
  /** Of whoever has bound; undefined before. */
  readonly view: View | undefined;
  readonly base: string;
  readonly offersStartTls: boolean;
  readonly pagedSearches: PagedSearches;
  readonly clock: Clock;
  /** Fires when the client abandons the operation, binds anew or has gone. */
  readonly signal: AbortSignal;
  /** Sends a whole message; comes back when there is room for more. */
  send(message: Buffer): Promise<void>;
}

/** How an operation ended; undefined where it was abandoned and nobody is told. */
export interface Answer extends Result, ResultExtras {
  /** Entries that were sent. */
  readonly count?: number;
}

/** @throws BridgeError AUTH_REQUIRED before a bind, ACCESS_DENIED for a client without right to the address book */
export function viewOf({ view }: OperationContext): View {
  if (view === undefined) throw new BridgeError('AUTH_REQUIRED', 'bind first');
  const { gal } = view.requester;
  if (gal === undefined || gal === 'none') throw new BridgeError('ACCESS_DENIED', 'this client may not see the address book');
  return view;
}

/**
 * The first control that must be understood and is not (RFC 4511 §4.1.11: unavailableCriticalExtension); what need not be is ignored.
 *
 * @param known those that the operation understands beside ManageDsaIT, which makes no difference to any
 */
export function unknownCriticalControl(controls: readonly RequestControl[], known: readonly string[] = []): RequestControl | undefined {
  return controls.find(({ type, isCritical }) => isCritical && type !== MANAGE_DSA_IT && !known.includes(type));
}

/** Of a search. */
export const SEARCH_CONTROLS = [PAGED_RESULTS];
