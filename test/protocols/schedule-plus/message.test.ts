import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseMailboxAddress } from '../../../src/directory/smtp-address.ts';
import { freeBusyFromMessage } from '../../../src/protocols/schedule-plus/free-busy-from-message.ts';
import { decodeFreeBusyMessage } from '../../../src/protocols/schedule-plus/free-busy-message.ts';

const jdoe = parseMailboxAddress('jdoe@contoso.example')!;
const FIXTURES = new URL('../../../fixtures/schedule-plus/message/', import.meta.url);

interface Expected {
  readonly window: { readonly start: string; readonly end: string };
  readonly busy: readonly { readonly start: string; readonly end: string; readonly busyType: string }[];
  readonly oddities: readonly string[];
}

function load<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(name, FIXTURES), 'utf8')) as T;
}

function rawOf(properties: Readonly<Record<string, readonly string[]>>) {
  return new Map(Object.entries(properties).map(([id, values]) => [Number(id), values]));
}

describe('messages', () => {
  it.each(readdirSync(FIXTURES))('the message of fixture %s says what its writer meant', (name) => {
    const message = decodeFreeBusyMessage(rawOf(load(`${name}/message.json`)));
    const expected = load<Expected>(`${name}/expected.json`);
    const window = { start: Date.parse(expected.window.start), end: Date.parse(expected.window.end) };
    const iso = (instant: number) => new Date(instant).toISOString().replace(':00.000Z', 'Z');
    const busy = freeBusyFromMessage(message, jdoe, window).busy.map((one) => ({ start: iso(one.start), end: iso(one.end), busyType: one.busyType }));
    expect(busy).toEqual(expected.busy);
    expect(message.oddities).toEqual(expected.oddities);
  });

  it('the worked example gives DN, subject, range and publication time', () => {
    const message = decodeFreeBusyMessage(rawOf(load('worked-example/message.json')));
    expect(message).toMatchObject({
      subject: 'USER-/CN=RECIPIENTS/CN=JDOE',
      legacyExchangeDn: '/o=Contoso/ou=First Administrative Group/cn=Recipients/cn=jdoe',
      publishStart: Date.UTC(2026, 2, 1),
      publishEnd: Date.UTC(2026, 5, 1),
      rangeTimestamp: Date.UTC(2026, 1, 27, 12, 34, 56),
    });
  });

  it('an empty message is no data for the whole window', () => {
    const window = { start: Date.UTC(2026, 2, 1), end: Date.UTC(2026, 2, 2) };
    expect(freeBusyFromMessage(decodeFreeBusyMessage(new Map()), jdoe, window).busy).toEqual([{ ...window, busyType: 'no-data' }]);
  });

  it('a publish range that ends before it begins is no data', () => {
    const message = decodeFreeBusyMessage(new Map([[0x6847, ['223745760']], [0x6848, ['223613280']]]));
    const window = { start: Date.UTC(2026, 2, 1), end: Date.UTC(2026, 2, 2) };
    expect(freeBusyFromMessage(message, jdoe, window).busy).toEqual([{ ...window, busyType: 'no-data' }]);
  });

  it('a message of a million months is refused pair by pair and does not hold the process', () => {
    const months = Array.from({ length: 200_000 }, () => '32419');
    const blocks = months.map(() => 'UAqMCg==');
    const message = decodeFreeBusyMessage(new Map([[0x6847, ['223613280']], [0x6848, ['223745760']], [0x6853, months], [0x6854, blocks]]));
    expect(message.pairs.busy.broken).toBe(true);
  });
});
