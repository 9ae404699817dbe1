import { PAIR_PROPERTIES, PAIR_TYPES, PROPERTY } from '../../protocols/schedule-plus/properties.ts';

const WORDS: ReadonlyMap<number, string> = new Map([
  ...Object.entries(PROPERTY).map(([name, id]) => [id, name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)] as const),
  ...PAIR_TYPES.flatMap((type) => [[PAIR_PROPERTIES[type].months, `months of ${type}`] as const, [PAIR_PROPERTIES[type].blocks, `blocks of ${type}`] as const]),
]);

/** `0x6855 months of away` */
export function propertyInWords(id: number): string {
  const hex = `0x${id.toString(16).toUpperCase().padStart(4, '0')}`;
  const words = WORDS.get(id);
  return words === undefined ? hex : `${hex} ${words}`;
}
