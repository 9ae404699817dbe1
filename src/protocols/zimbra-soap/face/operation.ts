import type { Clock } from '../../../core/clock.ts';
import type { RequestContext } from '../../../core/request-context.ts';
import type { Directory } from '../../../directory/directory.ts';
import type { WorkingElsewhereAs } from '../../../freebusy/busy-type.ts';
import type { FreeBusySource } from '../../../freebusy/source.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import type { Allowance } from './allowance.ts';
import type { Answer } from './answer.ts';
import type { InTurn } from './one-at-a-time.ts';

/** What a request is answered with; one for a whole BatchRequest, so that its parts share a deadline and the bounds. */
export interface Asking {
  readonly source: FreeBusySource;
  readonly directory: Directory;
  readonly clock: Clock;
  readonly workingElsewhereAs: WorkingElsewhereAs;
  readonly ctx: RequestContext;
  readonly allowance: Allowance;
  /** For what reckons longer than a moment without asking anybody. */
  readonly inTurn: InTurn;
  /** Takes a place for reading the whole address book, held until the answer is written; false: the client has enough of them under way. */
  readonly mayReadAll: () => boolean;
}

/** A request that was read and found good. */
export interface ReadyOperation {
  /** Whom it asks about, by the client's own strings, each once; empty where nobody is asked. */
  readonly users: readonly string[];
  run(asking: Asking): Promise<Answer>;
}

/** One kind of request, by the name and namespace of its element in the Body. */
export interface FaceOperation {
  readonly name: string;
  readonly ns: string;
  /** @throws BridgeError with Zimbra's own words */
  ready(request: XmlElement): ReadyOperation;
}
