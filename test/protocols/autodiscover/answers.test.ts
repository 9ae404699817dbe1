import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BridgeError } from '../../../src/core/errors.ts';
import { decodeAnswered } from '../../../src/protocols/autodiscover/answered.ts';
import type { Dialect } from '../../../src/protocols/autodiscover/service.ts';

const FIXTURES = join(import.meta.dirname, '../../../fixtures/autodiscover');
const read = (...parts: readonly string[]): Buffer => readFileSync(join(FIXTURES, ...parts));
const decoded = async (dialect: Dialect, body: Buffer, status = 200): Promise<unknown> =>
  decodeAnswered(dialect, { status, headers: {}, body }).catch((error: BridgeError) => ({ code: error.code, responseCode: error.details['responseCode'], temporary: error.temporary }));

describe.each(['soap', 'pox'] as const)('answers that others have written, %s', (dialect) => {
  it.each(readdirSync(join(FIXTURES, `${dialect}-answer`)))('%s', async (name) => {
    expect(await decoded(dialect, read(`${dialect}-answer`, name, 'message.xml'))).toEqual(JSON.parse(read(`${dialect}-answer`, name, 'expected.json').toString()));
  });

  it.each(readdirSync(join(FIXTURES, `${dialect}-answer`)))('%s, cut off anywhere, gives no URL', async (name) => {
    const whole = read(`${dialect}-answer`, name, 'message.xml').toString().trimEnd();
    for (let end = 0; end < whole.length - 1; end += 37) expect(await decoded(dialect, Buffer.from(whole.slice(0, end)))).toMatchObject({ code: 'BACKEND_MALFORMED' });
  });
});

describe('the second version', () => {
  it.each([
    [200, '{"Protocol":"Ews","Url":"https://a.example/EWS/Exchange.asmx"}', { kind: 'found', ewsUrls: ['https://a.example/EWS/Exchange.asmx'] }],
    [400, '{"ErrorCode":"ProtocolNotSupported","ErrorMessage":"…"}', { code: 'BACKEND_FAULT', responseCode: 'ProtocolNotSupported', temporary: false }],
    [404, '{"ErrorCode":"UserNotFound","ErrorMessage":"…"}', { code: 'BACKEND_FAULT', responseCode: 'unknown-mailbox', temporary: false }],
    [200, '{"Protocol":"ActiveSync","Url":"https://a.example/"}', { code: 'BACKEND_MALFORMED', responseCode: undefined, temporary: false }],
    [200, '[null]', { code: 'BACKEND_MALFORMED', responseCode: undefined, temporary: false }],
    [200, 'null', { code: 'BACKEND_MALFORMED', responseCode: undefined, temporary: false }],
    [404, '<html>', { code: 'BACKEND_FAULT', responseCode: undefined, temporary: false }],
  ])('%i %s', async (status, body, expected) => {
    expect(await decoded('json', Buffer.from(body), status)).toEqual(expected);
  });
});
