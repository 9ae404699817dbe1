/** Rows of equal length as a text table, first row the head. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) => `  ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join('   ')}`.trimEnd());
  return [lines[0]!, `  ${'─'.repeat(widths.reduce((sum, width) => sum + width + 3, -3))}`, ...lines.slice(1)].join('\n');
}

/** One figure held against its goal; a figure that misses is a finding for a person, not a failure of the run. */
export function goal(what: string, figure: string, isMet: boolean): string {
  return `  ${isMet ? 'met   ' : 'MISSED'}  ${what}: ${figure}`;
}
