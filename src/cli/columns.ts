/** Cells below one another; a column that is empty throughout is left out, the last cell of a row is not padded. */
export function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_cell, index) => rows.reduce((widest, cells) => Math.max(widest, width(cells[index]!)), 0));
  return rows.map((cells) =>
    cells
      .flatMap((cell, index) => (widths[index]! > 0 ? [cell + ' '.repeat(widths[index]! - width(cell))] : []))
      .join('  ')
      .trimEnd(),
  );
}

/** East Asian characters are two columns wide on a terminal; combining marks none. */
function width(text: string): number {
  let columnsOf = 0;
  for (const character of text) columnsOf += /\p{M}/u.test(character) ? 0 : /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}]/u.test(character) ? 2 : 1;
  return columnsOf;
}
