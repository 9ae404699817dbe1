import { createHash } from 'node:crypto';
import type { Instant } from '../../core/clock.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { xml, xmlDocument, XmlText } from '../../platform/xml/write.ts';
import type { ShownPresence } from '../../presence/presence.ts';
import { PIDF_STATUS } from './activity.ts';
import type { PidfStatus } from './activity.ts';
import { DATA_MODEL_NS, PIDF_NS, RPID_NS, TIMED_STATUS_NS } from './names.ts';

export interface PidfOptions {
  /** The presentity's URI, already escaped; default: `pres:` and the address (RFC 3859). SIP publishes `sip:`. */
  readonly entity?: string;
  /** When the document is read; a next stretch that has begun by then is left out. Default: since when the state is shown. */
  readonly now?: Instant;
}

/**
 * A presence document (RFC 3863): one tuple (none for `unknown`: nothing is said about reachability then), a person (RFC 4479) with its activity (RFC 4480) where there is one, and the
 * next stretch as timed status (RFC 4481). Nothing of any event but its time.
 *
 * Ids and timestamp depend on mailbox and state only, so that the same state is the same document: a server that has it twice (after a crash) sees one tuple.
 */
export function encodePidf(mailbox: MailboxAddress, shown: ShownPresence, { entity = presUri(mailbox), now = shown.since }: PidfOptions = {}): string {
  const status = PIDF_STATUS[shown.state];
  const id = documentId(mailbox);
  const since = isoTime(shown.since);
  const next = shown.next !== null && shown.next.start > now ? timedStatus(shown.next) : NOTHING;
  const note = shown.text === '' ? NOTHING : xml`<note xml:lang="${shown.language}">${shown.text}</note>`;
  // RFC 3863 §4.1.2, §4.1.4: a document may have no tuple, but no tuple may be without a status that says something.
  const tuple = status.basic === undefined ? NOTHING : xml`<tuple id="t${id}"><status>${basic('basic', status)}</status>${next}${note}<timestamp>${since}</timestamp></tuple>`;
  const person = status.activity === undefined ? NOTHING : xml`<dm:person id="p${id}">${activities(status, shown.until)}<dm:timestamp>${since}</dm:timestamp></dm:person>`;
  return xmlDocument(xml`<presence xmlns="${PIDF_NS}"${namespaces(tuple, person)} entity="${entity}">${tuple}${person}</presence>`);
}

/** Those that are used: a document that goes in one datagram is read everywhere, and 1300 octets are soon full (RFC 3261 §18.1.1). */
function namespaces(...pieces: readonly XmlText[]): XmlText {
  const used = PREFIXES.filter(([prefix]) => pieces.some(({ text }) => text.includes(`<${prefix}:`)));
  return new XmlText(used.map(([prefix, ns]) => ` xmlns:${prefix}="${ns}"`).join(''));
}

const PREFIXES = [
  ['dm', DATA_MODEL_NS],
  ['r', RPID_NS],
  ['ts', TIMED_STATUS_NS],
] as const;

/** `pres:anna@corp.example` (RFC 3859 §3): what RFC 6068 would escape in a mail address is escaped. */
export function presUri(mailbox: MailboxAddress): string {
  return `pres:${mailbox.replace(/[^\w@.!$'*+=/?^`{|}~-]/gu, encodeURIComponent).replace(/[?^`{|}/]/g, encodeURIComponent)}`;
}

const NOTHING = new XmlText('');

/** RFC 4481 §3: from is required; wholly in the future, and so never about now. */
function timedStatus({ state, start, end }: NonNullable<ShownPresence['next']>): XmlText {
  const status = PIDF_STATUS[state];
  const until = end === null ? NOTHING : xml` until="${isoTime(end)}"`;
  return xml`<ts:timed-status from="${isoTime(start)}"${until}>${basic('ts:basic', status)}${activities(status, null)}</ts:timed-status>`;
}

function basic(name: 'basic' | 'ts:basic', status: PidfStatus): XmlText {
  if (status.basic === undefined) return NOTHING;
  return new XmlText(`<${name}>${status.basic}</${name}>`);
}

function activities({ activity }: PidfStatus, until: Instant | null): XmlText {
  if (activity === undefined) return NOTHING;
  return new XmlText(`<r:activities${until === null ? '' : ` until="${isoTime(until)}"`}><r:${activity}/></r:activities>`);
}

/** The same for a mailbox always and everywhere, another for everybody else, and nothing that a phone of theirs would choose. */
function documentId(mailbox: MailboxAddress): string {
  return createHash('sha256').update(`calendar ${mailbox}`).digest('hex').slice(0, ID_DIGITS);
}

const ID_DIGITS = 12;

/** xs:dateTime in whole seconds where it is one. */
function isoTime(instant: Instant): string {
  return new Date(instant).toISOString().replace('.000Z', 'Z');
}
