import { quoted } from '../key-path.ts';
import type { Problem } from '../problems.ts';
import { textOf, textsOf } from './outline.ts';
import type { Outline } from './outline.ts';

/** A zimbra system may do without an account only as long as nobody reads it. */
export function checkAccounts(outline: Outline): readonly Problem[] {
  return outline.systems.flatMap(({ name, keys }) => {
    const reader = keys['type'] === 'zimbra' ? readerOf(name, outline) : undefined;
    if (reader === undefined) return [];
    return ['username', 'password']
      .filter((key) => keys[key] === undefined)
      .map((key) => ({ path: ['systems', name, key], message: `is missing; ${reader}, so it needs an account to read with` }));
  });
}

/** Who reads a system, for the message; a client before a replication. */
function readerOf(system: string, { clients, replication }: Outline): string | undefined {
  const asker = clients.find((client) => textsOf(client.keys['mayAsk']).some(({ text }) => text === system));
  if (asker !== undefined) return `the client ${quoted(textOf(asker.keys['name']) ?? `clients[${asker.index}]`)} may ask this system`;
  const route = replication.find(({ keys }) => keys['from'] === system);
  // Never the admin account: it sees what a user denies.
  return route === undefined ? undefined : `replication[${route.index}] reads this system, and never as admin`;
}
