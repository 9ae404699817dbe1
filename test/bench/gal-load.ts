import { Client } from 'ldapts';
import { Pool } from 'undici';
import { answerMessages } from './child-process.ts';
import type { GalRequest } from './gal-questions.ts';

/** Questions in turn, so many a second whatever the answers take. */
export interface GalLoad {
  readonly perSecond: number;
  readonly durationMs: number;
  readonly connections: number;
  readonly http?: { readonly origin: string; readonly headers: Readonly<Record<string, string>>; readonly requests: readonly GalRequest[]; readonly found: string };
  readonly ldap?: { readonly url: string; readonly bindDn: string; readonly password: string; readonly base: string; readonly prefixes: readonly string[]; readonly sizeLimit: number };
}

export interface GalLoadResult {
  /** In ms, each from the moment when its request was due. */
  readonly latencies: readonly number[];
  /** Answers that are not the right one. */
  readonly failures: number;
  /** The first of them. */
  readonly failure: string | undefined;
}

/** Asks question `number`; undefined for the right answer, else what came. */
interface Asker {
  ask(number: number): Promise<string | undefined>;
  close(): Promise<unknown>;
}

answerMessages(async ({ perSecond, durationMs, connections, http, ldap }: GalLoad): Promise<GalLoadResult> => {
  const asker = http !== undefined ? httpAsker(http, connections) : await ldapAsker(ldap!, connections);
  const latencies: number[] = [];
  const failures: string[] = [];
  const answers: Promise<void>[] = [];
  const started = performance.now();
  for (let sent = 0; sent < (perSecond * durationMs) / 1000; sent++) {
    const due = started + (sent * 1000) / perSecond;
    const wait = due - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    answers.push(
      asker.ask(sent).catch(String).then((wrong) => {
        latencies.push(performance.now() - due);
        if (wrong !== undefined) failures.push(wrong);
      }),
    );
  }
  await Promise.all(answers);
  await asker.close();
  return { latencies, failures: failures.length, failure: failures[0]?.slice(0, 300) };
});

function httpAsker({ origin, headers, requests, found }: NonNullable<GalLoad['http']>, connections: number): Asker {
  const pool = new Pool(origin, { connections, pipelining: 1 });
  return {
    ask: async (number) => {
      const { method, path, body = null } = requests[number % requests.length]!;
      const answer = await pool.request({ method, path, headers, body });
      const text = await answer.body.text();
      return answer.statusCode === 200 && text.includes(found) ? undefined : `${path}: ${answer.statusCode} ${text}`;
    },
    close: () => pool.close(),
  };
}

/** As a stock Zimbra asks an external directory (zimbra.md §6.3, externalLdapAutoComplete). */
async function ldapAsker({ url, bindDn, password, base, prefixes, sizeLimit }: NonNullable<GalLoad['ldap']>, connections: number): Promise<Asker> {
  const attributes = ['displayName', 'cn', 'givenName', 'gn', 'sn', 'mail', 'title', 'company', 'ou', 'telephoneNumber', 'modifyTimeStamp', 'createTimeStamp', 'objectClass'];
  const clients = await Promise.all(
    Array.from({ length: connections }, async () => {
      const client = new Client({ url });
      await client.bind(bindDn, password);
      return client;
    }),
  );
  return {
    ask: async (number) => {
      const key = prefixes[number % prefixes.length]!;
      const filter = `(|(cn=${key}*)(sn=${key}*)(gn=${key}*)(mail=${key}*))`;
      try {
        const { searchEntries } = await clients[number % connections]!.search(base, { scope: 'sub', filter, attributes, sizeLimit });
        return searchEntries.length > 0 ? undefined : `nobody begins with ${key}`;
      } catch (error) {
        // sizeLimitExceeded: there are more than so many, and so many have come.
        return (error as { readonly code?: number }).code === 4 ? undefined : String(error);
      }
    },
    close: () => Promise.all(clients.map((client) => client.unbind())),
  };
}
