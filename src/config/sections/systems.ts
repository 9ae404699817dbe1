import * as z from 'zod';
import type { SystemConfig } from '../config.ts';
import { Mistake, readWord } from '../fields/field.ts';
import { SYSTEM_NAME } from '../fields/names.ts';
import type { Surroundings } from '../surroundings.ts';
import { exchangeEws, exchangeWebdav } from './exchange.ts';
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
  return entries.map(([name, { tls, ...keys }]): SystemConfig => {
    const base = { name, domains: [...new Set(keys.domains)], mailboxes: [...new Set(keys.mailboxes)], ca: tls?.ca };
    if (keys.type !== 'ifb') return { ...keys, ...base };
    const { url, ...rest } = keys;
    return { ...rest, ...base, urlTemplate: url };
  });
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
