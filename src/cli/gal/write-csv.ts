/** One row (RFC 4180 §2), without its line end: every field quoted, so that no reader has to guess. */
export function csvRow(fields: readonly string[]): string {
  return fields.map((field) => `"${field.replaceAll('"', '""')}"`).join(',');
}
