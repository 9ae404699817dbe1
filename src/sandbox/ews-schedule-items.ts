import { createHash } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import { el } from '../platform/xml/write.ts';
import type { XmlNode } from '../platform/xml/write.ts';
import type { CalendarStore } from './calendar-store.ts';
import { publish } from './published-message.ts';

/** One free/busy message as an EWS item: its extended properties by 16-bit property tag. */
export interface ScheduleItem {
  readonly id: string;
  readonly subject: string;
  readonly properties: ReadonlyMap<number, XmlNode>;
}

export interface ScheduleItemOptions {
  readonly calendars: CalendarStore;
  readonly clock: Clock;
  readonly organisation: string;
  readonly publishMonths: number;
}

/** The messages of all mailboxes, made new at every question (exchange.md §1.2, §3.5). */
export function scheduleItems(options: ScheduleItemOptions): readonly ScheduleItem[] {
  return options.calendars.mailboxes().map(({ address }) => {
    const cn = address.slice(0, address.lastIndexOf('@'));
    const subject = `USER-/CN=RECIPIENTS/CN=${cn.toUpperCase()}`;
    const message = publish(options.calendars.list(address), options.clock.now(), options.publishMonths);
    const properties = [
      single('0xe1d', 'String', subject),
      single('0x6849', 'String', `${options.organisation}/cn=Recipients/cn=${cn}`),
      single('0x6847', 'Integer', message.startMinutes),
      single('0x6848', 'Integer', message.endMinutes),
      single('0x6868', 'SystemTime', new Date(message.publishedAt).toISOString().replace(/\.\d+/, '')),
      several('0x684f', 'IntegerArray', message.merged.months),
      several('0x6850', 'BinaryArray', message.merged.blocks),
      several('0x6851', 'IntegerArray', message.tentative.months),
      several('0x6852', 'BinaryArray', message.tentative.blocks),
      several('0x6853', 'IntegerArray', message.busy.months),
      several('0x6854', 'BinaryArray', message.busy.blocks),
      several('0x6855', 'IntegerArray', message.away.months),
      several('0x6856', 'BinaryArray', message.away.blocks),
    ];
    return { id: createHash('sha256').update(subject).digest('base64'), subject, properties: new Map(properties) };
  });
}

function single(tag: string, type: string, value: string | number): readonly [number, XmlNode] {
  return [Number(tag), el('t:ExtendedProperty', {}, el('t:ExtendedFieldURI', { PropertyTag: tag, PropertyType: type }), el('t:Value', {}, value))];
}

function several(tag: string, type: string, values: readonly (string | number)[]): readonly [number, XmlNode] {
  return [Number(tag), el('t:ExtendedProperty', {}, el('t:ExtendedFieldURI', { PropertyTag: tag, PropertyType: type }), el('t:Values', {}, values.map((one) => el('t:Value', {}, one))))];
}
