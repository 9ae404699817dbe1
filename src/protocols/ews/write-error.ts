import { BridgeError } from '../../core/errors.ts';
import type { MessageLocation } from '../schedule-plus/legacy-exchange-dn.ts';

/** What a response code says to somebody who writes. */
type WriteMeaning = 'refused' | 'no-folder' | 'later';

/**
 * ResponseCodeType for writing (exchange.md §3.5, XDOC responsecode). Every code that is not here says that this message is not taken,
 * whoever sends it again: ErrorInvalidExtendedProperty(Value), ErrorInvalidPropertySet, ErrorSchemaValidation …
 */
const MEANINGS: ReadonlyMap<string, WriteMeaning> = new Map<string, WriteMeaning>([
  ['ErrorAccessDenied', 'refused'],
  ['ErrorCreateItemAccessDenied', 'refused'],
  ['ErrorCannotDeleteObject', 'refused'],
  ['ErrorDeleteItemsFailed', 'refused'],
  ['ErrorFolderNotFound', 'no-folder'],
  ['ErrorSavedItemFolderNotFound', 'no-folder'],
  ['ErrorParentFolderNotFound', 'no-folder'],
  ['ErrorInvalidFolderId', 'no-folder'],
  ['ErrorInvalidParentFolder', 'no-folder'],
  ['ErrorCannotAccessDeletedPublicFolder', 'no-folder'],
  // Somebody else wrote, moved or deleted at the same moment.
  ['ErrorIrresolvableConflict', 'later'],
  ['ErrorStaleObject', 'later'],
  ['ErrorItemNotFound', 'later'],
  ['ErrorItemSave', 'later'],
  ['ErrorObjectTypeChanged', 'later'],
  // A server on its way up, down or elsewhere.
  ['ErrorInternalServerError', 'later'],
  ['ErrorInternalServerTransientError', 'later'],
  ['ErrorADUnavailable', 'later'],
  ['ErrorADOperation', 'later'],
  ['ErrorServiceUnavailable', 'later'],
  ['ErrorTimeoutExpired', 'later'],
  ['ErrorRequestAborted', 'later'],
  ['ErrorConnectionFailed', 'later'],
  ['ErrorDataSourceOperation', 'later'],
  ['ErrorBatchProcessingStopped', 'later'],
  ['ErrorInsufficientResources', 'later'],
  ['ErrorNotEnoughMemory', 'later'],
  ['ErrorQuotaExceeded', 'later'],
  ['ErrorMailboxStoreUnavailable', 'later'],
  ['ErrorMailboxLogonFailed', 'later'],
  ['ErrorMailboxMoveInProgress', 'later'],
  ['ErrorMailboxFailover', 'later'],
  ['ErrorProxyCallFailed', 'later'],
  ['ErrorProxyRequestProcessingFailed', 'later'],
  ['ErrorNoRespondingCASInDestinationSite', 'later'],
  ['ErrorPublicFolderOperationFailed', 'later'],
  ['ErrorPublicFolderRequestProcessingFailed', 'later'],
  ['ErrorPublicFolderServerNotFound', 'later'],
  ['ErrorNoPublicFolderReplicaAvailable', 'later'],
  ['ErrorNoPublicFolderServerAvailable', 'later'],
]);

/** An error of one publication or removal, in the words of the sink port. Errors that name no response code stay what they are, but for these three. */
export function writeError(error: BridgeError, { folder }: MessageLocation): BridgeError {
  const responseCode = error.details['responseCode'];
  if (responseCode === undefined) {
    if (error.code === 'NO_DATA' && error.details['folder'] !== undefined) return missingFolder(error, folder);
    if (error.code === 'BACKEND_FAULT' && NOT_EWS.has(error.details['status'])) return wrongUrl(error);
    return error.code === 'BACKEND_AUTH' && error.details['status'] === 403 ? policy(error) : error;
  }
  // Busy, or an account that is refused as a whole (ErrorAccountDisabled, impersonation): said already.
  if (error.code === 'BACKEND_BUSY' || error.code === 'BACKEND_AUTH') return error;
  const options = { details: { responseCode }, cause: error };
  const meaning = MEANINGS.get(String(responseCode));
  switch (meaning) {
    case 'refused':
      return new BridgeError('BACKEND_AUTH', 'the account may not write into the free/busy folder', {
        ...options,
        details: { responseCode, status: 403, folder, hint: `Add-PublicFolderClientPermission "${pathOf(folder)}" -User … -AccessRights Owner` },
      });
    case 'no-folder':
      return missingFolder(error, folder);
    case 'later':
      return new BridgeError('BACKEND_FAULT', 'the calendar system cannot take the free/busy message now', { ...options, temporary: true });
    case undefined:
      return new BridgeError('BACKEND_FAULT', 'the calendar system refused the free/busy message', { ...options, temporary: error.temporary });
  }
}

/** Where an administrator finds the folder: the path that the Exchange Management Shell takes. */
export function pathOf(folder: string): string {
  return `\\NON_IPM_SUBTREE\\SCHEDULE+ FREE BUSY\\${folder}`;
}

function missingFolder(error: BridgeError, folder: string): BridgeError {
  const missing = error.details['folder'];
  const step = typeof missing === 'string' ? missing : folder;
  return new BridgeError('NO_DATA', 'the free/busy folder of this mailbox is missing', {
    details: {
      folder: step,
      ...(error.details['responseCode'] === undefined ? {} : { responseCode: error.details['responseCode'] }),
      hint: `make ${pathOf(folder)} visible to the account: a replica of it (Get-PublicFolder, Set-PublicFolder -Replicas) and the right to see it; or correct legacyExchangeDn`,
    },
    cause: error,
  });
}

/** HTTP 403 is EwsApplicationAccessPolicy or IIS: about the account or the program, never about one message, as a status of 403 would say. */
function policy(error: BridgeError): BridgeError {
  return new BridgeError('BACKEND_AUTH', 'the calendar system does not let the bridge use EWS', {
    details: { reason: 'HTTP 403', hint: 'check EwsApplicationAccessPolicy, EwsAllowList and EwsEnabled of the organisation and of the account' },
    cause: error,
  });
}

/** What IIS says for every message alike where nothing at this URL is EWS. */
const NOT_EWS: ReadonlySet<unknown> = new Set([404, 405, 501]);

function wrongUrl(error: BridgeError): BridgeError {
  return new BridgeError('CONFIGURATION', 'there is no EWS at the url', { details: { ...error.details, hint: 'url must be https://…/EWS/Exchange.asmx' }, cause: error });
}
