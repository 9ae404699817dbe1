import { parseLdapAddress } from '../fields/ldap-url.ts';
import { parseListener } from '../fields/listener.ts';
import { listed } from '../problems.ts';
import type { Problem } from '../problems.ts';
import { namesSystem } from './names-system.ts';
import { mapOf, textOf, textsOf } from './outline.ts';
import type { Outline, RawMap } from './outline.ts';

/** Sources name systems that have a directory, each once; sign-in is whole; the LDAP face listens where it may. */
export function checkGal({ top, systems }: Outline): readonly Problem[] {
  const gal = mapOf(top['gal']) ?? {};
  const sources = Array.isArray(gal['sources']) ? gal['sources'] : [];
  const byName = new Map(systems.map(({ name, keys }) => [name, keys]));
  const seen = new Set<string>();
  const problems = sources.flatMap((value: unknown, index) => {
    const keys = mapOf(value) ?? {};
    const at = ['gal', 'sources', index] as const;
    const key = JSON.stringify(keys['type'] === undefined ? keys['system'] : [keys['url'], keys['base'], keys['filter'], keys['path']]);
    const again = seen.has(key) ? [{ path: [...at], message: 'is there already; every source once' }] : [];
    seen.add(key);
    return [...again, ...(top['systems'] === undefined ? [] : names(at, keys, byName)), ...signIn(at, keys)];
  });
  return [...problems, ...face(top, gal)];
}

type At = readonly ['gal', 'sources', number];

function names(at: At, keys: RawMap, systems: ReadonlyMap<string, RawMap>): readonly Problem[] {
  const problems: Problem[] = [];
  for (const key of ['system', 'home']) {
    const name = textOf(keys[key]);
    if (name !== undefined && name !== '' && !systems.has(name)) problems.push(...namesSystem([...at, key], name, [...systems.keys()]));
  }
  const system = textOf(keys['system']) ?? '';
  if (keys['type'] === undefined && systems.get(system)?.['type'] === 'ifb') problems.push({ path: [...at, 'system'], message: `${listed([system])} is of type ifb, which has no directory; use type: ldap or type: file with home: ${system}` });
  const zimbra = keys['type'] === undefined && systems.get(system)?.['type'] === 'zimbra' ? systems.get(system) : undefined;
  if (zimbra !== undefined && (zimbra['username'] === undefined || zimbra['password'] === undefined)) problems.push({ path: [...at, 'system'], message: `${listed([system])} has no username and password, with which its directory is read` });
  return problems;
}

function signIn(at: At, keys: RawMap): readonly Problem[] {
  if (keys['type'] !== 'ldap') return [];
  const problems: Problem[] = [];
  const lacking = ['bindDn', 'password'].filter((key) => keys[key] === undefined);
  if (lacking.length === 1) problems.push({ path: [...at, lacking[0]!], message: 'is missing; bindDn and password go together' });
  if (keys['startTls'] === true && /^ldaps:/i.test(textOf(keys['url']) ?? '')) problems.push({ path: [...at, 'startTls'], message: 'does not go with ldaps://, which speaks TLS from the beginning; leave it out, or write ldap://' });
  return problems;
}

function face(top: RawMap, gal: RawMap): readonly Problem[] {
  const path = ['gal', 'ldap', 'listen'];
  const address = parseLdapAddress(textOf(mapOf(gal['ldap'])?.['listen']) ?? '');
  if (address === undefined) return [];
  const problems: Problem[] = [];
  if (address.protocol === 'ldaps' && top['tls'] === undefined) problems.push({ path, message: 'is ldaps and needs tls: { certificate, key }' });
  if (address.protocol === 'ldap' && !address.isLoopback && top['tls'] === undefined) {
    problems.push({ path, message: 'is plain ldap beyond loopback: clients sign in only after StartTLS, which needs tls: { certificate, key }; or use ldaps' });
  }
  const others = [...textsOf(top['listen']).map(({ text }) => text), textOf(top['listen']), textOf(mapOf(top['admin'])?.['listen'])].map((text) => parseListener(text ?? ''));
  if (address.port !== 0 && others.some((one) => one?.host === address.host && one.port === address.port)) problems.push({ path, message: 'is the same host and port as another listener' });
  if (!Array.isArray(gal['sources']) || gal['sources'].length === 0) problems.push({ path: ['gal', 'ldap'], message: 'needs gal.sources: without any the address book is empty' });
  return problems;
}
