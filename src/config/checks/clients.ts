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
    const stray = ['username', 'password', 'auth'].filter((key) => keys[key] !== undefined);
    const problems = stray.map((key) => ({ key, message: 'does not go with anonymous: true; leave one of them out' }));
    if (keys['addresses'] !== undefined) return problems;
    const message = 'is missing; an anonymous client is known by nothing but its addresses, e.g. [10.0.0.0/8]';
    return [...problems, { key: 'addresses', message }];
  }
  return ['username', 'password']
    .filter((key) => keys[key] === undefined)
    .map((key) => ({ key, message: 'is missing; a client has username and password, or anonymous: true with addresses' }));
}
