import { SECOND_MS } from '../../core/clock.ts';
import { LIMITS } from '../../core/limits.ts';
import { contactDifference } from '../../gal/contact-difference.ts';
import type { ContactDifference, OtherSystem } from '../../gal/contact-difference.ts';
import type { GalRow } from '../../gal/gal-row.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { shown } from '../terminal.ts';
import type { Terminal } from '../terminal.ts';
import { exchangeCsv } from './exchange-csv.ts';
import { exchangeLdif } from './exchange-ldif.ts';
import { exchangePowerShell } from './exchange-powershell.ts';
import { EXPORT_FORMATS } from './export-shape.ts';
import type { ExportFormat, ExportWriter } from './export-shape.ts';
import type { GalAccess, GalSystem, ReachGal } from './gal-access.ts';
import { withGal } from './with-gal.ts';
import { zimbraCsv } from './zimbra-csv.ts';
import { zimbraLdif } from './zimbra-ldif.ts';
import { zimbraZmprov } from './zimbra-zmprov.ts';

export interface GalExportOptions {
  readonly config: string;
  readonly for?: string;
  readonly format?: string;
  readonly base?: string;
  readonly account?: string;
  readonly json?: true;
}

type Side = 'exchange' | 'zimbra';

/** The first of a side is its default. */
const WRITERS: Readonly<Record<Side, Readonly<Partial<Record<ExportFormat, ExportWriter>>>>> = {
  exchange: { powershell: exchangePowerShell, ldif: exchangeLdif, csv: exchangeCsv },
  zimbra: { zmprov: zimbraZmprov, ldif: zimbraLdif, csv: zimbraCsv },
};

/**
 * `gal export --for SYSTEM`: prints what would give a system the contacts that it needs for the people of the others, as a difference against what its directories
 * say is there. Nothing is applied.
 */
export async function exportGal(options: GalExportOptions, terminal: Terminal, reach: ReachGal): Promise<ExitCode> {
  const { for: side } = options;
  if (side === undefined) return refuse(terminal, '--for says which side: the name of a system, or exchange or zimbra where there is one of them');
  const format = EXPORT_FORMATS.find((one) => one === options.format);
  if (options.format !== undefined && format === undefined) return refuse(terminal, `--format takes ${EXPORT_FORMATS.join(', ')}`);
  return withGal(reach, options.config, terminal, async (gal) => {
    const system = systemFor(side, gal.systems);
    if (typeof system === 'string') return refuse(terminal, system);
    const writers = WRITERS[sideOf(system)!];
    const write = format === undefined ? Object.values(writers)[0] : writers[format];
    if (write === undefined) return refuse(terminal, `${system.name} is a ${sideOf(system)!}: --format takes ${Object.keys(writers).join(', ')}`);
    warnOfSources(gal, system, terminal);
    const difference = contactDifference(counted(gal.rows(), terminal), { name: system.name, domains: system.domains, others: othersThan(system, gal) });
    terminal.progress?.('');
    if (options.json === true) terminal.print(JSON.stringify(encodeDifference(system, difference), undefined, 2));
    else {
      const bounded = { ...difference, remarks: boundedRemarks(difference.remarks) };
      const domain = system.domains[0] ?? 'corp.example';
      const question = { system, difference: bounded, base: options.base ?? `OU=Contacts,${domain.split('.').map((part) => `DC=${part}`).join(',')}`, account: options.account ?? `other-sides@${domain}` };
      for (const line of write(question)) terminal.print(line);
      // CSV has no comments.
      if (format === 'csv') for (const remark of bounded.remarks) terminal.complain(shown(remark));
    }
    return EXIT.done;
  });
}

function refuse(terminal: Terminal, words: string): ExitCode {
  terminal.complain(words);
  return EXIT.wrongUsage;
}

function sideOf({ type }: GalSystem): Side | undefined {
  return type === 'zimbra' ? 'zimbra' : type.startsWith('exchange') ? 'exchange' : undefined;
}

/** By its name, else the only one of that side; a sentence where there is none. */
function systemFor(wanted: string, systems: readonly GalSystem[]): GalSystem | string {
  const able = systems.filter((system) => sideOf(system) !== undefined);
  const named = able.find(({ name }) => name === wanted);
  if (named !== undefined) return named;
  const ofSide = able.filter((system) => sideOf(system) === wanted);
  if (ofSide.length === 1) return ofSide[0]!;
  if (ofSide.length > 1) return `several systems are ${wanted}: --for takes one of ${ofSide.map(({ name }) => name).join(', ')}`;
  return `no system ${shown(wanted)} that could have contacts: --for takes ${['exchange', 'zimbra', ...able.map(({ name }) => name)].join(', ')}`;
}

/** What is missing from the address book is missing from the export: a source that was never read, or not of late, is said to be. */
function warnOfSources(gal: GalAccess, system: GalSystem, terminal: Terminal): void {
  const { sources } = gal.status();
  for (const { label, isOld, wholeAt } of sources) {
    if (wholeAt === undefined) terminal.complain(`${shown(label)}: was never read whole: its people are missing`);
    else if (isOld) terminal.complain(`${shown(label)}: could not be read of late: its people are those of ${new Date(wholeAt).toISOString()}`);
  }
  if (!sources.some(({ home }) => home === system.name)) terminal.complain(`no source says who and what is in ${system.name}: everybody of the other sides is to be added`);
}

/** Whose directories are known well enough to say who is gone. */
function othersThan(system: GalSystem, gal: GalAccess): readonly OtherSystem[] {
  const { sources } = gal.status();
  return gal.systems
    .filter(({ name }) => name !== system.name)
    .map(({ name, domains }) => {
      const own = sources.filter(({ home }) => home === name);
      return { name, domains, isSure: own.length > 0 && own.every(({ wholeAt, isOld }) => wholeAt !== undefined && !isOld) };
    });
}

function boundedRemarks(remarks: readonly string[]): readonly string[] {
  return remarks.length <= LIMITS.exportRemarks ? remarks : [...remarks.slice(0, LIMITS.exportRemarks), `… and ${remarks.length - LIMITS.exportRemarks} more like these: --json has them all`];
}

/** Says how far it has come, where somebody watches. */
function* counted(rows: Iterable<GalRow>, terminal: Terminal): Iterable<GalRow> {
  let count = 0;
  let saidAt = performance.now();
  for (const row of rows) {
    yield row;
    if (++count % 1_000 === 0 && performance.now() - saidAt > SECOND_MS / 5) {
      saidAt = performance.now();
      terminal.progress?.(`${count} entries compared`);
    }
  }
}

function encodeDifference({ name }: GalSystem, { add, change, remove, remarks }: ContactDifference): unknown {
  return {
    system: name,
    add: add.map(({ entry, externalAddress }) => ({ address: entry.address, name: entry.name, kind: entry.kind, home: entry.home ?? null, externalAddress })),
    change: change.map(({ entry, present, name: newName, targetAddress }) => ({ address: entry.address, present: present.address, ...(newName === undefined ? {} : { name: newName }), ...(targetAddress === undefined ? {} : { externalAddress: targetAddress }) })),
    remove: remove.map(({ address, name: was }) => ({ address, ...(was === undefined ? {} : { name: was }) })),
    remarks,
  };
}
