/** POX: what Outlook and Exchange ask in ([MS-OXDSCLI] §2.2.3.1). `http:`; copies of the documentation that show `https:` are wrong. */
export const OUTLOOK_REQUEST_NS = 'http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006';
/** POX: what telephones ask in ([MS-ASCMD] §2.2.1.1). We have nothing for them, and say so. */
export const MOBILESYNC_REQUEST_NS = 'http://schemas.microsoft.com/exchange/autodiscover/mobilesync/requestschema/2006';
/** POX: namespace of the answer's root, and of a whole document with an error. */
export const RESPONSE_NS = 'http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006';
/** POX: namespace of the Response with settings; also the only AcceptableResponseSchema that we provide. */
export const OUTLOOK_RESPONSE_NS = 'http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a';

/** SOAP: everything that is Autodiscover's. */
export const AUTODISCOVER_NS = 'http://schemas.microsoft.com/exchange/2010/Autodiscover';
/** WS-Addressing 1.0, whose Action every answer carries. */
export const ADDRESSING_NS = 'http://www.w3.org/2005/08/addressing';
/** XML Schema instance: `i:type` tells a reader what kind of setting it has. */
export const INSTANCE_NS = 'http://www.w3.org/2001/XMLSchema-instance';

/** Value of wsa:Action: `GetUserSettingsResponse`. */
export function actionOf(name: string): string {
  return `${AUTODISCOVER_NS}/Autodiscover/${name}`;
}

/** Exactly this, as Exchange sends it. */
export const XML_CONTENT_TYPE = 'text/xml; charset=utf-8';

/**
 * What the EWS Managed API (and ews-javascript-api after it) looks for in the answer to an unsigned GET of autodiscover.xml, the 401 included:
 * without it the library takes the host for one that has no SOAP Autodiscover. Any value but an empty one means yes, so what is not there is not mentioned.
 */
export const SOAP_ENABLED_HEADER = 'X-SOAP-Enabled';
