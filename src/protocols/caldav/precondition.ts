import { BridgeError } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/errors.ts';
import { el, writeXml } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { NAMESPACES, qualified, CALDAV_NS, DAV_NS } from './names.ts';

/** Elements that say which rule a request breaks: RFC 4918 §16, RFC 3253 §3.6, RFC 3744 §7.1.1, RFC 4791 §5.3, RFC 6638 §5. */
const NAMESPACE_OF = {
  'propfind-finite-depth': DAV_NS,
  'supported-report': DAV_NS,
  'need-privileges': DAV_NS,
  'number-of-matches-within-limits': DAV_NS,
  'supported-collection': CALDAV_NS,
  'supported-calendar-data': CALDAV_NS,
  'supported-calendar-component': CALDAV_NS,
  'valid-calendar-data': CALDAV_NS,
  'valid-scheduling-message': CALDAV_NS,
  'valid-filter': CALDAV_NS,
  'max-attendees-per-instance': CALDAV_NS,
} as const;
export type Precondition = keyof typeof NAMESPACE_OF;

/** An error whose answer is 403 with this element. */
export function brokenPrecondition(precondition: Precondition, message: string, code: ErrorCode = 'INVALID_REQUEST'): BridgeError {
  return new BridgeError(code, message, { details: { precondition } });
}

/** The precondition that an error is about; undefined where it is about none. */
export function preconditionOf(error: BridgeError): Precondition | undefined {
  const { precondition } = error.details;
  return typeof precondition === 'string' && Object.hasOwn(NAMESPACE_OF, precondition) ? (precondition as Precondition) : undefined;
}

/** The body of a refusal (RFC 4918 §14.5). The sentence is for people; clients ignore what they do not know. */
export function encodePreconditionBody(precondition: Precondition, message: string, ...inside: readonly XmlNode[]): string {
  const name = qualified({ ns: NAMESPACE_OF[precondition], name: precondition })!;
  return writeXml(el('D:error', NAMESPACES, el(name, {}, inside), el('D:responsedescription', {}, message)));
}

/** What `D:need-privileges` holds (RFC 3744 §7.1.1). */
export function neededPrivilege(href: string, privilege: string): XmlNode {
  return el('D:resource', {}, el('D:href', {}, href), el('D:privilege', {}, el(privilege)));
}
