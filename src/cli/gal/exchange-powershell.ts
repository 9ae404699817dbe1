import type { SourceEntry } from '../../directory/entry-source.ts';
import type { ContactChange, WantedContact } from '../../gal/contact-difference.ts';
import { powerShell } from '../setup/quoting.ts';
import { shown } from '../terminal.ts';
import { adDetails } from './ad-details.ts';
import { commonName, newAliases } from './contact-names.ts';
import { headLines } from './export-shape.ts';
import type { ExportWriter } from './export-shape.ts';

/** Of New-MailContact itself; the others need Set-Contact. */
const OF_NEW = ['FirstName', 'LastName'];

/**
 * Lines for the Exchange Management Shell (2007 and later, Exchange Online): New-MailContact with Set-Contact, Set-MailContact, Remove-MailContact, which asks back.
 * @see https://learn.microsoft.com/powershell/module/exchange/new-mailcontact
 */
export const exchangePowerShell: ExportWriter = function* (question) {
  const { add, change, remove, remarks } = question.difference;
  yield* headLines(question, ['Read it, then enter it in the Exchange Management Shell. Every removal asks back.']);
  for (const remark of remarks) yield `# CAUTION: ${shown(remark)}`;
  const aliases = newAliases(question.difference);
  for (const wanted of add) yield* newContact(wanted, aliases.get(wanted.entry.address)!);
  for (const changed of change) yield setContact(changed);
  for (const present of remove) yield removeContact(present);
};

function* newContact({ entry, externalAddress }: WantedContact, alias: string): Iterable<string> {
  const { fitting, tooLong } = adDetails(entry);
  yield* tooLong;
  const parameters = (wanted: boolean): string => fitting.filter(({ parameter }) => OF_NEW.includes(parameter) === wanted).map(({ parameter, value }) => ` -${parameter} ${literal(value)}`).join('');
  const primary = externalAddress === entry.address ? '' : ` -PrimarySmtpAddress ${powerShell(entry.address)}`;
  yield `New-MailContact -Name ${powerShell(commonName(entry.address))} -DisplayName ${literal(entry.name)} -Alias ${powerShell(alias)} -ExternalEmailAddress ${powerShell(`SMTP:${externalAddress}`)}${primary}${parameters(true)}`;
  if (parameters(false) !== '') yield `Set-Contact -Identity ${powerShell(entry.address)}${parameters(false)}`;
}

function setContact({ present, name, targetAddress }: ContactChange): string {
  const display = name === undefined ? '' : ` -DisplayName ${literal(name)}`;
  const external = targetAddress === undefined ? '' : ` -ExternalEmailAddress ${powerShell(`SMTP:${targetAddress}`)}`;
  return `Set-MailContact -Identity ${powerShell(present.address)}${display}${external}`;
}

function removeContact(present: SourceEntry): string {
  return `Remove-MailContact -Identity ${powerShell(present.address)} -Confirm`;
}

/** Names are others' text: nothing in them may end the line or hide what stands behind. */
function literal(text: string): string {
  return powerShell(shown(text));
}
