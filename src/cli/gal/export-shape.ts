import type { ContactDifference } from '../../gal/contact-difference.ts';
import type { GalSystem } from './gal-access.ts';

export const EXPORT_FORMATS = ['ldif', 'csv', 'powershell', 'zmprov'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** What a writer is given: the difference, and for which system. */
export interface ExportQuestion {
  readonly system: GalSystem;
  readonly difference: ContactDifference;
  /** DN below which new contacts stand. */
  readonly base: string;
  /** Of Zimbra: whose shared folder they go into. */
  readonly account: string;
}

/** Writes a difference as lines for one program. Nothing is applied by itself. */
export type ExportWriter = (question: ExportQuestion) => Iterable<string>;

/** Comments at the head of a script: what it is, what was left alone. */
export function headLines({ system, difference: { add, change, remove } }: ExportQuestion, how: readonly string[]): readonly string[] {
  return [`# Contacts in ${system.name} for the people of the other sides: ${add.length} to add, ${change.length} to change, ${remove.length} to remove.`, ...how.map((line) => `# ${line}`)];
}
