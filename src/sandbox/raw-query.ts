/** A query string read as IIS does: `%XX` decoded as UTF-8, `+` stays a plus (Zimbra sends `+05:30` raw). */
export interface RawQuery {
  /** Names without regard to case: OWA's own pages write `Cmd`. */
  first(name: string): string | undefined;
  all(name: string): readonly string[];
}

export function readRawQuery(query: string): RawQuery {
  const pairs = query.split('&').map((part) => {
    const equals = part.indexOf('=');
    return equals === -1 ? ([part.toLowerCase(), ''] as const) : ([part.slice(0, equals).toLowerCase(), percentDecoded(part.slice(equals + 1))] as const);
  });
  const all = (name: string): readonly string[] => pairs.filter(([key]) => key === name).map(([, value]) => value);
  return { first: (name) => all(name)[0], all };
}

/** Undecodable text stays as it is. */
export function percentDecoded(text: string): string {
  if (!/^(?:[^%]|%[0-9a-f]{2})*$/i.test(text)) return text;
  return Buffer.from(text.replace(/%([0-9a-f]{2})|[\u0080-\uffff]+/gi, (match, hex: string | undefined) =>
    hex === undefined ? Buffer.from(match, 'utf8').toString('latin1') : String.fromCharCode(Number.parseInt(hex, 16)),
  ), 'latin1').toString('utf8');
}
