/** Namespaces of EWS and of SOAP 1.1 (exchange.md §3.1). */
export const SOAP_NS = 'http://schemas.xmlsoap.org/soap/envelope/';
export const TYPES_NS = 'http://schemas.microsoft.com/exchange/services/2006/types';
export const MESSAGES_NS = 'http://schemas.microsoft.com/exchange/services/2006/messages';
export const ERRORS_NS = 'http://schemas.microsoft.com/exchange/services/2006/errors';
