import { LIMITS } from '../../../core/limits.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import { el } from '../../../platform/xml/write.ts';
import type { XmlNode } from '../../../platform/xml/write.ts';
import { MESSAGES_NS, messageElement, TYPES_NS } from '../names.ts';
import { EwsFault, schemaFault } from './faults.ts';

/** Why one of the things that were asked for is not given: a ResponseCode and Exchange's text for it. */
export interface Refusal {
  readonly code: string;
  readonly text: string;
}

/** Exchange's own words [XDOC responsecode, XLIB]; clients look at the code. */
export const REFUSAL = {
  accessDenied: { code: 'ErrorAccessDenied', text: 'Access is denied. Check credentials and try again.' },
  folderNotFound: { code: 'ErrorFolderNotFound', text: 'The specified folder could not be found in the store.' },
  idMalformed: { code: 'ErrorInvalidIdMalformed', text: 'Id is malformed.' },
  itemNotFound: { code: 'ErrorItemNotFound', text: 'The specified object was not found in the store.' },
  noMailbox: { code: 'ErrorNonExistentMailbox', text: 'The SMTP address has no mailbox associated with it.' },
  noPublicFolders: { code: 'ErrorNoPublicFolderReplicaAvailable', text: 'No public folder replica is available.' },
  noResults: { code: 'ErrorNameResolutionNoResults', text: 'No results were found.' },
  pagingMaxRows: { code: 'ErrorInvalidPagingMaxRows', text: 'The maximum number of rows that is returned must be greater than zero.' },
  pagingOffset: { code: 'ErrorInvalidIndexedPagingParameters', text: 'Indexed paging parameters are invalid.' },
  queryFilter: { code: 'ErrorUnsupportedQueryFilter', text: 'The query filter is not supported.' },
  syncState: { code: 'ErrorInvalidSyncStateData', text: 'Synchronization state data is corrupt or otherwise invalid.' },
} as const satisfies Readonly<Record<string, Refusal>>;

/** One `…ResponseMessage` of an operation: what was given. */
export function given(operation: string, ...content: readonly (XmlNode | undefined)[]): XmlNode {
  return el(`m:${operation}ResponseMessage`, { ResponseClass: 'Success' }, el('m:ResponseCode', undefined, 'NoError'), ...content);
}

/** One `…ResponseMessage` that says why not; `content` where the schema wants an (empty) element even then. */
export function refused(operation: string, { code, text }: Refusal, ...content: readonly XmlNode[]): XmlNode {
  return el(
    `m:${operation}ResponseMessage`,
    { ResponseClass: 'Error' },
    el('m:MessageText', undefined, text),
    el('m:ResponseCode', undefined, code),
    el('m:DescriptiveLinkKey', undefined, 0),
    ...content,
  );
}

/** The whole answer: one response message for each thing that was asked for, in its order. */
export function responseOf(operation: string, messages: readonly XmlNode[], namespaces: Readonly<Record<string, string>> = {}): XmlNode {
  return messageElement(`${operation}Response`, namespaces, el('m:ResponseMessages', undefined, messages));
}

/**
 * What is below a list of the request, at least one, all of the types' namespace.
 *
 * @throws EwsFault ErrorSchemaValidation; ErrorInvalidRequest where there are too many
 */
export function listOf(request: XmlElement, name: string): readonly XmlElement[] {
  const things = required(request, name).children;
  if (things.length === 0) throw schemaFault(`The element '${name}' has incomplete content.`);
  if (things.some((one) => one.ns !== TYPES_NS)) throw schemaFault(`The element '${name}' has an invalid child element.`);
  if (things.length > LIMITS.ewsThingsPerRequest) throw new EwsFault('ErrorInvalidRequest', `The request is invalid: more than ${LIMITS.ewsThingsPerRequest} in ${name}.`);
  return things;
}

/** A child of the operation that the schema wants. @throws EwsFault ErrorSchemaValidation */
export function required(request: XmlElement, name: string): XmlElement {
  const found = request.children.find((one) => one.name === name && one.ns === MESSAGES_NS);
  if (found === undefined) throw schemaFault(`The element '${name}' is missing.`);
  return found;
}
