import type { Requester } from '../../core/request-context.ts';
import type { ServedAddresses } from '../../directory/served-addresses.ts';
import type { SoapEnvelope } from '../soap/envelope.ts';
import { encodeGetDomainSettingsResponse } from './get-domain-settings.ts';
import { encodeGetUserSettingsResponse } from './get-user-settings.ts';
import type { Handout } from './handout.ts';
import { group, leaf } from './leaf.ts';
import { AUTODISCOVER_NS } from './names.ts';
import { FEDERATION_OPERATIONS, encodeNotFederated } from './not-federated.ts';
import { notServed, servedPerson } from './served-person.ts';
import { decodeSettingsRequest } from './settings-request.ts';
import type { InvalidRequest } from './settings-request.ts';
import type { SoapMessage } from './soap-answer.ts';
import { AutodiscoverFault } from './soap-fault.ts';

/** Who asks, and what there is to give. */
export interface SoapCall {
  readonly requester: Requester;
  readonly addresses: ServedAddresses;
  readonly handout: Handout;
  /** Whether the RequestedServerVersion exists. */
  readonly versionIsKnown: boolean;
}

/** An operation that went as far as an answer. */
export interface SoapOutcome {
  readonly operation: string;
  /** Users or domains asked about. */
  readonly identities: number;
  /** Refused as a whole, inside the answer. */
  readonly isRefused: boolean;
  /** For the log, where one of them is not served: the first that is not. */
  readonly notServed?: string | undefined;
  readonly message: SoapMessage;
}

/**
 * Answers the element in the Body. Its name alone says what is asked for: SOAPAction and wsa:Action are not looked at, because clients forget the one or the
 * other.
 *
 * @throws AutodiscoverFault ActionNotSupported
 */
export function answerOperation({ body }: SoapEnvelope, call: SoapCall): SoapOutcome {
  const [message] = body.children;
  const operation = message?.ns === AUTODISCOVER_NS && message.name.endsWith('RequestMessage') ? message.name.slice(0, -'RequestMessage'.length) : '';
  const federation = FEDERATION_OPERATIONS.find((one) => one === operation);
  if (federation !== undefined) return { operation, identities: 0, isRefused: false, message: encodeNotFederated(federation) };
  if (message === undefined || (operation !== 'GetUserSettings' && operation !== 'GetDomainSettings')) throw new AutodiscoverFault('ActionNotSupported', 'There is no such operation.');

  const isUsers = operation === 'GetUserSettings';
  const request = call.versionIsKnown ? decodeSettingsRequest(message, isUsers ? ['Users', 'User', 'Mailbox'] : ['Domains', 'Domain']) : UNKNOWN_VERSION;
  if ('problem' in request) return { operation, identities: 0, isRefused: true, message: invalid(operation, isUsers ? 'UserResponses' : 'DomainResponses', request) };
  const { identities } = request;
  const { requester, addresses, handout } = call;
  const answer = isUsers
    ? encodeGetUserSettingsResponse(request, identities.map((text) => servedPerson(text, addresses, requester)), handout)
    : encodeGetDomainSettingsResponse(request, identities.map((domain) => addresses.servesDomain(domain, requester)), handout);
  const first = identities.find((text) => (isUsers ? servedPerson(text, addresses, requester) === undefined : !addresses.servesDomain(text, requester)));
  return { operation, identities: identities.length, isRefused: false, notServed: first === undefined ? undefined : notServed(isUsers ? first : `x@${first}`, requester), message: answer };
}

const UNKNOWN_VERSION: InvalidRequest = { problem: 'The RequestedServerVersion header is invalid.' };

function invalid(operation: string, list: string, { problem }: InvalidRequest): SoapMessage {
  return { name: `${operation}Response`, content: [leaf('ErrorCode', 'InvalidRequest'), leaf('ErrorMessage', problem), group(list, [])] };
}
