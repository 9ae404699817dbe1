import { shellWord } from '../setup/quoting.ts';
import { shown } from '../terminal.ts';
import { headLines } from './export-shape.ts';
import type { ExportWriter } from './export-shape.ts';
import { ZIMBRA_FIELDS, zimbraContact, zimbraContacts } from './zimbra-contact.ts';

/** Zimbra has no mail contacts in its directory: they are in a folder of an account that the domain may read. */
const FOLDER = '/Other sides';

/**
 * Lines for a shell of the user zimbra: a shared folder of contacts, emptied and filled again, because zmprov can name a contact by its number only.
 *
 * `zmprov sm ACCOUNT …` runs a command of zmmailbox: createContact, emptyFolder, createFolder, modifyFolderGrant (ZMailboxUtil).
 */
export const zimbraZmprov: ExportWriter = function* (question) {
  const { difference, account, system } = question;
  const folder = shellWord(FOLDER);
  const owner = shellWord(account);
  yield* headLines(question, [
    'With zimbraGalMode both, and the LDAP face of the bridge as zimbraGalLdapURL, none of this is needed: everybody completes at once and stays current.',
    `Else: an account whose folder "${FOLDER.slice(1)}" everybody may read. Once, with a password of your own (another account: --account):`,
    `  zmprov ca ${owner} 'THE-PASSWORD' zimbraHideInGal TRUE`,
    `  zmprov sm ${owner} createFolder --view contact ${folder}`,
    ...system.domains.map((domain) => `  zmprov sm ${owner} modifyFolderGrant ${folder} domain ${shellWord(domain)} r`),
    '  Users add it by Share, or an administrator mounts it; with "include shared address books" in their preferences it completes.',
    'The lines below fill that folder anew.',
  ]);
  for (const remark of difference.remarks) yield `# CAUTION: ${shown(remark)}`;
  for (const { address } of difference.remove) yield `# CAUTION: a directory of ${system.name} shows ${address}, which no other side knows any more: remove it where that directory has it from`;
  yield `zmprov sm ${owner} emptyFolder ${folder}`;
  for (const wanted of zimbraContacts(difference)) {
    const fields = zimbraContact(wanted).flatMap((value, index) => (value === '' ? [] : [ZIMBRA_FIELDS[index]!, shellWord(notOption(value))]));
    yield `zmprov sm ${owner} createContact --folder ${folder} ${fields.join(' ')}`;
  }
};

/** commons-cli takes what begins with a hyphen for an option; a blank before it changes nobody's name. */
function notOption(value: string): string {
  return value.startsWith('-') ? ` ${value}` : value;
}
