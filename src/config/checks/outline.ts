/** A map of the file, whatever is in it. */
export type RawMap = Readonly<Record<string, unknown>>;

/**
 * The file as far as its shape allows, for the checks that span keys: they run on files with other mistakes too, so that
 * every mistake is listed at once. What is of the wrong kind is left out; the schema names it.
 */
export interface Outline {
  readonly top: RawMap;
  readonly systems: readonly { readonly name: string; readonly keys: RawMap }[];
  readonly clients: readonly { readonly index: number; readonly keys: RawMap }[];
  readonly replication: readonly { readonly index: number; readonly keys: RawMap }[];
}

/** Never throws. */
export function outlineOf(tree: unknown): Outline {
  const top = mapOf(tree) ?? {};
  const systems = Object.entries(mapOf(top['systems']) ?? {}).map(([name, value]) => ({ name, keys: mapOf(value) ?? {} }));
  return { top, systems, clients: mapsOf(top['clients']), replication: mapsOf(top['replication']) };
}

function mapsOf(value: unknown): readonly { readonly index: number; readonly keys: RawMap }[] {
  return (Array.isArray(value) ? value : []).map((item: unknown, index) => ({ index, keys: mapOf(item) ?? {} }));
}

export function mapOf(value: unknown): RawMap | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as RawMap) : undefined;
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The texts of a list, each with its place in it; a text alone counts as none. */
export function textsOf(value: unknown): readonly { readonly index: number; readonly text: string }[] {
  return (Array.isArray(value) ? value : []).flatMap((item: unknown, index) => (typeof item === 'string' ? [{ index, text: item }] : []));
}
