import { child, childrenNamed, descend } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { xml } from '../../platform/xml/write.ts';
import type { XmlText } from '../../platform/xml/write.ts';
import { activityOf } from './activity.ts';
import { ACTIVITY_NS, PUBSUB_NS } from './names.ts';

/** XEP-0060 §12.20: the id of the item of a node that holds one. A person's own client uses it too, so that either replaces the other's. */
const ITEM_ID = 'current';

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

/** The activity of the last item of an answer; undefined where there is no item, or none with an activity. */
export function decodeLastItem(iq: XmlElement): XmlElement | undefined {
  return childrenNamed(descend(iq, 'pubsub', 'items'), 'item').map(activityOf).findLast((one) => one !== undefined);
}

/** Whether an answer is one about items at all. */
export function hasItems(iq: XmlElement): boolean {
  return child(child(iq, 'pubsub'), 'items') !== undefined;
}
