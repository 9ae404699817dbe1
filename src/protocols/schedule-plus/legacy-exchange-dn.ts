import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { domainOf, localPartOf } from '../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { Addressee } from '../../freebusy/sink.ts';

/** Where the free/busy message of one legacyExchangeDN lies: the name of its folder below `SCHEDULE+ FREE BUSY`, and its subject. */
export interface MessageLocation {
  /** `EX:/o=…/ou=…` as the DN spells it. */
  readonly folder: string;
  /** `USER-/CN=RECIPIENTS/CN=…`, upper case; compare without case. */
  readonly subject: string;
}

/**
 * Splits a legacyExchangeDN at its first `/cn=` (exchange.md §1.1). Never assume `cn=Recipients`: organisations that came
 * from 5.5 have other containers.
 *
 * @throws BridgeError NO_DATA where the DN has no such part
 */
export function locateMessage(legacyExchangeDn: string): MessageLocation {
  const at = legacyExchangeDn.search(/\/cn=/i);
  if (at <= 0 || !legacyExchangeDn.startsWith('/')) throw new BridgeError('NO_DATA', 'the mailbox has no usable legacyExchangeDN');
  return { folder: `EX:${legacyExchangeDn.slice(0, at)}`, subject: `USER-${upperCase(legacyExchangeDn.slice(at))}` };
}

/**
 * The legacyExchangeDN of a mailbox by the template of its system: `{localPart}`, `{domain}` and `{address}` stand as they are.
 *
 * @throws BridgeError NO_DATA where the address has a `/`, `\`, `=`, `..` or a control character: escaped or not, it would name
 *   somebody else's message. CONFIGURATION where the template names nobody, or something unknown.
 */
export function legacyExchangeDnFromTemplate(template: string, mailbox: MailboxAddress): string {
  checkTemplate(template);
  return filled(template, mailbox);
}

function filled(template: string, mailbox: MailboxAddress): string {
  if (/[/\\=\u0000-\u001f\u007f]|\.\./.test(mailbox) && template.search(PLACEHOLDER) >= 0) throw new BridgeError('NO_DATA', 'the address cannot stand in a legacyExchangeDN');
  const values: Readonly<Record<string, string>> = { localPart: localPartOf(mailbox), domain: domainOf(mailbox), address: mailbox };
  return template.replace(PLACEHOLDER, (_whole, name: string) => values[name]!);
}

/** What the directory of an Exchange says is a mailbox's (or its contact's) legacyExchangeDN there; undefined where it does not know. Stronger than every template. */
export type DirectoryDn = (mailbox: MailboxAddress) => string | undefined;

/**
 * Under which legacyExchangeDN a mailbox is published. What the directory says comes first, then its foreign principal: one that begins with `/` is the whole DN,
 * any other is the value of the template's last `cn` (Zimbra writes `ad:kim`, zimbra.md §4.1). Without one the template decides alone.
 *
 * @throws BridgeError NO_DATA where the principal or the address could name another's message (control and invisible characters, `..`, `\`, what
 *   Exchange decodes in names such as `_xF8FF_`; letters that case makes ambiguous; `/` and `=` where a plain name is meant) or the DN is too long or has no `/cn=`;
 *   CONFIGURATION as `legacyExchangeDnFromTemplate`
 */
export function legacyExchangeDnOf(template: string, addressee: Addressee, directoryDn?: DirectoryDn): string {
  const dn = directoryDn?.(addressee.mailbox) ?? dnOf(template, addressee);
  if (dn.length > LIMITS.legacyExchangeDnCharacters) throw new BridgeError('NO_DATA', 'the legacyExchangeDN is too long');
  if (DECODED_IN_NAMES.test(dn)) throw new BridgeError('NO_DATA', 'the legacyExchangeDN has something in it that Exchange would decode');
  if (!hasOneCase(dn)) throw new BridgeError('NO_DATA', 'the legacyExchangeDN has a letter whose upper and lower case are not of one pair');
  locateMessage(dn);
  return dn;
}

