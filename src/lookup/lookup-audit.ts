import type { Audit, AuditEntry } from '../core/audit.ts';
import { LIMITS } from '../core/limits.ts';
import type { RequestContext } from '../core/request-context.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { FreeBusyQuery, FreeBusyResult } from '../freebusy/source.ts';
import { isOwn } from './exit.ts';
import type { ShownLevel } from './exit.ts';

/** What came of one mailbox, for its face and for the audit log. */
export interface Outcome {
  /** As the client is told. */
  readonly result: FreeBusyResult;
  /** What of it is shown; absent: nothing, or it is a group. */
  readonly level?: ShownLevel;
  /** Why nothing is, as the administrator may know it: an ErrorCode, or HIDDEN. */
  readonly code?: string;
  /** Of a group. */
  readonly members?: readonly Outcome[];
}

/**
 * Takes down a question that came through a face. One line for all mailboxes of which the same was shown, LIMITS.auditedMailboxes at most, so mostly one line a question:
 *
 *     {"at":"2026-03-02T09:00:00.000Z","what":"lookup","by":"client zimbra","via":"ews","address":"10.0.0.7","requestId":"…","start":"…","end":"…","asked":2,"level":"busy-type","mailboxes":["anna@corp.example"]}
 *     {…,"asked":2,"level":"none","code":"MAILBOX_UNKNOWN","mailboxes":["nobody@corp.example"]}
 *
 * - `via`: the face (core/request-context.ts); `by`: the client, or who ran the command, then with `as` where it was in a client's name.
 * - `start`, `end`: the window; `asked`: mailboxes of the whole question; `requestId`: the same in the log and in all lines of the question.
 * - `level`: what was really shown: `details`, `busy-type`, `free-busy`, or `none`, then with `code`: an error code, HIDDEN (excluded or opted out) or ACCESS_DENIED (`mayAsk`), whatever
 *   the client was told.
 * - A group is a line with `group`, whose `mailboxes` are the members that were looked into.
 */
export function auditLookup(audit: Audit, query: FreeBusyQuery, ctx: RequestContext, outcomes: readonly Outcome[]): void {
  const { requester, face } = ctx;
  if (face === undefined) return;
  const lines = new Map<string, { readonly says: Omit<AuditEntry, 'what' | 'by' | 'via'>; readonly mailboxes: MailboxAddress[] }>();
  const add = ({ result, level, code, members }: Outcome, group: MailboxAddress | undefined): void => {
    if (members !== undefined) return members.forEach((member) => add(member, result.mailbox));
    const key = `${level ?? code}\n${group ?? ''}`;
    const line = lines.get(key);
    if (line === undefined) lines.set(key, { says: { level: level ?? 'none', code, group }, mailboxes: [result.mailbox] });
    else line.mailboxes.push(result.mailbox);
  };
  for (const outcome of outcomes) add(outcome, undefined);
  const same = {
    what: 'lookup',
    by: ctx.actor ?? `client ${requester.name}`,
    via: face,
    as: ctx.actor === undefined || isOwn(requester) ? undefined : requester.name,
    address: ctx.address,
    requestId: ctx.requestId,
    start: new Date(query.window.start).toISOString(),
    end: new Date(query.window.end).toISOString(),
    asked: query.mailboxes.length,
  };
  for (const { says, mailboxes } of lines.values()) {
    for (let at = 0; at < mailboxes.length; at += LIMITS.auditedMailboxes) audit.record({ ...same, ...says, mailboxes: mailboxes.slice(at, at + LIMITS.auditedMailboxes) });
  }
}
