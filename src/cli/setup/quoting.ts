/** A PowerShell literal: nothing in it is expanded. PowerShell takes the typographic quotes for its own, so they are doubled too. */
export function powerShell(text: string): string {
  return `'${text.replace(/['\u2018\u2019\u201a\u201b]/g, '$&$&')}'`;
}

/** A word of a POSIX shell, left as it is where nothing in it has a meaning. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
