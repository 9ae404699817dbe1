import { EventEmitter } from 'node:events';
import { Router } from 'express';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/core/limits.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import { createApp } from '../../src/platform/http-server/app.ts';
import type { Listener } from '../../src/platform/http-server/listener.ts';
import { LoadGate } from '../../src/platform/http-server/load-gate.ts';
import { readXml } from '../../src/platform/xml/read.ts';
import type { XmlElement } from '../../src/platform/xml/element.ts';
import { autodiscoverBusy } from '../../src/protocols/autodiscover/busy-endpoint.ts';
import { ewsBusy } from '../../src/protocols/ews/busy-endpoint.ts';
import { notifyBusy } from '../../src/protocols/notify/busy-endpoint.ts';
import { restApiBusy } from '../../src/protocols/rest-api/busy-endpoint.ts';
import { zimbraSoapBusy } from '../../src/protocols/zimbra-soap/busy-endpoint.ts';
import { ask, keepingLogger, sendRaw } from '../platform/http-server/serving.ts';
import { serve } from '../platform/http-server/serving.ts';

const { logger, lines } = keepingLogger();
const shed: string[] = [];
let listener: Listener;

beforeAll(async () => {
  const gate = new LoadGate({ metrics: { shed: (reason) => void shed.push(reason) } });
  for (let n = 0; n < LIMITS.requestsInFlight; n++) gate.handlerFor()(new EventEmitter() as never, new EventEmitter() as never, () => undefined);
  const busy = [ewsBusy, zimbraSoapBusy, restApiBusy, autodiscoverBusy({ publicUrl: () => 'https://bridge.example.com', clock: { now: () => Date.UTC(2026, 2, 2, 9, 8, 7) } }), notifyBusy];
  const nobody = Router().use(() => {
    throw new Error('nobody comes this far');
  });
  listener = await serve(createApp({ trustedProxies: [], deadlineMs: 5_000, always: Router(), gate, busy, routers: [nobody], logger, metrics: noMetrics }), silentLogger);
});
afterAll(() => listener.close(0));

const texts = (root: XmlElement): readonly string[] => [...(root.text.trim() === '' ? [] : [`${root.name}=${root.text.trim()}`]), ...root.children.flatMap(texts)];
const xml = async (body: string): Promise<{ readonly root: XmlElement; readonly texts: readonly string[] }> => {
  const root = await readXml(Buffer.from(body), { charset: undefined, maxNodes: 1_000 });
  return { root, texts: texts(root) };
};
const post = (path: string, body: string, headers: Record<string, string> = {}): ReturnType<typeof ask> => ask(listener.url, path, { method: 'POST', headers: { 'content-type': 'text/xml; charset=utf-8', ...headers }, body });

