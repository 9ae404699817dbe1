/** The Exchange that we say we are: 2016 CU23, as the EWS face has it. Every reader knows its name, and it has all that we serve. */
const [MAJOR, MINOR, BUILD, REVISION] = [15, 1, 2507, 6] as const;

/** Children of ServerVersionInfo in a SOAP answer, in order. */
export const SERVER_VERSION_INFO: readonly (readonly [name: string, value: string])[] = [
  ['MajorVersion', String(MAJOR)],
  ['MinorVersion', String(MINOR)],
  ['MajorBuildNumber', String(BUILD)],
  ['MinorBuildNumber', String(REVISION)],
  ['Version', 'Exchange2016'],
];

/** As CasVersion and ExternalEwsVersion have it: `15.01.2507.006`. Exchange that asks on behalf of an address space reads it as a version. */
export const DOTTED_VERSION = `${MAJOR}.${pad(MINOR, 2)}.${pad(BUILD, 4)}.${pad(REVISION, 3)}`;

/** ServerVersion of a POX answer. */
export const PACKED_VERSION = packVersion(MAJOR, MINOR, BUILD);

/** Schemas that the EWS face takes in RequestServerVersion. */
export const EWS_SCHEMAS = 'Exchange2007, Exchange2007_SP1, Exchange2010, Exchange2010_SP1, Exchange2010_SP2, Exchange2013, Exchange2013_SP1, Exchange2015, Exchange2016';

/** A version in 32 bits, in hex (exchange.md §4.2): 15.0.847 is `73C0834F`. */
export function packVersion(major: number, minor: number, build: number): string {
  return (0x7000_8000 + (major << 22) + (minor << 16) + build).toString(16).toUpperCase();
}

function pad(number: number, digits: number): string {
  return String(number).padStart(digits, '0');
}
