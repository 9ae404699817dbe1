/** A JSON object whose members are unchecked. */
export type JsonRecord = Readonly<Record<string, unknown>>;

export function isRecord(data: unknown): data is JsonRecord {
  return typeof data === 'object' && data !== null && !Array.isArray(data);
}

/** Every element read by `read`; undefined where it is no array or any of them cannot be read. */
export function readEach<T>(data: unknown, read: (element: unknown) => T | undefined): readonly T[] | undefined {
  if (!Array.isArray(data)) return undefined;
  const out: T[] = [];
  for (const element of data as readonly unknown[]) {
    const one = read(element);
    if (one === undefined) return undefined;
    out.push(one);
  }
  return out;
}
