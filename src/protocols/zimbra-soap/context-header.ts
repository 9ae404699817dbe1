import { BridgeError } from '../../core/errors.ts';
import { attribute, child } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { el } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { member } from './face/member.ts';
import { MAX_SOAP_HOPS, ZIMBRA_NS } from './names.ts';

/**
 * What of a request's context header matters to us (zimbra.md §1.2). `account` (on whose behalf), `session`, `change`, `csrfToken` and the
 * rest are ignored; `format` is read with the message (soap-message.ts).
 */
export interface RequestHeader {
  /** Absent where there is none or an empty one. */
  readonly authToken?: string;
  /** A kind of token we never issue; it counts as a malformed one. */
  readonly hasJwtToken: boolean;
}

/** Reads `<context xmlns="urn:zimbra">` out of the SOAP Header. The first token counts, as element or (JSON) as a plain member. */
export function decodeRequestHeader(header: XmlElement | undefined): RequestHeader {
  const context = child(header, 'context');
  const authToken = member(context, 'authToken')?.trim() ?? '';
  return { hasJwtToken: member(context, 'jwtToken') !== undefined, ...(authToken === '' ? {} : { authToken }) };
}

/**
 * A context counts the servers that passed the request on; Zimbra refuses more than five (zimbra.md §1.2).
 *
 * @throws BridgeError LOOP, INVALID_REQUEST
 */
export function checkHops(header: XmlElement | undefined): void {
  const text = attribute(child(header, 'context'), 'hops');
  if (text === undefined) return;
  if (!/^[+-]?\d{1,15}$/.test(text)) throw new BridgeError('INVALID_REQUEST', 'invalid value for attribute: hops');
  if (Number(text) > MAX_SOAP_HOPS) throw new BridgeError('LOOP', 'mountpoint or proxy loop detected');
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