describe('a face that is shed says so in its own words, to anybody, unread', () => {
  it('EWS: ErrorServerBusy with BackOffMilliseconds, as exchange.md §3.7 has it', async () => {
    for (const path of ['/EWS/Exchange.asmx', '/ews//exchange.asmx/?x']) {
      const { status, headers, body } = await post(path, '<not-looked-at>');
      expect([status, headers['content-type'], headers['retry-after']]).toEqual([500, 'text/xml; charset=utf-8', '2']);
      expect((await xml(body)).texts).toEqual(['faultcode=a:ErrorServerBusy', expect.stringContaining('faultstring='), 'ResponseCode=ErrorServerBusy', expect.stringContaining('Message='), `Value=${LIMITS.shedRetryMs}`]);
      expect(body).toContain('Name="BackOffMilliseconds"');
    }
    expect(await ask(listener.url, '/EWS/Exchange.asmx')).toMatchObject({ status: 503, body: 'busy\n' });
  });

  it.each([
    ['SOAP 1.2', '<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope"><soap:Body/></soap:Envelope>', 'text/xml; charset=utf-8', 'Value=soap:Receiver'],
    ['SOAP 1.1', '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body/></soap:Envelope>', 'text/xml; charset=utf-8', 'faultcode=soap:Server'],
    ['JSON', '{"Body":{"GetFreeBusyRequest":{}}}', 'text/javascript; charset=utf-8', '"Code":"service.TEMPORARILY_UNAVAILABLE"'],
  ])('Zimbra: service.TEMPORARILY_UNAVAILABLE in %s, which the Content-Type does not tell', async (_name, sent, contentType, mark) => {
    // As Zimbra's web client sends JSON too.
    const { status, headers, body } = await post('/service/soap/GetFreeBusyRequest', sent, { 'content-type': 'application/soap+xml; charset=utf-8' });
    expect([status, headers['content-type'], headers['retry-after']]).toEqual([500, contentType, '2']);
    if (contentType.startsWith('text/xml')) expect((await xml(body)).texts).toEqual(expect.arrayContaining([mark, 'Code=service.TEMPORARILY_UNAVAILABLE']));
    else expect(JSON.stringify((JSON.parse(body) as { Body: { Fault: unknown } }).Body.Fault)).toContain(mark);
  });

  it('Zimbra: without waiting for a body that does not come', async () => {
    const { text } = await sendRaw(listener.url, 'POST /service/soap/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n', { patienceMs: 400 });
    expect(text).toMatch(/^HTTP\/1\.1 500 /);
    expect(text).toContain('service.TEMPORARILY_UNAVAILABLE');
  });

  it('the JSON API and /notify: their error body with 503', async () => {
    for (const [path, method] of [['/api/v1/freebusy?mailbox=a@b.example', 'GET'], ['/notify', 'POST']] as const) {
      const { status, headers, body } = await ask(listener.url, path, { method });
      expect([status, headers['content-type'], headers['retry-after']]).toEqual([503, 'application/json; charset=utf-8', '2']);
      expect(JSON.parse(body)).toMatchObject({ error: { code: 'BACKEND_BUSY' } });
    }
  });

  it('Autodiscover: 603, ServerBusy in the operation that SOAPAction names, or a Fault', async () => {
    const pox = await post('/Autodiscover/Autodiscover.xml', '<x/>');
    expect([pox.status, pox.headers['x-soap-enabled']]).toEqual([200, 'True']);
    expect((await xml(pox.body)).texts).toEqual(['ErrorCode=603', 'Message=Server Error']);
    for (const name of ['GetUserSettings', 'GetDomainSettings']) {
      const soap = await post('/autodiscover/autodiscover.svc', '<x/>', { soapaction: `"http://schemas.microsoft.com/exchange/2010/Autodiscover/Autodiscover/${name}"` });
      expect(soap.status).toBe(200);
      const answer = await xml(soap.body);
      expect(answer.texts).toContain('ErrorCode=ServerBusy');
      expect(answer.root.children[1]!.children[0]!.name).toBe(`${name}ResponseMessage`);
    }
    const unnamed = await post('/autodiscover/autodiscover.svc', '<x/>');
    expect(unnamed.status).toBe(500);
    expect((await xml(unnamed.body)).texts).toContain('faultcode=s:Server');
    const json = await ask(listener.url, '/autodiscover/autodiscover.json/v1.0/a@b.example?Protocol=ews');
    expect([json.status, JSON.parse(json.body)]).toMatchObject([503, { ErrorCode: 'ServerBusy' }]);
  });

  it('OWA, iCalendar, CalDAV and paths that nobody has: 503 with Retry-After, in plain words', async () => {
    for (const [path, method] of [['/public/?cmd=freebusy', 'GET'], ['/freebusy/a@b.example.ifb', 'GET'], ['/caldav/', 'PROPFIND'], ['/x', 'GET'], ['/%', 'GET'], ['/service/soapx', 'POST'], ['/autodiscover/autodiscover.xmlx', 'POST']] as const) {
      expect(await ask(listener.url, path, { method })).toMatchObject({ status: 503, body: 'busy\n', headers: { 'retry-after': '2' } });
    }
  });

  it('each is counted and logged as shed, a warning and no failure of ours', () => {
    expect(new Set(shed)).toEqual(new Set(['full']));
    expect(lines.length).toBeGreaterThan(10);
    expect(lines.every((line) => line.level === 'warn' && line.code === 'BACKEND_BUSY' && line.reason === 'too many requests at once')).toBe(true);
    expect(new Set(lines.map(({ face }) => face))).toEqual(new Set(['ews', 'zimbra-soap', 'api', 'notify', 'autodiscover', 'none']));
  });
});
