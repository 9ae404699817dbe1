import * as z from 'zod';
import { LIMITS } from '../../core/limits.ts';
import { LDAP_ATTRIBUTE_KEYS, LDAP_ATTRIBUTE_SYNONYMS } from '../config.ts';
import type { GalConfig, GalSourceConfig } from '../config.ts';
import { flag, oneOf, text } from '../fields/field.ts';
import { integer } from '../fields/integer.ts';
import { ldapAddress } from '../fields/ldap-url.ts';
import { line } from '../fields/names.ts';
import { path } from '../fields/path.ts';
import { certificateFile } from '../fields/pem.ts';
import { chosen, list, section } from '../fields/section.ts';
import { secret } from '../fields/secret-field.ts';
import type { Surroundings } from '../surroundings.ts';

/** `gal:`, the unified address book. What goes together and which systems there are: checks/gal.ts. */
export function gal(surroundings: Surroundings) {
  return section({
    sources: list(source(surroundings)).default([]),
    ldap: section({ listen: ldapAddress('ldap://127.0.0.1:3890', { mayBeFree: true }), base: distinguishedName().default('dc=bridge') }).optional(),
    search: section({
      minimumLength: integer({ min: 1, max: LIMITS.searchMinimumLength }).default(1),
      results: integer({ min: 1, max: LIMITS.searchResults.max }).default(LIMITS.searchResults.default),
      perMinute: integer({ min: 1, max: LIMITS.searchesPerMinute.max }).default(LIMITS.searchesPerMinute.default),
    }).prefault({}),
  }).prefault({});
}

/** A system's own directory, or one of those that have a type. */
function source(surroundings: Surroundings): z.ZodType<GalSourceConfig> {
  const home = line('the name of the system where its mailboxes live').optional();
  const ofSystem = section({ system: line('the name of a system') }).transform(({ system }): GalSourceConfig => ({ kind: 'system', system }));
  const ofLdap = section({
    type: oneOf(['ldap']),
    url: ldapAddress('ldaps://dc.corp.example', { mayBeFree: false }),
    base: distinguishedName(),
    bindDn: line('the DN or the user name to sign in with').optional(),
    password: secret(surroundings).optional(),
    startTls: flag().default(false),
    tls: section({ ca: certificateFile(surroundings) }).optional(),
    filter: text('an LDAP filter in parentheses, e.g. (mail=*)', (value) => (isFilter(value) ? value : undefined)).optional(),
    attributes: section(Object.fromEntries([...LDAP_ATTRIBUTE_KEYS, ...Object.values(LDAP_ATTRIBUTE_SYNONYMS).flat()].map((key) => [key, attributeName().optional()]))).default({}),
    home,
  }).transform(({ type: kind, tls, attributes, ...rest }): GalSourceConfig => ({ kind, ...rest, ca: tls?.ca, attributes: namedAttributes(attributes) }));
  const ofFile = section({ type: oneOf(['file']), path: path('a file of addresses (.ldif, .csv or .vcf)', surroundings), home }).transform(
    ({ type: kind, ...rest }): GalSourceConfig => ({ kind, ...rest }),
  );
  // Says what is wrong with the type; what the other keys should be depends on it.
  const untyped = z.looseObject({ type: oneOf(['ldap', 'file']) }).transform((): never => z.NEVER);
  return chosen((value) => {
    const keys = typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : {};
    if (keys['type'] === 'ldap') return ofLdap;
    if (keys['type'] === 'file') return ofFile;
    return keys['type'] === undefined && 'system' in keys ? ofSystem : untyped;
  });
}

/** One pair of parentheses around everything, and every pair closed: those of values are written `\28` and `\29` (RFC 4515). A parser that forgives would ask for something else. */
function isFilter(text: string): boolean {
  let depth = 0;
  for (const [index, one] of [...text].entries()) {
    if (one === '\0' || (depth === 0 && (index > 0 || one !== '('))) return false;
    depth += one === '(' ? 1 : one === ')' ? -1 : 0;
  }
  return text !== '' && depth === 0;
}

function distinguishedName() {
  const right = 'a distinguished name, e.g. dc=corp,dc=example';
  return text(right, (value) => (value.length <= LIMITS.entryIdCharacters && DISTINGUISHED_NAME.test(value) ? value : undefined));
}

/** Steps of type and value between commas (or what RFC 2253 took for one); what else is wrong with a value says whoever uses it. */
const STEP = '\\s*[A-Za-z][\\w.-]*\\s*=(?:\\s*"[^"\\u0000-\\u001f]*"\\s*|(?:\\\\.|[^",;+\\\\\\u0000-\\u001f\\u007f])+)';
const DISTINGUISHED_NAME = new RegExp(`^${STEP}(?:[,;+]${STEP})*$`);

function attributeName() {
  return text("the name of one of the directory's attributes", (value) => (/^[A-Za-z0-9][A-Za-z0-9.-]{0,127}$/.test(value) ? value : undefined));
}

/** By our own names, whatever they were called. */
function namedAttributes(attributes: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  const strongest = (key: (typeof LDAP_ATTRIBUTE_KEYS)[number]): string | undefined => [key, ...(LDAP_ATTRIBUTE_SYNONYMS[key] ?? [])].map((name) => attributes[name]).find((one) => one !== undefined);
  return Object.fromEntries(LDAP_ATTRIBUTE_KEYS.flatMap((key) => (strongest(key) === undefined ? [] : [[key, strongest(key)!]])));
}

/** Undefined where no source is configured: then no address book is kept. */
export function settledGal({ sources, ldap, search }: z.output<ReturnType<typeof gal>>): GalConfig {
  return { sources, ldap, search };
}
