import { LIMITS } from '../../core/limits.ts';

/** One challenge of WWW-Authenticate (RFC 9110 §11.6.1). */
export interface AuthenticateChallenge {
  /** Lower case. */
  readonly scheme: string;
  /** What NTLM and Negotiate send in place of parameters (token68). */
  readonly token?: string | undefined;
  /** Lower-case names; the first of each counts. */
  readonly parameters: Readonly<Record<string, string>>;
}

const SEPARATORS = /[\s,]*/y;
const SCHEME = /[!#$%&'*+.^_`|~\w-]+/y;
const TOKEN68 = / +([\w\-.~+/]+=*)[ \t]*(?=,|$)/y;
const PARAMETER = /[ \t]*([!#$%&'*+.^_`|~\w-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([!#$%&'*+.^_`|~\w:/?=-]+))[ \t]*(?:,|$)?/y;

/**
 * What a server offers, in its order: several headers, or several challenges in one. What is no challenge ends the reading; more than anybody sends is read as nothing.
 *
 * @param header as undici gives it
 */
export function challengesOf(header: string | readonly string[] | undefined): readonly AuthenticateChallenge[] {
  const text = typeof header === 'string' ? header : (header ?? []).join(', ');
  if (text.length > LIMITS.challengeCharacters) return [];
  const challenges: AuthenticateChallenge[] = [];
  let at = 0;
  let parts = 0;
  const next = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match !== null) at = pattern.lastIndex;
    return match;
  };
  for (;;) {
    next(SEPARATORS);
    const scheme = next(SCHEME)?.[0].toLowerCase();
    if (scheme === undefined || ++parts > LIMITS.challengeParts) return challenges;
    const token = next(TOKEN68)?.[1];
    const parameters: [string, string][] = [];
    // The next challenge begins with a word that no `=` follows.
    while (token === undefined) {
      const start = at;
      next(SEPARATORS);
      const parameter = next(PARAMETER);
      if (parameter === null) {
        at = start;
        break;
      }
      if (++parts > LIMITS.challengeParts) return challenges;
      parameters.push([parameter[1]!.toLowerCase(), parameter[2]?.replaceAll(/\\(.)/g, '$1') ?? parameter[3]!]);
    }
    challenges.push({ scheme, token, parameters: Object.fromEntries(parameters.reverse()) });
  }
}

const KNOWN: ReadonlyMap<string, string> = new Map([['basic', 'Basic'], ['ntlm', 'NTLM'], ['negotiate', 'Negotiate'], ['bearer', 'Bearer'], ['digest', 'Digest'], ['kerberos', 'Kerberos']]);

/** The schemes for an administrator's eyes: `NTLM, Negotiate`; what nobody knows is not repeated. */
export function schemesOf(challenges: readonly AuthenticateChallenge[]): string {
  const names = new Set(challenges.map(({ scheme }) => KNOWN.get(scheme) ?? 'something else'));
  return names.size === 0 ? 'nothing' : [...names].join(', ');
}
