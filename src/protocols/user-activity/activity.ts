import { LIMITS } from '../../core/limits.ts';
import type { PresenceState, ShownPresence } from '../../presence/presence.ts';
import { child } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { el, xml, xmlFragment } from '../../platform/xml/write.ts';
import type { XmlText } from '../../platform/xml/write.ts';
import { ACTIVITY_NS } from './names.ts';

/** A general activity of XEP-0108 §3, and a specific one below it; `nothing`: an activity without content, `withdrawn`: and no item that stays. */
export type Activity = { readonly general: string; readonly specific?: string } | 'nothing' | 'withdrawn';

/**
 * What each state becomes (presence.md §C.1). Available says that there is nothing to say. Unknown and offline are withdrawn: an item that stays would be read as "nothing in the way".
 * Lost: that somebody is offline (XEP-0108 cannot say it; presence itself does).
 */
export const ACTIVITIES: Readonly<Record<PresenceState, Activity>> = {
  available: 'nothing',
  'in-a-meeting': { general: 'working', specific: 'in_a_meeting' },
  away: { general: 'inactive' },
  'on-the-phone': { general: 'talking', specific: 'on_the_phone' },
  // XEP-0108 has nothing nearer; the text says the rest.
  'do-not-disturb': { general: 'working' },
  unknown: 'withdrawn',
  offline: 'withdrawn',
};

/** The activity element of XEP-0108 §2; without content where there is nothing to say, which is how an activity ends (§2.2). */
export function encodeActivity(shown: Pick<ShownPresence, 'state' | 'text' | 'language'>): XmlText {
  const activity = ACTIVITIES[shown.state];
  if (typeof activity === 'string') return NO_ACTIVITY;
  const general = xmlFragment(el(activity.general, {}, activity.specific !== undefined && el(activity.specific)));
  const words = [...shown.text].slice(0, LIMITS.presenceXmppTextCharacters).join('');
  const text = words === '' ? [] : [xml`<text xml:lang="${shown.language}">${words}</text>`];
  return xml`<activity xmlns="${ACTIVITY_NS}">${general}${text}</activity>`;
}

/** How an activity ends. */
export const NO_ACTIVITY: XmlText = xml`<activity xmlns="${ACTIVITY_NS}"/>`;

/**
 * What an activity says, read as it is written above; an activity of another kind, which the person's own client may have published, is `unknown`.
 *
 * `working` alone is do-not-disturb. An activity without content is available.
 */
export function decodeActivity(activity: XmlElement): PresenceState {
  const general = activity.children.find((one) => one.ns === ACTIVITY_NS && one.name !== 'text');
  if (general === undefined) return activity.children.length === 0 ? 'available' : 'unknown';
  const specific = general.children.find((one) => one.ns === ACTIVITY_NS);
  for (const [state, one] of Object.entries(ACTIVITIES) as readonly (readonly [PresenceState, Activity])[]) {
    if (typeof one !== 'string' && one.general === general.name && one.specific === specific?.name) return state;
  }
  // XEP-0108 §3: whoever does not know a specific activity takes the general one; ours stands without.
  return general.name === 'inactive' ? 'away' : 'unknown';
}

/** The activity below an item or an event's item. */
export function activityOf(item: XmlElement | undefined): XmlElement | undefined {
  const activity = child(item, 'activity');
  return activity?.ns === ACTIVITY_NS ? activity : undefined;
}
