import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { EntryDetails } from '../../directory/entry.ts';
import { parseMailboxAddress } from '../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { childText } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';

/** One whom galfind has found. */
export interface FoundPerson {
  readonly alias: string | undefined;
  readonly name: string | undefined;
  /** Undefined: no mail goes there. */
  readonly address: MailboxAddress | undefined;
  readonly details: EntryDetails;
}

export interface GalfindAnswer {
  readonly found: readonly FoundPerson[];
  /** An `error` says that there are too many, or there are as many as one answer ever holds. */
  readonly isCut: boolean;
}

/** By what a whole list can be gone through: the e-mail address or the alias. */
export type GalfindKey = 'EM' | 'AN';

/** The query part of `cmd=galfind` about one criterion (exchange.md §2.5). */
export function encodeGalfindQuery(key: GalfindKey, text: string): string {
  return `cmd=galfind&${key}=${encodeURIComponent(text)}`;
}

/**
 * Reads the answer: `item` elements at any depth, each with `AN` `DN` `EM` `TL` `CP` `OFFICE` `PH` as far as they are known.
 *
 * @throws BridgeError BACKEND_MALFORMED for another document
 */
export function decodeGalfind(root: XmlElement): GalfindAnswer {
  if (root.name !== 'response' && root.name !== 'galfind') throw new BridgeError('BACKEND_MALFORMED', 'the answer is none of galfind');
  const found = below(root, 'item').map(decodeItem);
  const error = below(root, 'error')[0];
  return { found, isCut: error !== undefined || found.length >= LIMITS.galfindResults };
}

function decodeItem(item: XmlElement): FoundPerson {
  const text = (name: string): string | undefined => childText(item, name) || undefined;
  const alias = text('AN');
  const details = { nickname: alias?.includes('@') === true ? undefined : alias, title: text('TL'), company: text('CP'), office: text('OFFICE'), phone: text('PH') };
  return { alias, name: text('DN'), address: parseMailboxAddress(text('EM') ?? ''), details: Object.fromEntries(Object.entries(details).filter((pair) => pair[1] !== undefined)) };
}

function below(element: XmlElement, name: string): readonly XmlElement[] {
  return element.children.flatMap((one) => (one.name === name ? [one] : below(one, name)));
}
