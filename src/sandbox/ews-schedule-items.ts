import { createHash } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import type { XmlNode } from '../platform/xml/write.ts';
import type { CalendarStore } from './calendar-store.ts';
import { extendedPropertyNode } from './ews-extended-property.ts';
import type { MessageFolder, StoredMessage } from './message-folder.ts';
import { publish } from './published-message.ts';
import type { PropertyKind } from './written-property.ts';

/** One free/busy message as an EWS item: its extended properties by 16-bit property tag. */
export interface ScheduleItem {
  readonly id: string;
  readonly changeKey: string;
  readonly subject: string;
  readonly property: (tag: number) => XmlNode | undefined;
}

export interface ScheduleItemOptions {
  readonly calendars: CalendarStore;
  readonly clock: Clock;
  readonly organisation: string;
  readonly publishMonths: number;
  /** What was written from outside. */
  readonly folder: MessageFolder;
}

/** The messages of all mailboxes, made new at every question, and those that were written (exchange.md §1.2, §3.5). */
export function scheduleItems(options: ScheduleItemOptions): readonly ScheduleItem[] {
  return [...ownItems(options), ...options.folder.all().map(writtenItem)];
}

/** Every change of it makes another key. */
export function changeKeyOf(stored: StoredMessage): string {
  return Buffer.from(`CQAAAB${String(stored.version).padStart(6, '0')}`, 'latin1').toString('base64');
}

export function subjectOfOwn(address: string): string {
  return `USER-/CN=RECIPIENTS/CN=${address.slice(0, address.lastIndexOf('@')).toUpperCase()}`;
}

/** The id of the message that Exchange makes of a mailbox of its own. */
export function idOfOwn(address: string): string {
  return createHash('sha256').update(subjectOfOwn(address)).digest('base64');
}

export function writtenItem(stored: StoredMessage): ScheduleItem {
  const property = (tag: number): XmlNode | undefined => {
    const found = stored.properties.get(tag);
    return found && extendedPropertyNode(found);
  };
  return { id: stored.key, changeKey: changeKeyOf(stored), subject: stored.published.subject, property };
}

function ownItems(options: ScheduleItemOptions): readonly ScheduleItem[] {
  return options.calendars.mailboxes().map(({ address }) => {
    const subject = subjectOfOwn(address);
    const message = publish(options.calendars.list(address), options.clock.now(), options.publishMonths);
    const properties: readonly (readonly [number, PropertyKind, readonly (string | number)[]])[] = [
      [0x0e1d, 'string', [subject]],
      [0x6849, 'string', [`${options.organisation}/cn=Recipients/cn=${address.slice(0, address.lastIndexOf('@'))}`]],
      [0x6847, 'integer', [message.startMinutes]],
      [0x6848, 'integer', [message.endMinutes]],
      [0x6868, 'time', [new Date(message.publishedAt).toISOString()]],
      [0x684f, 'integers', message.merged.months],
      [0x6850, 'binaries', message.merged.blocks],
      [0x6851, 'integers', message.tentative.months],
      [0x6852, 'binaries', message.tentative.blocks],
      [0x6853, 'integers', message.busy.months],
      [0x6854, 'binaries', message.busy.blocks],
      [0x6855, 'integers', message.away.months],
      [0x6856, 'binaries', message.away.blocks],
    ];
    const property = (tag: number): XmlNode | undefined => {
      const found = properties.find(([id]) => id === tag);
      return found && extendedPropertyNode({ id: found[0], kind: found[1], values: found[2].map(String) });
    };
    return { id: idOfOwn(address), changeKey: 'CQAAAA==', subject, property };
  });
}
