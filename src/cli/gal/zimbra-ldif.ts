import type { WantedContact } from '../../gal/contact-difference.ts';
import { escapeDnValue } from '../../protocols/ldap/face/distinguished-name.ts';
import { shown } from '../terminal.ts';
import { dnOf } from './exchange-ldif.ts';
import { headLines } from './export-shape.ts';
import type { ExportWriter } from './export-shape.ts';
import { ldifLine } from './write-ldif.ts';

/** LDIF of changes for an LDAP server that Zimbra asks beside its own (`zimbraGalMode both`): inetOrgPerson, as Zimbra's default attribute map reads it. */
export const zimbraLdif: ExportWriter = function* (question) {
  const { add, change, remove, remarks } = question.difference;
  yield* headLines(question, [`For an LDAP server of your own that Zimbra has as zimbraGalLdapURL; new ones stand below ${shown(question.base)} (--base). The LDAP face of the bridge does the same without any of this.`]);
  for (const remark of remarks) yield `# CAUTION: ${shown(remark)}`;
  for (const wanted of add) yield* added(wanted, question.base);
  for (const { present, name, targetAddress } of change) {
    const dn = dnOf(present);
    yield '';
    if (dn === undefined) {
      yield `# CAUTION: ${present.address}: its source gives no DN: change it by hand`;
      continue;
    }
    yield* ldifLine('dn', dn);
    yield 'changetype: modify';
    for (const [attribute, value] of [['displayName', name], ['mail', targetAddress]] as const) {
      if (value === undefined) continue;
      yield `replace: ${attribute}`;
      yield* ldifLine(attribute, value);
      yield '-';
    }
  }
  for (const present of remove) {
    const dn = dnOf(present);
    yield '';
    if (dn === undefined) yield `# CAUTION: ${present.address}: its source gives no DN: remove it by hand`;
    else {
      yield* ldifLine('dn', dn);
      yield 'changetype: delete';
    }
  }
};

function* added({ entry }: WantedContact, base: string): Iterable<string> {
  const attributes: readonly (readonly [string, string | undefined])[] = [
    ['changetype', 'add'],
    ['objectClass', 'inetOrgPerson'],
    ['cn', entry.name],
    // The schema wants one.
    ['sn', entry.surname ?? entry.name],
    ['displayName', entry.name],
    ['mail', entry.address],
    ['givenName', entry.givenName],
    ['title', entry.title],
    ['o', entry.company],
    ['ou', entry.department],
    ['physicalDeliveryOfficeName', entry.office],
    ['telephoneNumber', entry.phone],
    ['mobile', entry.mobile],
  ];
  yield '';
  yield* ldifLine('dn', `mail=${escapeDnValue(entry.address)},${base}`);
  for (const [attribute, value] of attributes) if (value !== undefined) yield* ldifLine(attribute, value);
}
