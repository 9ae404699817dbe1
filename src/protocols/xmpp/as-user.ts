import { BridgeError } from '../../core/errors.ts';
import { attribute } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import type { XmlText } from '../../platform/xml/write.ts';
import type { ComponentClient } from './component-client.ts';
import { stanzaFailure } from './failure.ts';
import { decodePrivilegedAnswer, encodePrivilegedIq } from './privilege.ts';
import type { IqType, Privileges } from './privilege.ts';
import { privilegeLine } from './prosody-configuration.ts';

/** Sends an IQ in a user's name, and gives the result his server answered. @throws BridgeError what either IQ's error says */
export async function askAsUser(client: ComponentClient, iq: { readonly component: string; readonly jid: string; readonly type: IqType }, payload: XmlText, signal: AbortSignal): Promise<XmlElement> {
  const inner = decodePrivilegedAnswer(await client.ask(iq.jid, (id) => encodePrivilegedIq({ ...iq, id }, payload), signal));
  if (attribute(inner, 'type') === 'error') throw stanzaFailure(inner);
  return inner;
}

/** Nothing is sent without the privilege: servers without it take privileged IQs for something else. */
export function missingPrivilege(type: IqType, privileges: Privileges | undefined, component: string, host: string): BridgeError {
  const details = { reason: privileges === undefined ? 'no privilege told' : privileges.isOld ? 'urn:xmpp:privilege:1' : `no ${type} privilege`, advice: adviceFor(privileges, component, host) };
  const text = privileges?.isOld === true ? `the XMPP server of ${host} is too old: it grants nothing that publishes (urn:xmpp:privilege:1)` : `the XMPP server lets us ${type === 'set' ? 'publish' : 'read'} nothing for users of ${host}: ${details.advice}`;
  if (type === 'get') return new BridgeError('UNSUPPORTED', text, { details });
  return new BridgeError('BACKEND_AUTH', text, { details });
}

function adviceFor(privileges: Privileges | undefined, component: string, host: string): string {
  if (privileges?.isOld === true) return 'XEP-0356 with IQs is in Prosody 0.12 with mod_privilege, and in ejabberd since 24.12; or publish by type: ejabberd';
  const line = `VirtualHost "${host}" needs ${privilegeLine(component)}`;
  return privileges === undefined ? `${line}, and "privilege" in modules_enabled both there and below Component "${component}"` : line;
}
