import { BridgeError } from '../../../core/errors.ts';
import type { LdapConnection, LdapEntry } from '../source-connection.ts';
import { guidOf } from './entry-id.ts';
import { rawEntryOf } from './raw-entry.ts';

/** How a server tells of changes. */
export type Flavour =
  | { readonly kind: 'timestamps' }
  /** Active Directory: `controller` names this copy of its database, `usn` is the last number given there. */
  | { readonly kind: 'change-numbers'; readonly controller: string; readonly usn: number };

/** LDAP_CAP_ACTIVE_DIRECTORY_OID and …_ADAM_OID, [MS-ADTS] 3.1.1.3.4.3. */
const ACTIVE_DIRECTORY = ['1.2.840.113556.1.4.800', '1.2.840.113556.1.4.1851'];

/**
 * Reads the root DSE (RFC 4512 §5.1). A server that shows none is read by timestamps.
 *
 * A controller is known by its name and by the invocationId of its database, which changes when that is restored from a backup ([MS-ADTS] 3.1.1.1.9): its numbers begin anew then.
 */
export async function flavourOf(connection: LdapConnection): Promise<Flavour> {
  const found = await shown(connection.entry('', ['supportedCapabilities', 'highestCommittedUSN', 'dnsHostName', 'dsServiceName']));
  if (found === undefined) return { kind: 'timestamps' };
  const root = rawEntryOf(found);
  const usn = Number(root.text('highestCommittedUSN')[0] ?? NaN);
  if (!Number.isSafeInteger(usn) || !root.text('supportedCapabilities').some((one) => ACTIVE_DIRECTORY.includes(one))) return { kind: 'timestamps' };
  const service = root.text('dsServiceName')[0] ?? '';
  const settings: LdapEntry | undefined = service === '' ? undefined : await shown(connection.entry(service, ['invocationId'], ['invocationId']));
  const invocation = settings === undefined ? undefined : rawEntryOf(settings).bytes('invocationId');
  return { kind: 'change-numbers', usn, controller: [root.text('dnsHostName')[0] ?? '', invocation?.length === 16 ? guidOf(invocation) : service].join(' ').toLowerCase() };
}

/** Undefined where the server refuses to show it, for whatever reason; a connection that broke is still an error. */
async function shown(entry: Promise<LdapEntry | undefined>): Promise<LdapEntry | undefined> {
  try {
    return await entry;
  } catch (thrown) {
    if (thrown instanceof BridgeError && thrown.details['status'] !== undefined) return undefined;
    throw thrown;
  }
}
