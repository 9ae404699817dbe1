/** One thing that `check` tried against something that the bridge depends on. */
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
