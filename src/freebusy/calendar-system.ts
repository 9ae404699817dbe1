import type { RequestContext } from '../core/request-context.ts';
import type { FreeBusySource } from './source.ts';

/** One thing that `check` tried against a calendar system. */
export interface ProbeFinding {
  /** What was tried, in two or three words: `sign-in`, `right to read`, `clock`, `version`, `query length`. */
  readonly step: string;
  /** `warn` is worth reading and does not fail the check. */
  readonly outcome: 'ok' | 'warn' | 'fail';
  /** What was seen, one line, free of secrets. */
  readonly text: string;
  /** What to do about it, one line; with `fail` and `warn` always there. */
  readonly advice?: string;
}

/** PORT. A calendar system as configured: asked for free/busy by the lookup, and examined by `check`. */
export interface CalendarSystem extends FreeBusySource {
  /** Tries sign-in, the right to read, version and clock; never throws, every failure is a finding. */
  probe(ctx: RequestContext): Promise<readonly ProbeFinding[]>;
  /** Ends its connections. Safe to call twice. */
  close(): Promise<void>;
}
