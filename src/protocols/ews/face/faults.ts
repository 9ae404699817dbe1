import type { XmlNode } from '../../../platform/xml/write.ts';

/** Refuses a whole request as Exchange does: HTTP 500 with a SOAP Fault (exchange.md §3.7). */
export class EwsFault extends Error {
  override readonly name = 'EwsFault';
  /** ResponseCode of the schema: `ErrorSchemaValidation`. */
  readonly code: string;
  /** `t:Value` elements of MessageXml; left out where empty. */
  readonly messageXml: readonly XmlNode[];

  /** @param message shown to the client: no host, no other mailbox */
  constructor(code: string, message: string, messageXml: readonly XmlNode[] = []) {
    super(message);
    this.code = code;
    this.messageXml = messageXml;
  }
}
