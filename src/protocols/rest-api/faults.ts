import type { BridgeError, ErrorCode } from '../../core/errors.ts';

/** `{"code", "message"}`: what a client is told of an error, in a result and as the body of a refusal. */
export function encodeError(error: BridgeError): { readonly code: ErrorCode; readonly message: string } {
  return { code: error.code, message: error.publicMessage };
}
