import type { Clock } from '../../../core/clock.ts';
import type { RequestContext } from '../../../core/request-context.ts';
import type { WorkingElsewhereAs } from '../../../freebusy/busy-type.ts';
import type { FreeBusySource } from '../../../freebusy/source.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import type { Answer } from './answer.ts';

/** What a request is answered with; one for a whole BatchRequest, so that its parts share a deadline and the bounds. */
export interface Asking {
  readonly source: FreeBusySource;
  readonly clock: Clock;
  readonly workingElsewhereAs: WorkingElsewhereAs;
  readonly ctx: RequestContext;
  /** Instances times users that may still be compared. */
  readonly comparisons: { left: number };
}

/** A request that was read and found good. */
export interface ReadyOperation {
  /** How many it asks about; 0 where nobody is asked. */
  readonly mailboxes: number;
  run(asking: Asking): Promise<Answer>;
}

/** One kind of request, by the name and namespace of its element in the Body. */
export interface FaceOperation {
  readonly name: string;
  readonly ns: string;
  /** @throws BridgeError with Zimbra's own words */
  ready(request: XmlElement): ReadyOperation;
}
