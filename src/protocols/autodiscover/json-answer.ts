import type { Requester } from '../../core/request-context.ts';
import type { ServedAddresses } from '../../directory/served-addresses.ts';
import { firstRaw, percentDecode, rawParameters } from '../../platform/http-server/raw-query.ts';
import type { Handout } from './handout.ts';
import { servedPerson } from './served-person.ts';

/** An answer of Autodiscover's second version, which is one URL or one error (exchange.md §4.2). */
export interface JsonAnswer {
  readonly status: 200 | 400 | 404;
  readonly body: { readonly Protocol: string; readonly Url: string } | { readonly ErrorCode: string; readonly ErrorMessage: string };
}

/** Exchange gives up following a chain of this length. */
const REDIRECTS = 10;

/**
 * `?Email=…&Protocol=…`, or the address in the path; names of parameters and protocols in any case. Whether the address is one that may be asked about
 * is looked at last: without a protocol that we have, every address is answered alike.
 *
 * @param rawQuery as sent, without `?`
 * @param addressInPath decoded; it wins over `Email`
 */
export function answerJson(rawQuery: string, addressInPath: string | undefined, handout: Handout, addresses: ServedAddresses, requester: Requester): JsonAnswer {
  const parameters = rawParameters(rawQuery);
  const parameter = (name: string): string => percentDecode(firstRaw(parameters, name) ?? '').trim();
  const protocol = parameter('protocol');
  const address = addressInPath?.trim() ?? parameter('email');
  if (protocol === '') return refused(400, 'MissingProtocol', "A valid value must be provided for the query parameter 'Protocol'");
  if (address === '') return refused(400, 'MandatoryParameterMissing', 'A valid smtp address must be provided');
  const urls: readonly (readonly [name: string, url: string])[] = [['Ews', handout.ewsUrl], ['AutodiscoverV1', handout.poxUrl]];
  const found = urls.find(([name]) => name.toLowerCase() === protocol.toLowerCase());
  if (found === undefined) {
    const known = urls.map(([name]) => name).join(',');
    return refused(400, 'ProtocolNotSupported', `The given protocol value '${protocol.slice(0, 100)}' is not supported. Supported values are '${known}'`);
  }
  if (Number(parameter('redirectcount')) >= REDIRECTS || servedPerson(address, addresses, requester) === undefined) return refused(404, 'UserNotFound', 'The given user is not found');
  return { status: 200, body: { Protocol: found[0], Url: found[1] } };
}

function refused(status: 400 | 404, ErrorCode: string, ErrorMessage: string): JsonAnswer {
  return { status, body: { ErrorCode, ErrorMessage } };
}
