import { DAY_MS } from '../../core/clock.ts';
import type { Instant } from '../../core/clock.ts';
import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { Interval } from '../../freebusy/interval.ts';
import { childrenNamed } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { el } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { member } from './face/member.ts';
import { ZIMBRA_MAIL_NS } from './names.ts';

/** GetFreeBusyRequest (zimbra.md §2.1). */
export interface GetFreeBusyRequest {
  readonly window: Interval;
  /** Every string the caller used, in the order uid, id, name, usr; each once, untouched: it is the `id` of the answer. */
  readonly ids: readonly string[];
}

/**
 * Reads the request. `excludeUid` and `usr@l` are accepted and have no effect: no source can leave out one appointment or look
 * into one folder, and Zimbra itself drops both when it asks another server (zimbra.md §2.1, §3.4).
 *
 * @throws BridgeError INVALID_REQUEST or INVALID_WINDOW, with Zimbra's own words; TOO_MANY_MAILBOXES
 */
export function decodeGetFreeBusyRequest(request: XmlElement): GetFreeBusyRequest {
  const window = decodeRange(request);
  return { window, ids: distinct([...namedIn(request, ['uid', 'id', 'name']), ...decodeUsers(request)]) };
}

/**
 * `s` and `e` (zimbra.md §2.1), as attributes or children.
 *
 * @throws BridgeError INVALID_REQUEST or INVALID_WINDOW, with Zimbra's own words
 */
export function decodeRange(request: XmlElement): Interval {
  const window = { start: epochMs(request, 's'), end: epochMs(request, 'e') };
  if (window.end <= window.start) throw new BridgeError('INVALID_WINDOW', 'End time must be after Start time');
  if (Math.floor((window.end - window.start) / DAY_MS) > LIMITS.zimbraFaceDays) {
    throw new BridgeError('INVALID_WINDOW', `Requested range is too large (Maximum ${LIMITS.zimbraFaceDays} days)`);
  }
  return window;
}

/** What the comma lists of these names hold, in their order. */
export function namedIn(request: XmlElement, names: readonly string[]): readonly string[] {
  return names.flatMap((name) => commaList(member(request, name)));
}

/** Who `<usr id name l/>` names; both where there are both, as Zimbra asks (CheckRecurConflicts.java). The folder `l` has no effect. */
export function decodeUsers(request: XmlElement): readonly string[] {
  return childrenNamed(request, 'usr').flatMap((usr) => ['id', 'name'].flatMap((name) => member(usr, name) ?? []));
}

/** Each once, in the order in which they first came. */
export function distinct(ids: readonly string[]): readonly string[] {
  return [...new Set(ids)];
}

/** Asks by `name`, which keeps to addresses; they hold no comma, so the list needs no escape (there is none). */
export function encodeGetFreeBusyRequest(mailboxes: readonly MailboxAddress[], window: Interval): XmlNode {
  return el('GetFreeBusyRequest', { xmlns: ZIMBRA_MAIL_NS, s: String(window.start), e: String(window.end), name: mailboxes.join(',') });
}

function epochMs(request: XmlElement, name: 's' | 'e'): Instant {
  const instant = optionalEpochMs(request, name);
  if (instant === undefined) throw new BridgeError('INVALID_REQUEST', `missing required attribute: ${name}`);
  return instant;
}

/** Epoch milliseconds, where they are given. @throws BridgeError INVALID_REQUEST */
export function optionalEpochMs(request: XmlElement, name: 's' | 'e'): Instant | undefined {
  const text = member(request, name);
  if (text === undefined) return undefined;
  if (!/^[+-]?\d{1,15}$/.test(text)) throw new BridgeError('INVALID_REQUEST', `invalid value for attribute: ${name}`);
  return Number(text);
}

/** Far more than may be asked about, for those who name somebody again and again. */
const LIST_ENTRIES = 20 * LIMITS.mailboxesPerQuestion;

/** Cuts as Java's String.split(",") does: nothing trimmed, empty strings at the end dropped; "" is one empty string. */
function commaList(text: string | undefined): readonly string[] {
  if (text === undefined) return [];
  if (text === '') return [''];
  const parts = text.split(',', LIST_ENTRIES + 1);
  if (parts.length > LIST_ENTRIES) throw new BridgeError('TOO_MANY_MAILBOXES', `more than ${LIST_ENTRIES} names in one list`);
  while (parts.at(-1) === '') parts.pop();
  return parts;
}
