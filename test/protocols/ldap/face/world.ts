import { BridgeError } from '../../../../src/core/errors.ts';
import { silentLogger } from '../../../../src/core/logger.ts';
import type { LogFields } from '../../../../src/core/logger.ts';
import { noMetrics } from '../../../../src/core/metrics.ts';
import type { GalRight, Requester } from '../../../../src/core/request-context.ts';
import type { Directory } from '../../../../src/directory/directory.ts';
import type { DirectoryEntry } from '../../../../src/directory/entry.ts';
import { fold, tokensOf, wordsOf } from '../../../../src/directory/words.ts';
import { LdapListener } from '../../../../src/protocols/ldap/endpoint.ts';
import type { LdapFaceServices, LdapTls } from '../../../../src/protocols/ldap/endpoint.ts';
import { entryOf, memoryDirectory } from '../../../directory/memory-directory.ts';

export const BASE = 'dc=bridge';
export const PASSWORD = 'face, secret';

/** Who may sign in: by user name in lower case. */
const CLIENTS: Readonly<Record<string, GalRight>> = { zimbra: 'sync', 'corp\\bridge': 'search', 'lee, kim': 'search', 'peer@corp.example': 'search', nogal: 'none' };

export function requesterNamed(username: string, gal: GalRight): Requester {
  return { name: username.toLowerCase(), username, from: 'outside', mayAsk: new Set(), detail: 'busy-type', anonymous: false, presence: 'none', gal };
}

export const PEOPLE: readonly DirectoryEntry[] = [
  entryOf('anna@corp.example', { name: 'Anna Müller', givenName: 'Anna', surname: 'Müller', nickname: 'annam', title: 'Head, "Sales"', department: 'Sales', company: 'Corp', phone: '+49 30 1234-5', city: 'Berlin', country: 'DE', aliases: ['a.mueller@corp.example'] }),
  entryOf('bernd@corp.example', { name: 'Bernd Annaberg', givenName: 'Bernd', surname: 'Annaberg', modifiedAt: Date.UTC(2026, 10, 20) }),
  entryOf('kim@zimbra.example', { name: '김 Kim (Board) *', home: 'zimbra', modifiedAt: Date.UTC(2026, 10, 20) }),
  entryOf('wang@corp.example', { name: '王小明', modifiedAt: Date.UTC(2026, 10, 20) }),
  entryOf('blue@corp.example', { name: 'Blue Room', kind: 'room', capacity: '8', modifiedAt: Date.UTC(2026, 10, 20) }),
  entryOf('beamer@corp.example', { name: 'Beamer', kind: 'equipment', modifiedAt: Date.UTC(2026, 10, 20) }),
  entryOf('sales@corp.example', { name: 'Sales team', kind: 'group', modifiedAt: Date.UTC(2026, 10, 20) }),
  entryOf('out@partner.example', { name: 'Outer Contact', kind: 'contact', home: undefined, modifiedAt: Date.UTC(2026, 10, 20) }),
];

/** As the real one finds people: by folded words (directory/words.ts); counts how often it was asked for what. */
export function directoryOf(entries: readonly DirectoryEntry[], options: { readonly results?: number; readonly minimumLength?: number; readonly asked?: string[] } = {}): Directory {
  const { results = 3, minimumLength = 1, asked = [] } = options;
  const memory = memoryDirectory(entries, {
    results,
    members: { 'sales@corp.example': ['anna@corp.example', 'kim@zimbra.example'] },
    dns: { 'anna@corp.example': '/o=Corp/ou=First/cn=Recipients/cn=anna' },
  });
  return {
    ...memory,
    allowance: (requester) => ({ ...memory.allowance(requester), minimumLength }),
    all: (requester) => {
      asked.push('all');
      return memory.all(requester);
    },
    search: ({ text, limit, offset = 0 }, requester) => {
      asked.push(text);
      const tokens = tokensOf(text);
      const fits = ({ name, givenName = '', surname = '', nickname = '', address, aliases }: DirectoryEntry): boolean => {
        const words = [...[name, givenName, surname, nickname].flatMap(wordsOf), ...[address, ...aliases].map(fold)];
        return tokens.every((token) => words.some((word) => word.startsWith(token)));
      };
      const found = tokens.length === 0 || Math.max(...tokens.map((token) => token.length)) < minimumLength ? [] : entries.filter(fits);
      const most = Math.min(limit, memory.allowance(requester).results);
      return { entries: found.slice(offset, offset + most), more: found.length > offset + most };
    },
  };
}

export interface FaceWorld {
  readonly listener: LdapListener;
  readonly port: number;
  readonly services: LdapFaceServices;
  readonly lines: (LogFields & { readonly message: string })[];
  readonly statuses: number[];
  readonly signIns: string[];
}

/** The face over a list of people, on a free port of loopback. */
export async function openFace(options: { readonly directory?: Directory; readonly tls?: LdapTls; readonly clock?: () => number; readonly enter?: LdapFaceServices['enter'] } = {}): Promise<FaceWorld> {
  const lines: (LogFields & { readonly message: string })[] = [];
  const statuses: number[] = [];
  const signIns: string[] = [];
  const note = (fields: LogFields, message: string): void => void lines.push({ ...fields, message });
  const services: LdapFaceServices = {
    directory: options.directory ?? directoryOf(PEOPLE),
    base: BASE,
    signIn: {
      withPassword: async (username, password, address) => {
        signIns.push(`${username} from ${address}`);
        const gal = CLIENTS[username.toLowerCase()];
        if (password === 'too often') throw new BridgeError('TOO_MANY_ATTEMPTS', 'too many failed attempts');
        if (gal === undefined || password !== PASSWORD) throw new BridgeError('AUTH_FAILED', 'wrong user name or password');
        return requesterNamed(username, gal);
      },
    },
    clock: { now: options.clock ?? (() => Date.now()) },
    logger: { ...silentLogger, info: note, warn: note, error: note },
    metrics: { ...noMetrics, request: (_face, status) => void statuses.push(status) },
    ...(options.enter === undefined ? {} : { enter: options.enter }),
  };
  const listener = await LdapListener.open({ host: '127.0.0.1', port: 0 }, options.tls, services);
  return { listener, port: Number(/:(\d+)$/.exec(listener.url)![1]), services, lines, statuses, signIns };
}
