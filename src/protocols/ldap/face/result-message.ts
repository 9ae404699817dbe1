import { BER } from '../ber-read.ts';
import { BerWriter } from '../ber-write.ts';
import { NOTICE_OF_DISCONNECTION, OPERATION, contextTag } from '../names.ts';
import type { ResultCode } from '../names.ts';

/** How an operation ended (RFC 4511 §4.1.9). */
export interface Result {
  readonly code: ResultCode;
  readonly matchedDn?: string;
  /** For a person at the other end. */
  readonly message?: string;
}

/** What only some results carry. */
export interface ResultExtras {
  /** Of an extended response. */
  readonly responseName?: string;
  readonly responseValue?: string;
  readonly controls?: readonly ResponseControl[];
}

export interface ResponseControl {
  readonly type: string;
  readonly value: Buffer;
}

/** A whole message with the result of an operation. @param operation tag of the response */
export function encodeResultMessage(id: number, operation: number, { code, matchedDn = '', message = '' }: Result, extras: ResultExtras = {}): Buffer {
  const writer = new BerWriter(128);
  const whole = writer.open(BER.sequence);
  writer.integer(BER.integer, id);
  const result = writer.open(operation);
  writer.integer(BER.enumerated, code);
  writer.text(BER.octetString, matchedDn);
  writer.text(BER.octetString, message);
  if (extras.responseName !== undefined) writer.text(contextTag(10, false), extras.responseName);
  if (extras.responseValue !== undefined) writer.text(contextTag(11, false), extras.responseValue);
  writer.close(result);
  if (extras.controls !== undefined && extras.controls.length > 0) {
    const controls = writer.open(contextTag(0, true));
    for (const { type, value } of extras.controls) {
      const control = writer.open(BER.sequence);
      writer.text(BER.octetString, type);
      writer.octets(BER.octetString, value);
      writer.close(control);
    }
    writer.close(controls);
  }
  writer.close(whole);
  return writer.finish();
}

/** The unsolicited notification before we end a connection (RFC 4511 §4.4.1). */
export function encodeNoticeOfDisconnection(result: Result): Buffer {
  return encodeResultMessage(0, OPERATION.extendedResponse, result, { responseName: NOTICE_OF_DISCONNECTION });
}
