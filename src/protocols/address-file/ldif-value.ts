/** One value as it stands: base64 is decoded only where somebody wants it, because most of it are pictures. */
export interface LdifValue {
  readonly text: string;
  readonly isBase64: boolean;
}

/** An entry: its DN, and values by attribute in lower case, options (`;lang-ja`) kept with the name. */
export interface LdifRecord {
  readonly dn: string;
  readonly attributes: ReadonlyMap<string, readonly LdifValue[]>;
}

/** The value as text; undefined for what is none: pictures, certificates, GUIDs. */
export function decodedText({ text, isBase64 }: LdifValue): string | undefined {
  if (!isBase64) return text;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(text, 'base64'));
  } catch {
    // Octets, not text.
    return undefined;
  }
}
