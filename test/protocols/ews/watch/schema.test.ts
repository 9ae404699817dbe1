import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { encodeRequest, REQUEST_SERVER_VERSION, STREAMING_SERVER_VERSION, TYPES_NS } from '../../../../src/protocols/ews/names.ts';
import { encodeGetCalendarFolder } from '../../../../src/protocols/ews/watch/calendar-folder.ts';
import { encodeGetEvents } from '../../../../src/protocols/ews/watch/get-events.ts';
import { encodeGetStreamingEvents } from '../../../../src/protocols/ews/watch/get-streaming-events.ts';
import { encodeImpersonation } from '../../../../src/protocols/ews/impersonation.ts';
import { encodeSendNotificationResult } from '../../../../src/protocols/ews/watch/send-notification.ts';
import { encodeSubscribe, encodeUnsubscribe } from '../../../../src/protocols/ews/watch/subscribe.ts';
import { attribute, childText, descend } from '../../../../src/platform/xml/element.ts';
import { readXml } from '../../../../src/platform/xml/read.ts';
import { writeXml } from '../../../../src/platform/xml/write.ts';
import type { XmlNode } from '../../../../src/platform/xml/write.ts';
import { CAN_VALIDATE, EWS_SCHEMA } from '../../../shared.ts';
import { eventXml, sendNotification, sendNotificationError } from './scripted-exchange.ts';
import { at } from './watch-bench.ts';

const URL_OF_OURS = 'http://bridge.corp.example:50020/abc?x=1&y=2';
const BODIES: readonly (readonly [string, XmlNode])[] = [
  ['Subscribe, push', encodeSubscribe({ way: 'push', watermark: undefined, statusFrequency: 1, url: URL_OF_OURS })],
  ['Subscribe, push with a watermark', encodeSubscribe({ way: 'push', watermark: 'AQAA<&>', statusFrequency: 1440, url: URL_OF_OURS })],
  ['Subscribe, streaming', encodeSubscribe({ way: 'streaming' })],
  ['Subscribe, pull', encodeSubscribe({ way: 'pull', watermark: undefined, minutes: 30 })],
  ['Subscribe, pull with a watermark', encodeSubscribe({ way: 'pull', watermark: 'AQAA', minutes: 1440 })],
  ['Unsubscribe', encodeUnsubscribe('JwBzdWI=')],
  ['GetEvents', encodeGetEvents('JwBzdWI=', 'AQAA')],
  ['GetStreamingEvents', encodeGetStreamingEvents(Array.from({ length: 200 }, (_, index) => `sub${index}`), 30)],
  ['GetFolder of the calendar', encodeGetCalendarFolder()],
];

const validate = (document: string): string => spawnSync('xmllint', ['--noout', '--nonet', '--schema', EWS_SCHEMA, '-'], { input: document, encoding: 'utf8' }).stderr.trim();

/** The content of a SOAP body, as a document. */
function bodyOf(envelope: string): string {
  return /<(?:s|soap):Body>([\s\S]*)<\/(?:s|soap):Body>/.exec(envelope)![1]!;
}

describe('what we send about subscriptions', () => {
  it.runIf(CAN_VALIDATE).each(BODIES)('%s validates against the schema of Microsoft', (_name, body) => {
    expect(validate(writeXml(body))).toBe('- validates');
  });

  it.runIf(CAN_VALIDATE).each(['OK', 'Unsubscribe'] as const)('SendNotificationResult %s validates', (status) => {
    expect(validate(bodyOf(encodeSendNotificationResult(status)))).toBe('- validates');
  });

  it.runIf(CAN_VALIDATE)('and a wrong order does not: the judge is awake', () => {
    expect(validate(writeXml(encodeGetEvents('', 'AQAA')))).toContain('fails to validate');
  });

  it('the calls that the scripted Exchange makes validate too, but for the error form, which the schema of Microsoft does not have', () => {
    if (!CAN_VALIDATE) return;
    expect(validate(bodyOf(sendNotification('sub', 1, eventXml(2) + eventXml(3, 'CreatedEvent'))))).toBe('- validates');
    expect(validate(bodyOf(sendNotification('sub', undefined, eventXml(2, 'StatusEvent'))))).toBe('- validates');
    expect(validate(bodyOf(sendNotificationError('sub', 'ErrorReadEventsFailed')))).toContain('Missing child element(s). Expected is');
  });

  it.each([REQUEST_SERVER_VERSION, STREAMING_SERVER_VERSION] as const)('names its version (%s), and whose name it acts in, in the header', async (version) => {
    const root = await readXml(encodeRequest(encodeUnsubscribe('x'), version, encodeImpersonation(at("o'neil&co"))));
    const header = descend(root, 'Header')!;
    expect(header.children.map((one) => [one.name, one.ns])).toEqual([
      ['RequestServerVersion', TYPES_NS],
      ['ExchangeImpersonation', TYPES_NS],
    ]);
    expect(attribute(header.children[0], 'Version')).toBe(version);
    expect(childText(descend(header, 'ExchangeImpersonation', 'ConnectingSID'), 'PrimarySmtpAddress')).toBe("o'neil&co@corp.example");
  });

  it('asks for FreeBusyChangedEvent only in the schema that has it, and for no event of items that are no appointments', () => {
    expect(writeXml(encodeSubscribe({ way: 'streaming' }))).toContain('FreeBusyChangedEvent');
    expect(writeXml(encodeSubscribe({ way: 'pull', watermark: undefined, minutes: 1 }))).not.toContain('FreeBusyChangedEvent');
    for (const [, body] of BODIES) expect(writeXml(body)).not.toMatch(/NewMailEvent|SubscribeToAllFolders/);
  });
});
