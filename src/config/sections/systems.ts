import * as z from 'zod';
import { parseMailboxAddress } from '../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { SystemConfig } from '../config.ts';
import { Mistake, readWord } from '../fields/field.ts';
import { SYSTEM_NAME } from '../fields/names.ts';
import type { Surroundings } from '../surroundings.ts';
import { exchangeEws, exchangeWebdav, settledSignIn } from './exchange.ts';
import { ifb } from './ifb.ts';
import { zimbra } from './zimbra.ts';

const TYPES = ['zimbra', 'exchange-webdav', 'exchange-ews', 'ifb'] as const;
const LATER_TYPES = ['microsoft-graph', 'caldav'];

/** `systems:`, name → system. */
export function systems(surroundings: Surroundings) {
  const kinds = [zimbra(surroundings), exchangeWebdav(surroundings), exchangeEws(surroundings), ifb(surroundings)] as const;
  const system = z.discriminatedUnion('type', kinds, {
    error: (issue) => (issue.code === 'invalid_union' ? typeMistake(issue.input) : undefined),
  });
  return z.record(z.string().regex(SYSTEM_NAME), system);
}

export type SystemsOutput = z.output<ReturnType<typeof systems>>;

/** The systems in the order given, each with its name. (Zod's own order is that in which their files were read.) */
export function namedSystems(output: SystemsOutput, order: readonly string[]): readonly SystemConfig[] {
  const entries = Object.entries(output).sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
  return entries.map(([name, { tls, cacheFor, staleFor, ...keys }]): SystemConfig => {
    const base = { name, domains: [...new Set(keys.domains)], mailboxes: [...new Set(keys.mailboxes)], ca: tls?.ca, minTlsVersion: tls?.minVersion, cacheForMs: cacheFor, staleForMs: staleFor };
    switch (keys.type) {
      case 'zimbra':
        return { ...keys, ...base };
      case 'ifb': {
        const { url, ...rest } = keys;
        return { ...rest, ...base, urlTemplate: url };
      }
      case 'exchange-webdav': {
        const { url, auth, username, password, ...rest } = keys;
        return { ...rest, ...base, servers: url, username, signIn: settledSignIn(auth, { username, password }, [], undefined) };
      }
      case 'exchange-ews': {
        const { url, autodiscover, auth, username, password, accounts, oauth, ...rest } = keys;
        const first = username === undefined || password === undefined ? undefined : { username, password };
        const found = autodiscover === undefined || autodiscover === false ? undefined : { url: autodiscover.url, mailbox: autodiscover.mailbox ?? soughtMailbox(username, keys)! };
        const known = first?.username ?? keys.impersonate ?? oauth?.clientId ?? '';
        return { ...rest, ...base, servers: url ?? [], autodiscover: found, username: known, signIn: settledSignIn(auth, first, accounts, oauth) };
      }
    }
  });
}

/** Whose server Autodiscover is asked for where nobody is named; undefined where there is no address to go by. */
export function soughtMailbox(username: string | undefined, keys: { readonly impersonate?: MailboxAddress | undefined; readonly mailboxes: readonly MailboxAddress[] }): MailboxAddress | undefined {
  return keys.impersonate ?? parseMailboxAddress(username ?? '') ?? keys.mailboxes[0];
}

function typeMistake(system: unknown): string {
  const type = (system as { readonly type?: unknown }).type;
  const right = `one of ${TYPES.join(', ')}`;
  if (type === undefined || type === null) return `is missing; it should be ${right}`;
  if (typeof type !== 'string') return `should be ${right}`;
  try {
    return readWord(type, TYPES, LATER_TYPES);
  } catch (error) {
    if (error instanceof Mistake) return error.message;
    throw error;
  }
}
