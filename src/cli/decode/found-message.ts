import type { RawProperties } from '../../protocols/schedule-plus/properties.ts';

/** What a document says of one free/busy message. */
export interface FoundMessage {
  /** In which it came, for people. */
  readonly kind: 'PROPFIND answer' | 'PROPPATCH' | 'EWS GetItem answer' | 'EWS CreateItem' | 'EWS UpdateItem';
  readonly properties: RawProperties;
  /** 16-bit ids of the properties that it takes away. */
  readonly removed: ReadonlySet<number>;
  /** It changes a message that is there: what it does not name stays as it is. */
  readonly isPartial: boolean;
}

/** A document, or a part of one, that should hold a message and does not; one line of why. */
export interface NoMessage {
  readonly kind: string;
  readonly problem: string;
}

export type Found = FoundMessage | NoMessage;

/** exchange.md §1.2: PidTagScheduleInfo… and PidTagFreeBusy… */
const FIRST_ID = 0x6841;
const LAST_ID = 0x6869;

/** Whether it says anything about free/busy: an appointment, or a contact, has none of these properties. */
export function isFreeBusy({ properties, removed }: Pick<FoundMessage, 'properties' | 'removed'>): boolean {
  return [...properties.keys(), ...removed].some((id) => id >= FIRST_ID && id <= LAST_ID);
}
