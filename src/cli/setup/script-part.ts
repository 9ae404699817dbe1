import type { OtherSide } from './other-side.ts';

/** One thing to do: what it is for, and the lines to enter (comments begin with `#`). */
export interface Step {
  readonly title: string;
  readonly lines: readonly string[];
}

/** The steps one after the other, numbered from 1. */
export function numbered(steps: readonly Step[]): readonly string[] {
  return steps.flatMap(({ title, lines }, index) => ['', `# ${index + 1}. ${title}`, ...lines]);
}

/** What both scripts say at their head: what stands in the way, and which client they are about. */
export function remarksOn({ cautions, live, whyNotLive, system }: OtherSide): readonly string[] {
  return [
    ...cautions.map((caution) => `# CAUTION: ${caution}`),
    ...(live === undefined || live.others.length === 0 ? [] : [`# ${system.name} signs in as the client ${live.client.name}; ${live.others.join(', ')} would do too: choose with --client NAME`]),
    ...(live === undefined ? [`# ${whyNotLive.charAt(0).toUpperCase()}${whyNotLive.slice(1)}`] : []),
  ];
}

/** Domains for people. */
export function listed(domains: readonly string[]): string {
  return domains.length === 0 ? 'the other side' : domains.join(', ');
}
