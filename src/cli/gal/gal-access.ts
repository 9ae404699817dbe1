import type { Requester } from '../../core/request-context.ts';
import type { Directory } from '../../directory/directory.ts';
import type { GalRow } from '../../gal/gal-row.ts';
import type { GalStatus } from '../../gal/source-status.ts';
import type { ExitCode } from '../exit-code.ts';
import type { Terminal } from '../terminal.ts';

/** A system of the configuration, as far as an address book is about it. */
export interface GalSystem {
  readonly name: string;
  /** As configured: `zimbra`, `exchange-ews`, `exchange-webdav`, `ifb`. */
  readonly type: string;
  /** Lower case. */
  readonly domains: readonly string[];
}

/** The address book as a command got hold of it. */
export interface GalAccess {
  readonly directory: Directory;
  /** In the file's order. */
  readonly systems: readonly GalSystem[];
  /** With whose rights a search asks: by a client's name or user name; without one an administrator's, who may see everything that is shown. Undefined: no such client. */
  requesterFor(client: string | undefined): Requester | undefined;
  /** Everybody, hidden ones too, with what every directory says. */
  rows(): Iterable<GalRow>;
  status(): GalStatus;
  /** Gives back all that was opened for it. */
  close(): Promise<void>;
}

/** Reads the configuration and opens its address book, whether or not a bridge runs with it. Where that cannot be it says why and gives the exit code. */
export type ReachGal = (file: string, terminal: Terminal) => Promise<GalAccess | ExitCode>;
