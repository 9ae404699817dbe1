/** Refuses a whole SOAP request: HTTP 500 with a Fault. Codes as WCF has them, behind which Exchange's service stands. */
export class AutodiscoverFault extends Error {
  override readonly name = 'AutodiscoverFault';
  /** `Sender` and `Receiver` are `Client` and `Server` in SOAP 1.1. */
  readonly code: 'Sender' | 'Receiver' | 'MustUnderstand' | 'ActionNotSupported';

  /** @param message shown to the client: no host, no other mailbox */
  constructor(code: AutodiscoverFault['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
