import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { childrenNamed } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { readXml } from '../../platform/xml/read.ts';
import type { PresenceState } from '../../presence/presence.ts';
import { STATE_OF_ACTIVITY } from './activity.ts';
import { DATA_MODEL_NS, PIDF_NS, RPID_NS } from './names.ts';

/**
 * What a watcher sees in a presence document (RFC 3863), however many publishers it was put together from: Kamailio concatenates (presence.md §D.3). Of several activities the one that most
 * speaks against disturbing counts; available is only what says `open` and nothing else. Timed statuses are not about now and are passed over.
 *
 * @returns undefined where it holds neither tuple nor person: nothing is published
 * @throws BridgeError BACKEND_MALFORMED for what is no such document, BACKEND_TOO_LARGE
 */
export async function decodePidf(bytes: Uint8Array): Promise<PresenceState | undefined> {
  if (bytes.length > LIMITS.pidfBytes) throw new BridgeError('BACKEND_TOO_LARGE', 'the presence document is too large', { details: { bytes: bytes.length } });
  const presence = await documentOf(bytes);
  const tuples = childrenNamed(presence, 'tuple').filter((one) => one.ns === PIDF_NS);
  const persons = childrenNamed(presence, 'person').filter((one) => one.ns === DATA_MODEL_NS);
  const statuses = tuples.flatMap((tuple) => childrenNamed(tuple, 'status').filter((one) => one.ns === PIDF_NS));
  const said = new Set([...persons, ...statuses].flatMap(statesOf));
  const strongest = STRENGTH.find((state) => said.has(state));
  if (strongest !== undefined) return strongest;
  const basics = statuses.map((status) => childrenNamed(status, 'basic').find((one) => one.ns === PIDF_NS)?.text.trim());
  if (basics.includes('open')) return 'available';
  if (basics.includes('closed')) return 'offline';
  return tuples.length + persons.length === 0 ? undefined : 'unknown';
}

const STRENGTH: readonly PresenceState[] = ['on-the-phone', 'do-not-disturb', 'in-a-meeting', 'away', 'unknown'];

function statesOf(element: XmlElement): readonly PresenceState[] {
  const activities = childrenNamed(element, 'activities').filter((one) => one.ns === RPID_NS);
  return activities.flatMap(({ children }) => children.filter((one) => one.ns === RPID_NS).flatMap((one) => STATE_OF_ACTIVITY.get(one.name) ?? []));
}

async function documentOf(bytes: Uint8Array): Promise<XmlElement> {
  try {
    const root = await readXml(bytes, { maxNodes: LIMITS.pidfNodes });
    if (root.name === 'presence' && root.ns === PIDF_NS) return root;
  } catch (error) {
    throw new BridgeError('BACKEND_MALFORMED', 'the presence document cannot be read', { cause: error });
  }
  throw new BridgeError('BACKEND_MALFORMED', 'this is no presence document');
}
