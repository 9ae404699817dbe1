import { BER } from '../ber-read.ts';
import type { BerReader } from '../ber-read.ts';
import { RESULT } from '../names.ts';
import { entryAttributeFinder } from './entry-attributes.ts';
import { compileFilter } from './evaluate-filter.ts';
import { unknownCriticalControl, viewOf } from './operation.ts';
import type { Answer, OperationContext } from './operation.ts';
import type { RequestControl } from './request-message.ts';
import { entryNamed } from './shown-entry.ts';

/**
 * Whether an entry's attribute has a value (RFC 4511 §4.10).
 *
 * @throws BridgeError what the request has wrong, and what Directory throws
 */
export async function compare(content: BerReader, controls: readonly RequestControl[], context: OperationContext): Promise<Answer> {
  const name = content.expect(BER.octetString).text() ?? '';
  const assertion = content.expect(BER.sequence);
  const attribute = assertion.expect(BER.octetString).text() ?? '';
  const value = assertion.expect(BER.octetString).text();
  if (unknownCriticalControl(controls) !== undefined) return { code: RESULT.unavailableCriticalExtension };
  const view = viewOf(context);
  const entry = entryNamed(name, view);
  if (entry === undefined) return { code: RESULT.noSuchObject };
  const find = entryAttributeFinder(view);
  const known = find(attribute);
  if (known === undefined) return { code: RESULT.undefinedAttributeType };
  if (known.isNeverShown === true || known.values({ entry, view }).length === 0) return { code: RESULT.noSuchAttribute };
  return { code: compileFilter({ kind: 'equal', attribute, value }, find)({ entry, view }) === true ? RESULT.compareTrue : RESULT.compareFalse };
}
