import type { PresenceState, ShownPresence } from '../../presence/presence.ts';
import { el, xmlFragment } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { NS_ACTIVITY, NS_PUBSUB } from './names.ts';

/** What a state is as XEP-0108 activity: general, specific. Undefined: none, which is an empty `<activity/>`. */
const ACTIVITIES: Readonly<Record<PresenceState, readonly [general: string, specific?: string] | undefined>> = {
  available: undefined,
  'in-a-meeting': ['working', 'in_a_meeting'],
  away: ['inactive'],
  unknown: undefined,
  'on-the-phone': ['talking', 'on_the_phone'],
  // Neither is an activity: the first is a show, the second is nobody's business.
  'do-not-disturb': undefined,
  offline: undefined,
};

/** What is published about a state, as one short text that differs when the publication does; empty for an empty activity. */
export function activityKey(shown: ShownPresence | undefined): string {
  const activity = shown === undefined ? undefined : ACTIVITIES[shown.state];
  return activity === undefined ? '' : [...activity, shown!.language, shown!.text].join(' ');
}

/** `<activity/>` of XEP-0108 §2.1; undefined (withdrawn) and what is no activity: empty, which is how an activity ends (§2.2). */
export function activityElement(shown: ShownPresence | undefined): XmlNode {
  const activity = shown === undefined ? undefined : ACTIVITIES[shown.state];
  if (shown === undefined || activity === undefined) return el('activity', { xmlns: NS_ACTIVITY });
  const [general, specific] = activity;
  return el('activity', { xmlns: NS_ACTIVITY }, el(general, {}, specific !== undefined && el(specific)), shown.text !== '' && el('text', { 'xml:lang': shown.language }, shown.text));
}

/** The publication into the person's own PEP node (XEP-0163 §3), as the text of an iq without addresses: the API puts them in. The item is the node's only one. */
export function activityIq(shown: ShownPresence | undefined): string {
  const item = el('item', { id: 'current' }, activityElement(shown));
  return xmlFragment(el('iq', { type: 'set', id: 'freebusy' }, el('pubsub', { xmlns: NS_PUBSUB }, el('publish', { node: NS_ACTIVITY }, item)))).text;
}
