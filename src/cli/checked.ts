import type { ProbeFinding } from '../core/probe-finding.ts';

/** One line of `check`: what was looked at, and what was found in it. */
export interface Checked {
  readonly kind: 'system' | 'issuer' | 'client' | 'listener' | 'mailbox' | 'replication' | 'directory' | 'gateway' | 'publisher';
  readonly name: string;
  readonly findings: readonly ProbeFinding[];
}

/** The worst of its findings. */
export function outcomeOf(one: Checked): ProbeFinding['outcome'] {
  if (one.findings.some((finding) => finding.outcome === 'fail')) return 'fail';
  return one.findings.some((finding) => finding.outcome === 'warn') ? 'warn' : 'ok';
}

/** One line; what is wrong comes first, with what to do. With `verbose` every step has a line of its own below. */
export function describeChecked(one: Checked, verbose: boolean): readonly string[] {
  return describe(one, (outcome, rest) => `${outcome.padEnd(4)}  ${one.kind} ${one.name}: ${rest}`, verbose);
}

/** The same, with the name first: what `presence check` prints. */
export function describeByName(one: Checked, verbose: boolean): readonly string[] {
  return describe(one, (outcome, rest) => `${one.name}: ${outcome}  ${rest}`, verbose);
}

function describe(one: Checked, lineOf: (outcome: string, rest: string) => string, verbose: boolean): readonly string[] {
  const wrong = one.findings.filter((finding) => finding.outcome !== 'ok').map(inWords);
  const right = one.findings.filter((finding) => finding.outcome === 'ok').map((finding) => `${finding.step}: ${finding.text}`);
  const line = lineOf(outcomeOf(one), [...wrong, ...right].join('; '));
  return verbose ? [line, ...one.findings.map((finding) => `        ${finding.outcome.padEnd(4)}  ${inWords(finding)}`)] : [line];
}

function inWords(finding: ProbeFinding): string {
  return `${finding.step}: ${finding.text}${finding.advice === undefined ? '' : ` → ${finding.advice}`}`;
}
