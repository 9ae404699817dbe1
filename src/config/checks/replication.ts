import { parseMailboxAddress } from '../../directory/smtp-address.ts';
import { formatPath } from '../key-path.ts';
import { listed } from '../problems.ts';
import type { Problem } from '../problems.ts';
import { namesSystem } from './names-system.ts';
import { mapOf, textOf, textsOf } from './outline.ts';
import type { Outline, RawMap } from './outline.ts';

/** Both ends are systems, different ones, that can do it; no pair twice; nobody is included and excluded. */
export function checkReplication({ top, systems, replication }: Outline): readonly Problem[] {
  const problems: Problem[] = [];
  const pairs = new Map<string, number>();
  const byName = new Map(systems.map(({ name, keys }) => [name, keys]));
  for (const { index, keys } of replication) {
    const at = ['replication', index] as const;
    const from = textOf(keys['from']);
    const to = textOf(keys['to']);
    const choice = mapOf(keys['mailboxes']) ?? {};
    // With `systems` missing, every reference would be a mistake that is none.
    if (top['systems'] !== undefined) problems.push(...ends(at, from, to, byName), ...foreignPrincipals(at, from, choice, byName));
    if (from !== undefined && to !== undefined) problems.push(...pair(at, from, to, pairs));
    problems.push(...bothWays(at, choice));
  }
  return [...problems, ...targetsWithoutTemplate(byName, replication)];
}

type At = readonly ['replication', number];
type Systems = ReadonlyMap<string, RawMap>;

const SINKS: readonly unknown[] = ['exchange-webdav', 'exchange-ews'];
const NO_SINKS: readonly unknown[] = ['zimbra', 'ifb'];

function ends(at: At, from: string | undefined, to: string | undefined, systems: Systems): readonly Problem[] {
  const named = Object.entries({ from, to }).filter((end): end is [string, string] => end[1] !== undefined && end[1] !== '');
  const type = to === undefined ? undefined : systems.get(to)?.['type'];
  return [
    ...named.flatMap(([key, name]) => (systems.has(name) ? [] : namesSystem([...at, key], name, [...systems.keys()]))),
    ...(to !== undefined && NO_SINKS.includes(type)
      ? [{ path: [...at, 'to'], message: `${listed([to])} is of type ${String(type)}; replication writes into exchange-webdav and exchange-ews only` }]
      : []),
  ];
}

function pair(at: At, from: string, to: string, seen: Map<string, number>): readonly Problem[] {
  if (from === to) return [{ path: [...at, 'to'], message: 'is the same as from; a system is replicated into another one' }];
  const key = JSON.stringify([from, to]);
  const first = seen.get(key);
  if (first !== undefined) return [{ path: [...at, 'to'], message: `is what replication[${first}] says already: the same from and the same to; put both entries into one` }];
  seen.set(key, at[1]);
  return [];
}

function foreignPrincipals(at: At, from: string | undefined, choice: RawMap, systems: Systems): readonly Problem[] {
  const home = from === undefined ? undefined : systems.get(from);
  if (from === undefined || home === undefined || choice['only'] !== 'foreign-principal') return [];
  const path = [...at, 'mailboxes', 'only'];
  if (home['type'] !== 'zimbra') return [{ path, message: `foreign principals are Zimbra's, and ${listed([from])} is no zimbra; leave it out, or write only: all` }];
  if (home['admin'] !== undefined) return [];
  const admin = `${formatPath(['systems', from, 'admin'])}: { username, password }`;
  return [{ path, message: `needs ${admin}, because nobody but Zimbra's admin service tells the foreign principals; without it write only: all` }];
}

function bothWays(at: At, choice: RawMap): readonly Problem[] {
  const excluded = new Set(textsOf(choice['exclude']).map(({ text }) => parseMailboxAddress(text)));
  return textsOf(choice['include']).flatMap(({ index, text }) => {
    const address = parseMailboxAddress(text);
    if (address === undefined || !excluded.has(address)) return [];
    return [{ path: [...at, 'mailboxes', 'include', index], message: 'is under exclude too; leave it out of one of them' }];
  });
}

function targetsWithoutTemplate(systems: Systems, replication: Outline['replication']): readonly Problem[] {
  const targets = new Map<string, number>();
  for (const { index, keys } of replication) {
    const to = textOf(keys['to']);
    if (to !== undefined && !targets.has(to)) targets.set(to, index);
  }
  return [...targets].flatMap(([name, index]) => {
    const keys = systems.get(name) ?? {};
    // Of lookup: public-folder checks/systems.ts says it.
    if (!SINKS.includes(keys['type']) || keys['legacyExchangeDn'] !== undefined || keys['lookup'] === 'public-folder') return [];
    const example = '/o=Corp/ou=First Administrative Group/cn=Recipients/cn={localPart}';
    return [{ path: ['systems', name, 'legacyExchangeDn'], message: `is missing; replication[${index}] writes into this system and needs it, e.g. ${example}` }];
  });
}
