import { MINUTE_MS } from '../../core/clock.ts';
import { BridgeError } from '../../core/errors.ts';
import { formatIsoTime, parseIsoTime } from '../../core/iso-time.ts';
import { LIMITS } from '../../core/limits.ts';
import { Pace } from '../../core/pace.ts';
import { parseMailboxAddress } from '../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { BUSY_RANK, BUSY_TYPES } from '../../freebusy/busy-type.ts';
import type { WorkingElsewhereAs } from '../../freebusy/busy-type.ts';
import { freeBusyFrom } from '../../freebusy/free-busy.ts';
import type { FreeBusy } from '../../freebusy/free-busy.ts';
import type { Interval } from '../../freebusy/interval.ts';
import { slotCount, slotRanks, slotString, stretchesFromSlots } from '../../freebusy/slots.ts';
import { withoutWorkingElsewhere } from '../../freebusy/working-elsewhere.ts';
import { firstRaw, percentDecode, rawParameters } from '../../platform/http-server/raw-query.ts';
import { child, childrenNamed, childText } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { xml, xmlDocument } from '../../platform/xml/write.ts';
import type { XmlText } from '../../platform/xml/write.ts';
import { FBDATA_DIGITS, busyTypeOfDigit } from './busy-type.ts';
import { WM } from './names.ts';

/** `cmd=freebusy`: slots of `intervalMinutes` from `window.start`, for every address. KB 813268, exchange.md §2.4. */
export interface FreeBusyCommand {
  readonly window: Interval;
  readonly intervalMinutes: number;
  /** As sent, without `SMTP:`; they are echoed. */
  readonly addresses: readonly string[];
}

/** KB 813268 has no default; a stock Zimbra's. */
const DEFAULT_INTERVAL_MINUTES = 15;

/** The command that a raw query names, lower case; undefined where it names none. */
export function commandOf(rawQuery: string): string | undefined {
  const command = firstRaw(rawParameters(rawQuery), 'cmd');
  return command === undefined ? undefined : percentDecode(command).toLowerCase();
}

/**
 * Reads the query part of the raw URL. Of a repeated start, end or interval the first counts.
 *
 * @throws BridgeError INVALID_WINDOW (times that cannot be read), INVALID_REQUEST (interval out of 1 … 1444, nobody asked about)
 */
export function decodeFreeBusyQuery(rawQuery: string): FreeBusyCommand {
  const parameters = rawParameters(rawQuery);
  const time = (name: 'start' | 'end'): number => {
    const instant = parseIsoTime(percentDecode(firstRaw(parameters, name) ?? ''), 'zoned');
    if (instant === undefined) throw new BridgeError('INVALID_WINDOW', `${name} is no ISO 8601 time with a zone`);
    return instant;
  };
  const window = { start: time('start'), end: time('end') };
  const interval = percentDecode(firstRaw(parameters, 'interval') ?? String(DEFAULT_INTERVAL_MINUTES));
  const intervalMinutes = /^\d{1,4}$/.test(interval) ? Number(interval) : 0;
  if (intervalMinutes < 1 || intervalMinutes > LIMITS.owaIntervalMinutes) {
    throw new BridgeError('INVALID_REQUEST', `interval is not between 1 and ${LIMITS.owaIntervalMinutes} minutes`);
  }
  const addresses = parameters.flatMap((one) => (one.name === 'u' ? [percentDecode(one.value).replace(/^smtp:/i, '')] : []));
  // An answer without recipients is shown as free by Zimbra.
  if (addresses.length === 0) throw new BridgeError('INVALID_REQUEST', 'nobody is asked about');
  return { window, intervalMinutes, addresses };
}

/** The query part that asks for it, without `?`: times in Z, everything escaped that has a meaning of its own. */
export function encodeFreeBusyQuery(command: FreeBusyCommand): string {
  const users = command.addresses.map((address) => `&u=SMTP:${encodeURIComponent(address).replace(/%40/g, '@').replace(/'/g, '%27')}`);
  const { start, end } = command.window;
  return `cmd=freebusy&start=${formatIsoTime(start)}&end=${formatIsoTime(end)}&interval=${command.intervalMinutes}${users.join('')}`;
}

/** What is known of one address; undefined: nothing. */
export interface FreeBusyAnswer {
  readonly address: string;
  readonly freeBusy: FreeBusy | undefined;
}

/**
 * Writes the answer: first the union of all, then one item for each address in the order asked, ceil(window / interval)
 * digits each. Somebody unknown gets 4s: whoever is missing from the answer, Zimbra shows as free.
 */
