import { LIMITS } from '../core/limits.ts';
import { MINUTE_MS } from '../core/clock.ts';
import type { Instant } from '../core/clock.ts';
import { xml } from '../platform/xml/write.ts';
import type { XmlText } from '../platform/xml/write.ts';
import { isCounted } from './calendar-store.ts';
import type { Exchange2003Context } from './exchange-2003.ts';
import { shownOfMessage } from './message-folder.ts';
import { publishWindow } from './published-message.ts';
import { readRawQuery } from './raw-query.ts';
import type { StandInAnswer, StandInRequest } from './stand-in.ts';
import { DIGIT, ENTRY_STATUS, statusRow, unionRow } from './status-row.ts';
import type { Status, Stretch } from './status-row.ts';

const SOURCE = 'captures/exchange-webdav/FreeBusyResponse.xml';

/** `GET /public/?cmd=freebusy&start=&end=&interval=&u=SMTP:…` (exchange.md §2.4). */
export function answerFreeBusyQuery(request: StandInRequest, context: Exchange2003Context): StandInAnswer {
  if (!/MSIE/.test(request.headers['user-agent'] ?? '')) {
    return { status: 200, headers: { 'Content-Type': 'text/html' }, body: '<html><body>Microsoft Outlook Web Access</body></html>', source: 'exchange.md §2.4: only Internet Explorer gets XML' };
  }
  const query = readRawQuery(request.query);
  const start = Date.parse(query.first('start') ?? '');
  const end = Date.parse(query.first('end') ?? '');
  const interval = Number(query.first('interval') ?? '30');
  if (query.first('cmd')?.toLowerCase() !== 'freebusy' || !(start < end) || !(interval >= 1 && (end - start) / (interval * MINUTE_MS) <= LIMITS.slotsPerMailbox)) {
    return { status: 400, headers: { 'Content-Type': 'text/html' }, body: '<html><body>Bad Request</body></html>', source: 'sandbox: not in any source' };
  }
  const attendees = query.all('u').map((value) => attendee(value.replace(/^smtp:/i, ''), start, end, interval, context));
  const items = [item('All Attendees', undefined, unionRow(attendees.map((one) => one.row))), ...attendees.map((one) => item(one.name, one.address, one.row))];
  return {
    status: 200,
    headers: { 'Content-Type': 'text/xml' },
    body: xml`<a:response xmlns:a="WM">
  <a:recipients>${items}
  </a:recipients>
</a:response>`.text,
    source: SOURCE,
    mailboxes: attendees.length,
  };
}

interface Attendee {
  readonly name: string;
  readonly address: string;
  readonly row: readonly Status[];
}

function attendee(asked: string, start: Instant, end: Instant, interval: number, context: Exchange2003Context): Attendee {
  const mailbox = context.calendars.find(asked);
  const everything: Stretch = { start, end, status: 'no-data' };
  const contact = mailbox === undefined ? context.contacts(asked) : undefined;
  if (contact !== undefined) {
    // Somebody whose mailbox is elsewhere: whoever looks sees what was written into the folder.
    const shown = shownOfMessage(context.folder.ofPerson(contact)?.published, start, end);
    return { name: asked, address: asked, row: statusRow(shown, start, end, interval * MINUTE_MS) };
  }
  if (mailbox === undefined) return { name: asked, address: asked, row: statusRow([everything], start, end, interval * MINUTE_MS) };
  // Exchange 2003 answers from the published message, so what lies outside of what is published is unknown (exchange.md §1.3).
  const published = publishWindow(context.now, context.publishMonths);
  const stretches: Stretch[] = context.calendars
    .touching(asked, published.start, published.end)
    .filter(isCounted)
    .map((entry) => ({ start: entry.start, end: entry.end, status: ENTRY_STATUS[entry.type] }));
  const row = statusRow(stretches, start, end, interval * MINUTE_MS).map((status, slot) => {
    const from = start + slot * interval * MINUTE_MS;
    return from < published.start || from + interval * MINUTE_MS > published.end ? 'no-data' : status;
  });
  return { name: mailbox.displayName, address: mailbox.address, row };
}

function item(name: string, address: string | undefined, row: readonly Status[]): XmlText {
  const email = address === undefined ? xml`` : xml`
      <a:email type="SMTP">${address}</a:email>`;
  return xml`
    <a:item>
      <a:displayname>${name}</a:displayname>${email}
      <a:type>1</a:type>
      <a:fbdata>${row.map((status) => DIGIT[status]).join('')}</a:fbdata>
    </a:item>`;
}
