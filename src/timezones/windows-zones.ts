import { findIana, findIanaAliases, findWindows, WINDOWS_TO_IANA_MAP } from 'windows-iana';

/** Ids that Exchange and Outlook send and CLDR's territory 001 does not have (exchange.md §6.3). */
const EXTRA_WINDOWS: ReadonlyMap<string, string> = new Map([
  ['kamchatka standard time', 'Asia/Kamchatka'],
  ['mid-atlantic standard time', 'Etc/GMT+2'],
  ['tzone://microsoft/utc', 'Etc/UTC'],
]);

/** Names that windows-iana 5.1 does not know yet. */
const EXTRA_IANA: ReadonlyMap<string, string> = new Map([['Europe/Kyiv', 'FLE Standard Time']]);

// The package's typings point at a file that it does not ship, so what it gives is named here.
const properIds: ReadonlyMap<string, string> = new Map(
  (WINDOWS_TO_IANA_MAP as readonly { readonly windowsName: string }[]).map(({ windowsName }) => [windowsName.toLowerCase(), windowsName]),
);

/**
 * The IANA zone of a Windows id, `W. Europe Standard Time` → `Europe/Berlin`; case and outer blanks do not matter.
 * Undefined for what nobody knows, among it `Customized Time Zone`, `tzone://Microsoft/Custom` and `tzone://Microsoft/Local`:
 * there the definition sent along counts.
 */
export function ianaFromWindows(id: string): string | undefined {
  const key = id.trim().toLowerCase();
  const extra = EXTRA_WINDOWS.get(key);
  if (extra !== undefined) return extra;
  const proper = properIds.get(key);
  return proper === undefined ? undefined : (findIana(proper) as readonly string[])[0];
}

/** The Windows id of an IANA zone, old and new spellings alike (`Asia/Calcutta`, `Asia/Kolkata`); undefined where there is none. */
export function windowsFromIana(name: string): string | undefined {
  const spellings = [name, ...(findIanaAliases(name) as readonly string[])];
  for (const spelling of spellings) {
    const found = (findWindows(spelling) as readonly string[])[0] ?? EXTRA_IANA.get(spelling);
    if (found !== undefined) return found;
  }
  return undefined;
}
