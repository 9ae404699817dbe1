/** RequestServerVersion, oldest first; what a client does not name is the oldest (exchange.md §3.1). */
export const SCHEMA_VERSIONS = ['Exchange2007', 'Exchange2007_SP1', 'Exchange2010', 'Exchange2010_SP1', 'Exchange2010_SP2', 'Exchange2013', 'Exchange2013_SP1', 'Exchange2015', 'Exchange2016'] as const;
export type SchemaVersion = (typeof SCHEMA_VERSIONS)[number];

/** Whether `version` is that one or a later one. */
export function isAtLeast(version: SchemaVersion, wanted: SchemaVersion): boolean {
  return SCHEMA_VERSIONS.indexOf(version) >= SCHEMA_VERSIONS.indexOf(wanted);
}
