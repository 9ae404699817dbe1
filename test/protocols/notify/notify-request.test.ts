import { describe, expect, it } from 'vitest';
import { decodeNotifyRequest } from '../../../src/protocols/notify/notify-request.ts';
import { about } from './serving.ts';

const read = (body: string | Buffer): readonly string[] => [...decodeNotifyRequest(Buffer.from(body)).keys()];
const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `u${index}@zimbra.example`);

describe('the body of a notification', () => {
  it('names mailboxes, each of which counts once, however it is spelled', () => {
    expect(read('{"mailboxes": ["kim@zimbra.example"]}')).toEqual(['kim@zimbra.example']);
    expect(read(about('Lee@Zimbra.example', 'SMTP:kim@zimbra.example', ' lee@zimbra.example ', "o'brien+x@zimbra.example", 'jörg@zimbra.example'))).toEqual([
      'lee@zimbra.example',
      'kim@zimbra.example',
      "o'brien+x@zimbra.example",
      'jörg@zimbra.example',
    ]);
  });

  it('tells where each is named first', () => {
    expect([...decodeNotifyRequest(Buffer.from(about('kim@zimbra.example', 'KIM@zimbra.example', 'lee@zimbra.example', 'kim@zimbra.example')))]).toEqual([
      ['kim@zimbra.example', 0],
      ['lee@zimbra.example', 2],
    ]);
  });

  it('may say more than that, and begin with a byte order mark', () => {
    expect(read('\ufeff{"id": 7, "mailboxes": ["kim@zimbra.example"], "__proto__": {"mailboxes": []}, "why": [[[]]]}')).toEqual(['kim@zimbra.example']);
  });

  it('holds a thousand mailboxes and not one more', () => {
    expect(read(about(...names(1_000)))).toHaveLength(1_000);
    expect(() => read(about(...names(1_001)))).toThrow(expect.objectContaining({ code: 'TOO_MANY_MAILBOXES', publicMessage: 'mailboxes has 1001 entries; at most 1000 go into one request' }) as Error);
    expect(() => read(about(...Array.from({ length: 1_001 }, () => 'kim@zimbra.example')))).toThrow(/at most 1000/);
  });

  it.each([
    ['a slash', 'a/cn=ceo@zimbra.example'],
    ['a backslash', 'a\\b@zimbra.example'],
    ['a line break', 'kim@zimbra.example\n'],
    ['a NUL', 'kim\u0000@zimbra.example'],
    ['a C1 control', 'kim\u0085@zimbra.example'],
    ['an invisible mark', 'kim\u202e@zimbra.example'],
    ['two dots', 'a..b@zimbra.example'],
    ['no @', 'canary'],
    ['two @', 'a@b@zimbra.example'],
    ['nothing', ''],
    ['two addresses in one', 'a@zimbra.example,b@zimbra.example'],
    ['255 characters', `${'a'.repeat(240)}@zimbra.example`],
    ['a number', 7],
    ['null', null],
    ['a list', ['kim@zimbra.example']],
    ['an object', { address: 'kim@zimbra.example' }],
  ])('is refused as a whole for an address with %s, by its place and without quoting it', (_what, address) => {
    expect(() => read(about('kim@zimbra.example', address))).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST', publicMessage: 'mailboxes[1] is no mail address' }) as Error);
  });

  it.each([
    ['nothing', ''],
    ['no JSON', 'mailboxes=canary@zimbra.example'],
    ['JSON cut off', '{"mailboxes": ["canary@zimbra.exam'],
    ['something after it', '{"mailboxes": ["canary@zimbra.example"]} x'],
    ['Latin-1', Buffer.from('{"mailboxes": ["canary\u00fc@zimbra.example"]}', 'latin1')],
    ['UTF-16', Buffer.from('{"mailboxes": ["canary@zimbra.example"]}', 'utf16le')],
    ['a list', '["canary@zimbra.example"]'],
    ['a text', '"canary@zimbra.example"'],
    ['null', 'null'],
    ['no mailboxes', '{}'],
    ['mailboxes by inheritance only', '{"__proto__": {"mailboxes": ["canary@zimbra.example"]}}'],
    ['another spelling of the key', '{"Mailboxes": ["canary@zimbra.example"]}'],
    ['one text for the list', '{"mailboxes": "canary@zimbra.example"}'],
    ['a map for the list', '{"mailboxes": {"0": "canary@zimbra.example", "length": 1}}'],
    ['an empty list', '{"mailboxes": []}'],
    ['brackets without end', '['.repeat(500_000)],
    ['a tower of brackets', `${'['.repeat(500_000)}${']'.repeat(500_000)}`],
    ['a tower of brackets for the list', `{"mailboxes": ${'['.repeat(400_000)}${']'.repeat(400_000)}}`],
    ['a tower of maps', `${'{"mailboxes":'.repeat(80_000)}1${'}'.repeat(80_000)}`],
  ])('is refused when it is %s, in words that quote none of it', (_what, body) => {
    let error: { readonly code?: string; readonly publicMessage?: string; readonly details?: object } = {};
    try {
      read(body);
    } catch (thrown) {
      error = thrown as typeof error;
    }
    expect(error.code).toBe('INVALID_REQUEST');
    expect(error.publicMessage).toMatch(/mailboxes/);
    expect(JSON.stringify([error.publicMessage, error.details])).not.toContain('canary');
  });
});
