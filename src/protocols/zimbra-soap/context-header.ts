import { child } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { el } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { ZIMBRA_NS } from './names.ts';

/** What of a request's context header matters to us (zimbra.md §1.2). `account`, `session`, `change`, `format` and the rest are ignored. */
export interface RequestHeader {
  /** Absent where there is none or an empty one. */
  readonly authToken?: string;
  /** A kind of token we never issue; it counts as a malformed one. */
  readonly hasJwtToken: boolean;
}

/** Reads `<context xmlns="urn:zimbra">` out of the SOAP Header. The first token counts. */
export function decodeRequestHeader(header: XmlElement | undefined): RequestHeader {
  const context = child(header, 'context');
  const authToken = child(context, 'authToken')?.text.trim() ?? '';
  return { hasJwtToken: child(context, 'jwtToken') !== undefined, ...(authToken === '' ? {} : { authToken }) };
}

/** The context header we send: no session, never on behalf of another account, so that a user's own viewFreeBusy grants hold. */
export function encodeRequestHeader(authToken: string | undefined): XmlNode {
  return el(
    'context',
    { xmlns: ZIMBRA_NS },
    el('userAgent', { name: 'freebusy-bridge' }),
    authToken !== undefined && el('authToken', undefined, authToken),
    el('nosession'),
  );
}
