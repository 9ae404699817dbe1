import { ALL_OPERATIONAL_ATTRIBUTES, PAGED_RESULTS, START_TLS, TRUE_FALSE_FILTERS, WHO_AM_I } from '../names.ts';
import type { Rdn } from './distinguished-name.ts';
import type { View } from './shown-entry.ts';
import { entryAttributeFinder } from './entry-attributes.ts';
import { staticEntry } from './static-entry.ts';
import type { StaticEntry } from './static-entry.ts';

/**
 * What the server is (RFC 4512 §5.1): the one entry that is shown to anybody. Its attributes are operational by the specification; Active Directory shows them without being asked for `+`,
 * and clients that say `*` expect it. There are no SASL mechanisms, so there is no supportedSASLMechanisms; no schema is published, because clients that
 * find one (python3-ldap3) refuse to ask for anything that is not in it.
 */
export function rootDse(base: string, offersStartTls: boolean): StaticEntry {
  return staticEntry(
    '',
    {
      objectClass: ['top'],
      namingContexts: [base],
      defaultNamingContext: [base],
      supportedLDAPVersion: ['3'],
      supportedControl: [PAGED_RESULTS],
      supportedExtension: [...(offersStartTls ? [START_TLS] : []), WHO_AM_I],
      supportedFeatures: [ALL_OPERATIONAL_ATTRIBUTES, TRUE_FALSE_FILTERS],
      vendorName: ['freebusy-bridge'],
    },
    {},
  );
}

/** Classes of the base by the type of its first step. */
const CLASS_OF: Readonly<Record<string, readonly string[]>> = { dc: ['domain'], ou: ['organizationalUnit'], o: ['organization'], c: ['country'], cn: ['container'] };

/** The base: what holds all entries, so that clients can browse. Filters about people's attributes are False of it. */
export function baseEntry(base: string, [first = []]: readonly Rdn[], view: View): StaticEntry {
  const classes = CLASS_OF[first[0]?.[0] ?? ''] ?? ['extensibleObject'];
  const named = Object.fromEntries(first.map(([type, value]) => [type, [value]]));
  return staticEntry(base, { objectClass: ['top', ...classes], ...named }, { entryDN: [base], structuralObjectClass: classes, hasSubordinates: ['TRUE'] }, entryAttributeFinder(view));
}
