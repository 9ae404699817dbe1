import type { ExportWriter } from './export-shape.ts';
import { csvRow } from './write-csv.ts';
import { ZIMBRA_FIELDS, zimbraContact, zimbraContacts } from './zimbra-contact.ts';

/** CSV as Zimbra imports contacts without being told another format: the fields by their own names. For `zmmailbox -z -m ACCOUNT postRestURL '/FOLDER?fmt=csv' FILE`, or Preferences → Import. */
export const zimbraCsv: ExportWriter = function* ({ difference }) {
  yield csvRow(ZIMBRA_FIELDS);
  for (const wanted of zimbraContacts(difference)) yield csvRow(zimbraContact(wanted));
};
