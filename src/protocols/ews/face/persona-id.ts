/** As our other ids (store-id.ts) begin, with a letter of its own. */
const MARK = 'FBB1p';

/** The Id of a `t:PersonaId`: says which entry it is, the same as long as the entry has its own id. */
export function encodePersonaId(entryId: string): string {
  return Buffer.from(MARK + entryId).toString('base64');
}

/** The id of the entry; undefined for an Id that we did not give out. */
export function decodePersonaId(text: string): string | undefined {
  if (text.length > 100) return undefined;
  const bytes = Buffer.from(text, 'base64');
  const entryId = /^FBB1p([0-9a-f]{32})$/.exec(bytes.toString('latin1'))?.[1];
  return bytes.toString('base64') === text ? entryId : undefined;
}
