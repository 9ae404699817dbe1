import type { ShownPresence } from '../../presence/presence.ts';
import { xml } from '../../platform/xml/write.ts';
import { encodeActivity, NO_ACTIVITY } from '../user-activity/activity.ts';
import { ACTIVITY_NS } from '../user-activity/names.ts';
import { NS_PUBSUB } from './names.ts';

/** What is published about a state, as one short text that differs when the publication does; empty for an empty activity. Undefined: withdrawn. */
export function activityKey(shown: ShownPresence | undefined): string {
  const activity = shown === undefined ? NO_ACTIVITY : encodeActivity(shown);
  return activity.text === NO_ACTIVITY.text ? '' : activity.text;
}

/** The publication into the person's own PEP node (XEP-0163 §3), as the text of an iq without addresses: the API puts them in. The item is the node's only one. */
export function activityIq(shown: ShownPresence | undefined): string {
  const activity = shown === undefined ? NO_ACTIVITY : encodeActivity(shown);
  return xml`<iq type="set" id="freebusy"><pubsub xmlns="${NS_PUBSUB}"><publish node="${ACTIVITY_NS}"><item id="current">${activity}</item></publish></pubsub></iq>`.text;
}
