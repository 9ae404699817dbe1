/** Context header, Error, BatchRequest (zimbra.md §1.1). */
export const ZIMBRA_NS = 'urn:zimbra';
export const ZIMBRA_ACCOUNT_NS = 'urn:zimbraAccount';
export const ZIMBRA_MAIL_NS = 'urn:zimbraMail';
export const ZIMBRA_ADMIN_NS = 'urn:zimbraAdmin';

/** Where a Zimbra server takes SOAP; a suffix naming the request is allowed and means nothing (zimbra.md §1.1). */
export const SOAP_PATH = '/service/soap/';

/** Where it takes administrators' SOAP, on a port of its own (7071). */
export const ADMIN_SOAP_PATH = '/service/admin/soap/';

/** The cookie that alone authenticates SOAP and REST (zimbra.md §1.3). */
export const TOKEN_COOKIE = 'ZM_AUTH_TOKEN';

export const REPLY_CONTENT_TYPE = 'text/xml; charset=utf-8';
export const REPLY_CACHE_CONTROL = 'no-store, no-cache';

/** zimbra.md §2.1: a range of 201 whole days and more is refused. */
export const MAX_RANGE_DAYS = 200;
