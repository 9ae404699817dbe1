import { LIMITS } from '../../core/limits.ts';
import type { DirectoryEntry } from '../../directory/entry.ts';
import { encodeDirectoryBody } from '../../protocols/rest-api/search-directory.ts';
import { columns } from '../columns.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { shown } from '../terminal.ts';
import type { Terminal } from '../terminal.ts';
import type { ReachGal } from './gal-access.ts';
import { withGal } from './with-gal.ts';

export interface GalSearchOptions {
  readonly config: string;
  readonly limit?: string;
  readonly as?: string;
  readonly json?: true;
}

/** `gal search TEXT`: who is found, best first, as the faces answer it. That nobody is found is an answer, not a failure. */
export async function searchGal(words: readonly string[], options: GalSearchOptions, terminal: Terminal, reach: ReachGal): Promise<ExitCode> {
  const limit = options.limit === undefined ? LIMITS.apiDirectoryDefault : /^\d{1,6}$/.test(options.limit) ? Number(options.limit) : 0;
  if (limit < 1 || limit > LIMITS.apiDirectoryResults) {
    terminal.complain(`--limit takes a number from 1 to ${LIMITS.apiDirectoryResults}`);
    return EXIT.wrongUsage;
  }
  return withGal(reach, options.config, terminal, async (gal) => {
    const requester = gal.requesterFor(options.as);
    if (requester === undefined) {
      terminal.complain(`no client named ${shown(String(options.as))}`);
      return EXIT.wrongUsage;
    }
    const page = gal.directory.search({ text: words.join(' '), limit }, requester);
    if (options.json === true) terminal.print(JSON.stringify(encodeDirectoryBody(page, false), undefined, 2));
    else {
      for (const line of columns(page.entries.map(row))) terminal.print(line);
      if (page.more) terminal.print(`… and more: --limit ${limit} was reached, or what the client may have`);
      if (page.entries.length === 0) terminal.complain('nobody is found');
    }
    return EXIT.done;
  });
}

function row({ name, address, kind, home, title, department, aliases }: DirectoryEntry): readonly string[] {
  const also = aliases.length === 0 ? '' : `also ${aliases.slice(0, 3).join(', ')}${aliases.length > 3 ? ` and ${aliases.length - 3} more` : ''}`;
  return [name, address, kind === 'person' ? '' : kind, home === undefined ? 'home unknown' : `in ${home}`, [title, department].filter((one) => one !== undefined).join(', '), also].map(shown);
}
