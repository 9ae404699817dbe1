import { shown } from '../terminal.ts';
import { adDetails } from './ad-details.ts';
import { commonName, newAliases } from './contact-names.ts';
import type { ExportWriter } from './export-shape.ts';
import { csvRow } from './write-csv.ts';

const DETAILS = ['FirstName', 'LastName', 'Title', 'Department', 'Company', 'Office', 'Phone', 'MobilePhone'];

/** CSV for `Import-Csv`: columns are named as the parameters of New-MailContact and Set-Contact, before them what is to be done (add, change, remove) and with whom. */
export const exchangeCsv: ExportWriter = function* ({ difference }) {
  const { add, change, remove } = difference;
  const aliases = newAliases(difference);
  yield csvRow(['Action', 'Identity', 'Name', 'DisplayName', 'Alias', 'ExternalEmailAddress', 'PrimarySmtpAddress', ...DETAILS]);
  for (const { entry, externalAddress } of add) {
    const { fitting } = adDetails(entry);
    const details = DETAILS.map((name) => shown(fitting.find(({ parameter }) => parameter === name)?.value ?? ''));
    yield csvRow(['add', entry.address, commonName(entry.address), shown(entry.name), aliases.get(entry.address)!, `SMTP:${externalAddress}`, entry.address, ...details]);
  }
  for (const { present, name, targetAddress } of change) yield csvRow(['change', present.address, '', shown(name ?? ''), '', targetAddress === undefined ? '' : `SMTP:${targetAddress}`, '', ...DETAILS.map(() => '')]);
  for (const { address } of remove) yield csvRow(['remove', address, '', '', '', '', '', ...DETAILS.map(() => '')]);
};