export async function encodeFreeBusyResponse(
  answers: readonly FreeBusyAnswer[],
  window: Interval,
  intervalMinutes: number,
  workingElsewhereAs: WorkingElsewhereAs,
): Promise<string> {
  const slots = slotCount(window, intervalMinutes);
  const union = new Uint8Array(slots);
  const unknown = new Uint8Array(slots).fill(BUSY_RANK['no-data']);
  const items: XmlText[] = [];
  const pace = new Pace(LIMITS.slotsPerTurn);
  for (const { address, freeBusy } of answers) {
    if (pace.spend(slots)) await pace.turn();
    const spoken = freeBusy && withoutWorkingElsewhere(freeBusy, workingElsewhereAs);
    const ranks = spoken === undefined ? unknown : slotRanks(spoken, window, intervalMinutes);
    for (let slot = 0; slot < slots; slot++) if (union[slot]! < ranks[slot]!) union[slot] = ranks[slot]!;
    items.push(
      xml`<a:item><a:displayname>${address}</a:displayname><a:email type="SMTP">${address}</a:email><a:type>1</a:type><a:fbdata>${slotString(ranks, DIGIT_OF_RANK)}</a:fbdata></a:item>`,
    );
  }
  const all = xml`<a:item><a:displayname>All Attendees</a:displayname><a:type>1</a:type><a:fbdata>${slotString(union, DIGIT_OF_RANK)}</a:fbdata></a:item>`;
  return xmlDocument(xml`<a:response xmlns:a="${WM}"><a:recipients>${all}${items}</a:recipients></a:response>`);
}

const DIGIT_OF_RANK = BUSY_TYPES.map((busyType) => (busyType === 'working-elsewhere' ? FBDATA_DIGITS['no-data'] : FBDATA_DIGITS[busyType]));

/** The digits of one mailbox, or why there are none. */
export type Digits = { readonly fbdata: string } | { readonly error: BridgeError };

/**
 * Reads an answer by e-mail address, never by position (the first item is the union and has none). Addresses nobody asked
 * about are ignored; one given twice with different digits, without digits or with 4s only is NO_DATA; missing: not in the map.
 *
 * @throws BridgeError BACKEND_MALFORMED where there is no list of recipients
 */
export function decodeFreeBusyResponse(root: XmlElement, asked: ReadonlySet<MailboxAddress>): ReadonlyMap<MailboxAddress, Digits> {
  const recipients = child(root, 'recipients');
  if (recipients === undefined) throw new BridgeError('BACKEND_MALFORMED', 'the answer has no free/busy in it');
  const byMailbox = new Map<MailboxAddress, Digits>();
  for (const item of childrenNamed(recipients, 'item')) {
    const mailbox = parseMailboxAddress(childText(item, 'email') ?? '');
    if (mailbox === undefined || !asked.has(mailbox)) continue;
    const digits = digitsOf(item);
    const before = byMailbox.get(mailbox);
    byMailbox.set(mailbox, before === undefined || same(before, digits) ? digits : noData('the answer has this mailbox twice, with different content'));
  }
  return byMailbox;
}

/** Digits as free/busy of `window`: slots from `slotsFrom`, which may lie before it; what they do not reach is no data. */
export function freeBusyFromDigits(mailbox: MailboxAddress, window: Interval, fbdata: string, slotsFrom: number, intervalMinutes: number): FreeBusy {
  // More digits than the window has slots would be read past its end; cut first, so that a huge answer costs nothing.
  const slots = Math.ceil((window.end - slotsFrom) / (intervalMinutes * MINUTE_MS));
  const { busy, covered } = stretchesFromSlots(fbdata.slice(0, slots), slotsFrom, intervalMinutes, busyTypeOfDigit);
  return freeBusyFrom(mailbox, window, { busy, known: [covered] });
}

function digitsOf(item: XmlElement): Digits {
  const fbdata = childText(item, 'fbdata');
  if (fbdata === undefined || fbdata === '') return noData('the answer has no digits for this mailbox');
  // Exchange's way of saying that it knows nobody of this name, or nothing about him.
  if (/^4+$/.test(fbdata)) return noData('the server knows no free/busy of this mailbox');
  return { fbdata };
}

function same(a: Digits, b: Digits): boolean {
  return 'fbdata' in a && 'fbdata' in b ? a.fbdata === b.fbdata : 'error' in a && 'error' in b && a.error.publicMessage === b.error.publicMessage;
}

function noData(reason: string): Digits {
  return { error: new BridgeError('NO_DATA', reason) };
}
