import { BridgeError, toBridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import { faultOf, writeFault } from '../faults.ts';
import { ZIMBRA_ACCOUNT_NS, ZIMBRA_NS } from '../names.ts';
import type { AnswerFormat } from './answer.ts';
import { member } from './member.ts';
import { readyOperation } from './operations.ts';
import type { Asking, ReadyOperation } from './operation.ts';
import { writeAnswer, writeTogether } from './write-answer.ts';
import type { WrittenAnswer } from './write-answer.ts';

/** One request of a batch: ready to be run, or refused before anybody was asked. */
interface Part {
  readonly name: string;
  readonly requestId: string | undefined;
  readonly ready: ReadyOperation | BridgeError;
}

/** A BatchRequest (zimbra.md §1.1) that was read and found good as a whole. */
export interface Batch {
  readonly parts: readonly Part[];
  /** `onerror="stop"`: nothing after the first fault is run or answered. */
  readonly stopsOnError: boolean;
}

export function isBatch(operation: XmlElement | undefined): operation is XmlElement {
  return operation?.name === 'BatchRequest' && operation.ns === ZIMBRA_NS;
}

/**
 * Reads all parts before the first is run. What one part does wrong is its own fault; the whole is refused where it has too many parts or
 * its parts of one kind ask together about more mailboxes than one question may.
 *
 * @throws BridgeError INVALID_REQUEST, TOO_MANY_MAILBOXES
 */
export function decodeBatch(batch: XmlElement): Batch {
  if (batch.children.length > LIMITS.batchedRequests) throw new BridgeError('INVALID_REQUEST', `more than ${LIMITS.batchedRequests} requests in one batch`);
  const mailboxes = new Map<string, number>();
  const parts = batch.children.map((request): Part => {
    const ready = readyOrError(request);
    if (!(ready instanceof BridgeError)) mailboxes.set(request.name, (mailboxes.get(request.name) ?? 0) + ready.mailboxes);
    return { name: request.name, requestId: member(request, 'requestId'), ready };
  });
  if (Math.max(0, ...mailboxes.values()) > LIMITS.mailboxesPerQuestion) {
    throw new BridgeError('TOO_MANY_MAILBOXES', `more than ${LIMITS.mailboxesPerQuestion} mailboxes in one batch`);
  }
  // Zimbra goes on for `continue` only (SoapEngine.java).
  return { parts, stopsOnError: (member(batch, 'onerror') ?? 'continue') !== 'continue' };
}

function readyOrError(request: XmlElement): ReadyOperation | BridgeError {
  try {
    // Fifty guesses at a password would come with one request.
    if (request.name === 'AuthRequest' && request.ns === ZIMBRA_ACCOUNT_NS) throw new BridgeError('INVALID_REQUEST', 'AuthRequest is not taken inside a BatchRequest');
    return readyOperation(request);
  } catch (error) {
    return toBridgeError(error);
  }
}

/**
 * Runs a batch. The parts go together, so that one slow calendar system does not use up the deadline that they share, and parts that ask
 * the same become one question; with `onerror="stop"` one after the other.
 *
 * @param onFault told of every part that failed
 * @returns BatchResponse: the answers in the order of the requests, each with its `requestId`, faults among them
 */
export async function answerBatch({ parts, stopsOnError }: Batch, format: AnswerFormat, asking: Asking, onFault: (error: BridgeError) => void, requestId?: string): Promise<WrittenAnswer> {
  const answered = async (part: Part): Promise<{ readonly written: WrittenAnswer; readonly failed: boolean }> => {
    try {
      if (part.ready instanceof BridgeError) throw part.ready;
      return { written: await writeAnswer(format, await part.ready.run(asking), part.requestId), failed: false };
    } catch (thrown) {
      const error = toBridgeError(thrown);
      onFault(error);
      return { written: writeFault(format, faultOf(error), part.requestId), failed: true };
    }
  };
  const written: WrittenAnswer[] = [];
  if (stopsOnError) {
    for (const part of parts) {
      const answer = await answered(part);
      written.push(answer.written);
      if (answer.failed) break;
    }
  } else {
    written.push(...(await Promise.all(parts.map(answered))).map((one) => one.written));
  }
  return writeTogether(format, { name: 'BatchResponse', ns: ZIMBRA_NS }, written, requestId);
}
