import { describe, expect, it } from 'vitest';
import * as answers from './answer-text.ts';
import { contextWith } from './ews-stub.ts';
import { FakeExchange2010 } from './fake-exchange-2010.ts';
import type { Mischief } from './fake-exchange-2010.ts';
import { EX, FYD, IDENTITY, SUBJECT, WORKED_EXAMPLE, published, sinkAt, thrownBy, window } from './sink-bench.ts';

/** A fault as a 2010 gives it. */
const fault = (code: string, messageXml?: string): string => answers.fault(code, messageXml).replace('MajorVersion="15" MinorVersion="2"', 'MajorVersion="14" MinorVersion="3"');

describe('refusals of an Exchange 2010', () => {
  it('says so where nothing was written, whatever the word for it', async () => {
    const exchange = await FakeExchange2010.start(EX);
    exchange.put(EX, SUBJECT);
    exchange.refusedTags.add('0x6854');
    const error = await thrownBy(sinkAt(exchange.url).publish(IDENTITY, WORKED_EXAMPLE, contextWith()));
    expect(error).toMatchObject({ code: 'BACKEND_FAULT', temporary: false, details: { responseCode: 'ErrorInvalidExtendedProperty' } });
    // Sent once: nothing about it would be better the second time.
    expect(exchange.operations().filter((one) => one === 'UpdateItem')).toHaveLength(1);
  });

  it.each<readonly [string, string, string, Mischief, object]>([
    ['a warning', 'UpdateItem', 'BACKEND_FAULT', { code: 'NoError', responseClass: 'Warning' }, { temporary: false }],
    ['a warning with a code', 'UpdateItem', 'BACKEND_FAULT', { code: 'ErrorItemSavePropertyError', responseClass: 'Warning' }, { temporary: false, details: { responseCode: 'ErrorItemSavePropertyError' } }],
    ['a refused value', 'UpdateItem', 'BACKEND_FAULT', { code: 'ErrorInvalidExtendedPropertyValue' }, { temporary: false }],
    ['a refused set', 'UpdateItem', 'BACKEND_FAULT', { code: 'ErrorInvalidPropertySet' }, { temporary: false }],
    ['a code that nobody knows', 'UpdateItem', 'BACKEND_FAULT', { code: 'ErrorOfTomorrow' }, { temporary: false }],
    ['a code named after what every object has', 'UpdateItem', 'BACKEND_FAULT', { code: 'constructor' }, { temporary: false }],
    ['a conflict', 'UpdateItem', 'BACKEND_FAULT', { code: 'ErrorIrresolvableConflict' }, { temporary: true }],
    ['a server that stumbles', 'UpdateItem', 'BACKEND_FAULT', { code: 'ErrorInternalServerError' }, { temporary: true }],
    ['a replica that is away', 'FindItem', 'BACKEND_FAULT', { code: 'ErrorNoPublicFolderReplicaAvailable' }, { temporary: true }],
    ['no right to change', 'UpdateItem', 'BACKEND_AUTH', { code: 'ErrorAccessDenied' }, { details: { status: 403, folder: EX } }],
    ['no right to look', 'FindItem', 'BACKEND_AUTH', { code: 'ErrorAccessDenied' }, { details: { status: 403 } }],
    ['a folder gone for good', 'FindItem', 'NO_DATA', { code: 'ErrorFolderNotFound' }, { temporary: false, details: { folder: EX } }],
    ['an expired password', 'GetFolder', 'BACKEND_AUTH', { code: 'ErrorPasswordExpired' }, { details: { responseCode: 'ErrorPasswordExpired' } }],
    ['a refused password', 'GetFolder', 'BACKEND_AUTH', { status: 401 }, { details: { status: 401 } }],
    ['a fault of the schema', 'UpdateItem', 'BACKEND_FAULT', { status: 500, body: fault('ErrorSchemaValidation') }, { temporary: false, details: { responseCode: 'ErrorSchemaValidation' } }],
    ['a fault of unknown version', 'GetFolder', 'BACKEND_FAULT', { status: 500, body: '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:Client</faultcode><faultstring>no</faultstring></s:Fault></s:Body></s:Envelope>' }, { temporary: false }],
    ['a bare 500', 'UpdateItem', 'BACKEND_FAULT', { status: 500, body: 'Server Error' }, { temporary: true }],
    ['a bad gateway', 'UpdateItem', 'BACKEND_FAULT', { status: 502, body: '<html/>' }, { temporary: true }],
    ['a request that took too long', 'UpdateItem', 'BACKEND_FAULT', { status: 408 }, { temporary: true }],
    ['a request that came too early', 'UpdateItem', 'BACKEND_FAULT', { status: 425 }, { temporary: true }],
    ['a request that nobody likes', 'UpdateItem', 'BACKEND_FAULT', { status: 400 }, { temporary: false }],
    // Nothing at this URL is EWS, whichever mailbox asks.
    ...[404, 405, 501].map((status) => [`a ${status}`, 'GetFolder', 'CONFIGURATION', { status }, { temporary: false, details: { status, hint: 'url must be https://…/EWS/Exchange.asmx' } }] as const),
    ['a logon page', 'UpdateItem', 'BACKEND_MALFORMED', { status: 200, body: '<html><body>Sign in</body></html>' }, {}],
    ['another answer', 'UpdateItem', 'BACKEND_MALFORMED', { status: 200, body: '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body/></s:Envelope>' }, {}],
    ['half an answer', 'UpdateItem', 'BACKEND_MALFORMED', 'cut', { temporary: true }],
  ])('takes no refusal for success: %s', async (_name, operation, code, mischief, more) => {
    const exchange = await FakeExchange2010.start(EX);
    exchange.put(EX, SUBJECT);
    exchange.mischief = (asked) => (asked.operation === operation ? mischief : undefined);
    const error = await thrownBy(sinkAt(exchange.url).publish(IDENTITY, WORKED_EXAMPLE, contextWith()));
    expect(error).toMatchObject({ code, ...more });
    expect(JSON.stringify([error.message, error.details])).not.toMatch(/USER-|pässword|JDOE/i);
  });

  it.each<readonly [string, Mischief, number]>([
    ['ErrorServerBusy with a back-off', { status: 500, body: fault('ErrorServerBusy', '<t:Value Name="BackOffMilliseconds">7000</t:Value>') }, 7_000],
    ['the same in a response message, in the other namespace', { code: 'ErrorServerBusy', messageXml: '<m:MessageXml><t:Value Name="BackOffMilliseconds">7000</t:Value></m:MessageXml>' }, 7_000],
    ['busy inside ErrorInternalServerError', { code: 'ErrorInternalServerError', messageXml: '<m:MessageXml><t:Value Name="InnerErrorResponseCode">ErrorServerBusy</t:Value></m:MessageXml>' }, 1_000],
    ['503 with Retry-After', { status: 503, headers: { 'retry-after': '20' } }, 20_000],
    ['a back-off of a day', { status: 500, body: fault('ErrorServerBusy', '<t:Value Name="BackOffMilliseconds">86400000</t:Value>') }, 900_000],
  ])('waits as long as a busy server says: %s', async (_name, mischief, retryAfterMs) => {
    const exchange = await FakeExchange2010.start(EX);
    exchange.mischief = ({ operation }) => (operation === 'CreateItem' ? mischief : undefined);
    expect(await thrownBy(sinkAt(exchange.url).publish(IDENTITY, WORKED_EXAMPLE, contextWith()))).toMatchObject({ code: 'BACKEND_BUSY', temporary: true, retryAfterMs });
    expect(exchange.operations().filter((one) => one === 'CreateItem')).toHaveLength(1);
  });

  it('says which right is missing and how it is given', async () => {
    const exchange = await FakeExchange2010.start(EX);
    exchange.mayWrite = false;
    const error = await thrownBy(sinkAt(exchange.url).publish(IDENTITY, WORKED_EXAMPLE, contextWith()));
    expect(error).toMatchObject({ code: 'BACKEND_AUTH', temporary: false, details: { status: 403, responseCode: 'ErrorCreateItemAccessDenied' } });
    expect(error.details['hint']).toContain(`Add-PublicFolderClientPermission "\\NON_IPM_SUBTREE\\SCHEDULE+ FREE BUSY\\${EX}"`);
  });

  it('reads an HTTP 403 as an access policy, which is about the account and not about one message', async () => {
    const exchange = await FakeExchange2010.start(EX);
    exchange.mischief = () => ({ status: 403 });
    const error = await thrownBy(sinkAt(exchange.url).publish(IDENTITY, WORKED_EXAMPLE, contextWith()));
    expect(error.code).toBe('BACKEND_AUTH');
    expect(error.details['status']).toBeUndefined();
    expect(error.details['hint']).toContain('EwsApplicationAccessPolicy');
  });

  it('names the folder that is missing', async () => {
    const exchange = await FakeExchange2010.start(FYD);
    const error = await thrownBy(sinkAt(exchange.url).publish(IDENTITY, WORKED_EXAMPLE, contextWith()));
    expect(error).toMatchObject({ code: 'NO_DATA', temporary: false, details: { folder: EX } });
    expect(error.details['hint']).toContain(EX);
    expect(exchange.items.size).toBe(0);
  });

  it('stops at the deadline when the server stays silent', async () => {
    const exchange = await FakeExchange2010.start(EX);
    const deadline = new AbortController();
    exchange.mischief = ({ operation }) => {
      if (operation !== 'CreateItem') return undefined;
      setImmediate(() => deadline.abort());
      return 'silent';
    };
    expect(await thrownBy(sinkAt(exchange.url).publish(IDENTITY, WORKED_EXAMPLE, contextWith({ signal: deadline.signal })))).toMatchObject({ code: 'DEADLINE', temporary: true });
  });
});

