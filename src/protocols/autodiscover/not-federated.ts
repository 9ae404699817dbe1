import { leaf } from './leaf.ts';
import type { SoapMessage } from './soap-answer.ts';

/** Operations of federated sharing, which needs a trust that we do not have (exchange.md §4.3); whoever asks goes on without. */
export const FEDERATION_OPERATIONS = ['GetFederationInformation', 'GetOrganizationRelationshipSettings'] as const;

export function encodeNotFederated(operation: (typeof FEDERATION_OPERATIONS)[number]): SoapMessage {
  return { name: `${operation}Response`, content: [leaf('ErrorCode', 'NotFederated'), leaf('ErrorMessage', 'The organization is not federated.')] };
}
