import { BridgeError } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';

interface Meaning {
  readonly code: ErrorCode;
  readonly message: string;
  readonly temporary?: true;
  /** What an administrator does about it. */
  readonly hint?: string;
}

const UNKNOWN: Meaning = { code: 'MAILBOX_UNKNOWN', message: 'no such mailbox' };
const REFUSED: Meaning = { code: 'MAILBOX_REFUSED', message: 'the mailbox may not be asked about' };
const ELSEWHERE: Meaning = { code: 'NO_DATA', message: 'the calendar system has to ask another one, and could not' };
const LATER: Meaning = { code: 'NO_DATA', message: 'the mailbox cannot be read now', temporary: true };
const NO_DATA: Meaning = { code: 'NO_DATA', message: 'the calendar system gave no data' };
const BUSY: Meaning = { code: 'BACKEND_BUSY', message: 'the calendar system is too busy', temporary: true };
const FAULT: Meaning = { code: 'BACKEND_FAULT', message: 'the calendar system refused the request' };
const VERSION: Meaning = { ...FAULT, hint: 'it takes no version of EWS that the bridge speaks, Exchange2007 to Exchange2013: see which server answers at url, and that nothing in between rewrites requests' };
const SCHEMA: Meaning = { ...FAULT, hint: 'the server cannot read the request: see that nothing in between rewrites it, and that url leads to EWS and not to another SOAP service' };
const ACCOUNT: Meaning = { code: 'BACKEND_AUTH', message: 'the calendar system refuses the account of the bridge', hint: 'look at the account in Active Directory: disabled, locked, or with a password that has expired' };
const PUBLIC_FOLDER: Meaning = { code: 'NO_DATA', message: 'the free/busy folder cannot be read' };

/** ResponseCodeType, as far as these operations give it (exchange.md §3.2, §3.5, §3.7; XDOC responsecode). */
const MEANINGS: ReadonlyMap<string, Meaning> = new Map([
  // Exchange; grommunio 3.10 says ErrorCannotFindUser.
  ['ErrorMailRecipientNotFound', UNKNOWN],
  ['ErrorCannotFindUser', UNKNOWN],
  ['ErrorNonExistentMailbox', UNKNOWN],
  ['ErrorInvalidSmtpAddress', UNKNOWN],
  ['ErrorNameResolutionNoResults', UNKNOWN],
  ['ErrorNoFreeBusyAccess', REFUSED],
  ['ErrorAccessDenied', REFUSED],
  ['ErrorProxyRequestNotAllowed', REFUSED],
  ['ErrorNonPrimarySmtpAddress', NO_DATA],
  ['ErrorFreeBusyDLLimitReached', NO_DATA],
  ['ErrorLegacyMailboxFreeBusyViewTypeNotMerged', NO_DATA],
  ['ErrorTimeZone', NO_DATA],
  ['ErrorFreeBusyGenerationFailed', LATER],
  ['ErrorMailboxStoreUnavailable', LATER],
  ['ErrorMailboxLogonFailed', LATER],
  ['ErrorMailboxMoveInProgress', LATER],
  ['ErrorMailboxFailover', LATER],
  ['ErrorADUnavailable', LATER],
  ['ErrorServiceUnavailable', LATER],
  ['ErrorTimeoutExpired', LATER],
  ['ErrorInternalServerTransientError', LATER],
  // Exchange Online also says this of an unknown user behind its REST proxy.
  ['ErrorProxyRequestProcessingFailed', ELSEWHERE],
  ['ErrorAutoDiscoverFailed', ELSEWHERE],
  ['ErrorServiceDiscoveryFailed', ELSEWHERE],
  ['ErrorAddressSpaceNotFound', ELSEWHERE],
  ['ErrorAvailabilityConfigNotFound', ELSEWHERE],
  ['ErrorInvalidCrossForestCredentials', ELSEWHERE],
  ['ErrorUserWithoutFederatedProxyAddress', ELSEWHERE],
  ['ErrorInvalidOrganizationRelationshipForFreeBusy', ELSEWHERE],
  ['ErrorPublicFolderRequestProcessingFailed', PUBLIC_FOLDER],
  ['ErrorPublicFolderServerNotFound', PUBLIC_FOLDER],
  ['ErrorNoPublicFolderReplicaAvailable', { ...PUBLIC_FOLDER, temporary: true }],
  ['ErrorNoPublicFolderServerAvailable', { ...PUBLIC_FOLDER, temporary: true }],
  ['ErrorFolderNotFound', PUBLIC_FOLDER],
  ['ErrorInvalidFolderId', PUBLIC_FOLDER],
  ['ErrorItemNotFound', { code: 'NO_DATA', message: 'the mailbox has no free/busy message' }],
  ['ErrorAccountDisabled', ACCOUNT],
  ['ErrorPasswordExpired', ACCOUNT],
  ['ErrorPasswordChangeRequired', ACCOUNT],
  ['ErrorCallerIsInvalidADAccount', ACCOUNT],
  ['ErrorInvalidServerVersion', VERSION],
  ['ErrorIncorrectSchemaVersion', VERSION],
  ['ErrorSchemaValidation', SCHEMA],
  ['ErrorServerBusy', BUSY],
  ['ErrorExceededConnectionCount', BUSY],
  ['ErrorTooManyObjectsOpened', BUSY],
]);

/**
 * What an EWS response code means for whoever asked. The code itself goes into the details; a code that is no name is not
 * repeated there.
 *
 * @param backOffMs for how long a busy server wants to be left alone, where it says so
 */
export function responseCodeError(code: string, backOffMs?: number): BridgeError {
  const meaning = MEANINGS.get(code) ?? FAULT;
  const isBusy = meaning.code === 'BACKEND_BUSY' && backOffMs !== undefined;
  return new BridgeError(meaning.code, meaning.message, {
    temporary: meaning.temporary ?? false,
    details: { responseCode: /^[A-Za-z]\w{0,79}$/.test(code) ? code : 'unreadable', ...(meaning.hint === undefined ? {} : { hint: meaning.hint }) },
    ...(isBusy ? { retryAfterMs: Math.min(backOffMs, LIMITS.ewsLongestBackOffMs) } : {}),
  });
}
