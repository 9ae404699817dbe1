import { BridgeError, ERROR_CODES } from '../../core/errors.ts';
import type { ErrorCode, ErrorDetails } from '../../core/errors.ts';
import { isRecord } from './record.ts';

/** A BridgeError as JSON: for the control socket and for `--json`. */
export interface WrittenError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly temporary: boolean;
  readonly retryAfterMs?: number;
  readonly details: ErrorDetails;
}

export function encodeError(error: BridgeError): WrittenError {
  const { code, publicMessage: message, temporary, retryAfterMs, details } = error;
  return { code, message, temporary, ...(retryAfterMs === undefined ? {} : { retryAfterMs }), details };
}

/** Undefined where it is no error; a code that this version does not know is INTERNAL, with the message as it came. */
export function decodeError(data: unknown): BridgeError | undefined {
  if (!isRecord(data) || typeof data['code'] !== 'string' || typeof data['message'] !== 'string') return undefined;
  const { code, message, temporary, retryAfterMs, details } = data;
  return new BridgeError(ERROR_CODES.find((one) => one === code) ?? 'INTERNAL', message, {
    temporary: temporary === true,
    retryAfterMs: typeof retryAfterMs === 'number' ? retryAfterMs : undefined,
    details: isRecord(details) ? Object.fromEntries(Object.entries(details).filter((pair): pair is [string, string | number | boolean] => isPlain(pair[1]))) : {},
  });
}

function isPlain(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
