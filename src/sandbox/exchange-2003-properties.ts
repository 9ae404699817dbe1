import { xml } from '../platform/xml/write.ts';
import type { XmlText } from '../platform/xml/write.ts';
import type { Mailbox } from './calendar-store.ts';
import type { PublishedMessage as OwnMessage } from './published-message.ts';
import { ID, kindOfTag } from './written-property.ts';
import type { PropertyKind, WrittenProperty } from './written-property.ts';
import type { Properties } from './written-message.ts';

/** Gives the element of a property by its local name in lower case (`x68531003`, `subject`); undefined where there is none. */
export type ShownProperties = (name: string) => XmlText | undefined;

/** `dt` of each kind (exchange.md §2.2). A string has none. */
export const DT: Readonly<Record<PropertyKind, string>> = {
  integer: 'int', boolean: 'boolean', string: 'string', time: 'dateTime.tz', binary: 'bin.base64', integers: 'mv.int', strings: 'mv.string', binaries: 'mv.bin.base64',
};

/** The properties of the capture in the order of the capture. */
export const CAPTURED_ORDER = [
  'subject', 'x68501102', 'x684f1003', 'x68541102', 'x68531003', 'x68561102', 'x68551003', 'x68521102', 'x68511003', 'x68470003', 'x68480003', 'x68680040',
];

/** A message that Exchange made from a calendar of its own. */
export function shownOfOwn(mailbox: Mailbox, message: OwnMessage, organisation: string): ShownProperties {
  const strings: readonly [number, string][] = [
    [ID.subject, subjectOf(mailbox)],
    [ID.normalizedSubject, subjectOf(mailbox)],
    [ID.address, `${organisation}/cn=Recipients/cn=${localPart(mailbox)}`],
  ];
  const property = (id: number, kind: PropertyKind, values: readonly (string | number)[]): [number, WrittenProperty] => [id, { id, kind, values: values.map(String) }];
  return shownOfWritten(new Map<number, WrittenProperty>([
    ...strings.map(([id, value]) => property(id, 'string', [value])),
    property(0x684f, 'integers', message.merged.months), property(0x6850, 'binaries', message.merged.blocks),
    property(0x6851, 'integers', message.tentative.months), property(0x6852, 'binaries', message.tentative.blocks),
    property(0x6853, 'integers', message.busy.months), property(0x6854, 'binaries', message.busy.blocks),
    property(0x6855, 'integers', message.away.months), property(0x6856, 'binaries', message.away.blocks),
    property(ID.start, 'integer', [message.startMinutes]), property(ID.end, 'integer', [message.endMinutes]),
    property(ID.timestamp, 'time', [new Date(message.publishedAt).toISOString()]),
  ]));
}

/** A message as it is stored. */
export function shownOfWritten(properties: Properties): ShownProperties {
  return (name) => {
    if (name === 'subject') {
      const subject = properties.get(ID.subject)?.values[0];
      return subject === undefined ? undefined : xml`<d:subject>${subject}</d:subject>`;
    }
    const tag = /^x([0-9a-f]{8})$/.exec(name)?.[1];
    if (tag === undefined) return undefined;
    const property = properties.get(Number.parseInt(tag.slice(0, 4), 16));
    return property === undefined || property.kind !== kindOfTag(Number.parseInt(tag, 16)) ? undefined : element(name, property);
  };
}

function element(name: string, { kind, values }: WrittenProperty): XmlText {
  if (kind === 'string') return xml`<e:${name}>${values[0] ?? ''}</e:${name}>`;
  if (!kind.endsWith('s')) return xml`<e:${name} b:dt="${DT[kind]}">${values[0] ?? ''}</e:${name}>`;
  return xml`<e:${name} b:dt="${DT[kind]}">${values.map((one) => (one === '' ? xml`<c:v/>` : xml`<c:v>${one}</c:v>`))}</e:${name}>`;
}

/** The subject as Exchange writes it: all after the first `/cn`, in capitals. */
export function subjectOf(mailbox: Mailbox): string {
  return `USER-/CN=RECIPIENTS/CN=${localPart(mailbox).toUpperCase()}`;
}

function localPart(mailbox: Mailbox): string {
  return mailbox.address.slice(0, mailbox.address.lastIndexOf('@'));
}
