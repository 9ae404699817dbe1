import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import ews from 'ews-javascript-api';
import { exchangeService } from '../peers/ews-javascript-api-client.ts';
import type { Asker } from './two-directories.ts';

/** Programs that were not written here, as they ask for people: curl, ldapsearch, Debian's python3-ldap3, ews-javascript-api. */

const run = promisify(execFile);
const LDAP3 = join(import.meta.dirname, 'ask-ldap3.py');

export interface CurlAnswer {
  readonly status: number;
  readonly body: string;
}

/** One request by curl; `data` makes it a POST, `type` says of what. The target goes on the wire as it stands. */
export async function curl(base: string, target: string, asker: Asker | undefined, options: { readonly data?: string; readonly type?: string } = {}): Promise<CurlAnswer> {
  const user = asker === undefined ? [] : ['-u', `${asker.username}:${asker.password}`];
  const data = options.data === undefined ? [] : ['-H', `Content-Type: ${options.type ?? 'application/json'}`, '--data-binary', options.data];
  const { stdout } = await run('curl', ['-sS', '--max-time', '20', '--path-as-is', '-g', ...user, ...data, '-w', '\n%{http_code}', new URL(base).origin + target], { maxBuffer: 64 << 20 });
  const at = stdout.lastIndexOf('\n');
  return { status: Number(stdout.slice(at + 1)), body: stdout.slice(0, at) };
}

interface FoundBody {
  readonly results: readonly { readonly address: string }[];
}

/** GET /api/v1/directory?q=; addresses, best first. */
export async function apiFinds(base: string, asker: Asker, text: string): Promise<readonly string[]> {
  const { status, body } = await curl(base, `/api/v1/directory?q=${encodeURIComponent(text)}`, asker);
  if (status !== 200) throw new Error(`${status} ${body}`);
  return (JSON.parse(body) as FoundBody).results.map(({ address }) => address);
}

export interface JsonSoap {
  readonly status: number;
  /** Of the envelope, loose as JSON is. */
  readonly body: Readonly<Record<string, any>>; // eslint-disable-line @typescript-eslint/no-explicit-any
}

/** A request as Zimbra's web client writes it: JSON, signed in with AuthRequest. */
export async function zimbraJson(base: string, asker: Asker, request: Readonly<Record<string, unknown>>): Promise<JsonSoap> {
  const post = async (context: object, body: object): Promise<JsonSoap> => {
    const [name] = Object.keys(body);
    const answer = await curl(base, `/service/soap/${name}`, undefined, { type: 'application/soap+xml; charset=utf-8', data: JSON.stringify({ Header: { context: { _jsns: 'urn:zimbra', userAgent: { name: 'ZimbraWebClient - GC107 (Linux)' }, session: {}, format: { type: 'js' }, ...context } }, Body: body }) });
    return { status: answer.status, body: (JSON.parse(answer.body) as { readonly Body: JsonSoap['body'] }).Body };
  };
  const signedIn = await post({}, { AuthRequest: { _jsns: 'urn:zimbraAccount', account: { by: 'name', _content: asker.username }, password: { _content: asker.password } } });
  return post({ authToken: (signedIn.body['AuthResponse'] as { readonly authToken: readonly { readonly _content: string }[] }).authToken[0]!._content }, request);
}

/** AutoCompleteRequest, what the compose window asks; addresses, best first. */
export async function zimbraCompletes(base: string, asker: Asker, text: string): Promise<readonly string[]> {
  const { body } = await zimbraJson(base, asker, { AutoCompleteRequest: { _jsns: 'urn:zimbraMail', includeGal: 1, name: { _content: text } } });
  const { match = [] } = body['AutoCompleteResponse'] as { readonly match?: readonly { readonly email: string }[] };
  return match.map(({ email }) => /<([^<>]+)>$/.exec(email)![1]!);
}

/** AutoCompleteGalRequest or SearchGalRequest; addresses, in the answer's order. */
export async function zimbraGal(base: string, asker: Asker, operation: 'AutoCompleteGal' | 'SearchGal', text: string): Promise<readonly string[]> {
  const { body } = await zimbraJson(base, asker, { [`${operation}Request`]: { _jsns: 'urn:zimbraAccount', type: 'all', name: text } });
  const { cn = [] } = body[`${operation}Response`] as { readonly cn?: readonly { readonly _attrs: { readonly email: string } }[] };
  return cn.map(({ _attrs: { email } }) => email);
}

/** Outlook Web Access's galfind by curl (exchange.md §2.4): `DN` is the beginning of a display name. Addresses, in the answer's order. */
export async function galfind(base: string, asker: Asker, text: string, criterion = 'DN'): Promise<readonly string[]> {
  const { status, body } = await curl(base, `/public/?Cmd=galfind&${criterion}=${encodeURIComponent(text)}`, asker);
  if (status !== 200) throw new Error(`${status} ${body}`);
  return [...body.matchAll(/<(?:\w+:)?EM>([^<]*)</gi)].map(([, address]) => address!.toLowerCase());
}

