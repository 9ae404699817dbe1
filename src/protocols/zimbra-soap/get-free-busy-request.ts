import { DAY_MS } from '../../core/clock.ts';
import type { Instant } from '../../core/clock.ts';
import { BridgeError } from '../../core/errors.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { Interval } from '../../freebusy/interval.ts';
import { attribute, childrenNamed } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { el } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { MAX_RANGE_DAYS, ZIMBRA_MAIL_NS } from './names.ts';

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
 * @throws BridgeError INVALID_REQUEST or INVALID_WINDOW, with Zimbra's own words
 */
export function decodeGetFreeBusyRequest(request: XmlElement): GetFreeBusyRequest {
  const window = { start: epochMs(request, 's'), end: epochMs(request, 'e') };
  if (window.end <= window.start) throw new BridgeError('INVALID_WINDOW', 'End time must be after Start time');
  if (Math.floor((window.end - window.start) / DAY_MS) > MAX_RANGE_DAYS) {
    throw new BridgeError('INVALID_WINDOW', `Requested range is too large (Maximum ${MAX_RANGE_DAYS} days)`);
  }
  const lists = ['uid', 'id', 'name'].flatMap((name) => commaList(attribute(request, name)));
  const users = childrenNamed(request, 'usr').flatMap((usr) => attribute(usr, 'id') ?? attribute(usr, 'name') ?? []);
  return { window, ids: [...new Set([...lists, ...users])] };
}

/** Asks by `name`, which keeps to addresses; they hold no comma, so the list needs no escape (there is none). */
export function encodeGetFreeBusyRequest(mailboxes: readonly MailboxAddress[], window: Interval): XmlNode {
  return el('GetFreeBusyRequest', { xmlns: ZIMBRA_MAIL_NS, s: String(window.start), e: String(window.end), name: mailboxes.join(',') });
}

function epochMs(request: XmlElement, name: 's' | 'e'): Instant {
  const text = attribute(request, name);
  if (text === undefined) throw new BridgeError('INVALID_REQUEST', `missing required attribute: ${name}`);
  if (!/^[+-]?\d{1,15}$/.test(text)) throw new BridgeError('INVALID_REQUEST', `invalid value for attribute: ${name}`);
  return Number(text);
}

/** Cuts as Java's String.split(",") does: nothing trimmed, empty strings at the end dropped; "" is one empty string. */
function commaList(text: string | undefined): readonly string[] {
  if (text === undefined) return [];
  if (text === '') return [''];
  const parts = text.split(',');
  while (parts.at(-1) === '') parts.pop();
  return parts;
}
