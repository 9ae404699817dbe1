/** One header line; `name` is the long form, in any case. */
export interface SipHeader {
  readonly name: string;
  readonly value: string;
}

export interface SipRequest {
  readonly kind: 'request';
  readonly method: string;
  readonly uri: string;
  /** In order. */
  readonly headers: readonly SipHeader[];
  readonly body: Uint8Array;
}

export interface SipResponse {
  readonly kind: 'response';
  /** 100 to 699. */
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly SipHeader[];
  readonly body: Uint8Array;
}

export type SipMessage = SipRequest | SipResponse;

export const NO_BODY = new Uint8Array(0);

/** All values of that name, line by line. @param name long form, lower case */
export function headerLines(message: { readonly headers: readonly SipHeader[] }, name: string): readonly string[] {
  return message.headers.filter((one) => one.name.toLowerCase() === name).map((one) => one.value);
}

/** The value of a header that stands once; undefined where it is missing, or stands several times and may mean anything. @param name long form, lower case */
export function headerOf(message: { readonly headers: readonly SipHeader[] }, name: string): string | undefined {
  const lines = headerLines(message, name);
  return lines.length === 1 ? lines[0] : undefined;
}
