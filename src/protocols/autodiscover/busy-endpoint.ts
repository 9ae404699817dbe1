import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../core/clock.ts';
import { sendWhole, sentPath } from '../../platform/http-server/busy-answer.ts';
import type { BusyAnswer } from '../../platform/http-server/busy-answer.ts';
import { noteForLog } from '../../platform/http-server/request-scope.ts';
import { handoutOf } from './handout.ts';
import { group, leaf } from './leaf.ts';
import { AUTODISCOVER_NS, SOAP_ENABLED_HEADER, XML_CONTENT_TYPE } from './names.ts';
import { encodePoxError } from './pox-error.ts';
import { encodeSoapAnswer, encodeSoapFault } from './soap-answer.ts';

export interface AutodiscoverBusyServices {
  readonly publicUrl: () => string;
  readonly clock: Clock;
}

/**
 * POX: error 603 ([MS-OXDSCLI] §2.2.4.1.1.3.1), with 200 as all its errors. SOAP: the answer of the operation that SOAPAction names with ErrorCode ServerBusy ([MS-OXWSADISC] §2.2.5.3), a Fault where it
 * names none. JSON: 503 in its own form.
 */
export function autodiscoverBusy(services: AutodiscoverBusyServices): BusyAnswer {
  return (request, response) => {
    const [, kind] = /^\/autodiscover\/autodiscover\.(xml|svc|json)(?:\/|$)/i.exec(sentPath(request)) ?? [];
    if (kind === undefined) return false;
    noteForLog(request, { face: 'autodiscover' });
    response.setHeader(SOAP_ENABLED_HEADER, 'True');
    ANSWERS[kind.toLowerCase() as keyof typeof ANSWERS](response, request, services);
    return true;
  };
}

type Write = (response: ServerResponse, request: IncomingMessage, services: AutodiscoverBusyServices) => void;

const ANSWERS: Readonly<Record<'xml' | 'svc' | 'json', Write>> = {
  xml: (response, _request, { publicUrl, clock }) => sendWhole(response, 200, XML_CONTENT_TYPE, encodePoxError(603, handoutOf(publicUrl()), clock.now())),
  svc: (response, request) => {
    const [, operation, whose] = ACTION.exec(String(request.headers['soapaction'] ?? '')) ?? [];
    if (operation === undefined) sendWhole(response, 500, XML_CONTENT_TYPE, encodeSoapFault('1.1', { code: 'Receiver', message: BUSY }));
    else sendWhole(response, 200, XML_CONTENT_TYPE, encodeSoapAnswer('1.1', undefined, { name: `${operation}Response`, content: [leaf('ErrorCode', 'ServerBusy'), leaf('ErrorMessage', BUSY), group(`${whose!}Responses`, [])] }));
  },
  json: (response) => sendWhole(response, 503, 'application/json; charset=utf-8', JSON.stringify({ ErrorCode: 'ServerBusy', ErrorMessage: BUSY })),
};

const BUSY = 'The server is too busy to process the request.';
const ACTION = new RegExp(`^"?${AUTODISCOVER_NS.replaceAll('.', '\\.')}/Autodiscover/(Get(User|Domain)Settings)"?$`);
