import type { Instant } from '../core/clock.ts';
import { BridgeError, toBridgeError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import { Pace } from '../core/pace.ts';
import { untilAborted } from '../core/until-aborted.ts';
import type { RequestContext } from '../core/request-context.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import { joinPieces } from './free-busy.ts';
import { splitWindow } from './interval.ts';
import type { Interval } from './interval.ts';
import type { FreeBusyQuery, FreeBusyResult } from './source.ts';

/** One request to a back end: some of the mailboxes over one piece of the window. */
export interface QueryPart {
  readonly mailboxes: readonly MailboxAddress[];
  readonly window: Interval;
}

export interface PartsPlan {
  /** Cuts the mailboxes into groups that fit one request each; order kept, nothing lost. */
  readonly group: (mailboxes: readonly MailboxAddress[], window: Interval) => readonly (readonly MailboxAddress[])[];
  /** Widest window of one request, in days. */
  readonly maxDays: number;
  readonly now: () => Instant;
  /** Asks one part. Same length and order as its mailboxes; throws when the part as a whole failed. */
  readonly ask: (part: QueryPart) => Promise<readonly FreeBusyResult[]>;
}

/**
 * Asks a back end that takes only so many mailboxes and days at once, and joins what comes back.
 *
 * A few parts run at a time (LIMITS.partsInFlight). A part that fails as a whole fails its mailboxes for its piece of the window: such a
 * piece is no data inside an answer of which other pieces came; where none came, the mailbox has the first error. A refusal of
 * credentials stops what has not been sent.
 */
export async function askInParts(query: FreeBusyQuery, ctx: RequestContext, plan: PartsPlan): Promise<readonly FreeBusyResult[]> {
  const pieces = splitWindow(query.window, plan.maxDays);
  const parts = pieces.flatMap((window) => plan.group(query.mailboxes, window).map((mailboxes) => ({ mailboxes, window })));
  const byPiece = new Map(pieces.map((piece) => [piece.start, new Map<MailboxAddress, FreeBusyResult>()]));
  let stopped: BridgeError | undefined;

  const askOne = async (part: QueryPart): Promise<void> => {
    const into = byPiece.get(part.window.start)!;
    try {
      if (ctx.signal.aborted) throw new BridgeError('DEADLINE', 'no answer in time', { temporary: true });
      if (stopped !== undefined) throw stopped;
      // A part that is still being read at the deadline must not keep those that are in hand.
      const results = await untilAborted(plan.ask(part), ctx.signal);
      for (const result of results) into.set(result.mailbox, result);
    } catch (thrown) {
      const error = toBridgeError(thrown);
      if (error.code === 'BACKEND_AUTH') stopped = error;
      for (const mailbox of part.mailboxes) into.set(mailbox, { mailbox, error });
    }
  };
  const waiting = [...parts];
  const worker = async (): Promise<void> => {
    for (let part = waiting.shift(); part !== undefined; part = waiting.shift()) await askOne(part);
  };
  await Promise.all(Array.from({ length: Math.min(LIMITS.partsInFlight, parts.length) }, worker));

  const pace = new Pace(LIMITS.stretchesPerTurn);
  const joined: FreeBusyResult[] = [];
  for (const mailbox of query.mailboxes) {
    const result = joinResults(mailbox, query.window, pieces, byPiece, plan.now());
    joined.push(result);
    if (pace.spend('freeBusy' in result && pieces.length > 1 ? 1 + result.freeBusy.busy.length : 1)) await pace.turn();
  }
  return joined;
}

function joinResults(
  mailbox: MailboxAddress,
  window: Interval,
  pieces: readonly Interval[],
  byPiece: ReadonlyMap<Instant, ReadonlyMap<MailboxAddress, FreeBusyResult>>,
  now: Instant,
): FreeBusyResult {
  const results = pieces.map((piece) => ({ window: piece, result: byPiece.get(piece.start)?.get(mailbox) }));
  const first = results[0]?.result;
  if (results.length === 1 && first !== undefined) return first;
  if (results.every(({ result }) => result === undefined || 'error' in result)) {
    return results.find(({ result }) => result !== undefined)?.result ?? { mailbox, error: new BridgeError('NO_DATA', 'the calendar system did not speak about this mailbox') };
  }
  const answered = results.map(({ window: piece, result }) => ({
    window: piece,
    freeBusy: result !== undefined && 'freeBusy' in result ? result.freeBusy : undefined,
  }));
  const asOf = Math.min(now, ...results.flatMap(({ result }) => (result !== undefined && 'freeBusy' in result ? [result.asOf] : [])));
  const isStale = results.some(({ result }) => result !== undefined && 'freeBusy' in result && result.stale === true);
  return { mailbox, freeBusy: joinPieces(mailbox, window, answered), asOf, ...(isStale ? { stale: true } : {}) };
}

/** Cuts a list into groups of at most `size`, in order. */
export function groupsOf<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));
}