describe('a server that ignores the folder', () => {
  it.each(['15.0.847.4040', '15.1.2507.6', '15.20.7000.1'])('is refused before anything is written: %s', async (version) => {
    const exchange = await FakeExchange2010.start(EX);
    exchange.version = version;
    const sink = sinkAt(exchange.url);
    const error = await thrownBy(sink.publish(IDENTITY, WORKED_EXAMPLE, contextWith()));
    expect(error).toMatchObject({ code: 'UNSUPPORTED', temporary: false });
    expect(error.publicMessage).toContain('Add-AvailabilityAddressSpace');
    expect(exchange.operations()).toEqual(['GetFolder']);
  });

  it('is refused also where it answers with a fault', async () => {
    const exchange = await FakeExchange2010.start(EX);
    exchange.mischief = () => ({ status: 500, body: answers.fault('ErrorInternalServerError') });
    expect(await thrownBy(sinkAt(exchange.url).publish(IDENTITY, WORKED_EXAMPLE, contextWith()))).toMatchObject({ code: 'UNSUPPORTED' });
  });

  it('is noticed when it takes the place of another: the message is looked for before it is written', async () => {
    const exchange = await FakeExchange2010.start(EX);
    const sink = sinkAt(exchange.url);
    await sink.publish(IDENTITY, WORKED_EXAMPLE, contextWith());
    exchange.version = '15.1.2507.6';
    expect(await thrownBy(sink.publish(IDENTITY, published(), contextWith()))).toMatchObject({ code: 'UNSUPPORTED' });
    expect(exchange.operations().slice(6)).toEqual(['FindItem']);
  });

  it.each([['2007', '8.3.83.6'], ['one that does not say', undefined]])('is not %s', async (_name, version) => {
    const exchange = await FakeExchange2010.start(EX);
    exchange.version = version;
    expect(await sinkAt(exchange.url).publish(IDENTITY, WORKED_EXAMPLE, contextWith())).toEqual(window);
  });
});
