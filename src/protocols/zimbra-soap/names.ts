/** Context header, Error, BatchRequest (zimbra.md §1.1). */
export const ZIMBRA_NS = 'urn:zimbra';
export const ZIMBRA_ACCOUNT_NS = 'urn:zimbraAccount';
export const ZIMBRA_MAIL_NS = 'urn:zimbraMail';
/** The envelope of JSON messages, which have no SOAP version. */
export const ZIMBRA_JSON_NS = 'urn:zimbraSoap';
export const ZIMBRA_ADMIN_NS = 'urn:zimbraAdmin';

/** Where a Zimbra server takes SOAP; a suffix naming the request is allowed and means nothing (zimbra.md §1.1). */
export const SOAP_PATH = '/service/soap/';

/** Where it takes administrators' SOAP, on a port of its own (7071). */
export const ADMIN_SOAP_PATH = '/service/admin/soap/';

/** Where a portal sends its user with a signed address in place of a password (zimbra.md §1.4). */
export const PREAUTH_PATH = '/service/preauth';

/** The cookie that alone authenticates SOAP and REST (zimbra.md §1.3). */
export const TOKEN_COOKIE = 'ZM_AUTH_TOKEN';

export const REPLY_CONTENT_TYPE = { '1.1': 'text/xml; charset=utf-8', '1.2': 'text/xml; charset=utf-8', js: 'text/javascript; charset=utf-8' } as const;
export const REPLY_CACHE_CONTROL = 'no-store, no-cache';

/** What a server says of an operation that it does not have (zimbra.md §1.5). */
export const UNKNOWN_DOCUMENT = 'service.UNKNOWN_DOCUMENT';

/** zimbra.md §1.2: a question that was passed on more often is refused. */
export const MAX_SOAP_HOPS = 5;
