import { BER } from '../ber-read.ts';
import { BerWriter } from '../ber-write.ts';
import { OPERATION } from '../names.ts';
import type { SelectedAttribute } from './attribute-selection.ts';

/** A whole message with one entry that was found (RFC 4511 §4.5.2). Attributes without a value are not in it. */
export function encodeSearchEntry<Subject>(id: number, dn: string, subject: Subject, selection: readonly SelectedAttribute<Subject>[], typesOnly: boolean): Buffer {
  const writer = new BerWriter(2_048);
  const message = writer.open(BER.sequence);
  writer.integer(BER.integer, id);
  const entry = writer.open(OPERATION.searchResultEntry);
  writer.text(BER.octetString, dn);
  const attributes = writer.open(BER.sequence);
  for (const { name, attribute } of selection) {
    const values = attribute.values(subject);
    if (values.length === 0) continue;
    const one = writer.open(BER.sequence);
    writer.text(BER.octetString, name);
    const set = writer.open(BER.set);
    if (!typesOnly) for (const value of values) writer.text(BER.octetString, value);
    writer.close(set);
    writer.close(one);
  }
  writer.close(attributes);
  writer.close(entry);
  writer.close(message);
  return writer.finish();
}
