/**
 * What happens to who writes into the free/busy folder:
 * - `denied`: the account has no right there; `no-folder`: the EX: folder is missing;
 * - `locked`, `full`: the store says so (WebDAV 423 and 507, EWS ErrorItemSave and ErrorQuotaExceeded);
 * - `busy`: come again later (WebDAV 503 with Retry-After, EWS ErrorServerBusy with a back-off);
 * - `refuse:0x6854`: this one property is refused whatever it holds.
 */
export type WritingMode = 'allowed' | 'denied' | 'no-folder' | 'locked' | 'full' | 'busy' | `refuse:${string}`;

/** The id of the property that is refused by command; undefined when none is. */
export function refusedByCommand(mode: WritingMode): number | undefined {
  return mode.startsWith('refuse:') ? Number(mode.slice('refuse:'.length)) : undefined;
}

/** What `busy` asks for. */
export const BUSY_MS = 1_000;
