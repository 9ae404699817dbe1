export type KeyPath = readonly (string | number)[];

/** `clients[0].mayAsk[1]`; keys that are no plain word stand in quotes: `systems["a b"].url`. Empty for the file as a whole. */
export function formatPath(path: KeyPath): string {
  let text = '';
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`;
    // `{ password:geheim }` without the blank is a key with a secret in it.
    else if (/[:=]/.test(key)) text += `[${quoted(key.replace(/([:=]).*/su, '$1…'))}]`;
    else if (!/^[\p{L}_][\p{L}\p{N}_-]{0,62}$/u.test(key)) text += `[${quoted(key)}]`;
    else text += text === '' ? key : `.${key}`;
  }
  return text;
}

/** A word of the file for a message: in quotes, control characters escaped, no longer than 60 characters. Never for secrets or URLs. */
export function quoted(text: string): string {
  const escaped = JSON.stringify(text.length > 60 ? `${text.slice(0, 59)}…` : text);
  // C1 controls, line separators and the marks that turn the direction of writing.
  const invisible = /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;
  return escaped.replace(invisible, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
