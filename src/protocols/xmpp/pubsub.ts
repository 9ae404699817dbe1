import { attribute, childrenNamed, descend } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { xml } from '../../platform/xml/write.ts';
import type { XmlText } from '../../platform/xml/write.ts';
import { activityOf } from '../user-activity/activity.ts';
import { ACTIVITY_NS } from '../user-activity/names.ts';
import { PUBSUB_NS } from './names.ts';

/** Our own, so that what a person's client has published under another is told apart; a node of XEP-0163 keeps one item all the same, and the later replaces the earlier. */
const ITEM_ID = 'freebusy-bridge';

/** Publishes the activity (XEP-0060 §7.1.1, XEP-0163 §3); the server makes the node where there is none, for contacts only (XEP-0163 §4). */
export function encodePublish(activity: XmlText): XmlText {
  return xml`<pubsub xmlns="${PUBSUB_NS}"><publish node="${ACTIVITY_NS}"><item id="${ITEM_ID}">${activity}</item></publish></pubsub>`;
}

/** Takes the item away (XEP-0060 §7.2.1); silently, because watchers have been told by an empty activity, which more of them understand. */
export function encodeRetract(): XmlText {
  return xml`<pubsub xmlns="${PUBSUB_NS}"><retract node="${ACTIVITY_NS}"><item id="${ITEM_ID}"/></retract></pubsub>`;
}

/** Asks for the last item (XEP-0060 §6.5.7). */
export function encodeLastItem(): XmlText {
  return xml`<pubsub xmlns="${PUBSUB_NS}"><items node="${ACTIVITY_NS}" max_items="1"/></pubsub>`;
}

export interface LastItem {
  /** Undefined where it is about something else. */
  readonly activity: XmlElement | undefined;
  /** Whether we have published it. */
  readonly isOurs: boolean;
}

/** The last item of an answer; undefined where there is none. */
export function decodeLastItem(iq: XmlElement): LastItem | undefined {
  const item = childrenNamed(descend(iq, 'pubsub', 'items'), 'item').at(-1);
  return item === undefined ? undefined : { activity: activityOf(item), isOurs: attribute(item, 'id') === ITEM_ID };
}
