import type { SourceEntry } from '../../directory/entry-source.ts';
import type { ContactChange, WantedContact } from '../../gal/contact-difference.ts';
import { escapeDnValue } from '../../protocols/ldap/face/distinguished-name.ts';
import { shown } from '../terminal.ts';
import { adDetails } from './ad-details.ts';
import { commonName, newAliases } from './contact-names.ts';
import { headLines } from './export-shape.ts';
import type { ExportWriter } from './export-shape.ts';
import { ldifLine } from './write-ldif.ts';

/** LDIF of changes for `ldifde -i -f` or `ldapmodify`: contacts of Active Directory with Exchange's attributes. Exchange's own services add the rest (Update-Recipient). */
export const exchangeLdif: ExportWriter = function* (question) {
  const { add, change, remove, remarks } = question.difference;
  yield* headLines(question, [`New ones stand below ${shown(question.base)} (--base). Enter it with: ldifde -i -f FILE, then in the Exchange Management Shell Get-MailContact | Update-Recipient`]);
  for (const remark of remarks) yield `# CAUTION: ${shown(remark)}`;
  const aliases = newAliases(question.difference);
  for (const wanted of add) yield* added(wanted, aliases.get(wanted.entry.address)!, question.base);
  for (const changed of change) yield* modified(changed);
  for (const present of remove) yield* deleted(present);
};

function* added({ entry, externalAddress }: WantedContact, alias: string, base: string): Iterable<string> {
  const { fitting, tooLong } = adDetails(entry);
  const name = commonName(entry.address);
  yield '';
  yield* tooLong;
  yield* ldifLine('dn', `CN=${escapeDnValue(name)},${base}`);
  const attributes: readonly (readonly [string, string])[] = [
    ['changetype', 'add'],
    ['objectClass', 'contact'],
    ['cn', name],
    ['displayName', entry.name],
    ...fitting.map(({ ldap, value }) => [ldap, value] as const),
    ['mailNickname', alias],
    ['mail', entry.address],
    ['targetAddress', `SMTP:${externalAddress}`],
    ['proxyAddresses', `SMTP:${entry.address}`],
    ...(externalAddress === entry.address ? [] : [['proxyAddresses', `smtp:${externalAddress}`] as const]),
  ];
  for (const [attribute, value] of attributes) yield* ldifLine(attribute, value);
}

/** Its proxy addresses go along with a new target: what was primary stays as an alias, so that answers to old mail arrive. */
function* modified({ present, name, targetAddress }: ContactChange): Iterable<string> {
  const dn = dnOf(present);
  yield '';
  if (dn === undefined) {
    const what = [name === undefined ? '' : ` to the name ${shown(name)}`, targetAddress === undefined ? '' : ` to the target ${targetAddress}`].join('');
    yield `# CAUTION: ${present.address}: its source gives no DN: change it by hand${what}`;
    return;
  }
  yield* ldifLine('dn', dn);
  yield 'changetype: modify';
  if (name !== undefined) yield* replacing('displayName', name);
  if (targetAddress === undefined) return;
  yield* replacing('targetAddress', `SMTP:${targetAddress}`);
  if (present.address === targetAddress) return;
  yield* replacing('mail', targetAddress);
  const gone = [`SMTP:${present.address}`, ...(present.aliases?.includes(targetAddress) === true ? [`smtp:${targetAddress}`] : [])];
  yield 'delete: proxyAddresses';
  for (const value of gone) yield* ldifLine('proxyAddresses', value);
  yield '-';
  yield 'add: proxyAddresses';
  for (const value of [`SMTP:${targetAddress}`, `smtp:${present.address}`]) yield* ldifLine('proxyAddresses', value);
  yield '-';
}

function* replacing(attribute: string, value: string): Iterable<string> {
  yield `replace: ${attribute}`;
  yield* ldifLine(attribute, value);
  yield '-';
}

function* deleted(present: SourceEntry): Iterable<string> {
  const dn = dnOf(present);
  yield '';
  if (dn === undefined) {
    yield `# CAUTION: ${present.address}: its source gives no DN: remove it by hand`;
    return;
  }
  yield* ldifLine('dn', dn);
  yield 'changetype: delete';
}

/** Lower case, as sources give it: no directory minds. */
export function dnOf({ ref }: SourceEntry): string | undefined {
  return ref?.includes('=') === true ? ref : undefined;
}
