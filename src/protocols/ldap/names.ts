/** Tags of protocol operations (RFC 4511 §4.2 to §4.14): application class, their number in the low five bits. */
export const OPERATION = {
  bindRequest: 0x60,
  bindResponse: 0x61,
  unbindRequest: 0x42,
  searchRequest: 0x63,
  searchResultEntry: 0x64,
  searchResultDone: 0x65,
  modifyRequest: 0x66,
  modifyResponse: 0x67,
  addRequest: 0x68,
  addResponse: 0x69,
  delRequest: 0x4a,
  delResponse: 0x6b,
  modDnRequest: 0x6c,
  modDnResponse: 0x6d,
  compareRequest: 0x6e,
  compareResponse: 0x6f,
  abandonRequest: 0x50,
  extendedRequest: 0x77,
  extendedResponse: 0x78,
} as const;

/** Context-specific tag: `constructed` where it holds elements. */
export function contextTag(number: number, constructed: boolean): number {
  return 0x80 | (constructed ? 0x20 : 0) | number;
}

/** RFC 4511 §4.1.9 and appendix A, as far as this face gives them. */
export const RESULT = {
  success: 0,
  operationsError: 1,
  protocolError: 2,
  timeLimitExceeded: 3,
  sizeLimitExceeded: 4,
  compareFalse: 5,
  compareTrue: 6,
  authMethodNotSupported: 7,
  adminLimitExceeded: 11,
  unavailableCriticalExtension: 12,
  confidentialityRequired: 13,
  noSuchAttribute: 16,
  undefinedAttributeType: 17,
  noSuchObject: 32,
  invalidDnSyntax: 34,
  invalidCredentials: 49,
  insufficientAccessRights: 50,
  busy: 51,
  unavailable: 52,
  unwillingToPerform: 53,
  other: 80,
} as const;

export type ResultCode = (typeof RESULT)[keyof typeof RESULT];

/** RFC 4511 §4.14.1 */
export const START_TLS = '1.3.6.1.4.1.1466.20037';
/** RFC 4511 §4.4.1; as responseName of an unsolicited notification only. */
export const NOTICE_OF_DISCONNECTION = '1.3.6.1.4.1.1466.20036';
/** RFC 4532 */
export const WHO_AM_I = '1.3.6.1.4.1.4203.1.11.3';
/** RFC 2696, request and response. */
export const PAGED_RESULTS = '1.2.840.113556.1.4.319';
/** RFC 3673: `+` asks for all operational attributes. */
export const ALL_OPERATIONAL_ATTRIBUTES = '1.3.6.1.4.1.4203.1.5.1';
/** RFC 4526: `(&)` is true, `(|)` false. */
export const TRUE_FALSE_FILTERS = '1.3.6.1.4.1.4203.1.5.3';
/** RFC 3296: of no meaning where there are no referrals; Java sends it. */
export const MANAGE_DSA_IT = '2.16.840.1.113730.3.4.2';
