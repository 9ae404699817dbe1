import type { IncomingMessage } from 'node:http';
import { BridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import { charsetOf } from '../../../platform/http-client/answer-headers.ts';
import { readBody } from '../../../platform/http-server/body.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import { XmlError, readXml } from '../../../platform/xml/read.ts';

/**
 * A request's body as XML; undefined where there is none.
 *
 * @throws BridgeError BODY_TOO_LARGE, INVALID_REQUEST
 */
export async function requestDocument(request: IncomingMessage, limitBytes: number = LIMITS.requestBodyBytes): Promise<XmlElement | undefined> {
  const body = await readBody(request, limitBytes);
  if (body.length === 0) return undefined;
  try {
    return await readXml(body, { charset: charsetOf(request.headers['content-type']), maxNodes: LIMITS.requestXmlNodes });
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    throw new BridgeError('INVALID_REQUEST', 'the body is no XML that can be read', { cause: error });
  }
}