/** ResolveName of ews-javascript-api, which signs in as ASKERS.exchange; addresses, in the answer's order. */
export async function resolvesName(base: string, text: string): Promise<readonly string[]> {
  const service = exchangeService(base, 'Basic', { zone: 'UTC' });
  const found = await service.ResolveName(text, ews.ResolveNameSearchLocation.DirectoryOnly, false);
  return found.GetEnumerator().map(({ Mailbox }) => Mailbox.Address);
}

export type Attributes = Readonly<Record<string, readonly string[]>>;

export interface LdapFound {
  /** 0, or LDAP's result code. */
  readonly code: number;
  /** Names in lower case, in the answer's order. */
  readonly entries: readonly Attributes[];
  readonly said: string;
}

const bindDn = ({ username }: Asker): string => `cn=${username},dc=bridge`;

/** ldapsearch over the whole base, as somebody; options (`-E pr=…`, `-z`), and the attributes that are wanted: all but operational ones. */
export async function ldapsearch(url: string, asker: Asker, filter: string, options: readonly string[] = [], attributes: readonly string[] = []): Promise<LdapFound> {
  const args = ['-x', '-LLL', '-o', 'ldif-wrap=no', '-H', url, '-D', bindDn(asker), '-w', asker.password, '-b', 'dc=bridge', ...options, filter, ...attributes];
  const { code, stdout, stderr } = await run('ldapsearch', args, { timeout: 20_000, maxBuffer: 64 << 20 }).then(
    (done) => ({ ...done, code: 0 }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
  return { code, said: stderr, entries: stdout.split(/\n\n/).map(ldifAttributes).filter((entry) => entry['dn'] !== undefined) };
}

function ldifAttributes(text: string): Attributes {
  const attributes: Record<string, string[]> = {};
  for (const [, name, coded, value] of text.matchAll(/^([A-Za-z][\w;.-]*):(:?) ?(.*)$/gm)) (attributes[name!.toLowerCase()] ??= []).push(coded === ':' ? Buffer.from(value!, 'base64').toString() : value!);
  return attributes;
}

/** What a stock Zimbra sends for `zimbraGalAutoCompleteLdapFilter` externalLdapAutoComplete (zimbra.md §6.3): 1,000 in a page. */
export async function zimbraLdap(url: string, asker: Asker, key: string): Promise<readonly string[]> {
  const found = await ldapsearch(url, asker, `(|(cn=${key}*)(sn=${key}*)(gn=${key}*)(mail=${key}*))`, ['-E', 'pr=1000/noprompt', '-z', '200']);
  if (found.code !== 0) throw new Error(`ldapsearch: ${found.code} ${found.said}`);
  return addressesIn(found);
}

/** The definition `ad` of zimbraGalLdapFilter, with the key between asterisks as a search sends it. */
export async function zimbraAdLdap(url: string, asker: Asker, key: string): Promise<readonly string[]> {
  const name = ['displayName', 'cn', 'sn', 'givenName', 'mail'].map((attribute) => `(${attribute}=*${key}*)`).join('');
  const kinds = '(&(objectCategory=person)(objectClass=user)(!(homeMDB=*))(!(msExchHomeServerName=*)))(&(objectCategory=person)(objectClass=user)(|(homeMDB=*)(msExchHomeServerName=*)))(&(objectCategory=person)(objectClass=contact))(objectCategory=group)(objectCategory=publicFolder)(objectCategory=msExchDynamicDistributionList)';
  const found = await ldapsearch(url, asker, `(&(|${name})(!(msExchHideFromAddressLists=TRUE))(|${kinds}))`, ['-E', 'pr=1000/noprompt', '-z', '100']);
  if (found.code !== 0) throw new Error(`ldapsearch: ${found.code} ${found.said}`);
  return addressesIn(found);
}

export function addressesIn({ entries }: LdapFound): readonly string[] {
  return entries.flatMap(({ mail = [] }) => mail[0] ?? []);
}

/** python3-ldap3, which pages by itself; the filter's values are escaped by it. */
export async function ldap3Finds(url: string, asker: Asker, texts: readonly string[], pageSize = 2): Promise<readonly (readonly string[])[]> {
  // Debian's own Python: a newer one before it on PATH does not see Debian's packages.
  const { stdout } = await run('/usr/bin/python3', [LDAP3, url, bindDn(asker), asker.password, String(pageSize), ...texts], { timeout: 30_000 });
  return JSON.parse(stdout) as readonly (readonly string[])[];
}
