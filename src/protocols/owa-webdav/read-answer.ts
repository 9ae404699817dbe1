import { BridgeError } from '../../core/errors.ts';
import { charsetOf } from '../../platform/http-client/answer-headers.ts';
import type { HttpAnswer } from '../../platform/http-client/http-client.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { readXml } from '../../platform/xml/read.ts';

/** The document of an answer. Exchange 2000 and 2003 refer to characters that XML forbids; those are dropped. @throws BridgeError BACKEND_MALFORMED */
export async function readAnswer(answer: Pick<HttpAnswer, 'body' | 'headers'>): Promise<XmlElement> {
  try {
    return await readXml(answer.body, { charset: charsetOf(answer.headers['content-type']), dropIllegalReferences: true });
  } catch (error) {
    throw new BridgeError('BACKEND_MALFORMED', 'the answer is no well-formed XML', { cause: error });
  }
}
