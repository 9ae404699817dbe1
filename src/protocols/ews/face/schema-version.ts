/** RequestServerVersion, oldest first; what a client does not name is the oldest (exchange.md §3.1). */
export const SCHEMA_VERSIONS = ['Exchange2007', 'Exchange2007_SP1', 'Exchange2010', 'Exchange2010_SP1', 'Exchange2010_SP2', 'Exchange2013', 'Exchange2013_SP1', 'Exchange2015', 'Exchange2016'] as const;
export type SchemaVersion = (typeof SCHEMA_VERSIONS)[number];

/** Whether `version` is that one or a later one. */
export function isAtLeast(version: SchemaVersion, wanted: SchemaVersion): boolean {
  return SCHEMA_VERSIONS.indexOf(version) >= SCHEMA_VERSIONS.indexOf(wanted);
}

/** Names of the schema that were never released: what they stand between. */
const UNRELEASED: ReadonlyMap<string, SchemaVersion> = new Map([
  ['Exchange2009', 'Exchange2007_SP1'],
  ['Exchange2012', 'Exchange2010_SP2'],
]);

/**
 * The schema behind a RequestServerVersion; undefined for a name that no Exchange has. Case counts, as in every enumeration. Since 2015 the names
 * are dates (`V2017_07_11`), and clients send back what a server called itself: all of them are the newest schema here.
 */
export function decodeSchemaVersion(name: string): SchemaVersion | undefined {
  return SCHEMA_VERSIONS.find((one) => one === name) ?? UNRELEASED.get(name) ?? (/^V20[12]\d_(?:0[1-9]|1[0-2])_(?:0[1-9]|[12]\d|3[01])$/.test(name) ? 'Exchange2016' : undefined);
}
