import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { attribute, child, childrenNamed } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { xml } from '../../platform/xml/write.ts';
import type { XmlText } from '../../platform/xml/write.ts';
import { CLIENT_NS, FORWARD_NS, OLD_PRIVILEGE_NS, PRIVILEGE_NS } from './names.ts';

export type IqType = 'get' | 'set';

/** What a host lets us do in its users' names (XEP-0356 §4.2). */
export interface Privileges {
  /** By namespace of the payload. Empty where only rosters, messages or presence are granted. */
  readonly iq: ReadonlyMap<string, ReadonlySet<IqType>>;
  /** It speaks `urn:xmpp:privilege:1`, which knows no IQs (seen: ejabberd 23.01). */
  readonly isOld: boolean;
}

const GRANTS: Readonly<Record<string, readonly IqType[]>> = { get: ['get'], set: ['set'], both: ['get', 'set'] };

/**
 * Reads a message in which a host tells its privileges; undefined for every other message. `host` is who says so: a bare domain, because users may write messages too.
 *
 * Namespaces are looked for at any depth below the `iq` permission: Prosody's mod_privilege (2023) nests the second into the first.
 */
export function decodePrivileges(message: XmlElement): { readonly host: string; readonly privileges: Privileges } | undefined {
  const host = attribute(message, 'from')?.toLowerCase() ?? '';
  if (attribute(message, 'type') === 'error' || !/^[^@/\s]{1,255}$/.test(host)) return undefined;
  const told = childrenNamed(message, 'privilege');
  const current = told.find((one) => one.ns === PRIVILEGE_NS);
  if (current === undefined) return told.some((one) => one.ns === OLD_PRIVILEGE_NS) ? { host, privileges: { iq: new Map(), isOld: true } } : undefined;
  const iq = new Map<string, ReadonlySet<IqType>>();
  const permissions = childrenNamed(current, 'perm').filter((one) => attribute(one, 'access') === 'iq');
  for (const namespace of permissions.flatMap(namespacesBelow).slice(0, LIMITS.presenceXmppHosts)) {
    iq.set(attribute(namespace, 'ns') ?? '', new Set(GRANTS[attribute(namespace, 'type') ?? '']));
  }
  return { host, privileges: { iq, isOld: false } };
}

function namespacesBelow(element: XmlElement): readonly XmlElement[] {
  return element.children.flatMap((one) => [...(one.name === 'namespace' ? [one] : []), ...namespacesBelow(one)]);
}

/**
 * Wraps an IQ that the server sends in its user's name (XEP-0356 §6.2). Prosody wants: the outer IQ to the user's bare JID; one inner IQ in `jabber:client` with an id of its own, the
 * outer one's type, and from nobody else.
 *
 * @param jid the user's bare JID
 * @param payload one element; its namespace must be granted
 */
export function encodePrivilegedIq(iq: { readonly id: string; readonly type: IqType; readonly component: string; readonly jid: string }, payload: XmlText): XmlText {
  const { id, type, component, jid } = iq;
  return xml`<iq type="${type}" id="${id}" from="${component}" to="${jid}"><privileged_iq xmlns="${PRIVILEGE_NS}"><iq xmlns="${CLIENT_NS}" type="${type}" id="${id}" from="${jid}" to="${jid}">${payload}</iq></privileged_iq></iq>`;
}

/**
 * What the user's server answered to the inner IQ, result or error: result > privilege > forwarded > iq.
 *
 * @throws BridgeError BACKEND_MALFORMED (temporary)
 */
export function decodePrivilegedAnswer(result: XmlElement): XmlElement {
  const privilege = child(result, 'privilege');
  const forwarded = child(privilege, 'forwarded');
  const inner = child(forwarded, 'iq');
  const type = attribute(inner, 'type');
  if (privilege?.ns !== PRIVILEGE_NS || forwarded?.ns !== FORWARD_NS || inner === undefined || (type !== 'result' && type !== 'error')) {
    throw new BridgeError('BACKEND_MALFORMED', 'the XMPP server answered without an answer', { temporary: true });
  }
  return inner;
}
