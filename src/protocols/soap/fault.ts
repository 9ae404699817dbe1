import { child, childText, descend } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';

/** What a Fault says, whatever its version. Texts come from the server: never shown to clients as they are. */
export interface SoapFault {
  /** Local part of `faultcode` (1.1) or of the deepest Subcode or Code (1.2): `ErrorServerBusy`, `Client`, `Sender`. */
  readonly code: string;
  readonly reason: string;
  readonly detail?: XmlElement;
}

/** Reads a Fault element of SOAP 1.1 (§4.4, children unqualified) or 1.2 (§5.4). Missing parts are empty. */
export function decodeFault(fault: XmlElement): SoapFault {
  const detail = child(fault, 'detail') ?? child(fault, 'Detail');
  const code = childText(fault, 'faultcode') ?? innermostCode(child(fault, 'Code')) ?? '';
  const reason = childText(fault, 'faultstring') ?? descend(fault, 'Reason', 'Text')?.text.trim() ?? '';
  return { code: code.slice(code.lastIndexOf(':') + 1), reason, ...(detail === undefined ? {} : { detail }) };
}

function innermostCode(code: XmlElement | undefined): string | undefined {
  let value: string | undefined;
  for (let one = code; one !== undefined; one = child(one, 'Subcode')) value = childText(one, 'Value') ?? value;
  return value;
}
