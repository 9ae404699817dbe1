import { el, writeXml } from '../../platform/xml/write.ts';
import { RESPONSE_NS } from './names.ts';
import type { Handout } from './handout.ts';

/** ErrorCode of a POX answer ([MS-OXDSCLI] §2.2.4.1.1.3.1) and what Exchange says with it. The HTTP status is 200 all the same. */
const MESSAGES = {
  /** Nobody we know, or nobody this client may ask about: the two look the same. */
  500: "The email address can't be found.",
  /** Not a request: no XML, another namespace, nobody asked for, or a GET. */
  600: 'Invalid Request',
  /** A schema that we have nothing for. */
  601: 'Provider is not available',
  603: 'Server Error',
} as const;

export type PoxErrorCode = keyof typeof MESSAGES;

/** Refuses a POX request in the protocol's own form. */
export class PoxError extends Error {
  override readonly name = 'PoxError';
  readonly code: PoxErrorCode;

  constructor(code: PoxErrorCode, options?: ErrorOptions) {
    super(MESSAGES[code], options);
    this.code = code;
  }
}

/** @param now epoch ms; the answer has the time of day in UTC */
export function encodePoxError(code: PoxErrorCode, { serverId }: Handout, now: number): string {
  const time = `${new Date(now).toISOString().slice(11, 23)}0000`;
  return writeXml(
    el(
      'Autodiscover',
      { xmlns: RESPONSE_NS },
      el('Response', undefined, el('Error', { Time: time, Id: serverId }, el('ErrorCode', undefined, code), el('Message', undefined, MESSAGES[code]), el('DebugData'))),
    ),
  );
}
