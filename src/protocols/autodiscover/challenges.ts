/** The schemes that a 401 offers (RFC 9110 §11.6.1), lower case, in order, each once. */
export function offeredSchemes(header: string | undefined): readonly string[] {
  const bare = (header ?? '').replace(/"(?:[^"\\]|\\.)*"?/g, '""');
  const schemes = bare.split(',').flatMap((part) => /^\s*([a-z][a-z0-9-]{0,30})(?!\s*=|[\w-])/i.exec(part)?.[1]?.toLowerCase() ?? []);
  return [...new Set(schemes)].slice(0, MOST_SCHEMES);
}

/** IIS offers four at most. */
const MOST_SCHEMES = 8;
