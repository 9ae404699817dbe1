import type { Problem } from '../problems.ts';
import { namesSystem } from './names-system.ts';
import { textOf, textsOf } from './outline.ts';
import type { Outline, RawMap } from './outline.ts';

/** Names and usernames once each; a way to sign in; `from` and `mayAsk` name systems; who switches presence speaks for one. */
export function checkClients({ top, systems, clients }: Outline): readonly Problem[] {
  const problems: Problem[] = [];
  const names = new Map<string, number>();
  const usernames = new Map<string, number>();
  // With `systems` missing, every reference would be a mistake that is none.
  const systemNames = top['systems'] === undefined ? undefined : systems.map(({ name }) => name);
  for (const { index, keys } of clients) {
    const at = ['clients', index] as const;
    problems.push(...onlyOnce(keys, 'name', index, names), ...onlyOnce(keys, 'username', index, usernames));
    problems.push(...signIn(keys).map(({ key, message }) => ({ path: [...at, key], message })));
    const from = textOf(keys['from']);
    if (keys['presence'] === 'opt-in' && (keys['from'] === undefined || from === 'outside')) {
      problems.push({ path: [...at, 'presence'], message: 'opt-in needs from: the name of a system: this client switches mailboxes of that system only' });
    }
    if (systemNames === undefined) continue;
    if (from !== undefined && from !== '' && from !== 'outside') {
      problems.push(...namesSystem([...at, 'from'], from, systemNames, ', or outside'));
    }
    for (const { index: place, text } of textsOf(keys['mayAsk'])) {
      if (text !== '') problems.push(...namesSystem([...at, 'mayAsk', place], text, systemNames));
    }
  }
  return problems;
}

function onlyOnce(keys: RawMap, key: 'name' | 'username', index: number, seen: Map<string, number>): readonly Problem[] {
  const value = textOf(keys[key])?.toLowerCase();
  if (value === undefined || value === '') return [];
  const first = seen.get(value);
  if (first === undefined) {
    seen.set(value, index);
    return [];
  }
  return [{ path: ['clients', index, key], message: `is the same as that of clients[${first}] (upper and lower case do not count)` }];
}

function signIn(keys: RawMap): readonly { readonly key: string; readonly message: string }[] {
  if (keys['anonymous'] === true) {
    const stray = [...WAYS_IN, 'auth'].filter((key) => keys[key] !== undefined);
    const problems = stray.map((key) => ({ key, message: 'does not go with anonymous: true; leave one of them out' }));
    if (keys['addresses'] !== undefined) return problems;
    const message = 'is missing; an anonymous client is known by nothing but its addresses, e.g. [10.0.0.0/8]';
    return [...problems, { key: 'addresses', message }];
  }
  const auths = textsOf(keys['auth']).map(({ text }) => text);
  const has = (key: string) => keys[key] !== undefined;
  const problems: { key: string; message: string }[] = [];
  const lacks = (key: string, why: string) => has(key) || problems.push({ key, message: `is missing; ${why}` });
  const needsPassword = auths.includes('basic') || auths.includes('ntlm') || has('username') || has('password') || has('passwordHash') || (!has('token') && !has('certificate'));
  if (needsPassword) {
    const why = 'a client has username and password, or anonymous: true with addresses';
    lacks('username', why);
    if (!has('passwordHash')) lacks('password', why);
  }
  if (has('password') && has('passwordHash')) problems.push({ key: 'passwordHash', message: 'does not go with password; leave one of them out' });
  if (has('passwordHash') && auths.includes('ntlm')) problems.push({ key: 'passwordHash', message: 'does not go with auth: ntlm, which needs the password itself; write password, or leave ntlm out' });
  if (auths.includes('bearer')) lacks('token', 'auth: bearer needs token: { issuer, claims }');
  if (auths.includes('certificate')) lacks('certificate', 'auth: certificate needs certificate: with fingerprint, commonName or alternativeName');
  const isUnused = (key: string, auth: string) => auths.length > 0 && has(key) && !auths.includes(auth);
  if (isUnused('token', 'bearer')) problems.push({ key: 'token', message: 'is never looked at: auth does not list bearer' });
  if (isUnused('certificate', 'certificate')) problems.push({ key: 'certificate', message: 'is never looked at: auth does not list certificate' });
  if (auths.length === 0 && has('username') && (has('token') || has('certificate'))) problems.push({ key: 'auth', message: 'is missing; a client with several ways in says which of them count, e.g. [basic, bearer]' });
  return problems;
}

const WAYS_IN = ['username', 'password', 'passwordHash', 'token', 'certificate'];
