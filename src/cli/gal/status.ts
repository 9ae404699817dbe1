import type { Instant } from '../../core/clock.ts';
import type { GalStatus, SourceStatus } from '../../gal/source-status.ts';
import { columns } from '../columns.ts';
import { durationInWords } from '../duration-words.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { shown } from '../terminal.ts';
import type { Terminal } from '../terminal.ts';
import type { ReachGal } from './gal-access.ts';
import { withGal } from './with-gal.ts';

export interface GalStatusOptions {
  readonly config: string;
  readonly json?: true;
}

/** `gal status`: how many entries there are, how it stands with each source, what the directories say against each other. 1 where a source has failed or its entries are old. */
export async function showGalStatus(options: GalStatusOptions, terminal: Terminal, reach: ReachGal): Promise<ExitCode> {
  return withGal(reach, options.config, terminal, async (gal) => {
    const status = gal.status();
    if (options.json === true) terminal.print(JSON.stringify(encodeGalStatus(status), undefined, 2));
    else for (const line of galStatusTable(status, Date.now())) terminal.print(line);
    return status.sources.some(({ isOld, failure }) => isOld || failure !== undefined) ? EXIT.failed : EXIT.done;
  });
}

/** Times in ISO 8601; null where there is none. */
export function encodeGalStatus({ sources, ...status }: GalStatus): unknown {
  const time = (at: Instant | undefined): string | null => (at === undefined ? null : new Date(at).toISOString());
  return {
    ...status,
    sources: sources.map(({ label, home = null, entries, readAt, wholeAt, isOld, failure = null }) => ({ label, home, entries, readAt: time(readAt), wholeAt: time(wholeAt), isOld, failure })),
  };
}

/** As people read it: the sum, a row a source, then the conflicts. */
export function galStatusTable({ entries, hidden, sources, conflicts }: GalStatus, now: Instant): readonly string[] {
  return [
    `${entries} in the address book${hidden === 0 ? '' : `, ${hidden} hidden`}`,
    ...columns(sources.map((source) => row(source, now))).map((line) => `  ${line}`),
    ...(conflicts.length === 0 ? [] : ['', `${conflicts.length} ${conflicts.length === 1 ? 'conflict' : 'conflicts'}:`, ...conflicts.map((line) => `  ${shown(line)}`)]),
  ];
}

function row({ label, home, entries, readAt, wholeAt, isOld, failure }: SourceStatus, now: Instant): readonly string[] {
  const ago = (at: Instant | undefined): string => (at === undefined ? 'never' : `${durationInWords(now - at)} ago`);
  return [label, home === undefined ? '' : `→ ${home}`, `${entries} entries`, `read ${ago(readAt)}`, `whole ${ago(wholeAt)}`, isOld ? 'OLD' : '', failure === undefined ? '' : `failed: ${failure}`].map(shown);
}