function dnOf(template: string, { mailbox, foreignPrincipal }: Addressee): string {
  if (foreignPrincipal === undefined) return legacyExchangeDnFromTemplate(template, mailbox);
  const principal = foreignPrincipal.trim();
  if (principal === '' || /\p{C}|\\|\.\./u.test(principal)) throw new BridgeError('NO_DATA', 'the foreign principal cannot stand in a legacyExchangeDN');
  if (principal.startsWith('/')) {
    if (!/^(?:\/[a-z0-9.]+=[^/]+)+$/i.test(principal)) throw new BridgeError('NO_DATA', 'the foreign principal is no legacyExchangeDN');
    return principal;
  }
  if (/[/=]/.test(principal)) throw new BridgeError('NO_DATA', 'the foreign principal cannot stand in a legacyExchangeDN');
  checkTemplate(template);
  const last = /^([\s\S]*\/cn=)[^/]*([\s\S]*)$/i.exec(template);
  if (last === null) throw new BridgeError('CONFIGURATION', 'legacyExchangeDn has no cn');
  // Filled apart from the principal, in which a `{` stands for itself.
  return `${filled(last[1]!, mailbox)}${principal}${filled(last[2]!, mailbox)}`;
}

/**
 * Identities are compared in lower case and messages by the upper: with `ı`, `ſ` or the Kelvin sign in them two DNs would be two identities and one
 * message (`kım`, `kim`), or the reverse. Where both of these hold for two DNs, they have the same lower case only with the same upper case, and vice versa.
 */
function hasOneCase(dn: string): boolean {
  const upper = upperCase(dn);
  const lower = dn.toLowerCase();
  return upper.toLowerCase() === lower && upperCase(lower) === upper;
}

/** Exchange reads these in a URL's names as characters, `/` among them (exchange.md §2.1): two spellings, one message. */
const DECODED_IN_NAMES = /_x[0-9a-f]{4}_/i;

/** Whose message a DN is, as far as the template tells: lower case; the domain only where the template has it. */
export interface NamedMailbox {
  readonly localPart: string;
  readonly domain: string | undefined;
}

/** Reads the template backwards, without regard to case. Undefined where the DN does not fit. */
export function mailboxOfLegacyExchangeDn(template: string, legacyExchangeDn: string): NamedMailbox | undefined {
  checkTemplate(template);
  if (legacyExchangeDn.length > LIMITS.legacyExchangeDnCharacters) return undefined;
  const seen = new Set<string>();
  const pattern = template
    .split(/(\{[a-zA-Z]+\})/)
    .map((piece) => {
      const name = /^\{([a-zA-Z]+)\}$/.exec(piece)?.[1];
      if (name === undefined) return piece.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
      if (seen.has(name)) return `\\k<${name}>`;
      seen.add(name);
      return `(?<${name}>[^/\\\\=\\u0000-\\u001f\\u007f]+)`;
    })
    .join('');
  const groups = new RegExp(`^${pattern}$`, 'iu').exec(legacyExchangeDn)?.groups;
  if (groups === undefined) return undefined;
  const { address, localPart, domain } = groups;
  const at = address?.lastIndexOf('@') ?? -1;
  if (address !== undefined && at <= 0) return undefined;
  const local = localPart ?? address?.slice(0, at);
  if (local === undefined || local.includes('..')) return undefined;
  return { localPart: local.toLowerCase(), domain: (domain ?? address?.slice(at + 1))?.toLowerCase() };
}

/** Letter by letter, as a store does it: `ß` must not become two letters, or the name would be another. */
function upperCase(text: string): string {
  return text.replace(/\p{Ll}/gu, (letter) => (letter.toUpperCase().length === letter.length ? letter.toUpperCase() : letter));
}

const PLACEHOLDER = /\{([a-zA-Z]+)\}/g;

function checkTemplate(template: string): void {
  const names = [...template.matchAll(PLACEHOLDER)].map((match) => match[1]!);
  const unknown = names.find((name) => name !== 'localPart' && name !== 'domain' && name !== 'address');
  if (unknown !== undefined) throw new BridgeError('CONFIGURATION', `legacyExchangeDn has an unknown placeholder {${unknown}}`);
  if (!names.includes('localPart') && !names.includes('address')) throw new BridgeError('CONFIGURATION', 'legacyExchangeDn names nobody: it needs {localPart}');
}
