import { BridgeError } from '../../core/errors.ts';
import { attribute } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { responseMessages } from './folder-id.ts';
import { responseCodeError } from './response-code.ts';
import { decodeResponseMessageError } from './response-message.ts';

/**
 * What came of each of `asked` writes, in order: undefined where it was done. Only Success with NoError is: a Warning says that
 * something was left out, and Zimbra's own push, which looks at none of this, believes every refusal to be a success.
 *
 * @throws BridgeError BACKEND_MALFORMED where there is not one answer a write
 */
export function decodeWriteAnswers(body: XmlElement, operation: string, asked: number): readonly (BridgeError | undefined)[] {
  const messages = responseMessages(body, operation);
  if (messages.length !== asked) {
    throw new BridgeError('BACKEND_MALFORMED', 'the answer does not say what came of the write', { details: { asked, answered: messages.length } });
  }
  return messages.map((message) => {
    const error = decodeResponseMessageError(message);
    return error ?? (attribute(message, 'ResponseClass') === 'Success' ? undefined : responseCodeError('Warning'));
  });
}
