import { Catalogues } from '../../presence/catalogues.ts';
import { columns } from '../columns.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { loadConfiguration } from '../load-configuration.ts';
import { shown } from '../terminal.ts';
import type { Terminal } from '../terminal.ts';
import type { PresenceShowOptions } from './status.ts';

/** `presence locale list`: the languages that status texts are there in. Needs no running bridge. */
export async function listLocales(options: PresenceShowOptions, terminal: Terminal): Promise<ExitCode> {
  const read = await readCatalogues(options.config, terminal);
  if (read === undefined) return EXIT.wrongUsage;
  const status = read.catalogues.status();
  if (options.json === true) terminal.print(JSON.stringify({ default: read.language, languages: status }, undefined, 2));
  else {
    for (const line of columns(status.map(({ language, origin, missing }) => [language, origin, missing.length === 0 ? 'complete' : `${missing.length} missing`, language === read.language ? 'default' : '']))) terminal.print(line);
  }
  return EXIT.done;
}

/** `presence locale check`: what is missing, unknown or unreadable in catalogues; 1 where anything is. */
export async function checkLocales(options: PresenceShowOptions, terminal: Terminal): Promise<ExitCode> {
  const read = await readCatalogues(options.config, terminal);
  if (read === undefined) return EXIT.wrongUsage;
  const { catalogues, language } = read;
  const { language: spoken } = catalogues.statusText('in-a-meeting', language);
  const isMissed = !language.toLowerCase().startsWith(spoken.toLowerCase());
  const problems = [...catalogues.problems(), ...(isMissed ? [`${language}: is presence.language, and has no catalogue; English is shown`] : [])];
  if (options.json === true) terminal.print(JSON.stringify({ problems, languages: catalogues.status() }, undefined, 2));
  else {
    for (const problem of problems) terminal.print(shown(problem));
    if (problems.length === 0) terminal.print(`${catalogues.status().length} languages, all complete`);
  }
  return problems.length === 0 ? EXIT.done : EXIT.failed;
}

async function readCatalogues(file: string, terminal: Terminal): Promise<{ readonly catalogues: Catalogues; readonly language: string } | undefined> {
  const config = await loadConfiguration(file, terminal);
  if (config === undefined) return undefined;
  const catalogues = new Catalogues();
  await catalogues.load(config.presence.locales);
  return { catalogues, language: config.presence.language };
}
