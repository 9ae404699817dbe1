import { BridgeError, toBridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import { Pace } from '../../../core/pace.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import { faultOf, writeFault } from '../faults.ts';
import { ZIMBRA_ACCOUNT_NS, ZIMBRA_NS } from '../names.ts';
import type { Answer, AnswerFormat } from './answer.ts';
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
 * Reads all parts before the first is run. What one part does wrong is its own fault; the whole is refused where it has too many parts, or
 * asks about more users than one question may: over all parts, and in parts of one kind also counting whom they name again.
 *
 * @throws BridgeError INVALID_REQUEST, TOO_MANY_MAILBOXES
 */
export async function decodeBatch(batch: XmlElement): Promise<Batch> {
  if (batch.children.length > LIMITS.batchedRequests) throw new BridgeError('INVALID_REQUEST', `more than ${LIMITS.batchedRequests} requests in one batch`);
  const users = new Set<string>();
  const usersOfKind = new Map<string, number>();
  const pace = new Pace(1);
  const parts: Part[] = [];
  for (const request of batch.children) {
    const ready = readyOrError(request);
    parts.push({ name: request.name, requestId: member(request, 'requestId'), ready });
    if (!(ready instanceof BridgeError)) {
      for (const user of ready.users) users.add(user);
      usersOfKind.set(request.name, (usersOfKind.get(request.name) ?? 0) + ready.users.length);
    }
    if (pace.spend(1)) await pace.turn();
  }
  if (Math.max(users.size, ...usersOfKind.values()) > LIMITS.mailboxesPerQuestion) {
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
 * Runs a batch. The parts ask together, so that one slow calendar system does not use up the deadline that they share, and parts that ask
 * the same become one question; with `onerror="stop"` one after the other. They are written one after the other in any case.
 *
 * @param onFault told of every part that failed
 * @returns BatchResponse: the answers in the order of the requests, each with its `requestId`, faults among them
 */
export async function answerBatch({ parts, stopsOnError }: Batch, format: AnswerFormat, asking: Asking, onFault: (error: BridgeError) => void, requestId?: string): Promise<WrittenAnswer> {
  const run = async ({ ready }: Part): Promise<Answer | BridgeError> => (ready instanceof BridgeError ? ready : ready.run(asking).catch(toBridgeError));
  const running = stopsOnError ? [] : parts.map(run);
  const pace = new Pace(1);
  const written: WrittenAnswer[] = [];
  for (const [index, part] of parts.entries()) {
    const outcome = await (running[index] ?? run(part));
    const answer = outcome instanceof BridgeError ? outcome : await writeAnswer(format, outcome, part.requestId, asking.allowance).catch(toBridgeError);
    if (answer instanceof BridgeError) onFault(answer);
    written.push(answer instanceof BridgeError ? writeFault(format, faultOf(answer), part.requestId) : answer);
    if (stopsOnError && answer instanceof BridgeError) break;
    if (pace.spend(1)) await pace.turn();
  }
  return writeTogether(format, { name: 'BatchResponse', ns: ZIMBRA_NS }, written, requestId);
}
