import type { Instant } from '../core/clock.ts';

/** How it stands with one source, for an administrator. */
export interface SourceStatus {
  readonly label: string;
  readonly home: string | undefined;
  readonly entries: number;
  /** When a reading last ended well, and when one last saw everything; undefined: never. */
  readonly readAt: Instant | undefined;
  readonly wholeAt: Instant | undefined;
  /** Its entries are those of the last reading that ended well, and no reading has since. */
  readonly isOld: boolean;
  /** Why the last reading failed, one line. */
  readonly failure: string | undefined;
}

export interface GalStatus {
  /** In answers. */
  readonly entries: number;
  readonly hidden: number;
  readonly sources: readonly SourceStatus[];
  /** What directories say against each other. */
  readonly conflicts: readonly string[];
}
